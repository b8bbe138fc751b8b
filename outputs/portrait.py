"""A tumour drawn in three dimensions: every cell a shaded ball, seen from a corner of the tissue.

Parallel projection, so lengths across the picture are true. No graphics library: balls are stamped
into a depth buffer with NumPy, far ones first.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from . import style
from .observables import TUMOUR

BLOOD_OR_LYMPH = 3
NECROTIC = 2  # cell code of debris
CUT_CELLS = 3000  # a tumour of more cells is cut open
VOXEL_PIXELS = 18  # a voxel is drawn no larger


@dataclass(frozen=True)
class View:
    """From where one looks: degrees around z, and above the plane of x and y."""

    azimuth: float = -56.0
    elevation: float = 24.0

    def axes(self) -> np.ndarray:
        """Rows: right, up and towards the viewer, in (x, y, z)."""
        a, e = np.radians([self.azimuth, self.elevation])
        toward = np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)])
        right = np.array([-np.sin(a), np.cos(a), 0.0])
        return np.stack([right, np.cross(toward, right), toward])


@dataclass(frozen=True)
class Portrait:
    """The picture and the box around it, in voxels across the picture (right, up)."""

    image: np.ndarray  # (height, width, 4) float, premultiplied by nothing
    extent: tuple[float, float, float, float]  # left, right, bottom, top
    edges: list[tuple[np.ndarray, bool]]  # ((2, 2) points, is it in front) of the lattice's box


def portrait(
    cell: np.ndarray, emt: np.ndarray | None, vessel: np.ndarray | None, pixels: int = 620, view: View | None = None
) -> Portrait:
    """Draw the tumour cells, their debris and vessels of a volume.

    Args:
        cell, emt, vessel: (nz, ny, nx) u1; `emt` and `vessel` may be absent.
        pixels: longer side of the picture.
    """
    axes = (view or View()).axes()
    size = np.array(cell.shape[::-1], float)  # x, y, z
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * size
    flat = corners @ axes.T
    low, high = flat.min(axis=0), flat.max(axis=0)
    # drawn at twice the size, then averaged; a voxel need not be larger than a fingernail
    scale = min(2 * pixels / max(high[0] - low[0], high[1] - low[1]), 2 * VOXEL_PIXELS)
    width, height = (int(np.ceil((high[k] - low[k]) * scale / 2)) * 2 for k in (0, 1))

    dead = cell == NECROTIC
    at, colour, radius, shade = _balls(opened(cell == TUMOUR, axes[2], dead), dead, emt, vessel)
    seen = at @ axes.T
    canvas = _stamp(seen, colour, radius, shade, scale, low, high, (height, width))
    image = canvas.reshape(height // 2, 2, width // 2, 2, 4).mean(axis=(1, 3))
    alpha = image[..., 3:]
    image[..., :3] = np.divide(image[..., :3], alpha, out=np.ones_like(image[..., :3]), where=alpha > 0)
    extent = (low[0], low[0] + width / scale, low[1], low[1] + height / scale)
    return Portrait(np.clip(image, 0, 1), extent, _box(corners, flat))


def opened(tumour: np.ndarray, toward: np.ndarray, debris: np.ndarray | None = None) -> np.ndarray:
    """The tumour, and its debris, without the eighth of it that faces the reader, so that its inside is seen.

    `toward` (x, y, z) points at the reader. The cuts go through the centroid; a tumour of at most
    `CUT_CELLS` cells is left whole.
    """
    body = tumour if debris is None else tumour | debris
    if np.count_nonzero(tumour) <= CUT_CELLS:
        return body
    middle = [round(float(at)) for at in np.argwhere(tumour).mean(axis=0)]
    out = body.copy()
    sides = zip(middle, toward[::-1], strict=True)  # in the order z, y, x
    out[tuple(slice(at, None) if side > 0 else slice(0, at) for at, side in sides)] = False
    return out


def _balls(
    tumour: np.ndarray, dead: np.ndarray, emt: np.ndarray | None, vessel: np.ndarray | None
) -> tuple[np.ndarray, ...]:
    """Positions (x, y, z), colours, radii and crowding of what can be seen, in voxels."""
    visible = tumour & ~np.asarray(ndimage.binary_erosion(tumour), bool)
    crowd = np.asarray(ndimage.gaussian_filter(tumour.astype(np.float32), 2.5))
    where = np.argwhere(visible)
    share = np.zeros(len(where)) if emt is None else emt[visible] / 255.0
    colours = style.rgb(style.EPITHELIAL) * (1 - share[:, None]) + style.rgb(style.MESENCHYMAL) * share[:, None]
    colours[dead[visible]] = style.rgb(style.NECROTIC)
    # hollows are darker than what stands out
    light = 1.12 - 0.5 * np.clip(crowd[visible] / 0.75, 0, 1)
    parts = [(where, colours, np.full(len(where), 0.62), light)]
    if vessel is not None:
        pipes = (vessel & BLOOD_OR_LYMPH) != 0
        where, kind = _beads(np.argwhere(pipes), vessel)
        colours = np.where((kind & 1 != 0)[:, None], style.rgb(style.BLOOD), style.rgb(style.LYMPH))
        ruptured = (kind & 8) != 0
        colours[ruptured] = style.rgb(style.TISSUE)
        parts.append((where, colours, np.where(ruptured, 1.15, 0.9), np.ones(len(where))))
    at, colour, radius, shade = (np.concatenate(column) for column in zip(*parts, strict=True))
    return at[:, ::-1] + 0.5, colour, radius, shade


def _beads(where: np.ndarray, vessel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vessel voxels and the points between those that touch, so that rows of them look like tubes."""
    places, kinds = [where.astype(float)], [vessel[tuple(where.T)]]
    held = (vessel & BLOOD_OR_LYMPH) != 0
    for axis in range(3):
        pairs = np.argwhere(
            np.take(held, range(held.shape[axis] - 1), axis) & np.take(held, range(1, held.shape[axis]), axis)
        )
        step = np.eye(3)[axis]
        for part in (1 / 3, 2 / 3):
            places.append(pairs + part * step)
            kinds.append(vessel[tuple(pairs.T)] & BLOOD_OR_LYMPH)
    return np.concatenate(places), np.concatenate(kinds)


