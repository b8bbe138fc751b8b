"""Plain forms of `kernels.small_colonies`, `kernels.colony_growth` and `kernels.shedding`: one colony at a time."""

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from seedsoil.kernels.birth_death import SMALL, Rates, as_limits, lineage, substeps, transitions
from seedsoil.kernels.draws import Purpose, host_philox, threshold
from seedsoil.kernels.host_samplers import Draws, binomial, negative_binomial, normal, poisson
from seedsoil.kernels.small_colonies import DORMANT, EXTINCT, GROWING, ON_LATTICE
from seedsoil.sim.body.colony_parameters import ColonyGrowth


@dataclass
class Colony:
    entity: int
    law: Rates
    adapted_law: Rates
    state: int
    vascular: bool
    cells: int
    adapted: int
    before: int = 0
    span: float = 24.0  # hours of the interval that it is there


@dataclass(frozen=True)
class World:
    growth: ColonyGrowth
    hours: float
    key: tuple[int, int]
    wake_per_h: float = 0.0
    doze_per_h: float = 0.0

    def words(self, entity: int, interval: int, purpose: Purpose, substep: int = 0) -> np.ndarray:
        low, high = entity & 0xFFFFFFFF, entity >> 32
        return host_philox(np.array([low, interval, int(purpose) << 16 | substep, high], dtype=np.uint32), self.key)

    def draws(self, entity: int, interval: int, purpose: Purpose, words: np.ndarray, stream: int = 0) -> Draws:
        return Draws(self.key, interval, purpose, np.array([entity], dtype=np.uint64), stream, words[None, :].copy())


def unit(word: int) -> float:
    return (float(word) + 0.5) * 2.0**-32


def happens(word: int, hazard: float) -> bool:
    return int(word) < threshold(-math.expm1(-hazard))


def advance(colony: Colony, interval: int, world: World) -> Colony:
    """The colony after one interval."""
    colony = replace(colony, before=0 if colony.state == DORMANT else colony.cells)
    growth, hours = world.growth, colony.span
    if colony.state == DORMANT:
        words = world.words(colony.entity, interval, Purpose.COLONY_WAKE)
        hazard = (world.wake_per_h + world.doze_per_h) * hours
        if hazard > 0 and happens(words[0], hazard):
            if int(words[1]) < threshold(world.doze_per_h * hours / hazard):
                return replace(colony, state=EXTINCT, cells=0, adapted=0)
            colony.state = GROWING
            return vessels(colony, interval, world)
        return colony
    if colony.state != GROWING:
        return colony
    n1 = colony.adapted
    n0 = colony.cells - n1
    left = hours
    u = growth.adaptation_probability
    if n0 + n1 <= SMALL:
        if (n0 and (n1 or u > 0)) or hours < world.hours:
            n0, n1, left = one_by_one(colony, n0, n1, interval, world)
        else:
            n, left = looked_up(colony, n0 + n1, interval, world)
            n0, n1 = (n, 0) if n0 else (0, n)
        if n0 + n1 <= SMALL:
            left = 0.0
    if left > 0:
        n0, n1, lived = large(colony, n0, n1, left, interval, world)
        if u > 0 and lived > 0 and n0 > 0:
            words = world.words(colony.entity, interval, Purpose.COLONY_ADAPT)
            draws = world.draws(colony.entity, interval, Purpose.COLONY_ADAPT, words[:2])
            new = int(binomial(np.array([n0]), -math.expm1(-u * colony.law.birth * lived / n0), draws)[0])
            n0, n1 = n0 - new, n1 + new
    colony.cells, colony.adapted = n0 + n1, n1
    if colony.cells == 0:
        colony.state = EXTINCT
        return colony
    return vessels(colony, interval, world)


def vessels(colony: Colony, interval: int, world: World) -> Colony:
    limit = world.growth.avascular_cells
    if limit > 0 and not colony.vascular and colony.cells >= 0.5 * limit:
        words = world.words(colony.entity, interval, Purpose.COLONY_VESSELS)
        colony.vascular = happens(words[0], world.growth.vessels_per_h * colony.span)
    return colony


def one_by_one(colony: Colony, n0: int, n1: int, interval: int, world: World) -> tuple[int, int, float]:
    left, event = colony.span, 0
    while left > 0 and 0 < n0 + n1 <= SMALL:
        kinds = ((n0, colony.law), (n1, colony.adapted_law))
        deaths = [law.death for _, law in kinds]
        if world.growth.slowing_per_h > 0:
            pace = sum(n * (law.birth - law.death) for n, law in kinds) / (n0 + n1)
            slow = world.growth.slowing_per_h * math.log(world.growth.capacity_cells / (n0 + n1))
            deaths = [death + max(0.0, pace - slow) for death in deaths]
        if n0 + n1 < colony.law.bottleneck:
            deaths = [max(death, law.small_death) for death, (_, law) in zip(deaths, kinds, strict=True)]
        rates = [n * law.birth for n, law in kinds]
        rates += [n * death for death, (n, _) in zip(deaths, kinds, strict=True)]
        words = world.words(colony.entity, interval, Purpose.COLONY_EVENT, event)
        event += 1
        total = sum(rates)
        left = left + math.log(unit(words[0])) / total if total > 0 else 0.0
        if left > 0:
            at = unit(words[1]) * total
            adapts = unit(words[2]) < world.growth.adaptation_probability
            if at < rates[0] + rates[1]:
                n0, n1 = (n0 + 1, n1) if at < rates[0] and not adapts else (n0, n1 + 1)
            else:
                n0, n1 = (n0 - 1, n1) if at < rates[0] + rates[1] + rates[2] else (n0, n1 - 1)
    return n0, n1, max(left, 0.0)


