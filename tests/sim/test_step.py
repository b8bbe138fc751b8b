"""The step: its tally is true at every tick, its order is as written, and without rates nothing changes."""

import dataclasses

import numpy as np
import pytest
from twins.tissues import DEEP, FLAT, STATE, changed, put, random_tissue, snapshot

from seedsoil.kernels import transport
from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.intravasation import Intravasation
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.matrix import Matrix
from seedsoil.kernels.motility import Motility
from seedsoil.kernels.proliferation import Proliferation
from seedsoil.kernels.roles import Protease as Solute
from seedsoil.kernels.tissue import Cell, Tissue, bare
from seedsoil.sim.device import Device
from seedsoil.sim.errors import IdentityBroken
from seedsoil.sim.ledger import Others, check_cells
from seedsoil.sim.processes import Processes
from seedsoil.sim.scenario import Implant, LatticeTable, Scenario, Vessels
from seedsoil.sim.step import step

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
LAWS = pytest.mark.parametrize("law", ["contact", "arrival"])
OFF = {
    "solutes": {"protease": Solute(diffusivity_um2_per_h=0.0, decay_per_h=0.0, secretion_per_h=0.0)},
    "matrix": Matrix(contact_per_h=0.0, soluble_per_h=0.0),
    "motility": Motility(mesenchymal_um2_per_h=0.0, epithelial_um2_per_h=0.0, haptotaxis_um2_per_h=0.0),
    "proliferation": Proliferation(epithelial_per_h=0.0, mesenchymal_per_h=0.0),
    "intravasation": Intravasation(active_per_h=0.0, passive_per_h=0.0),
}


def processes(device: Device, shape: tuple[int, int, int], **tables: object) -> Processes:
    scenario = Scenario.model_validate(
        {
            "until_h": 1.0,
            "lattice": LatticeTable(shape=shape, voxel_um=20.0, tick_h=0.5),
            "implant": Implant(cells=10),
            "vessels": Vessels(solid=False, site_voxels=2),
            **tables,
        }
    )
    return Processes.of(scenario, device.lattice(shape))


def others(tissue: Tissue) -> Others:
    kinds = (Cell.NECROTIC, Cell.IMMUNE, Cell.STROMA, Cell.EPITHELIUM)
    return Others(*(int((tissue.cell == kind).sum()) for kind in kinds))


def tumour_cells(tissue: Tissue) -> int:
    return int((tissue.cell == Cell.TUMOUR).sum())


@SHAPES
@LAWS
def test_the_tally_is_true_at_every_tick(device: Device, shape: tuple[int, int, int], law: str) -> None:
    tissue = random_tissue(device.lattice(shape), density=0.1, vessels=0.05)
    at_work = processes(
        device,
        shape,
        intravasation=Intravasation(law=law, active_per_h=0.1, passive_per_h=0.2),
        proliferation=Proliferation(epithelial_per_h=0.2, mesenchymal_per_h=0.15),
    )
    total = {"born": 0, "moved": 0, "departed": 0}
    before = tumour_cells(tissue)
    for tick in range(60):
        tally, seeds = step(tissue, at_work, Stamp.of(1, 0, tick), before, 0, others(tissue))
        check_cells(tally, tick, "primary")
        assert tally.before == before
        assert tally.after == tumour_cells(tissue)
        assert tally.mesenchymal == ((tissue.cell == Cell.TUMOUR) & (tissue.emt >= 128)).sum()
        assert tally.departed == sum(seed.cells for seed in seeds)
        for name in total:
            total[name] += getattr(tally, name)
        before = tally.after
    assert min(total.values()) > 20


def test_a_cell_lost_behind_the_ledger_stops_the_run(device: Device) -> None:
    tissue = random_tissue(device.lattice(FLAT), density=0.1)
    at_work = processes(device, FLAT)
    tally, _ = step(tissue, at_work, Stamp.of(1), tumour_cells(tissue), 0, others(tissue))
    tissue.cell.reshape(-1)[np.flatnonzero(tissue.cell == Cell.TUMOUR)[5]] = Cell.EMPTY
    tally, _ = step(tissue, at_work, Stamp.of(1, 0, 1), tally.after, 0, others(tissue))
    with pytest.raises(IdentityBroken, match=r"tick 1, primary: the cell ledger is broken by -1"):
        check_cells(tally, 1, "primary")


def test_arrivals_stand_in_the_books(device: Device) -> None:
    tissue = random_tissue(device.lattice(FLAT), density=0.1)
    tissue.due[...] = 0
    tally, _ = step(tissue, processes(device, FLAT, **OFF), Stamp.of(1), tumour_cells(tissue), 7, others(tissue))
    check_cells(tally, 0, "bone")
    assert (tally.before, tally.arrived, tally.after) == (tumour_cells(tissue) - 7, 7, tumour_cells(tissue))


