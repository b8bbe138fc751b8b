"""EMT: the twin, rounding that drifts true, three states under one drive, a loop that a slower ramp does not close."""

import math

import numpy as np
import pytest
from pydantic import ValidationError
from twins import phenotype_twin
from twins.tissues import DEEP, FLAT, changed, filled_tissue, random_tissue, snapshot

from seedsoil.kernels import phenotype
from seedsoil.kernels.draws import Purpose, Stamp, host_draw
from seedsoil.kernels.phenotype import Emt, EmtRates
from seedsoil.kernels.tissue import Cell, Tissue, Trait, bare
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
TABLE = Emt(rate_per_h=0.2, growth_factor_weight=0.6, hypoxia_weight=0.5, stiffness_weight=0.4, background_drive=0.1)
FIELDS = ("cell", "emt", "clone", "matrix")


def furnished(device: Device, shape: tuple[int, int, int]) -> Tissue:
    tissue = random_tissue(device.lattice(shape))
    draw = np.random.default_rng(5)
    tissue.clone[...] = np.where(tissue.cell == Cell.TUMOUR, draw.integers(0, 4, shape), 0)
    tissue.solutes["oxygen"] = draw.uniform(0, 25, shape).astype(np.float32)
    tissue.solutes["growth_factor"] = draw.uniform(0, 3, shape).astype(np.float32)
    tissue.traits = np.ones((3, len(Trait)), dtype=np.float32)  # the fourth clone has no row
    tissue.traits[:, Trait.EMT] = (0.5, 1.0, 2.0)
    return tissue


