"""Shuffled numbers as a zlib stream, each plane of bytes (all first bytes, all second, ...) coded as it deserves.

Of rounded concentrations one plane is all zeros, and others are as good as random: to look for structure there is
where the time of a frame went. Deflate blocks that end on a byte can follow each other, so every plane is its own.
Any inflate reads the result.
"""

import zlib
from functools import lru_cache

import numpy as np

LEVEL = 1
_HEAD = b"\x78\x01"
_END = b"\x03\x00"  # an empty last block
_EMPTY = b"\x00\x00\xff\xff"  # sizes of an empty stored block, which ends on a byte
_STORED_MAX = 0xFFFF  # bytes of a stored block
_SAMPLE = 8192  # bytes of a plane that are looked at
_WIDTH = 6  # bits of a code of one width: 63 bytes and the end of the block


def deflated(raw: np.ndarray) -> bytes:
    """Numbers of one dimension, shuffled and deflated: what HDF5's filters of these names undo."""
    parts, check = [_HEAD], 1
    octets = raw.view(np.uint8).reshape(-1, raw.itemsize)
    for place in range(raw.itemsize):
        plane = np.ascontiguousarray(octets[:, place])
        parts.append(_blocks(plane))
        check = zlib.adler32(plane.data, check)
    return b"".join([*parts, _END, check.to_bytes(4, "big")])


def _blocks(plane: np.ndarray) -> bytes:
    """Deflate blocks that end on a byte, none of them the last."""
    bits = int(np.bitwise_or.reduce(plane))
    if not bits:
        return _zeros(plane.size)
    entropy = _entropy(plane)
    if entropy > 7.75:  # codes would save less than some 3 %
        return _stored(plane)
    if bits.bit_count() < _WIDTH and entropy > 4.5:  # five bits at random: six, in a quarter of the time
        return _of_one_width(plane, bits)
    return _coded(plane)


def _entropy(plane: np.ndarray) -> float:
    """Bits a byte by a sample, 0 where there are runs or where there is little to look at."""
    step = max(1, plane.size // _SAMPLE)
    sample, following = plane[:-1:step], plane[1::step]
    if sample.size < _SAMPLE or np.count_nonzero(sample == following) > sample.size // 8:
        return 0.0
    shares = np.bincount(sample, minlength=256) / sample.size
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())


def _coded(plane: np.ndarray) -> bytes:
    # Runs of equal bytes and Huffman codes, no search for repeats: of concentrations, once shuffled, nothing repeats
    # but runs. Protease of quickstart: 12 % larger, in half the time; cells and vessels come out smaller.
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_RLE)
    return deflate.compress(plane.data) + deflate.flush(zlib.Z_SYNC_FLUSH)


@lru_cache(16)
def _zeros(count: int) -> bytes:
    return _coded(np.zeros(count, np.uint8))


def _stored(plane: np.ndarray) -> bytes:
    parts = []
    for at in range(0, plane.size, _STORED_MAX):
        piece = plane[at : at + _STORED_MAX].tobytes()
        size = len(piece)
        parts += [b"\0", size.to_bytes(2, "little"), (size ^ 0xFFFF).to_bytes(2, "little"), piece]
    return b"".join(parts)


def _of_one_width(plane: np.ndarray, bits: int) -> bytes:
    """A block whose codes are all of six bits, so that four bytes become three.

    `bits`: those that occur, at most 5. The plane has two bytes or more.
    """
    head, length, codes = _code_of(bits)
    first = -length // 2 % 4  # so many codes of 6 bits bring the head to a whole number of bytes
    whole = first + (plane.size - first) // 4 * 4
    start = plane[:first].tobytes().translate(codes)
    word = np.frombuffer(plane[first:whole].tobytes().translate(codes), "<u4")
    packed = word & np.uint32(0x3F)
    for place in (1, 2, 3):
        packed |= (word >> np.uint32(2 * place)) & np.uint32(0x3F << _WIDTH * place)
    body = np.empty((len(packed), 3), np.uint8)
    for place in range(3):
        body[:, place] = packed.view(np.uint8)[place::4]
    rest = _WIDTH * (plane.size - whole)
    tail = _int(plane[whole:].tobytes().translate(codes)) | 0x3F << rest  # the end; then three bits 0: a stored block
    return b"".join(
        [
            (head | _int(start) << length).to_bytes((length + _WIDTH * first) // 8, "little"),
            body.tobytes(),
            tail.to_bytes((rest + _WIDTH + 3 + 7) // 8, "little"),
            _EMPTY,
        ]
    )


def _int(coded: bytes) -> int:
    return sum(code << _WIDTH * place for place, code in enumerate(coded))


@lru_cache(16)
def _code_of(bits: int) -> tuple[int, int, bytes]:
    """The head of such a block as an integer, first bit lowest, its length in bits, and the code of each byte.

    RFC 1951, 3.2.7. The code must be complete, so bytes that do not occur fill it up.
    """
    occur = [byte for byte in range(256) if byte & ~bits == 0]
    fill = [byte for byte in range(256) if byte & ~bits][: 2**_WIDTH - 1 - len(occur)]
    coded = sorted(occur + fill)
    head, length = 0, 0

    def add(value: int, width: int) -> None:
        nonlocal head, length
        head |= value << length
        length += width

    add(0b100, 3)  # not the last, dynamic codes
    add(0, 5)  # 257 literals
    add(1, 5)  # two distances: never used, but some readers want a complete code
    add(14, 4)  # lengths of 18 code lengths
    for number in (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1):
        add({0: 1, 1: 2, _WIDTH: 2}.get(number, 0), 3)
    has_code = {*coded, 256}
    for symbol in range(257):
        add(*((0b11, 2) if symbol in has_code else (0, 1)))
    for _ in range(2):
        add(0b01, 2)  # a length of 1, whose code is 10, first bit first
    codes = bytearray(256)
    for rank, byte in enumerate(coded):
        codes[byte] = int(f"{rank:0{_WIDTH}b}"[::-1], 2)
    return head, length, bytes(codes)
