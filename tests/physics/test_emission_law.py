"""The emission law mu N^alpha of tumours on a lattice: fitted below 1e5 cells, it is to predict them up to 1e6.

A compact tumour grows among capillaries 100 um apart, which are shut where it presses on them; so its rim sheds, and
nothing in the rules says with what exponent. All seeds that leave the primary count, single cells and clusters alike.

Set down before any run went beyond 1e5 cells:

    fit         keys 1 to 3 together, from 1e4 cells (a radius of 13 voxels) to 1e5
    held out    keys 11 to 13, and key 1 as it goes on
    criterion   each of the four sheds, from 1e5 to 1e6 cells, what the fit's 95 % interval holds (`predict_growing`:
                Poisson, and the fit's own uncertainty); so it does from 8e5 to 1e6
    planted     alpha = 1 from the mean rate that was fitted is outside

It was missed where vessels are shut at 0.02 per h (`test_with_a_deep_rim_...`): below 1e5 cells the rim that still sheds is
no shell of a large ball, but most of it, and alpha falls from 0.86 on the way. Set down after that, before it ran: the same
where they are shut at 0.2 per h (a rim a tenth as deep, wall hazard 3e-3), and where they stay open, in which case alpha = 1
is to be found, and a rim's two thirds is outside.
"""

from functools import cache

import numpy as np
import pytest
from scipy.stats import poisson

from seedsoil.outputs.shedding import Counts, Shedding, fit, gathered
from seedsoil.sim.device import Device
from seedsoil.sim.scenario_file import load_scenario
from seedsoil.sim.simulation import Simulation

pytestmark = pytest.mark.physics
FROM, TO, TOP = 1e4, 1e5, 1e6
TUMOUR = {
    "lattice.shape": [160, 160, 160],  # 1e6 cells are a ball of 62 voxels' radius, 18 from the nearest wall
    "lattice.tick_h": 1.0,
    "until_h": 2000.0,
    "output.every_h": 2000.0,
    "implant.mesenchymal_fraction": 1.0,
    "motility.mesenchymal_um2_per_h": 3.0,  # cells stay together
    "motility.epithelial_um2_per_h": 0.0,
    "motility.haptotaxis_um2_per_h": 0.0,
    "proliferation.mesenchymal_per_h": 0.05,
    "solutes.protease.secretion_per_h": 0.0,
    "matrix.contact_per_h": 0.0,
    "matrix.soluble_per_h": 0.0,
    "vessels.kind": "krogh",
    "vessels.spacing_um": 100.0,
    "vessels.free_core_um": 0.0,
    "vessels.ruptured": 0,
    "collapse.collapse_per_h": 0.02,
    "collapse.reopening_per_h": 0.02,
    "intravasation.active_per_h": 1e-3,
    "body.single_survival_probability": 0.0,  # what becomes of the seeds is another matter
    "body.cluster_survival_probability": 0.0,
}


class Course:
    """A tumour's cells and seeds, every two hours until it has `top` cells."""

    def __init__(self, device: Device, key: int, top: float, **changes: object) -> None:
        scenario = load_scenario("quickstart", {**TUMOUR, "rng_key": key, **changes})
        run = Simulation(scenario, device)
        rows = [(0.0, run.cells, 0)]
        while run.cells < top and run.tick < scenario.ticks:
            run.advance()
            if run.tick % 2 == 0 or run.cells >= top:
                rows.append((run.time_h, run.cells, run.seeds.released))
        self.time_h, self.cells, self.seeds = np.array(rows, float).T
        assert self.cells[-1] >= top

    def between(self, low: float, high: float) -> slice:
        """The rows of sizes from `low` to `high`."""
        at = np.flatnonzero((self.cells >= low) & (self.cells <= high))
        return slice(at[0], at[-1] + 1)

    def counts(self, low: float, high: float) -> Counts:
        rows = self.between(low, high)
        cells, hours = self.cells[rows], np.diff(self.time_h[rows])
        return Counts(cells[:-1], cells[1:], hours, np.diff(self.seeds[rows]))


LAWS = {
    "deep rim": {},
    "thin rim": {"collapse.collapse_per_h": 0.2, "intravasation.active_per_h": 3e-3},
    "open": {"collapse.collapse_per_h": 0.0},
}


@cache
def fitted(device: Device, which: str) -> Shedding:
    return fit(gathered([Course(device, key, TO, **LAWS[which]).counts(FROM, TO) for key in (1, 2, 3)]))


def compared(law: Shedding, course: Course, low: float, high: float) -> tuple[int, float, tuple[int, int]]:
    """Seeds between two sizes: counted, expected, the law's interval."""
    rows = course.between(low, high)
    cells, time_h = course.cells[rows], course.time_h[rows]
    return int(np.ptp(course.seeds[rows])), law.expected(cells, time_h), law.predict_growing(cells, time_h)


def planted(law: Shedding, course: Course, low: float, high: float, alpha: float) -> float:
    """Seeds that would be expected with another exponent, from the rate that was fitted."""
    counts = course.counts(low, high)
    return float(law.rate_per_h(law.centre_cells)) / law.centre_cells**alpha * counts.integrals(alpha).sum()


def told(which: str, key: int, law: Shedding, course: Course) -> None:
    print(f"{which}: alpha {law.exponent:.3f} ({law.exponent_low:.3f} to {law.exponent_high:.3f}), {law.seeds} seeds, "
          f"dispersion {law.dispersion:.2f}")  # fmt: skip
    later = fit(course.counts(TO, TOP))
    print(f"  key {key}, beyond: alpha {later.exponent:.3f} ({later.exponent_low:.3f} to {later.exponent_high:.3f})")
    for low in (TO, 8e5):
        seen, mean, interval = compared(law, course, low, TOP)
        alone = poisson.ppf([0.025, 0.975], mean)
        print(f"  from {low:g} cells: {seen} seeds, {mean:.0f} expected, interval {interval}, Poisson alone {alone}")


@pytest.mark.parametrize(("which", "key", "wrong"), [
    ("thin rim", 11, 1.0), ("thin rim", 12, 1.0), ("thin rim", 13, 1.0), ("thin rim", 1, 1.0), ("open", 11, 2 / 3),
])  # fmt: skip
def test_a_law_from_below_1e5_cells_predicts_up_to_1e6(device: Device, which: str, key: int, wrong: float) -> None:
    law, course = fitted(device, which), Course(device, key, TOP, **LAWS[which])
    told(which, key, law, course)
    for low in (TO, 8e5):
        seen, mean, (least, most) = compared(law, course, low, TOP)
        assert least <= seen <= most
        assert not least <= planted(law, course, low, TOP, wrong) <= most
        if which == "thin rim":  # against the likeliest law alone it is missed, by an eighth: held as it is
            assert 0.80 < seen / mean < 0.92
            assert seen < poisson.ppf(0.025, mean)
        else:
            assert law.exponent_low < 1.0 < law.exponent_high


def test_with_a_deep_rim_it_is_missed(device: Device) -> None:
    """The first trial, held as it is: a quarter fewer than expected, and the exponent beyond is another."""
    law, course = fitted(device, "deep rim"), Course(device, 11, TOP)
    told("deep rim", 11, law, course)
    seen, mean, (least, _) = compared(law, course, TO, TOP)
    assert seen < least
    assert 0.70 < seen / mean < 0.80
    assert fit(course.counts(TO, TOP)).exponent_high < law.exponent_low
