"""Fronts of growing tissue: how rough a flat one becomes (KPZ), and how fast it goes when cells push.

Roughness. The growth of an Eden front belongs to the class of Kardar, Parisi & Zhang (1986, Phys Rev Lett 56:889): the
variance of its height grows as w0 + A t^(2 beta), beta = 1/3 in the plane. w0 is the roughness that single cells make
(Kertesz & Wolf 1988, J Phys A 21:747); it drops out of W2(2t) - W2(t), whose slope in logarithms is 2 beta. A front that
is smoothed without the nonlinear term (Edwards & Wilkinson) has 1/4, one of independent columns 1/2. From a
point seed the lattice's axes would show, so the front is flat, and its walls far away.

In 3-D KPZ fronts have beta 0.24 (Pagnani & Parisi 2015, Phys Rev E 92:010101), smoothed ones grow as ln t, and a front of weak
nonlinearity takes very long to pass from the one to the other. The plain rule's is weak: on a slope m it goes at 1.089 + 0.3 m^2,
and an independent program of it had local slopes of only 0.12 at rt 130. Contact inhibition holds flat parts back and
strengthens it; beside a wall a cell has a neighbour less, so columns there run three voxels ahead, and the 40 next to each
wall are left out. That rule, the mean over 2 x 2 columns of the cells in each, and the window were chosen on that program
(0.23 to 0.25 in all windows from rt 2 on, s.d. 0.03 for a front of 240 x 240), before the engine was asked.
"""

from collections.abc import Iterator

import numpy as np
import pytest

from seedsoil.kernels import census, contest, proliferation, pushing
from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.proliferation import Proliferation
from seedsoil.kernels.tissue import Cell, bare
from seedsoil.sim.device import Device

pytestmark = pytest.mark.physics

CLOSED = IntravasationRates(CONTACT, 0.0, 0.0, 128)
RATE, BURIED = 0.1, 24  # divisions per tick; cells deeper than this below the lowest point of the front are set aside


def top(filled: np.ndarray) -> np.ndarray:
    """(nz, ny, nx) to the height of the highest cell of each column, (nz, nx)."""
    return filled.shape[1] - filled[:, ::-1].argmax(axis=1)


def grown(
    device: Device, shape: tuple[int, int, int], key: int, ticks: int, base: int = 8, **law: float
) -> Iterator[np.ndarray]:
    """Which voxels are filled, after each tick; growth is along y from a filled base."""
    tissue = bare(device.lattice(shape), lattice_id=0, voxel_um=20.0)
    tissue.cell[:, :base] = Cell.TUMOUR
    rates = proliferation.rates(
        Proliferation.model_validate({"epithelial_per_h": RATE, "mesenchymal_per_h": RATE, **law}), 1.0
    )
    for tick in range(ticks):
        stamp = Stamp.of(key, 0, tick)
        tissue.intent[...] = 0
        proliferation.ripen(tissue, rates, stamp, solid_vessels=False)
        pushing.push(tissue, rates, stamp, solid_vessels=False)
        proliferation.propose(tissue, stamp, solid_vessels=False)
        contest.settle(tissue, CLOSED, 0, stamp)
        filled = tissue.cell != Cell.EMPTY
        yield filled
        assert not filled[:, -1].any()
        if tick % 16 == 0 and (low := int(top(filled).min()) - BURIED) > 0:
            tissue.cell[:, :low], tissue.due[:, :low] = Cell.STROMA, 0
            tissue.counters[...] = 0
            census.count(tissue)


def heights(device: Device, shape: tuple[int, int, int], key: int, ticks: int, reach: int = 1) -> np.ndarray:
    """Height of the front over its base, (ticks, nz * nx)."""
    base = 8 * reach
    fronts = grown(device, shape, key, ticks, base, push_voxels_max=reach)
    return np.array([top(filled).reshape(-1) - base for filled in fronts])


