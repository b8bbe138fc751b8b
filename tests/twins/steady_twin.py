"""A solute at rest by a direct sparse solve in f64, and the relaxation of one colour in plain NumPy f32.

Nothing here knows of levels: the matrix is built face by face from the law.
"""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

Walls = tuple[float | None, ...]


def diffusion(shape: tuple[int, int, int], walls: Walls, *, to_wall: float = 0.5) -> tuple[sp.csc_matrix, np.ndarray]:
    """(lap, inflow) in 1/voxel^2: lap @ c + inflow. A fixed value stands `to_wall` of a voxel beyond the centre."""
    numbered = np.arange(np.prod(shape)).reshape(shape)
    size = numbered.size
    lap, inflow = sp.lil_matrix((size, size)), np.zeros(size)
    for axis, pair in zip((2, 1, 0), (walls[0:2], walls[2:4], walls[4:6]), strict=True):
        lined = np.moveaxis(numbered, axis, 0)
        for here, there in zip(lined[:-1].ravel(), lined[1:].ravel(), strict=True):
            for one, other in ((here, there), (there, here)):
                lap[one, other] += 1.0
                lap[one, one] -= 1.0
        for end, value in zip((0, -1), pair, strict=True):
            if value is not None:
                for one in lined[end].ravel():
                    lap[one, one] -= 1.0 / to_wall
                    inflow[one] += value / to_wall
    return lap.tocsc(), inflow


def at_rest(
    supply: np.ndarray,
    drain: np.ndarray,
    uptake: np.ndarray | None,
    *,
    per_h: float,
    half: float = 0.0,
    walls: Walls = (None,) * 6,
    to_wall: float = 0.5,
) -> np.ndarray:
    """The field at rest; per_h = D/voxel^2. Michaelis-Menten by Newton from above, kept at >= 0."""
    lap, inflow = diffusion(supply.shape, walls, to_wall=to_wall)
    given = supply.ravel().astype(float) + per_h * inflow
    linear = sp.diags(drain.ravel().astype(float)) - per_h * lap
    if uptake is None:
        return spsolve(linear, given).reshape(supply.shape)
    q = uptake.ravel().astype(float)
    # as if all took up at a slope of q/(K + top): more than there will be
    top = given.max() / per_h + given.sum()
    c = spsolve(linear + sp.diags(q / (half + top)), given)
    for _ in range(500):
        slope = q * half / (half + c) ** 2
        fresh = np.maximum(spsolve(linear + sp.diags(slope), given - q * c / (half + c) + slope * c), 0.0)
        if np.abs(fresh - c).max() <= 1e-12 * np.abs(fresh).max():
            return fresh.reshape(supply.shape)
        c = fresh
    raise AssertionError("the twin's Newton iteration does not settle")


def relax_colour(
    c: np.ndarray,
    supply: np.ndarray,
    drain: np.ndarray,
    uptake: np.ndarray | None,
    colour: int,
    per_h: float,
    half: float,
    over: float = 0.0,
) -> np.ndarray:
    """c f4 after one colour has been relaxed, and `over` of the step more where diffusion rules; between closed walls."""
    one, zero = np.float32(1), np.float32(0)
    link = np.float32(per_h)

    def beside(axis: int, step: int) -> tuple[np.ndarray, np.ndarray]:
        there = np.roll(c, -step, axis)
        lined = np.ones(c.shape, np.float32)
        end = [slice(None)] * 3
        end[axis] = -1 if step > 0 else 0
        lined[tuple(end)] = zero
        return link * lined * there, link * lined

    pairs = [(beside(axis, -1), beside(axis, 1)) for axis in (2, 1, 0)]
    (x, y, z) = (low[0] + high[0] for low, high in pairs)
    (xo, yo, zo) = (low[1] + high[1] for low, high in pairs)
    enters = supply + ((x + y) + z)
    out = (yo + zo) + xo
    leaves = drain + out
    bound = leaves <= np.float32(2) * out
    if uptake is None:
        fresh = enters / leaves
    else:
        k = np.float32(half)
        slack = enters - uptake - leaves * k
        root = np.sqrt(slack * slack + np.float32(4) * leaves * k * enters)
        near = slack > 0
        fresh = np.where(near, slack + root, np.float32(2) * k * enters) / np.where(
            near, np.float32(2) * leaves, np.where(near, one, root - slack)
        )
        bound &= uptake * k <= (np.float32(2) * out - leaves) * (k + fresh) ** 2
    fresh = np.maximum(zero, fresh + np.where(bound, np.float32(over), zero) * (fresh - c))
    places = np.indices(c.shape).sum(axis=0)
    return np.where((places + colour) % 2 == 0, fresh, c).astype(np.float32)