@SHAPES
def test_the_kernel_equals_its_twin(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = furnished(device, shape)
    rates, stamp = phenotype.rates(TABLE, 0.5), Stamp.of(3, 1, 7)
    state = {name: getattr(tissue, name).copy() for name in FIELDS} | tissue.solutes
    state["response"] = tissue.traits[:, Trait.EMT]
    draws = host_draw(np.arange(tissue.lattice.voxels).reshape(shape), stamp, Purpose.EMT_ROUND)
    expected, margin = phenotype_twin.adapt(state, rates, draws)
    sure = margin > 1e-4  # a draw of a change that is a unit in the last place off
    assert sure.mean() > 0.99
    before = snapshot(tissue)
    phenotype.adapt(tissue, rates, stamp)
    assert changed(before, tissue) == {"emt"}
    np.testing.assert_array_equal(tissue.emt[sure], expected[sure])
    assert (tissue.emt[sure] != before["emt"][sure]).sum() > 200
    # planted
    for planted in (
        {"gain": rates.gain * 1.02},
        {"growth_factor": 0.55},
        {"half": 1.2},
        {"exponent": 3},
        {"hypoxia": 0.45},
        {"onset": 14.0},
        {"stiffness": 0.35},
        {"background": 0.05},
        {"resisted": phenotype.rates(TABLE.model_copy(update={"barrier_drive": 0.15}), 0.5).resisted},
    ):
        wrong, _ = phenotype_twin.adapt(state, rates._replace(**planted), draws)
        assert (wrong != expected)[sure].any(), planted


def driven(device: Device, rates: EmtRates, start: int, ticks: int) -> np.ndarray:
    """emt of 4,096 cells that began at `start`."""
    tissue = filled_tissue(device.lattice(FLAT), emt=start)
    tissue.clone[...] = 0
    for tick in range(ticks):
        phenotype.adapt(tissue, rates, Stamp.of(9, 0, tick))
    return tissue.emt.astype(int)


@pytest.mark.parametrize("per_tick", [0.15, 0.35, -0.15, 0.004])
def test_rounding_drifts_by_the_fraction(device: Device, per_tick: float) -> None:
    """Mean drift within 1 %: 4,096 cells, as many ticks as make 120,000 steps (s.e. 0.3 %) or, for 0.004, 20,000 (0.7 %)."""
    flat = Emt(rate_per_h=1.0, midpoint_drive=0.0, slope_drive=0.0, barrier_drive=0.0, background_drive=per_tick / 25.5)
    ticks = min(1200, round(30 / abs(per_tick)))
    emt = driven(device, phenotype.rates(flat, 0.1), 128, ticks)
    assert (emt.mean() - 128) / (per_tick * ticks) == pytest.approx(1.0, abs=0.01 if abs(per_tick) > 0.1 else 0.03)
    assert round(128 + per_tick) == 128  # rounded to nearest, nothing would ever have moved


def test_the_spectrum_ends_at_its_ends(device: Device) -> None:
    for push, end in ((50.0, 255), (-50.0, 0)):
        rates = phenotype.rates(Emt(rate_per_h=1.0), 0.2)._replace(background=push)
        assert np.all(driven(device, rates, 100, 5) == end)


def test_three_starts_under_one_drive_stay_apart(device: Device) -> None:
    """50 relaxation times 1/rate: E, hybrid and M are all still where they were; without a barrier they are one."""
    held = phenotype.rates(Emt(rate_per_h=1.0, background_drive=0.45), 0.2)
    e, h, m = (driven(device, held, start, 250) for start in (0, 128, 255))
    assert e.max() < 0.135 * 255 and 0.365 * 255 < h.min() and h.max() < 0.635 * 255 and 0.865 * 255 < m.min()
    none = phenotype.rates(Emt(rate_per_h=1.0, background_drive=0.45, barrier_drive=0.0), 0.2)
    e, h, m = (driven(device, none, start, 250) for start in (0, 128, 255))
    assert max(e.mean(), h.mean(), m.mean()) - min(e.mean(), h.mean(), m.mean()) < 3


@pytest.mark.parametrize(
    ("drive", "start", "low", "high"),
    [
        (0.50, 0, 0.0, 0.135),  # below 0.539 E stays
        (0.60, 0, 0.365, 0.635),  # above it, a hybrid, and no further
        (0.72, 0, 0.865, 1.0),  # above 0.689 all the way
        (0.40, 255, 0.865, 1.0),  # above 0.361 M stays
        (0.28, 255, 0.365, 0.635),  # below it, back to the hybrid
        (0.15, 255, 0.0, 0.135),  # below 0.211 all the way: MET
    ],
)
def test_the_steps_are_where_the_law_says(device: Device, drive: float, start: int, low: float, high: float) -> None:
    emt = driven(device, phenotype.rates(Emt(rate_per_h=1.0, background_drive=drive), 0.2), start, 400)
    assert low * 255 <= emt.min() and emt.max() <= high * 255


def loop_area(device: Device, table: Emt, ramp_h: float) -> float:
    """Area between the way down and the way up of emt/255 over a drive that goes 0 -> 1 -> 0 in 2 ramp_h (64 cells)."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    tissue.cell[0, 0, :] = Cell.TUMOUR
    tissue.busy[...] = 0
    tissue.wake() if tissue.lattice.chunk == 1 else tissue.busy.__setitem__(0, 1)
    n = round(ramp_h / 0.35)
    rates = phenotype.rates(table, 0.35)
    way = []
    for tick, drive in enumerate([*np.linspace(0, 1, n), *np.linspace(1, 0, n)]):
        phenotype.adapt(tissue, rates._replace(background=float(drive)), Stamp.of(2, 0, tick))
        way.append(tissue.emt[0, 0].mean() / 255)
    return float(np.mean(way[n:]) - np.mean(way[:n]))


def test_the_loop_does_not_close_when_the_ramp_is_slower(device: Device) -> None:
    """Its area changes by less than 5 % when the ramp takes twice as long; that of a monostable control halves."""
    bistable = [loop_area(device, Emt(rate_per_h=1.0), ramp) for ramp in (400.0, 800.0)]
    assert min(bistable) > 0.25
    assert abs(bistable[1] / bistable[0] - 1) < 0.05
    control = [loop_area(device, Emt(rate_per_h=1.0, barrier_drive=0.0), ramp) for ramp in (100.0, 200.0)]
    assert control[1] / control[0] < 0.7  # it would fail the test above
    assert control[1] < 0.04


def test_the_times_of_transition_are_those_that_are_stated(device: Device) -> None:
    """1.94/rate from E to M under a drive of 1, 2.47/rate back without; with 0.016 per h 5.1 d and 6.4 d."""
    tau = 1 / 0.016
    for start, drive, times in ((0, 1.0, 1.942), (255, 0.0, 2.468)):
        rates = phenotype.rates(Emt(rate_per_h=0.016, background_drive=drive), 0.5)
        there = driven(device, rates, start, round((times - 0.1) * tau / 0.5))
        done = driven(device, rates, start, round((times + 0.1) * tau / 0.5))
        if start == 0:
            assert there.mean() < 250 and done.mean() > 253
        else:
            assert there.mean() > 3 and done.mean() < 2


@SHAPES
def test_rate_zero_is_exactly_off(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = furnished(device, shape)
    before = snapshot(tissue)
    phenotype.adapt(tissue, phenotype.rates(TABLE.model_copy(update={"rate_per_h": 0.0}), 24.0), Stamp.of(1))
    assert changed(before, tissue) == set()


def test_growth_factor_beyond_all_bounds_saturates(device: Device) -> None:
    tissue = filled_tissue(device.lattice(FLAT), emt=0)
    tissue.solutes["growth_factor"] = np.full(FLAT, 3e38, dtype=np.float32)
    table = Emt(rate_per_h=1.0, growth_factor_weight=1.0, growth_factor_half=1e-6, growth_factor_exponent=2)
    for tick in range(30):
        phenotype.adapt(tissue, phenotype.rates(table, 0.2), Stamp.of(1, 0, tick))
    assert np.all(tissue.emt == 255)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValidationError, match="hypoxia_full_mmhg: must lie below"):
        Emt(hypoxia_onset_mmhg=4.0)
    with pytest.raises(ValueError, match=r"emt\.rate_per_h: at lattice\.tick_h = 24 h"):
        phenotype.rates(Emt(rate_per_h=0.016), 24.0)
    assert math.isclose(phenotype.rates(Emt(rate_per_h=0.016), 0.1).gain, 0.408)
