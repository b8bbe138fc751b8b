"""Geometric multigrid for a solute on a lattice of any shape: the cycle over the levels of `kernels.levels`.

The cycle is F(1, 1) with red-black relaxation (`kernels.relax`), in the full approximation scheme
(`kernels.residual`): a level's correction comes from an F-cycle and a V-cycle of the next coarser one. With V-cycles
alone, a few vessels in a tissue with little else hold more cycles at a false answer. Without a field to start from, the
levels are solved from the coarsest up, one cycle each; one relaxation solves the coarsest, a single cell. All of it is
f32.
"""

from dataclasses import dataclass, field

from .levels import Law, Levels, Problem, Tables
from .relax import relax_pass
from .residual import oppose_pass, restrict_pass
from .transfer import coarsen_pass, prolong_pass

# slots of `Levels.extremes` on the finest level: change before, by and after the coarse correction; the rest is junk
BEFORE, CORRECTION, AFTER, JUNK = range(4)
# times D/w^2: what a single voxel can draw from its surroundings (kernels.transfer)
_REACH = 2 / 0.2527
# how far a relaxation of the lattice goes beyond what is asked for, by its axes of more than one voxel (Yavneh 1996,
# SIAM J Sci Comput 17:180). In 3-D a cycle then leaves half of what it left else; in 1-D fronts would not settle
_OVER = (0.0, 0.0, 0.1, 0.15)
_UNBOUNDED = -3.0e38
# times the top of the field: K_m of coarse levels, at least. Far below it, cycles stall beside fronts of zero order (at
# 1e-7 with 0.04 % of the range and the front of a cord 5 um out of place); from 1e-2 on they take more cycles
_BLUR = 3e-4


@dataclass
class Solver:
    """Levels set up for one law and one set of fields."""

    levels: Levels
    law: Law
    problem: Problem
    takes: bool  # is there Michaelis-Menten uptake?
    extra_per_h: float  # drain in every voxel, beside `drain`
    top: float = 0.0  # largest value of the field, as far as known
    tables: list[Tables] = field(init=False)
    over: float = field(init=False)  # how far a relaxation of the lattice goes beyond

    def __post_init__(self) -> None:
        self.tables = self.levels.tables(self.law)
        # less where neighbours count for less than `extra_per_h`
        axes = sum(axis.cells > 1 for axis in self.levels.levels[0].axes)
        links = 2 * axes * self.law.diffusivity_um2_per_h / self.law.voxel_um**2
        self.over = _OVER[axes] * (links / (links + self.extra_per_h)) ** 2 if links > 0.0 else 0.0

    @property
    def half(self) -> float:
        # zero order is the limit: so small that an anoxic voxel is at 0, large enough for f32
        return max(self.law.half_saturation, 1e-20)

    def half_on(self, at: int) -> float:
        """K_m on a level. On a coarse one, and where a correction meets the fine one, at least a little of the field's
        top: a coarse cell astride a front stands for cells that take up and others that have nothing to take.
        """
        return max(self.half, _BLUR * self.top) if at else self.half

    def on(self, at: int) -> Problem:
        problem = self.levels.levels[at].problem if at else self.problem
        assert problem is not None
        return problem

    def coarsen(self) -> Problem:
        """Bring supply, drain and uptake to every level; the coarsest, one cell, has their means."""
        levels = self.levels.levels
        for at, tables in enumerate(self.tables[:-1]):
            fine, coarse = self.on(at), self.on(at + 1)
            coarsen_pass(
                self.takes, *fine[1:], tables.shares, *coarse[1:],
                *levels[at].sizes, *levels[at + 1].sizes, levels[at + 1].lanes, self.reach(at),
            )  # fmt: skip
        return self.on(len(levels) - 1)

    def reach(self, at: int) -> float:
        # (above 0 without diffusion too)
        width_um = self.law.voxel_um * self.levels.levels[at].width
        return max(_REACH * self.law.diffusivity_um2_per_h / width_um**2, 1e-30)

    def relax(self, at: int, slot: int) -> None:
        """One sweep, red then black."""
        level, tables = self.levels.levels[at], self.tables[at]
        single = self.levels.lattice.lanes == 1
        over, least = (0.0, _UNBOUNDED) if at else (self.over, 0.0)
        for colour in range(2):
            relax_pass(
                single, self.takes, *self.on(at), tables.links, self.levels.extremes,
                *level.sizes, level.lanes, colour, slot, self.half_on(at), self.extra_per_h, over, least,
            )  # fmt: skip

    def prolong(self, at: int, slot: int, *, correct: bool) -> None:
        """Add the correction of the next coarser level, or take its field."""
        level, coarser, tables = self.levels.levels[at], self.levels.levels[at + 1], self.tables[at]
        fine = self.on(at)
        prolong_pass(
            correct, self.takes, fine.field, fine.drain, fine.uptake, self.on(at + 1).field, coarser.old, level.places,
            tables.shares if correct else tables.spread,
            self.levels.extremes, *level.sizes, *coarser.sizes[:2], level.lanes, slot,
            _UNBOUNDED if at else 0.0, self.half_on(1), self.reach(at),
        )  # fmt: skip

    def cycle(self, at: int = 0, *, full: bool = True) -> None:
        """One cycle from level `at` down and back: an F-cycle if `full`, else a V-cycle."""
        levels, tables = self.levels.levels, self.tables
        top = at == 0
        self.relax(at, BEFORE if top else JUNK)
        if at == len(levels) - 1:
            return
        level, coarser, coarse = levels[at], levels[at + 1], self.on(at + 1)
        restrict_pass(
            False, self.takes, *self.on(at), tables[at].links, tables[at].shares, coarse.supply, coarse.field,
            *level.sizes, *coarser.sizes, coarser.lanes, self.half_on(at), self.extra_per_h, self.reach(at),
        )  # fmt: skip
        oppose_pass(
            self.takes, *coarse, tables[at + 1].links,
            *coarser.sizes, coarser.lanes, self.half_on(at + 1), self.extra_per_h,
        )  # fmt: skip
        coarser.old[...] = coarse.field
        self.cycle(at + 1, full=full)
        if full and at + 1 < len(levels) - 1:
            self.cycle(at + 1, full=False)
        self.prolong(at, CORRECTION if top else JUNK, correct=True)
        self.relax(at, AFTER if top else JUNK)

    def ascend(self) -> None:
        """A field from nothing: solve the coarsest level, and each finer one from it by a cycle."""
        last = len(self.levels.levels) - 1
        self.on(last).field[...] = 0.0
        self.relax(last, JUNK)
        for at in range(last - 1, -1, -1):
            self.prolong(at, JUNK, correct=False)
            if at:
                self.cycle(at)