def moments(first: int, ticks: int) -> np.ndarray:
    """Ticks t from `first` to half of the record."""
    return np.unique(np.geomspace(first, ticks // 2 - 1, 12).astype(int))


def beta(variance: np.ndarray, first: int) -> float:
    """Half the slope of ln(W2(2t) - W2(t)) over ln t."""
    t = moments(first, len(variance))
    return float(np.polyfit(np.log(t), np.log(variance[2 * t] - variance[t]), 1)[0] / 2)


def test_a_flat_front_roughens_as_kpz_says(device: Device) -> None:
    """Ten keys of a front 2,048 wide, rt from 4 to 90: beta 0.30 to 0.34, which 1/4 and 1/2 are not."""
    fronts = [heights(device, (1, 144, 2048), key, 900) for key in range(1, 11)]
    variance = np.mean([front.var(axis=1) for front in fronts], axis=0)
    measured = beta(variance, 40)
    print("beta:", measured, "W2:", variance[[1, 40, 100, 400, 899]])
    assert 0.30 <= measured <= 0.34
    # planted: columns that grow by themselves, and a front that only smooths, by the same estimate
    draw = np.random.default_rng(1)
    alone = np.cumsum(draw.random((900, 20_000)) < RATE, axis=0).var(axis=1)
    assert not 0.30 <= beta(alone, 40) <= 0.34
    smoothed, steps = np.zeros((8, 2048)), []
    for _ in range(900):
        smoothed += 0.25 * (np.roll(smoothed, 1, 1) + np.roll(smoothed, -1, 1) - 2 * smoothed)
        smoothed += 0.3 * draw.standard_normal(smoothed.shape)
        steps.append(smoothed.var(axis=1).mean())
    assert not 0.30 <= beta(np.array(steps), 40) <= 0.34


def coarse(height: np.ndarray) -> np.ndarray:
    """Means over 2 x 2 columns, (nz, nx) to (nz/2, nx/2): what single cells do beside each other drops out."""
    return height.reshape(height.shape[0] // 2, 2, height.shape[1] // 2, 2).mean(axis=(1, 3))


def test_a_flat_front_in_3d_roughens_as_kpz_says(device: Device) -> None:
    """Eight keys of a front of 240 x 240 under contact inhibition, rt from 2 to 60: beta 0.21 to 0.26."""
    ticks, first, side, margin = 602, 20, 320, 40
    inside = slice(margin, side - margin)
    wanted = set(moments(first, ticks)) | set(2 * moments(first, ticks))
    found = []
    for key in range(211, 219):
        variance = np.full(ticks, np.nan)
        law = {"contact_fall_fraction": 0.3, "contact_free_faces": 3}
        for tick, filled in enumerate(grown(device, (side, 88, side), key, ticks, **law)):
            if tick in wanted:
                variance[tick] = coarse(filled[inside, :, inside].sum(axis=1)).var()
        found.append(variance)
        print("key", key, "beta:", beta(variance, first), "W2:", variance[[20, 600]], flush=True)
    measured = beta(np.mean(found, axis=0), first)
    print("beta:", measured)
    assert 0.21 <= measured <= 0.26
    # planted: columns that grow by themselves, and a front that only smooths, by the same estimate
    draw, side = np.random.default_rng(1), side - 2 * margin
    alone, smoothed, rough, smooth = np.zeros((side, side)), np.zeros((side, side)), [], []
    for _ in range(ticks):
        alone += draw.random(alone.shape) < RATE
        padded = np.pad(smoothed, 1, mode="wrap")
        beside = padded[2:, 1:-1] + padded[:-2, 1:-1] + padded[1:-1, 2:] + padded[1:-1, :-2]
        smoothed += 0.05 * (beside - 4 * smoothed) + 0.3 * draw.standard_normal(smoothed.shape)
        rough.append(coarse(alone).var())
        smooth.append(coarse(smoothed).var())
    print("alone:", beta(np.array(rough), first), "smoothed:", beta(np.array(smooth), first))
    assert not 0.21 <= beta(np.array(rough), first) <= 0.26
    assert not 0.21 <= beta(np.array(smooth), first) <= 0.26


@pytest.mark.parametrize("shape", [(1, 160, 1024), (48, 96, 48)], ids=["2-D", "3-D"])
def test_a_front_that_pushes_goes_faster_with_its_layer(device: Device, shape: tuple[int, int, int]) -> None:
    """Speed at L = 1, 2, 4 within 14 % of L times the rate: a layer of L cells divides.

    A rough front of single cells is a little faster than flat ones, lines that cross in a tick make it a little slower.
    """
    speed = {}
    for reach, ticks in ((1, 300), (2, 200), (4, 100)):
        mean = heights(device, shape, 3, ticks, reach).mean(axis=1)
        late = np.arange(ticks) >= ticks // 3
        speed[reach] = float(np.polyfit(np.arange(ticks)[late], mean[late], 1)[0]) / RATE
    print("speed in voxels per division time by reach:", speed)
    for reach, found in speed.items():
        assert found == pytest.approx(reach, rel=0.14)
        assert found != pytest.approx(reach + 1, rel=0.14)
        assert reach == 1 or found != pytest.approx(reach - 1, rel=0.14)
