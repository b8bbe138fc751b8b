"""The efficiency budget: which share of the single cells (or clusters) that leave comes through each step, in log10.

    transit         is held somewhere, alive
    arrest          elsewhere than in the primary's own vessels
    gauntlet        some of its cells outlive the killers
    extravasation   gets out of the vessel
    soil            finds a spot to live on
    growth          is not dormant for ever
    establishment   becomes a colony that never dies out (Allee: `kernels/birth_death.py`)

A function of the tables alone; every factor is given that the steps before it were passed, so the product is the whole.
Presets that hold this against published experiments stand in `scenarios/data/efficiency.toml`.
"""

import math
import tomllib
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from ...kernels.birth_death import establishment
from .dormancy import wakes_probability
from .outcomes import Steps
from .parameters import Body
from .passage import KINDS, share_of

STEPS = ("transit", "arrest", "gauntlet", "extravasation", "soil", "growth", "establishment")


class Step(NamedTuple):
    """One step: the share that comes through it, and through all up to it."""

    name: str
    share: float
    through: float

    @property
    def log10(self) -> float:
        return math.log10(self.share) if self.share > 0 else -math.inf


class Preset(NamedTuple):
    """A published experiment: its body, and what share of cells came through which step."""

    title: str
    source: str
    body: Body
    anchors: dict[str, float]


def budget(body: Body, cells: int = 1, level: float = 0.0) -> list[Step]:
    """The steps of seeds of so many cells that leave the primary, with the niche prepared to `level`."""
    steps = Steps(body)
    assert body.colonies and body.dormancy
    prepared, back = steps.prepared(level), steps.returns()
    start = steps.anatomy.source_of(body.primary)
    wakes = 1.0 - body.dormancy.probability * (1.0 - wakes_probability(body.dormancy))
    lasting = np.array(
        [
            establishment(body.colonies.rates(body.soil_of(organ).growth_factor), np.arange(cells + 1))
            for organ in steps.anatomy.organs
        ]
    )
    through = np.zeros(len(STEPS))
    for kind in KINDS:
        if kind.cluster != (cells > 1) or share_of(steps.transit, kind) == 0.0:
            continue
        arrested = share_of(steps.transit, kind) * steps.arrested(kind, start)
        left = steps.left_law(kind, cells, prepared)
        stages = [arrested, arrested * (1.0 - back)]
        stages.append(stages[-1] * left[:, 1:].sum(axis=1))
        stages.append(stages[-1] * steps.gets_out(prepared))
        stages.append(stages[-1] * steps.is_received(prepared))
        stages.append(stages[-1] * wakes)
        some = np.maximum(left[:, 1:].sum(axis=1), 1e-300)
        stages.append(stages[-1] * (left * lasting).sum(axis=1) / some)
        through += [stage.sum() for stage in stages]
    before = np.concatenate([[1.0], through[:-1]])
    shares = np.divide(through, before, out=np.zeros_like(through), where=before > 0)
    return [Step(name, float(a), float(b)) for name, a, b in zip(STEPS, shares, through, strict=True)]


def told(body: Body) -> str:
    """One line: log10 of each step of single cells, and of all."""
    found = budget(body)
    parts = [f"{step.name} {step.log10:.2f}" for step in found if abs(step.log10) >= 0.005]
    whole = math.log10(found[-1].through) if found[-1].through > 0 else -math.inf
    return f"{', '.join(parts)}; of single cells 10^{whole:.2f} found a lasting colony"


def presets() -> dict[str, Preset]:
    """Name -> published experiment."""
    text = (files("seedsoil.scenarios") / "data" / "efficiency.toml").read_text("utf-8")
    return {
        name: Preset(given["title"], given["source"], Body.model_validate(given["body"]), given["anchors"])
        for name, given in tomllib.loads(text).items()
    }
