"""Clones one at a time, in plain Python: whose daughter stands where, and what number and traits she gets."""

import math
from statistics import NormalDist

import numpy as np
from twins import proliferation_twin

from seedsoil.kernels.draws import Purpose, Stamp, host_draw
from seedsoil.kernels.mutation import MUTANT, Mutation
from seedsoil.kernels.tissue import Tissue, Trait


def mothers(before: Tissue, after: Tissue, stamp: Stamp) -> dict[int, int]:
    """Daughter's voxel -> mother's, of a contest in which every tumour cell of `before` wanted to divide.

    Who wanted which voxel is the twin's; who got it is read off `after`: whoever divided is no longer due.
    """
    none, shape = np.zeros_like(before.intent), before.cell.shape
    due = (before.cell == 1).astype(np.uint8)
    intent = proliferation_twin.propose(before.cell, before.vessel, due, none, none, stamp, solid_vessels=False)
    found = {}
    for voxel, at in proliferation_twin.cells_of(before.cell):
        if intent[at] and after.due[at] == 0:
            step = proliferation_twin.FACES[int(intent[at]) - 7][1:]
            found[int(np.ravel_multi_index(tuple(a + s for a, s in zip(at, step, strict=True)), shape))] = voxel
    return found


class Tree:
    """The clone table, row by row. `descending` gives numbers from the last voxel on, which is wrong."""

    def __init__(self, given: Mutation, *, descending: bool = False) -> None:
        self.given, self.descending = given, descending
        self.parent, self.traits = [-1], [[1.0] * len(Trait)]

    def found(self, due: np.ndarray, clone: np.ndarray, stamp: Stamp) -> np.ndarray:
        """`clone` after the mutants of a tick got their numbers."""
        out = clone.copy().reshape(-1)
        voxels = [at for at, mark in enumerate(due.reshape(-1)) if mark == MUTANT]
        for voxel in reversed(voxels) if self.descending else voxels:
            parent = int(out[voxel])
            held = list(self.traits[parent])
            if self._draw(voxel, stamp, Purpose.DRIVER) / 2**32 < self.given.driver_probability:
                for trait in Trait:
                    law = getattr(self.given, trait.name.lower())
                    z = NormalDist().inv_cdf((self._draw(voxel, stamp, Purpose.TRAIT, trait) + 0.5) / 2**32)
                    if law.step_sd or law.step_mean:
                        grown = held[trait] * math.exp(law.step_mean + law.step_sd * z)
                        held[trait] = min(max(grown, law.least), law.most)
            out[voxel] = len(self.parent)
            self.parent.append(parent)
            self.traits.append(held)
        return out.reshape(clone.shape)

    @staticmethod
    def _draw(voxel: int, stamp: Stamp, purpose: Purpose, substep: int = 0) -> int:
        return int(host_draw(np.array(voxel), stamp, purpose, substep=int(substep)))
