"""Solutes by solver: which is chosen, explicit reaction, walls, agreement of the solvers, binding, balance with blood."""

import math

import numpy as np
import pytest
from twins import sources_twin
from twins.tissues import DEEP, FLAT, changed, random_tissue, snapshot, ulps

from seedsoil.kernels import binding, implicit, steady, transport
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.law import Solute
from seedsoil.kernels.react import react
from seedsoil.kernels.roles import Drug, GrowthFactor, Inhibitor, Oxygen, Protease, Vegf
from seedsoil.kernels.tissue import Cell, Tissue, Vessel, bare
from seedsoil.kernels.transport import NotAtRest, Scratch
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])


def advance(tissue: Tissue, tables: dict[str, Solute], ticks: int = 1, tick_h: float = 0.1, first: int = 0) -> None:
    rates = transport.rates(tables, tissue.lattice, tissue.voxel_um, tick_h)
    scratch = Scratch()
    for tick in range(first, first + ticks):
        transport.advance(tissue, rates, tick, scratch)


def test_time_scales_choose_the_solver(device: Device) -> None:
    """Protease 1 substep; VEGF 227 a tick and renewed in 11 ticks; oxygen 9000 and renewed 88 times a tick."""
    lattice = device.lattice(DEEP)
    chosen = {
        type(table).__name__: transport.solver_of(table, lattice, 20.0, 0.1)
        for table in (Protease(), Vegf(), Oxygen(), GrowthFactor(), Solute(decay_per_h=100.0))
    }
    assert chosen == {
        "Protease": "explicit",
        "Vegf": "implicit",
        "Oxygen": "quasi-steady",
        "GrowthFactor": "implicit",
        "Solute": "explicit",
    }
    assert transport.substeps_of(Vegf(), lattice, 20.0, 0.1) == math.ceil(0.1 * (6 * 151_000 / 400 + 0.918) / 0.9)
    assert transport.renewals(Oxygen(), 0.1) == pytest.approx(0.1 * 3.6e4 / 41)
    # what is bound for good is stepped in time; what does not diffuse is not solved at rest
    assert transport.solver_of(Oxygen(), lattice, 20.0, 0.1, binds=True) == "implicit"
    still = Oxygen(diffusivity_um2_per_h=0.0)
    assert transport.solver_of(still, lattice, 20.0, 0.1) == "implicit"
    assert transport.solver_of(Oxygen(solver="explicit"), lattice, 20.0, 0.1) == "explicit"


def test_the_protease_of_franssen_goes_its_old_way(device: Device) -> None:
    rates = transport.rates({"protease": Protease()}, device.lattice(FLAT), 20.0, 0.1)
    assert rates.roles["protease"].solver == "plain"


@pytest.mark.parametrize("takes", [True, False])
@SHAPES
def test_the_explicit_kernel_equals_its_twin(device: Device, shape: tuple[int, int, int], takes: bool) -> None:
    lattice = device.lattice(shape)
    draw = np.random.default_rng(5)
    now, supply, drain, uptake = (draw.random(shape, dtype=np.float32) for _ in range(4))
    walls = (None, 0.7, 0.2, None, 1.5, None) if shape[0] > 1 else (None, 0.7, 0.2, None, None, None)
    expected = now
    for _ in range(3):
        expected = sources_twin.react(expected, supply, drain, uptake if takes else None, 0.08, 0.1, 0.5, walls)
    spare = np.empty_like(now)
    found, _ = react(lattice, now, spare, (supply, drain, uptake), takes, 3, 0.3, 0.08, 0.5, walls)
    assert ulps(found, expected) <= 16  # fused multiply-adds differ in the last bit, three times over


def test_the_twin_catches_a_wall_in_the_wrong_place(device: Device) -> None:
    lattice = device.lattice(FLAT)
    now, zero = np.ones(FLAT, dtype=np.float32), np.zeros(FLAT, dtype=np.float32)
    right = sources_twin.react(now, zero, zero, None, 0.1, 0.1, 1.0, (0.0, None, None, None, None, None))
    found, _ = react(
        lattice,
        now,
        np.empty_like(now),
        (zero, zero, zero),
        False,
        1,
        0.1,
        0.1,
        1.0,
        (None, 0.0, None, None, None, None),
    )
    assert ulps(found, right) > 1000