@cache
def table(law: Rates, hours: float, slowing: float, capacity: float) -> tuple[int, np.ndarray]:
    parts = substeps(law, hours)
    return parts, as_limits(transitions(law, hours / parts, slowing, capacity))


def looked_up(colony: Colony, n: int, interval: int, world: World) -> tuple[int, float]:
    law = colony.law if colony.adapted == 0 else colony.adapted_law
    parts, limits = table(law, world.hours, world.growth.slowing_per_h, world.growth.capacity_cells)
    part = 0
    while part < parts and 0 < n <= SMALL:
        word = int(world.words(colony.entity, interval, Purpose.COLONY_SIZE, part // 4)[part % 4])
        size = int(np.searchsorted(limits[n][:-1], word, side="right"))
        n, part = size, part + 1
    return n, world.hours * (1 - part / parts)


def large(colony: Colony, n0: int, n1: int, time: float, interval: int, world: World) -> tuple[int, int, float]:
    growth = world.growth
    laws = (colony.law, colony.adapted_law)
    n = n0 + n1
    free = sum(m * math.exp((law.birth - law.death) * time) for m, law in zip((n0, n1), laws, strict=True)) / n
    share = crowding(n, free, time, growth, colony.vascular) / free
    out = []
    lived = 0.0
    for kind, (m, law) in enumerate(zip((n0, n1), laws, strict=True)):
        pace = law.birth - law.death + (math.log(share) / time if abs(share - 1) > 1e-12 else 0.0)
        dead, spread = lineage(law.birth, law.birth - pace, time)
        after = grown(colony.entity, m, 1 - dead, spread, interval, kind << 12, world) if m else 0
        out.append(after)
        if kind == 0 and m:
            x = pace * time
            lived = 0.5 * (m + after) * time * (math.tanh(x / 2) / (x / 2) if x else 1.0)
    return out[0], out[1], lived


def crowding(n: int, free: float, time: float, growth: ColonyGrowth, vascular: bool) -> float:
    out, a, k = free, growth.slowing_per_h, growth.capacity_cells
    if a > 0:
        rate = math.log(free) / time
        slow_from = k * math.exp(min(700.0, -rate / a))
        if n * free > slow_from:
            fast = math.log(slow_from / n) / rate if n < slow_from else 0.0
            start = max(n, slow_from)
            out = k * (start / k) ** math.exp(-a * (time - fast)) / n  # the textbook's Gompertz
    if out > 1:
        out = max(1.0, min(out, k / n))
    if growth.avascular_cells > 0 and not vascular and out > 1:
        out /= 1 + n * (out - 1) / growth.avascular_cells
    return out


def grown(entity: int, n: int, survive: float, spread: float, interval: int, kind: int, world: World) -> int:
    words = world.words(entity, interval, Purpose.COLONY_SURVIVE, kind)
    mean = survive / (1 - spread)
    second = mean * (1 + spread) / (1 - spread)
    third = mean * (1 + 4 * spread + spread**2) / (1 - spread) ** 2
    fourth = mean * (1 + 11 * spread + 11 * spread**2 + spread**3) / (1 - spread) ** 3
    variance = second - mean**2
    lean = third - 3 * mean * second + 2 * mean**3
    peak = fourth - 4 * mean * third - 3 * second**2 + 12 * mean**2 * second - 6 * mean**4
    if 2.4e-4 * n * variance**3 > peak * variance + lean**2:
        z = float(normal(np.array([unit(words[0])]))[0])
        return max(0, math.floor(n * mean + math.sqrt(n * variance) * z + lean / variance * (z * z - 1) / 6 + 0.5))
    first = world.draws(entity, interval, Purpose.COLONY_SURVIVE, words[:2], kind)
    alive = int(binomial(np.array([n]), survive, first)[0])
    more = world.words(entity, interval, Purpose.COLONY_SPREAD, kind)
    second_draws = world.draws(entity, interval, Purpose.COLONY_SPREAD, words[2:], kind)
    return alive + int(negative_binomial(np.array([alive]), spread, second_draws, more[None, :2].copy())[0])


def shed(colony: Colony, interval: int, world: World) -> tuple[int, int]:
    if colony.state not in (GROWING, ON_LATTICE) or colony.cells == 0 or colony.before == 0:
        return 0, 0
    growth = world.growth
    words = world.words(colony.entity, interval, Purpose.COLONY_SHED)
    size = math.sqrt(colony.cells) * math.sqrt(colony.before)
    mean = growth.shedding_per_h * colony.span * size**growth.shedding_exponent
    total = int(poisson(np.array([mean]), world.draws(colony.entity, interval, Purpose.COLONY_SHED, words[:2]))[0])
    draws = world.draws(colony.entity, interval, Purpose.COLONY_SHED_ADAPTED, words[2:])
    return total, int(binomial(np.array([total]), colony.adapted / colony.cells, draws)[0])
