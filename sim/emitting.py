"""A run without a lattice: a primary that is a number, in a body that is a graph. Years in seconds.

To whatever drives, records and resumes it, it is a simulation like any other: its tick is a part of an interval of the
body, its primary lattice is one voxel that stands for the whole, and no process of the tissue acts.
"""

from typing import TYPE_CHECKING

import numpy as np

from ..kernels.draws import key_of
from .body import blood_sample, bloodstream
from .body.account import Account
from .body.bloodstream import Bloodstream
from .body.emission import factor_of
from .body.primary import Primary
from .body.primary_growth import diameter_mm
from .body.seeds import Fate
from .ledger import NO_OTHERS
from .simulation import Simulation

if TYPE_CHECKING:
    from .body.parameters import Body
    from .device import Device
    from .scenario import Scenario


def simulation_of(scenario: "Scenario", device: "Device") -> Simulation:
    """The simulation that a scenario asks for."""
    return Emitting(scenario, device) if scenario.emission is not None else Simulation(scenario, device)


class Emitting(Simulation):
    """The state of a body-only run after `tick` ticks."""

    circulation: Account

    def _start(self) -> None:
        scenario = self.scenario
        assert scenario.emission is not None
        self.mesenchymal = 0
        self.others = NO_OTHERS
        self._table = scenario.emission
        self.tumour = Primary(scenario.emission, self.circulation, scenario.rng_key, scenario.lattice.tick_h)
        self.blood = Bloodstream(self.circulation.steps)
        self.cells = self.tumour.cells(0)
        self._key = key_of(scenario.rng_key)

    def advance(self) -> None:
        """One tick: seeds settle, colonies go on, the primary grows and sheds. Raises IdentityBroken."""
        tick_h = self.scenario.lattice.tick_h
        if (self.tick - 1) * tick_h < self.tumour.law.course.resection_h <= self.tick * tick_h:
            self.circulation.metastases.resected()
        back = self.circulation.advance(self.seeds, self.tick, self.cells)
        self.flows["arrived"] += self.tumour.take_back(self.seeds, back, self.tick)
        self.flows["departed"] += self.tumour.emit(self.seeds, self.tick)
        self.cells = self.tumour.cells(self.tick + 1)
        self._balance()
        self.tick += 1

    def _body(self) -> "Body":
        """With what colonies shed times the patient's factor: what made the primary shed is in them too."""
        scenario, body = self.scenario, self.scenario.body
        assert scenario.emission is not None and body.colonies is not None
        factor = factor_of(scenario.emission, key_of(scenario.rng_key))
        if factor == 1.0:
            return body
        colonies = body.colonies.model_copy(update={"shedding_per_h": body.colonies.shedding_per_h * factor})
        return body.model_copy(update={"colonies": colonies})

    def recount(self) -> None:
        """The colonies keep their own numbers; there is one clone, whose cells are all that there are."""
        self.clones.table["cells"][:] = self.cells + int(self.circulation.cells_by_organ().sum())

    def observed(self) -> dict[str, float]:
        """Further columns of a row of the series (`outputs.schema`): the primary's size, blood samples, seeds by fate."""
        law = self.tumour.law
        clusters = 1.0 - float(law.share_of_size[0])
        field, organ = self.circulation.metastases.field, self.colonies.table["organ"]
        by_organ = bloodstream.shed_by_organ(field, organ, len(self.organs))
        means = self.blood.in_tube(self.tumour.shedding_per_h(self.tick), clusters, by_organ)
        found = blood_sample.counts(means, self._key, self.tick)
        out: dict[str, float] = {"primary_diameter_mm": float(diameter_mm(self.cells, self._table.cells_per_mm3))}
        out["ctc_from_metastases"] = self._share_of_colonies(means, by_organ)
        for site, mean, count in zip(self.blood.sites, means, found, strict=True):
            out[f"ctc_mean.{site}"] = float(mean.sum())
            for size, number in zip(bloodstream.SIZES, count, strict=True):
                out[f"ctc_{size}.{site}"] = int(number)
        return out | self._seeds_by_fate()

    def _share_of_colonies(self, means: np.ndarray, by_organ: np.ndarray) -> float:
        """Of what the last site holds in the mean: the share that colonies shed (NaN where it holds nothing)."""
        theirs = self.blood.in_tube(0.0, 0.0, by_organ)[-1].sum()
        return float(theirs / means[-1].sum()) if means[-1].sum() > 0 else float("nan")

    def _seeds_by_fate(self) -> dict[str, float]:
        fate, organ = self.seeds.table["fate"], self.seeds.table["organ"]
        counted = self.circulation.metastases.counted
        reached = np.zeros(len(self.organs), np.int64)
        stuck = ~np.isin(fate, (Fate.IN_TRANSIT, Fate.DIED_IN_TRANSIT)) & (organ >= 0)
        np.add.at(reached, organ[stuck], 1)
        held = counted["organ"] >= 0
        np.add.at(reached, counted["organ"][held], counted["seeds"][held])
        died = self.circulation.counted(Fate.DIED_IN_TRANSIT) + self.seeds.count(Fate.DIED_IN_TRANSIT)
        later = self.circulation.counted(Fate.DIED_AFTER_ARREST) + self.seeds.count(Fate.DIED_AFTER_ARREST)
        out: dict[str, float] = {"seeds_died_in_transit": died, "seeds_died_after_arrest": later}
        return out | {f"seeds_held.{o.name}": int(reached[o.index]) for o in self.organs}