def test_the_explicit_solver_keeps_bounds_at_its_limit(device: Device) -> None:
    """Sinks as strong as the substeps allow, with fixed walls in every corner: nothing below 0 or above the walls."""
    tissue = random_tissue(device.lattice(FLAT), vessels=0.1)
    table = Solute(
        solver="explicit",
        diffusivity_um2_per_h=4000.0,
        decay_per_h=3.0,
        uptake_per_h=500.0,
        half_saturation=1.0,
        exchange_um2_per_h=4e4,
        blood=0.5,
        fixed_walls=("x_low", "x_high", "y_low"),
        wall_values=(1.0, 0.0, 1.0),
    )
    assert transport.substeps_of(table, tissue.lattice, 20.0, 0.1) == math.ceil(0.1 * (6 * 10 + 3 + 100 + 500) / 0.9)
    advance(tissue, {"protease": table}, ticks=5)
    assert tissue.protease.min() >= 0.0 and tissue.protease.max() <= 1.0
    assert np.ptp(tissue.protease) > 0.5


def test_explicit_and_implicit_agree_and_both_tend_to_rest(device: Device) -> None:
    """Three ways to one field: the steps' difference shrinks with the tick; after ten renewals both are at rest."""
    given = {
        "diffusivity_um2_per_h": 2000.0, "decay_per_h": 2.0, "uptake_per_h": 4.0, "half_saturation": 0.5,
        "exchange_um2_per_h": 8e3, "blood": 2.0, "secretion_per_h": 1.0, "hypoxic_secretion_per_h": 0.0,
    }  # fmt: skip
    fields = {}
    for solver, ticks, tick_h in (("explicit", 100, 0.05), ("implicit", 15, 0.4), ("quasi-steady", 1, 0.1)):  # fmt: skip
        tissue = random_tissue(device.lattice(FLAT), vessels=0.05)
        tissue.vessel[tissue.vessel > 0] = Vessel.BLOOD | Vessel.PERFUSED
        advance(tissue, {"protease": Solute(solver=solver, **given)}, ticks, tick_h)
        fields[solver] = tissue.protease
    span = np.ptp(fields["quasi-steady"])
    assert span > 0.5
    for solver in ("explicit", "implicit"):
        assert np.abs(fields[solver] - fields["quasi-steady"]).max() < 1e-3 * span


def test_exchange_comes_to_the_balance_of_a_single_voxel(device: Device) -> None:
    """Without diffusion: (s + e c_b)/(decay + e), approached as exp(-(decay + e) t)."""
    for solver, longer, ticks in (("explicit", 0.2, 40), ("implicit", 5.0, 6)):
        tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0, roles=("protease", "drug"))
        tissue.vessel[...] = Vessel.BLOOD | Vessel.PERFUSED
        tissue.cell[...], tissue.emt[...] = Cell.TUMOUR, 255
        table = Drug(
            solver=solver, diffusivity_um2_per_h=0.0, decay_per_h=0.5, exchange_um2_per_h=600.0, blood=2.0,
            secretion_per_h=0.75,
        )  # fmt: skip
        rest = (0.75 + 1.5 * 2.0) / 2.0
        advance(tissue, {"drug": table}, 10, 0.01)
        # Euler's forms of exp(-2 t), a step of 0.01 h
        left = (1 - 0.02) ** 10 if solver == "explicit" else (1 + 0.02) ** -10
        assert left == pytest.approx(math.exp(-0.2), rel=3e-3)
        assert tissue.solutes["drug"] == pytest.approx(rest * (1 - left), rel=2e-4)
        advance(tissue, {"drug": table}, ticks, longer)
        assert tissue.solutes["drug"] == pytest.approx(rest, rel=1e-4)


