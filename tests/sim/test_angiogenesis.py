"""Growing vessels: where tips start, how they climb, join and regress, and what of it is perfused."""

import numpy as np
import pytest
from scipy import ndimage
from twins.tissues import DEEP, FLAT, changed, snapshot

from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.tissue import Cell, Tissue, Vessel, bare
from seedsoil.sim import angiogenesis, sprouting
from seedsoil.sim.device import Device
from seedsoil.sim.sprouting import Angiogenesis
from seedsoil.sim.vasculature import Vasculature

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
SUPPLIED = int(Vessel.BLOOD | Vessel.PERFUSED | Vessel.GIVEN)
UM, TICK_H = 20.0, 0.1


def tissue_with(
    device: Device, shape: tuple[int, int, int], slope: float, *, start: float = 0.0, roles: tuple[str, ...] = ("vegf",)
) -> Tissue:
    """Ligand that rises along x by `slope` ng/mL/mm from `start`."""
    tissue = bare(device.lattice(shape), lattice_id=0, voxel_um=UM, roles=("protease", *roles))
    for role in roles:
        tissue.solutes[role][...] = start + slope * UM / 1e3 * np.arange(shape[2], dtype=np.float32)
    return tissue


def law(name: str = "angiogenesis", **table: float) -> sprouting.GrowthRates:
    given = {"sprouting_per_mm_h": 5.0, "wander": 0.0, "reach_um": 0.0, **table}
    return sprouting.rates(name, Angiogenesis.model_validate(given), UM, TICK_H)


def grow(tissue: Tissue, rates: sprouting.GrowthRates, hours: float, grown: Vasculature, **more: bool) -> None:
    for tick in range(round(hours / TICK_H)):
        angiogenesis.grow(
            tissue, (rates,), grown, Stamp.of(5, 0, tick), solid_vessels=more.get("solid", True), changed=False
        )


def unreached(vessel: np.ndarray, kind: int = int(Vessel.BLOOD)) -> int:
    """Perfused voxels that no perfused path joins to a given one: told by labels, for all voxels."""
    open_to = (vessel & kind > 0) & (vessel & Vessel.PERFUSED > 0)
    labels, _ = ndimage.label(open_to)
    supplied = np.unique(labels[open_to & (vessel & Vessel.GIVEN > 0)])
    return int((open_to & ~np.isin(labels, supplied)).sum())