def _stamp(
    seen: np.ndarray,
    colour: np.ndarray,
    radius: np.ndarray,
    shade: np.ndarray,
    scale: float,
    low: np.ndarray,
    high: np.ndarray,
    shape: tuple[int, int],
) -> np.ndarray:
    """Balls into a depth buffer; `seen` (n, 3) is right, up and nearer, `low` and `high` their limits."""
    height, width = shape
    depth_buffer = np.full(height * width, -np.inf)
    canvas = np.zeros((height * width, 4), np.float32)
    order = np.argsort(seen[:, 2], kind="stable")
    seen, colour, radius, shade = seen[order], colour[order], radius[order], shade[order]
    column = ((seen[:, 0] - low[0]) * scale).astype(np.int64)
    row = ((high[1] - seen[:, 1]) * scale).astype(np.int64)
    # things far away fade a little into the paper
    far = np.clip((high[2] - seen[:, 2]) / max(high[2] - low[2], 1e-9), 0, 1)
    sun = np.array([-0.45, 0.62, 0.64])
    for each in np.unique(radius):
        mine = np.flatnonzero(radius == each)
        reach = each * scale
        steps = np.arange(-int(reach), int(reach) + 1)
        for dy in steps:
            for dx in steps:
                inside = 1 - (dx * dx + dy * dy) / reach**2
                if inside <= 0:
                    continue
                normal = np.array([dx / reach, -dy / reach, np.sqrt(inside)])
                r, c = row[mine] + dy, column[mine] + dx
                fits = (r >= 0) & (r < height) & (c >= 0) & (c < width)
                pixel, ball = (r * width + c)[fits], mine[fits]
                depth = seen[ball, 2] + each * normal[2]
                # sorted far to near, so of several balls on one pixel the nearest is written last
                nearer = depth > depth_buffer[pixel]
                pixel, ball = pixel[nearer], ball[nearer]
                depth_buffer[pixel] = depth[nearer]
                light = 0.52 + 0.55 * max(0.0, float(normal @ sun))
                tone = colour[ball] * (light * shade[ball])[:, None]
                if normal @ sun > 0.97:
                    tone = tone + 0.10
                fog = (0.30 * far[ball])[:, None]
                canvas[pixel, :3] = np.clip(tone, 0, 1) * (1 - fog) + fog
                canvas[pixel, 3] = 1
    return canvas.reshape(height, width, 4)


def _box(corners: np.ndarray, flat: np.ndarray) -> list[tuple[np.ndarray, bool]]:
    """The twelve edges of the lattice on the picture; those that meet the nearest corner are in front."""
    nearest = int(flat[:, 2].argmax())
    edges = []
    for a in range(8):
        for b in range(a + 1, 8):
            if np.count_nonzero(corners[a] != corners[b]) == 1 and bin(a ^ b).count("1") == 1:
                edges.append((flat[[a, b], :2], nearest in (a, b)))
    return edges