@SHAPES
def test_without_rates_not_a_bit_changes(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = random_tissue(device.lattice(shape))
    tissue.due[...] = 0
    before = snapshot(tissue)
    still = processes(device, shape, **OFF)
    for tick in range(10):
        tally, seeds = step(tissue, still, Stamp.of(1, 0, tick), tumour_cells(tissue), 0)
        assert not seeds
        assert (tally.born, tally.moved, tally.departed, tally.clamped) == (0, 0, 0, 0)
    assert changed(before, tissue) <= {"spare", "counters", "busy"}


@SHAPES
@pytest.mark.parametrize(
    ("name", "touches"),
    [
        ("solutes", {"protease"}),
        ("matrix", {"matrix"}),
        ("motility", {"cell", "emt", "clone", "colony", "heading"}),
        ("proliferation", {"cell", "emt", "clone", "colony", "due"}),
        ("intravasation", {"cell", "emt", "clone", "colony", "heading"}),
    ],
)
def test_one_table_switches_one_process_on(
    device: Device, shape: tuple[int, int, int], name: str, touches: set[str]
) -> None:
    tissue = random_tissue(device.lattice(shape), vessels=0.1)
    tissue.due[...] = 0
    before = snapshot(tissue)
    only = processes(device, shape, **{key: value for key, value in OFF.items() if key != name})
    for tick in range(5):
        step(tissue, only, Stamp.of(1, 0, tick), tumour_cells(tissue), 0)
    found = changed(before, tissue) - {"spare", "intent", "leaving", "busy", "counters"}
    assert touches <= found | {"due"}
    assert found <= touches | {"due"}


@SHAPES
@LAWS
def test_a_key_is_a_run(device: Device, shape: tuple[int, int, int], law: str) -> None:
    at_work = processes(device, shape, intravasation=Intravasation(law=law))

    def state(key: int, lattice_id: int = 0) -> list[bytes]:
        tissue = random_tissue(device.lattice(shape), vessels=0.05)
        for tick in range(10):
            step(tissue, at_work, Stamp.of(key, lattice_id, tick), tumour_cells(tissue), 0)
        return [getattr(tissue, name).tobytes() for name in ("cell", "emt", "clone", "due", "matrix", "protease")]

    assert state(3) == state(3)
    assert state(3) != state(4)
    assert state(3, 1) != state(3)


@LAWS
def test_who_departs_is_who_is_missing(device: Device, law: str) -> None:
    """Nobody is born and (by contact) nobody moves: the clones that go are the clones of the seeds."""
    tissue = random_tissue(device.lattice(FLAT), density=0.3, vessels=0.1)
    tumour = tissue.cell == Cell.TUMOUR
    tissue.due[...] = 0
    tissue.clone[tumour] = 1 + np.arange(tumour.sum())
    on = {**OFF, "intravasation": Intravasation(law=law, active_per_h=0.3, passive_per_h=0.3)}
    if law == "arrival":
        on["motility"] = Motility()
    here = set(tissue.clone[tumour].tolist())
    left: set[int] = set()
    for tick in range(10):
        _, seeds = step(tissue, processes(device, FLAT, **on), Stamp.of(1, 0, tick), tumour_cells(tissue), 0)
        for seed in seeds:
            mine = set(seed.clone.tolist())
            assert not mine & left
            left |= mine
        now = set(tissue.clone[tissue.cell == Cell.TUMOUR].tolist())
        assert now | left == here
        assert not now & left
    assert len(left) > 20


def test_an_arriving_cell_is_gone_before_the_next_tick(device: Device) -> None:
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    tissue.vessel[...] = 13  # ruptured everywhere: whoever hops, leaves
    for number, y in enumerate(range(2, 62, 6)):
        put(tissue, (0, y, 31), clone=number)
    at_work = processes(device, FLAT, **{**OFF, "motility": Motility(), "intravasation": Intravasation(law="arrival")})
    for tick in range(40):
        before = tumour_cells(tissue)
        tally, seeds = step(tissue, at_work, Stamp.of(1, 0, tick), before, 0, others(tissue))
        # nobody stands in another's reach, and who leaves has hopped once
        assert len(seeds) == tally.departed == tally.moved == before - tumour_cells(tissue)
    assert tumour_cells(tissue) < 10


def test_cells_are_sensed_before_they_act(device: Device) -> None:
    """Matrix and protease are those of the cells' places at the start of the tick."""
    tissue = random_tissue(device.lattice(FLAT))
    twin = random_tissue(device.lattice(FLAT))
    at_work = processes(device, FLAT)
    transport.advance(twin, at_work.solutes, 0, at_work.scratch)
    step(tissue, at_work, Stamp.of(1), tumour_cells(tissue), 0, others(tissue))
    assert tissue.protease.tobytes() == twin.protease.tobytes()
    assert not np.array_equal(tissue.cell, twin.cell)


def test_a_last_chunk_that_is_shorter_is_a_chunk_like_any_other(device: Device) -> None:
    """220 voxels are three chunks of 64 and one of 28: the same bits as voxel by voxel, up to the last corner."""
    shape = (1, 10, 22)
    assert Lattice(*shape, lanes=22).voxels % Lattice(*shape, lanes=22).chunk == 28

    def state(lanes: int, key: int) -> dict[str, bytes]:
        tissue = random_tissue(Lattice(*shape, lanes=lanes), density=0.4, vessels=0.1)
        put(tissue, (0, 9, 21))
        at_work = processes(device, shape, vessels=Vessels(solid=False))
        acted = 0
        for tick in range(10):
            tally, _ = step(tissue, at_work, Stamp.of(key, 0, tick), tumour_cells(tissue), 0, others(tissue))
            check_cells(tally, tick, "primary")
            acted += tally.born + tally.moved + tally.departed
        assert acted > 20
        return {name: getattr(tissue, name).tobytes() for name in STATE}

    assert state(22, 3) == state(1, 3)
    assert state(22, 3) != state(22, 4)


def test_processes_are_frozen(device: Device) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        processes(device, FLAT).solid_vessels = True  # type: ignore[misc]