@SHAPES
def test_a_tip_climbs_at_its_speed(device: Device, shape: tuple[int, int, int]) -> None:
    """0 below 14 ng/mL/mm, 14/42 and 1 of 21 um/h at and above: 0.35 um/min, the 0.5 mm/day of rh_mocafe."""
    middle = [n // 2 for n in shape]
    for slope, share in ((13.9, 0.0), (14.1, 14.1 / 42), (21.0, 0.5), (42.0, 1.0), (84.0, 1.0)):
        tissue = tissue_with(device, shape, slope, start=5.0)
        tissue.vessel[middle[0], middle[1], 1] = SUPPLIED
        grown = Vasculature()
        grow(tissue, law(sprouting_per_mm_h=1e4), 0.5, grown)  # born, and on its way in the same step
        assert grown.tips.rows > 0
        since = [float(grown.tips[axis][0]) for axis in "zyx"]
        grow(tissue, law(sprouting_per_mm_h=0.0, branching_per_mm_h=1e-9), 10.0, grown)
        now = [float(grown.tips[axis][0]) for axis in "zyx"]
        moved = UM * np.array([b - a for a, b in zip(since, now, strict=True)])
        assert moved[2] == pytest.approx(21.0 * 10.0 * share, rel=1e-4, abs=1e-6)
        assert np.abs(moved[:2]).max() < 1e-9


@SHAPES
@pytest.mark.parametrize("wander", [0.3, 1.0])
def test_no_tip_is_ever_faster_than_the_cap(device: Device, shape: tuple[int, int, int], wander: float) -> None:
    """And the front of many wandering ones goes 0.1 to 0.5 mm a day in a saturating gradient."""
    tissue = tissue_with(device, shape, 60.0, start=5.0)
    tissue.vessel[:, :, 0] = SUPPLIED
    grown, born = Vasculature(), {}
    rates = law(wander=wander, reach_um=40.0, sprouting_per_mm_h=1.0)
    for tick in range(150):
        angiogenesis.grow(tissue, (rates,), grown, Stamp.of(5, 0, tick), solid_vessels=True, changed=False)
        places = np.stack([grown.tips[axis] for axis in "zyx"], axis=1)
        for sprout, place in zip(grown.tips["sprout"].tolist(), places, strict=True):
            first, at = born.setdefault(sprout, (tick, place))
            # the way as the crow flies, in the time since; the first step is taken in the tick of the birth
            assert UM * np.sqrt(((place - at) ** 2).sum()) <= 21.0 * (tick - first + 1e-6) * TICK_H + 0.5
    front_um = (
        UM
        * np.flatnonzero((tissue.vessel & Vessel.GIVEN == 0).any(axis=(0, 1)) & (tissue.vessel > 0).any(axis=(0, 1)))[
            -1
        ]
    )
    assert 0.1 <= front_um / 1e3 / (15.0 / 24.0) <= 0.5 + 2 * UM / 1e3 / (15.0 / 24.0)


@SHAPES
def test_tips_are_born_apart(device: Device, shape: tuple[int, int, int]) -> None:
    """At least 40 um, and no farther than need be; a spacing of 0 fails it."""
    for spacing, apart in ((40.0, True), (100.0, True), (0.0, False)):
        tissue = tissue_with(device, shape, 0.0, start=5.0)  # flat, so that tips stay where they were born
        tissue.vessel[:, 10, :] = SUPPLIED
        grown = Vasculature()
        grow(tissue, law(spacing_um=spacing, sprouting_per_mm_h=50.0), 3.0, grown)
        at = UM * np.stack([grown.tips[axis] for axis in "zyx"], axis=1)
        gaps = np.sqrt(((at[:, None] - at[None]) ** 2).sum(axis=2)) + 1e9 * np.eye(len(at))
        assert (gaps.min() >= max(spacing, 40.0)) == apart
        assert gaps.min(axis=1).max() <= max(2 * spacing, 40.0) + 2 * UM


@SHAPES
def test_sprouts_need_ligand_and_a_perfused_vessel(device: Device, shape: tuple[int, int, int]) -> None:
    for level, bits, sprouts in (
        (3.01, SUPPLIED, True),
        (3.0, SUPPLIED, False),
        (5.0, int(Vessel.LYMPH | Vessel.PERFUSED | Vessel.GIVEN), False),
        (5.0, int(Vessel.BLOOD | Vessel.GIVEN | Vessel.COLLAPSED), False),
        (5.0, 0, False),
    ):
        tissue = tissue_with(device, shape, 0.0, start=level)
        tissue.vessel[:, 10, :] = bits
        grown = Vasculature()
        grow(tissue, law(), 2.0, grown)
        assert (grown.tips.rows > 0) == sprouts
        assert ((tissue.vessel & Vessel.TIP) > 0).sum() == grown.tips.rows


def test_lymph_grows_towards_its_own_ligand(device: Device) -> None:
    tissue = tissue_with(device, FLAT, 30.0, start=5.0, roles=("vegf_c",))
    tissue.vessel[0, :, 0] = int(Vessel.LYMPH | Vessel.PERFUSED | Vessel.GIVEN)
    tissue.vessel[0, 10:20, 60] = SUPPLIED
    grown = Vasculature()
    grow(tissue, law("lymphangiogenesis"), 12.0, grown)
    new = tissue.vessel & Vessel.GIVEN == 0
    assert (tissue.vessel[new] & Vessel.BLOOD == 0).all()
    assert ((tissue.vessel & Vessel.LYMPH > 0) & new & (tissue.vessel & Vessel.TIP > 0)).sum() == grown.tips.rows > 0
    # what is connected drains, dead ends too
    stalks = new & (tissue.vessel > 0) & (tissue.vessel & Vessel.TIP == 0)
    assert stalks.sum() > 20 and (tissue.vessel[stalks] & Vessel.PERFUSED > 0).all()
    assert unreached(tissue.vessel, int(Vessel.LYMPH)) == 0


def network(
    device: Device, shape: tuple[int, int, int], hours: float = 20.0, **table: float
) -> tuple[Tissue, Vasculature]:
    """Sprouts from two vessels at the sides, towards a ridge of ligand between them."""
    tissue = tissue_with(device, shape, 0.0)
    far = np.abs(np.arange(shape[2]) - (shape[2] - 1) / 2) * UM / 1e3
    tissue.solutes["vegf"][...] = (60.0 - 50.0 * far).astype(np.float32)
    tissue.vessel[:, :, 0] = tissue.vessel[:, :, -1] = SUPPLIED
    grown = Vasculature()
    rates = law(**{"sprouting_per_mm_h": 1.0, "branching_per_mm_h": 0.3, "wander": 0.6, "reach_um": 40.0, **table})
    grow(tissue, rates, hours, grown)
    return tissue, grown


@SHAPES
def test_perfused_implies_connected_to_an_inlet(device: Device, shape: tuple[int, int, int]) -> None:
    tissue, grown = network(device, shape)
    fresh = (tissue.vessel > 0) & (tissue.vessel & Vessel.GIVEN == 0)
    carries = fresh & (tissue.vessel & Vessel.PERFUSED > 0)
    assert carries.sum() > 20  # sprouts have met
    assert (fresh & ~carries).sum() > 0
    assert not (carries & (tissue.vessel & Vessel.TIP > 0)).any()
    assert unreached(tissue.vessel) == 0 == grown.unreached(tissue, int(Vessel.BLOOD))
    # planted: blood in a sprout's dead end, and a path that is cut
    blind = np.flatnonzero(fresh & ~carries)[-1]
    tissue.vessel.reshape(-1)[blind] |= int(Vessel.PERFUSED)
    alone = grown.unreached(tissue, int(Vessel.BLOOD))
    assert alone == unreached(tissue.vessel)
    tissue.vessel[fresh] |= int(Vessel.PERFUSED)
    tissue.vessel[:, :, 1] &= ~int(Vessel.PERFUSED) & 0xFF
    tissue.vessel[:, :, -2] &= ~int(Vessel.PERFUSED) & 0xFF
    assert grown.unreached(tissue, int(Vessel.BLOOD)) == unreached(tissue.vessel) > 20


@SHAPES
def test_what_hangs_on_a_collapsed_voxel_is_not_perfused(device: Device, shape: tuple[int, int, int]) -> None:
    tissue, grown = network(device, shape)
    flows = np.flatnonzero((tissue.vessel & Vessel.PERFUSED > 0) & (tissue.vessel & Vessel.GIVEN == 0))
    lost = []
    for voxel in flows[::9].tolist():
        before = tissue.vessel.copy()
        tissue.vessel.reshape(-1)[voxel] = int(Vessel.BLOOD | Vessel.COLLAPSED)
        grown.perfuse(tissue, int(Vessel.BLOOD))
        assert unreached(tissue.vessel) == 0
        lost.append(int((before != tissue.vessel).sum()))
        tissue.vessel.reshape(-1)[voxel] = int(Vessel.BLOOD)
        grown.perfuse(tissue, int(Vessel.BLOOD))  # it opens, and all is as it was
        np.testing.assert_array_equal(before, tissue.vessel)
    assert max(lost) > 5


@SHAPES
def test_what_is_not_perfused_regresses_and_the_rest_stays(device: Device, shape: tuple[int, int, int]) -> None:
    tissue, grown = network(device, shape)
    carries = tissue.vessel & Vessel.PERFUSED > 0
    tissue.solutes["vegf"][...] = 0.0  # the tips end
    grow(tissue, law(sprouting_per_mm_h=0.0, regression_um_per_h=100.0), 50.0, grown)
    assert grown.tips.rows == 0
    np.testing.assert_array_equal(tissue.vessel & Vessel.PERFUSED > 0, carries)
    np.testing.assert_array_equal(tissue.vessel > 0, carries)
    assert set(grown.grown(int(Vessel.BLOOD))) == set(np.flatnonzero(carries & (tissue.vessel & Vessel.GIVEN == 0)))


def test_a_dead_end_draws_back_at_its_speed(device: Device) -> None:
    """40 stalks of 30 voxels, 10 um/h for 40 h: 20 voxels each, 4 standard errors."""
    tissue = tissue_with(device, FLAT, 42.0, start=5.0)
    tissue.vessel[0, :, 0] = SUPPLIED
    grown = Vasculature()
    grow(tissue, law(sprouting_per_mm_h=100.0), 0.5, grown)
    sprouts = grown.tips.rows
    grow(tissue, law(sprouting_per_mm_h=0.0, branching_per_mm_h=1e-9), 55.0, grown)
    tissue.solutes["vegf"][...] = 0.0
    before = int((tissue.vessel > 0).sum())
    grow(tissue, law(sprouting_per_mm_h=0.0, regression_um_per_h=10.0), 40.0, grown)
    p = -np.expm1(-10.0 / UM * 0.5)
    lost, n = before - int((tissue.vessel > 0).sum()), 80 * sprouts
    assert sprouts > 15
    assert abs(lost - n * p) < 4 * np.sqrt(n * p * (1 - p))
    assert abs(lost - n * 1.4 * p) > 4 * np.sqrt(n * p * (1 - p))


@SHAPES
def test_tips_take_no_voxel_of_a_cell_where_vessels_are_solid(device: Device, shape: tuple[int, int, int]) -> None:
    for solid in (True, False):
        tissue = tissue_with(device, shape, 42.0, start=5.0)
        tissue.vessel[:, :, 0] = SUPPLIED
        tissue.cell[:, :, 5] = Cell.TUMOUR
        before = snapshot(tissue)
        grown = Vasculature()
        grow(tissue, law(), 20.0, grown, solid=solid)
        assert changed(before, tissue) == {"vessel"}
        assert bool((tissue.vessel[:, :, 5:] > 0).any()) != solid
        assert (tissue.vessel[:, :, 4] > 0).any()
        assert ((tissue.cell > 0) & (tissue.vessel > 0)).any() != solid


@SHAPES
def test_rate_zero_is_exactly_off_and_the_loop_form_does_not_matter(
    device: Device, shape: tuple[int, int, int]
) -> None:
    tissue = tissue_with(device, shape, 42.0, start=5.0)
    tissue.vessel[:, :, 0] = SUPPLIED
    before = snapshot(tissue)
    grown = Vasculature()
    grow(tissue, sprouting.rates("angiogenesis", Angiogenesis(), UM, TICK_H), 5.0, grown)
    assert changed(before, tissue) == set()
    assert grown.tips.rows == grown.links.rows == 0
    assert not sprouting.rates("angiogenesis", Angiogenesis(), UM, TICK_H).grows


@SHAPES
def test_a_key_is_a_network(device: Device, shape: tuple[int, int, int]) -> None:
    one, other = (network(device, shape, 10.0)[0].vessel for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one, network(device, shape, 10.0, wander=0.7)[0].vessel)
