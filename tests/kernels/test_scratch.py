"""The solvers' scratch lives in arrays that are lent to it: same bits, nothing left behind."""

import numpy as np
import pytest
from twins.tissues import DEEP, FLAT, random_tissue

from seedsoil.kernels import transport
from seedsoil.kernels.levels import Law, Levels
from seedsoil.kernels.roles import Oxygen, Vegf
from seedsoil.kernels.steady import solve
from seedsoil.kernels.tissue import Tissue, Vessel
from seedsoil.kernels.transport import Scratch
from seedsoil.sim.device import Device


@pytest.mark.parametrize("shape", [FLAT, DEEP, (3, 7, 37), (1, 1, 50), (1, 1, 1)], ids=str)
def test_levels_in_lent_arrays_solve_the_same_and_leave_zeros(device: Device, shape: tuple[int, int, int]) -> None:
    """Whatever stood there before; a solve without them, or one that is not given back, would be seen."""
    lattice = device.lattice(shape)
    found = []
    lent = tuple(np.full(shape, 255, np.uint8) for _ in range(2))
    for each in ((), lent):
        draw = np.random.default_rng(1)
        field, supply, drain, uptake = ((top * draw.random(shape)).astype(np.float32) for top in (40, 300, 5, 900))
        levels = Levels.of(lattice, lent=each)
        solve(lattice, field, supply, drain, uptake, levels, Law(1000.0, 10.0, 1.5), cycles_max=3, cold=True)
        found.append((field.tobytes(), levels.bytes_per_voxel))
        taken = sum(int((array != 255).sum()) for array in each)
        saved = (found[0][1] - levels.bytes_per_voxel) * lattice.voxels
        # (a byte of a number is 255 now and then)
        assert 0.9 * saved <= taken <= saved
        levels.give_back()
        assert not any(array.any() for array in each)
    assert found[0][0] == found[1][0]
    if shape == DEEP:
        assert found[1][1] < 1.0


def test_one_scratch_serves_two_tissues(device: Device) -> None:
    """It lives in the first one's scratch, and leaves that at 0; each gets the bits of a scratch of its own."""
    tables = {"oxygen": Oxygen(), "vegf": Vegf()}
    lattice = device.lattice(DEEP)
    given = transport.rates(tables, lattice, 20.0, 0.1)

    def tissue(seed: int) -> Tissue:
        made = random_tissue(lattice, seed=seed)
        made.solutes |= {role: np.full(DEEP, 5.0, dtype=np.float32) for role in tables}
        made.vessel[0, :, 0] = Vessel.BLOOD | Vessel.PERFUSED
        made.intent[...] = made.leaving[...] = 0
        return made

    shared, found = Scratch(), {}
    for name in ("shared", "own"):
        pair = [tissue(1), tissue(2)]
        for tick in range(2):
            for each in pair:
                transport.advance(each, given, tick, shared if name == "shared" else Scratch())
                assert not any(other.intent.any() or other.leaving.any() for other in pair)
        found[name] = [each.solutes[role].tobytes() for each in pair for role in tables]
    assert found["shared"] == found["own"] and len(set(found["own"])) >= 3
    assert shared.levels is not None and shared.levels.bytes_per_voxel < 1.0
