"""What the step needs of a scenario: each process' rates, worked out once for a lattice and a tick."""

from dataclasses import dataclass, field

from ..kernels import (
    collapse,
    death,
    immune,
    intravasation,
    matrix,
    motility,
    mutation,
    phenotype,
    proliferation,
    rupture,
    stroma,
    transport,
)
from ..kernels.intravasation import Intravasation
from ..kernels.lattice import Lattice
from . import demands, sprouting
from .scenario import Scenario


@dataclass(frozen=True)
class Processes:
    """The rates of every process, per tick or substep, for one lattice shape."""

    solutes: transport.SolutesRates
    matrix: matrix.MatrixRates
    stroma: stroma.StromaRates
    emt: phenotype.EmtRates
    death: death.DeathRates
    immune: immune.ImmuneRates
    motility: motility.MotilityRates
    proliferation: proliferation.ProliferationRates
    mutation: mutation.MutationRates
    intravasation: intravasation.IntravasationRates
    leaving: Intravasation
    rupture: rupture.RuptureRates
    collapse: collapse.CollapseRates
    growth: tuple[sprouting.GrowthRates, ...]  # of blood, of lymph
    bond_energy: float
    solid_vessels: bool
    block_voxels: int
    scratch: transport.Scratch = field(default_factory=transport.Scratch)  # of all tissues of this lattice shape

    @classmethod
    def of(cls, scenario: Scenario, lattice: Lattice, *, organ: bool = False, sheds: bool = True) -> "Processes":
        """`organ` for a lattice other than the primary; `sheds` = False closes its vessels to cells, as without secondary
        seeding."""
        leaving = scenario.intravasation
        if not sheds:
            leaving = leaving.model_copy(update={"law": "contact", "active_per_h": 0.0, "passive_per_h": 0.0})
        um, h = scenario.lattice.voxel_um, scenario.lattice.tick_h
        return cls(
            solutes=transport.rates(scenario.solutes.present, lattice, um, h, stroma.rates(scenario.stroma, h)),
            matrix=matrix.rates(
                scenario.matrix,
                h,
                inhibited="inhibitor" in demands.present(scenario.solutes),
                bound=scenario.solutes.binds,
            ),
            stroma=stroma.rates(scenario.stroma, h),
            emt=phenotype.rates(scenario.emt, h, organ=organ),
            death=death.rates(scenario.death, h),
            immune=immune.rates(scenario.immune, lattice, um, h),
            motility=scenario.hops(lattice),
            proliferation=proliferation.rates(scenario.proliferation, h, scenario.mutation),
            mutation=mutation.rates(scenario.mutation),
            intravasation=intravasation.rates(leaving, h),
            leaving=leaving,
            rupture=rupture.rates(scenario.rupture, h),
            collapse=collapse.rates(scenario.collapse, h),
            growth=tuple(sprouting.rates(name, getattr(scenario, name), um, h) for name in sprouting.LIGANDS),
            bond_energy=scenario.adhesion.bond_energy,
            solid_vessels=scenario.vessels.solid,
            block_voxels=scenario.vessels.site_voxels,
        )