def test_a_solute_spreads_over_its_length(device: Device) -> None:
    """From a wall held at 1, exp(-x/L) with L = sqrt(D/decay): PhysiCell's 1 mm for D 6e6 and 6/h, here 12 voxels."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    table = Solute(
        solver="quasi-steady", diffusivity_um2_per_h=6e6, decay_per_h=6e6 / 240.0**2,
        fixed_walls=("x_low",), wall_values=(1.0,),
    )  # fmt: skip
    advance(tissue, {"protease": table})
    x = 20.0 * (np.arange(64) + 0.5)
    exact = np.cosh((1280 - x) / 240) / math.cosh(1280 / 240)
    np.testing.assert_allclose(tissue.protease[0, 30], exact, atol=1e-3)
    assert np.abs(tissue.protease[0, 30] - np.exp(-x / 255)).max() > 1e-2  # a length 6 % off would be seen


def test_every_nth_tick(device: Device) -> None:
    """A quasi-steady solute that is solved at every third tick keeps its field between, whenever the run began."""
    table = Oxygen(every_ticks=3)
    tissue = random_tissue(device.lattice(FLAT))
    tissue.solutes["oxygen"] = np.full(FLAT, 5.0, dtype=np.float32)
    tissue.vessel[0, :, 0] = Vessel.BLOOD | Vessel.PERFUSED
    advance(tissue, {"oxygen": table}, ticks=2, first=1)
    assert (tissue.solutes["oxygen"] == 5.0).all()
    advance(tissue, {"oxygen": table}, first=3)
    assert not (tissue.solutes["oxygen"] == 5.0).all()


def test_a_tissue_just_made_is_solved_whatever_the_tick(device: Device) -> None:
    """As at tick 0, to the bit; and what its field was before is forgotten."""
    found = []
    for first, fresh in ((0, False), (4, True), (4, False)):
        tissue = random_tissue(device.lattice(FLAT))
        tissue.solutes["oxygen"] = np.full(FLAT, 40.0, dtype=np.float32)
        tissue.vessel[0, :, 0] = Vessel.BLOOD | Vessel.PERFUSED
        given = transport.rates({"oxygen": Oxygen(every_ticks=3)}, tissue.lattice, 20.0, 0.1)
        transport.advance(tissue, given, first, transport.Scratch(), fresh=fresh)
        found.append(tissue.solutes["oxygen"])
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[2] == 40.0).all()


def test_what_nobody_secretes_is_left_alone_once_it_is_gone(device: Device) -> None:
    tissue = random_tissue(device.lattice(FLAT))
    quiet = {"protease": Protease(secretion_per_h=0.0, decay_per_h=0.5)}
    before = tissue.protease.copy()
    advance(tissue, quiet)
    assert tissue.protease.sum() < before.sum()  # there is some: it spreads and decays
    tissue.protease[...] = 0.0
    tissue.spare[...] = 7.0
    advance(tissue, quiet)
    assert (tissue.spare == 7.0).all() and not tissue.protease.any()


def test_what_has_no_rest_is_said_with_its_role(device: Device) -> None:
    tissue = random_tissue(device.lattice(FLAT))
    endless = Solute(
        solver="quasi-steady", diffusivity_um2_per_h=100.0, secretion_per_h=5.0, uptake_per_h=1.0, half_saturation=1.0
    )
    with pytest.raises(NotAtRest, match=r"solutes\.protease: no state of rest"):
        advance(tissue, {"protease": endless})


@pytest.mark.parametrize("solver", ["quasi-steady", "implicit"])
def test_what_has_not_come_to_rest_stops(device: Device, monkeypatch: pytest.MonkeyPatch, solver: str) -> None:
    """However little the last step has changed: 2e-4 of the range is more than the 1e-4 asked for."""
    module, name = (steady, "solve") if solver == "quasi-steady" else (implicit, "advance")
    tables = {"protease": Solute(solver=solver, diffusivity_um2_per_h=100.0, secretion_per_h=5.0, decay_per_h=1.0)}
    ended = {"there": steady.Solved(5, 9e-5, 0.0, True), "not": steady.Solved(15, 2e-4, 0.0, False, 60)}
    monkeypatch.setattr(module, name, lambda *_, **__: ended["there"])
    advance(random_tissue(device.lattice(FLAT)), tables)
    monkeypatch.setattr(module, name, lambda *_, **__: ended["not"])
    with pytest.raises(
        NotAtRest, match=r"solutes\.protease: no solution after 15 cycles and 60 steps.* 0\.0002 of its"
    ):
        advance(random_tissue(device.lattice(FLAT)), tables)


@pytest.mark.parametrize("solver", ["explicit", "implicit"])
@SHAPES
def test_off_is_exactly_off(device: Device, shape: tuple[int, int, int], solver: str) -> None:
    """Walls force the explicit solver to the full kernel, a wall at the field's own value changes nothing."""
    tissue = random_tissue(device.lattice(shape))
    tissue.protease[...] = 0.75
    table = Solute(solver=solver, fixed_walls=("x_low",), wall_values=(0.75,))
    before = snapshot(tissue)
    advance(tissue, {"protease": table}, 3)
    assert changed(before, tissue) <= {"spare"}


