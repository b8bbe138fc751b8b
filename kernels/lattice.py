"""The lattice: one kernel source, two loop forms, and who is whose neighbour.

A smooth pass (solutes, matrix) loops over `lattice.rows` in parallel and over `lattice.lanes` in
order, and its voxel is `row * lanes + lane`; the lanes run along x (a divisor of nx, so that every
thread gets its 512 rows). A pass over cells loops over `lattice.chunks` of `lattice.chunk` voxels on
end, in tiles, and passes over chunks without cells. On CUDA a row and a chunk are one voxel, which
is one voxel a thread. Both forms visit the same voxels with the same arithmetic, so they give the
same bits.

Face order, everywhere: 0 -x, 1 +x, 2 -y, 3 +y, 4 -z, 5 +z; the opposite of d is d ^ 1. A lattice
with nz = 1 is 2-D and has the first four only.

Guard a neighbour by coordinates (`has_neighbour`), never by the flat index: with Taichi 1.7.4,
`if i > 0: a[i - 1]` over a loop of 64 lanes is compiled to a load 16 GB away.
"""

from dataclasses import dataclass

import taichi as ti

# ndarray indices are 32-bit in Taichi; the last 2**21 are kept free for neighbours and launch padding
VOXELS_MAX = 2**31 - 2**21
# Taichi hands a CPU thread at least this many iterations of a parallel loop
ROWS_PER_THREAD = 512
# voxels of a row that a smooth pass works out together, before it stores any of them
TILE = 16
# voxels of a chunk on a CPU: fine enough to follow a tumour, coarse enough that its flag is cheap
CHUNK = 64


@dataclass(frozen=True)
class Lattice:
    """Shape and loop form; hashable, so equal lattices share their compiled kernels."""

    nz: int
    ny: int
    nx: int
    lanes: int

    @classmethod
    def of(cls, shape: tuple[int, int, int], *, form: str = "rows", threads: int = 2) -> "Lattice":
        """The lattice of `shape` (nz, ny, nx) in the loop form "rows" (CPU) or "voxels" (GPU)."""
        nz, ny, nx = (int(n) for n in shape)
        if min(nz, ny, nx) < 1 or nz * ny * nx > VOXELS_MAX:
            raise ValueError(f"a lattice needs 1 to {VOXELS_MAX} voxels, got the shape {shape}")
        if form not in ("rows", "voxels"):
            raise ValueError(f"the loop form is 'rows' or 'voxels', got {form!r}")
        lanes = 1
        if form == "rows":
            wanted = 2 * ROWS_PER_THREAD * threads
            divisors = [n for n in range(nx, 0, -1) if nx % n == 0]
            lanes = next((n for n in divisors if nz * ny * (nx // n) >= wanted), 1)
        return cls(nz, ny, nx, lanes)

    @property
    def voxels(self) -> int:
        return self.nz * self.ny * self.nx

    @property
    def rows(self) -> int:
        return self.voxels // self.lanes

    @property
    def chunk(self) -> int:
        """Voxels of a chunk; the last chunk of a lattice may be shorter."""
        return CHUNK if self.lanes > 1 else 1

    @property
    def chunks(self) -> int:
        return -(-self.voxels // self.chunk)

    @property
    def tile(self) -> int:
        """Voxels of a chunk that are looked at together."""
        return min(TILE, self.chunk)

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.nz, self.ny, self.nx)

    @property
    def faces(self) -> int:
        """Neighbours a voxel has away from the walls: 4 in 2-D, 6 in 3-D."""
        return 4 if self.nz == 1 else 6

    @property
    def dimensions(self) -> int:
        return 2 if self.nz == 1 else 3


@ti.func
def row_origin(lattice: ti.template(), row: ti.i32):
    """(z, y, x) of a row's first voxel; the lanes that follow differ in x only."""
    i = row * lattice.lanes
    z = i // (lattice.ny * lattice.nx)
    y = i // lattice.nx - z * lattice.ny
    x = i - (z * lattice.ny + y) * lattice.nx
    return z, y, x


@ti.func
def has_neighbour(lattice: ti.template(), z: ti.i32, y: ti.i32, x: ti.i32, face: ti.template()):
    """Is there a voxel beyond this face, or the wall?"""
    inside = False
    if ti.static(face == 0):
        inside = x > 0
    if ti.static(face == 1):
        inside = x < lattice.nx - 1
    if ti.static(face == 2):
        inside = y > 0
    if ti.static(face == 3):
        inside = y < lattice.ny - 1
    if ti.static(face == 4):
        inside = z > 0
    if ti.static(face == 5):
        inside = z < lattice.nz - 1
    return inside


def offset(lattice: Lattice, face: int) -> int:
    """Index distance to the neighbour beyond `face` (host, or `ti.static` in a kernel)."""
    step = (1, lattice.nx, lattice.ny * lattice.nx)[face // 2]
    return step if face % 2 else -step


@ti.func
def offset_of(lattice: ti.template(), face: ti.i32):
    """`offset` for a face known only at run time."""
    step = 1
    if face >= 4:
        step = lattice.ny * lattice.nx
    elif face >= 2:
        step = lattice.nx
    return ti.select((face & 1) == 1, step, -step)


@ti.func
def coordinates(lattice: ti.template(), voxel: ti.i32):
    """(z, y, x) of a voxel; the divisors are constants, so this is a few multiplications."""
    z = voxel // (lattice.ny * lattice.nx)
    y = voxel // lattice.nx - z * lattice.ny
    x = voxel - (z * lattice.ny + y) * lattice.nx
    return z, y, x


@ti.func
def is_idle(lattice: ti.template(), busy: ti.template(), chunk: ti.i32):
    """May this chunk be passed over because it holds no cell? (A chunk of one voxel is looked at in any case.)"""
    idle = False
    if ti.static(lattice.chunk > 1):
        idle = busy[chunk] == 0
    return idle


@ti.func
def wake_chunk_of(lattice: ti.template(), busy: ti.template(), voxel: ti.i32):
    """Note that a cell has come into this voxel's chunk.

    Several threads may store the same 1; a thread that reads the old 0 passes over a chunk without intents.
    """
    if ti.static(lattice.chunk > 1):
        busy[voxel // lattice.chunk] = ti.u8(1)
