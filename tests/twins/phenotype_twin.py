"""A plain twin of the transition: whole arrays in NumPy, single precision where the rule has it."""

import numpy as np

F = np.float32


def change_of(state: dict[str, np.ndarray], rates) -> np.ndarray:
    """What emt wants to change by in this tick, f4; state: emt, clone, matrix, growth_factor, oxygen; response by clone."""
    ratio = np.maximum(state["growth_factor"], 0) / F(rates.half)
    power = np.ones_like(ratio)
    for _ in range(rates.exponent):
        power = power * ratio
    hill = power / (F(1) + power)
    low = np.clip((F(rates.onset) - state["oxygen"]) * F(rates.steepness), F(0), F(1))
    cues = F(rates.stiffness) * state["matrix"]
    cues = cues + F(rates.growth_factor) * hill + F(rates.hypoxia) * low
    factor = np.ones(state["clone"].shape, dtype=F)
    known = state["clone"] < len(state["response"])
    factor[known] = state["response"][state["clone"][known]]
    drive = factor * cues + F(rates.background)
    return F(rates.gain) * drive - np.asarray(rates.resisted, dtype=F)[state["emt"]]


def adapt(state: dict[str, np.ndarray], rates, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(emt after the tick, how far each draw was from tipping the other way, in probability)."""
    change = change_of(state, rates).astype(float)
    share = change - np.floor(change)
    chance = draws / 2.0**32
    up = chance < share
    emt = np.clip(state["emt"].astype(int) + np.floor(change).astype(int) + up, 0, 255).astype(np.uint8)
    tumour = state["cell"] == 1
    margin = np.minimum(np.abs(chance - share), np.minimum(share, 1 - share) + 1e-3)
    return np.where(tumour, emt, state["emt"]), np.where(tumour, margin, np.inf)