@SHAPES
def test_binding_equals_its_twin_and_keeps_the_difference(device: Device, shape: tuple[int, int, int]) -> None:
    draw = np.random.default_rng(8)
    tissue = bare(device.lattice(shape), lattice_id=0, voxel_um=20.0, roles=("protease", "inhibitor"))
    for role in ("protease", "inhibitor"):
        tissue.solutes[role][...] = draw.random(shape) * (draw.random(shape) < 0.9)
    tissue.solutes["inhibitor"][0, 0, :8] = tissue.protease[0, 0, :8]  # equal amounts: the limit
    p, i = tissue.protease.copy(), tissue.solutes["inhibitor"].copy()
    binding.bind(tissue, 2.5)
    twin = sources_twin.bind(p, i, 2.5)
    np.testing.assert_allclose(tissue.protease, twin[0], atol=3e-7)
    np.testing.assert_allclose(tissue.solutes["inhibitor"], twin[1], atol=3e-7)
    np.testing.assert_allclose(tissue.protease - tissue.solutes["inhibitor"], p - i, atol=3e-7)
    assert min(tissue.protease.min(), tissue.solutes["inhibitor"].min()) >= 0.0
    before = snapshot(tissue)
    binding.bind(tissue, 0.0)
    assert changed(before, tissue) == set()


def test_binding_follows_its_kinetics(device: Device) -> None:
    """Against the second-order equation stepped finely, over ten ticks; first-order loss of both would fail."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0, roles=("protease", "inhibitor"))
    tissue.protease[...], tissue.solutes["inhibitor"][...] = 1.0, 0.6
    p, i = 1.0, 0.6
    for _ in range(10):
        binding.bind(tissue, 0.3)
    for _ in range(100_000):
        p, i = p - 3.0e-5 * p * i, i - 3.0e-5 * p * i
    assert tissue.protease == pytest.approx(p, rel=1e-4)
    assert tissue.solutes["inhibitor"] == pytest.approx(i, rel=1e-4)
    assert abs(math.exp(-3.0) * 0.6 / i - 1) > 0.05


def test_an_inhibitor_that_binds_goes_with_any_transport(device: Device) -> None:
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0, roles=("protease", "inhibitor"))
    tissue.protease[...], tissue.solutes["inhibitor"][...] = 1.0, 2.0
    still = {
        "inhibitor": Inhibitor(decay_per_h=0.0, binding_per_h=100.0),
        "protease": Protease(secretion_per_h=0.0, decay_per_h=0.0),
    }
    advance(tissue, still, 10)
    assert tissue.protease.max() < 1e-6
    np.testing.assert_allclose(tissue.solutes["inhibitor"], 1.0, rtol=1e-4)


def test_both_loop_forms_give_the_same_bits(device: Device) -> None:
    fields = []
    for lattice in (device.lattice(FLAT), Lattice.of(FLAT, form="voxels")):
        tissue = random_tissue(lattice, vessels=0.1)
        tissue.solutes |= {"oxygen": np.full(FLAT, 20.0, dtype=np.float32), "vegf": np.zeros(FLAT, dtype=np.float32)}
        tables = {
            "oxygen": Oxygen(decay_per_h=1.0),
            "vegf": Vegf(hypoxic_secretion_per_h=30.0),
            "protease": Protease(epithelial_secretion_per_h=0.1, solver="explicit"),
        }
        advance(tissue, tables, 3)
        fields.append([tissue.solutes[role].tobytes() for role in tables])
    assert fields[0] == fields[1]
