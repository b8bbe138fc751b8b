"""The census counts afresh what the passes claim."""

import numpy as np
import pytest
from twins.tissues import DEEP, FLAT, changed, filled_tissue, random_tissue, snapshot

from seedsoil.kernels import census
from seedsoil.kernels.tissue import Cell, Count, bare
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])


@SHAPES
@pytest.mark.parametrize("density", [0.0, 0.01, 0.5, 1.0])
def test_cells_of_every_kind_are_counted(device: Device, shape: tuple[int, int, int], density: float) -> None:
    tissue = random_tissue(device.lattice(shape), density=density)
    before = snapshot(tissue)
    census.count(tissue)
    counts = tissue.census()
    tumour = tissue.cell == Cell.TUMOUR
    assert counts[Count.TUMOUR] == tumour.sum()
    assert counts[Count.MESENCHYMAL] == (tumour & (tissue.emt >= 128)).sum()
    for kind in (Cell.NECROTIC, Cell.IMMUNE, Cell.STROMA, Cell.EPITHELIUM):
        assert counts[Count[kind.name]] == (tissue.cell == kind).sum()
    assert sum(counts.values()) == (tissue.cell != Cell.EMPTY).sum() + counts[Count.MESENCHYMAL]
    assert changed(before, tissue) <= {"counters", "busy"}
    census.count(tissue)  # it adds; who wants a fresh count clears the counters
    assert tissue.census()[Count.TUMOUR] == 2 * tumour.sum()


@SHAPES
@pytest.mark.parametrize(("emt", "mesenchymal"), [(0, 0), (127, 0), (128, 1), (255, 1)])
def test_mesenchymal_is_the_upper_half(device: Device, shape: tuple[int, int, int], emt: int, mesenchymal: int) -> None:
    tissue = filled_tissue(device.lattice(shape), emt)
    census.count(tissue)
    assert tissue.census()[Count.MESENCHYMAL] == mesenchymal * tissue.lattice.voxels


def test_a_copied_or_lost_cell_is_seen(device: Device) -> None:
    tissue = random_tissue(device.lattice(FLAT))
    census.count(tissue)
    counted = tissue.census()[Count.TUMOUR]
    for planted in (Cell.EMPTY, Cell.TUMOUR):
        other = random_tissue(device.lattice(FLAT))
        at = np.flatnonzero((other.cell == Cell.TUMOUR) == (planted == Cell.EMPTY))[3]
        other.cell.reshape(-1)[at] = planted
        census.count(other)
        assert other.census()[Count.TUMOUR] == counted + (1 if planted == Cell.TUMOUR else -1)


def test_chunks_without_cells_fall_idle_and_can_be_woken(device: Device) -> None:
    lattice = device.lattice(FLAT)
    assert lattice.chunk == 64, "a chunk of this shape is a row: there is something to pass over"
    tissue = bare(lattice, lattice_id=0, voxel_um=20.0)
    tissue.cell[0, 10, :] = Cell.TUMOUR
    tissue.cell[0, 20, 5] = Cell.STROMA
    tissue.intent[...] = 3
    census.count(tissue)
    has_cells = (tissue.cell != Cell.EMPTY).reshape(lattice.chunks, lattice.chunk).any(axis=1)
    np.testing.assert_array_equal(tissue.busy > 0, has_cells)
    # what nobody will overwrite must not be left to be granted later
    assert not tissue.intent.reshape(lattice.chunks, lattice.chunk)[~has_cells].any()
    tissue.cell[0, 40, 7] = Cell.TUMOUR
    tissue.counters[...] = 0
    census.count(tissue)
    assert tissue.census()[Count.TUMOUR] == 64  # put in behind its back: not seen ...
    tissue.wake()
    tissue.counters[...] = 0
    census.count(tissue)
    assert tissue.census()[Count.TUMOUR] == 65  # ... until the tissue is woken
