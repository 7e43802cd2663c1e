"""The idx format of MNIST: a four-byte magic (0, 0, type, number of dimensions), big-endian sizes,
then the values.

Source: Yann LeCun, "The MNIST database of handwritten digits", section "File formats".
"""

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ganvas.errors import UserError
from ganvas.io.reading import explain_error, open_file

__all__ = ["dimensions", "read_idx"]

# the third byte of the magic, and NumPy's name of the type; all are big-endian
DAMAGE = (OSError, EOFError, zlib.error, MemoryError)  # what a damaged file leads to
MAX_BYTES = 2**34  # of the values of one file
TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def dimensions(path: Path) -> int | None:
    """How many dimensions the idx file at `path` (gzipped or not) has; None: it is no idx file."""
    # called on every file of a folder, so it reads no more than it must
    try:
        with _open_unpacked(path) as file:
            magic = file.read(4)
    except (UserError, *DAMAGE):
        return None

    begins_right = len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in TYPES
    return magic[3] if begins_right else None


def read_idx(path: Path) -> np.ndarray:
    """Read an idx file, gzipped or not, in the shape and type that it declares.

    Raises:
        UserError: the file is missing, is not idx, or is shorter or longer than its header says.
    """
    try:
        with _open_unpacked(path) as file:
            return _read_array(file, path)
    except DAMAGE as error:
        raise UserError(f"{path} cannot be read: {explain_error(error)}; fetch it again") from error


def _read_array(file: BinaryIO, path: Path) -> np.ndarray:
    """Read an idx file that is open at its beginning; its path is for messages.

    Raises:
        UserError: as `read_idx`.
    """
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES:
        raise UserError(
            f"{path} is not an idx file: it begins with {magic.hex(' ') or 'nothing'}, "
            "idx images begin with 00 00 08 03 and labels with 00 00 08 01"
        )

    # a size of 4 bytes for each dimension; NumPy has no arrays of more than 32 dimensions
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise UserError(f"{path} is cut off within its header; fetch it again")
    if magic[3] > 32:
        raise UserError(f"{path} declares {magic[3]} dimensions; images have three")
    shape = struct.unpack(f">{magic[3]}I", sizes)
    kind = np.dtype(TYPES[magic[2]])
    expected = math.prod(shape) * kind.itemsize  # bytes, in Python's integers: no overflow
    declared = f"{'x'.join(map(str, shape))} ({expected:,} bytes)"
    # a size of 0 makes an array of no bytes, whose other sizes NumPy multiplies all the same
    if math.prod(max(1, size) for size in shape) * kind.itemsize > MAX_BYTES:
        raise UserError(f"{path} declares {declared}; {MAX_BYTES:,} bytes is the limit")

    # No more than that, and one byte that shows that there are more: a small file may unpack to
    # terabytes. Checked before NumPy reads: a file cut off while downloading is the usual fault.
    content = file.read(expected + 1)
    if len(content) != expected:
        held = f"{len(content):,}" if len(content) < expected else "more"
        raise UserError(f"{path} declares {declared} but holds {held} bytes")
    return np.frombuffer(content, kind).reshape(shape)  # without a copy, so read-only


@contextmanager
def _open_unpacked(path: Path) -> Iterator[BinaryIO]:
    """Open a file; where its content, not its name, is gzipped, what it unpacks to.

    Raises:
        UserError: there is no such file, or it is no regular one.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist")
    # browsers and unpacking programs leave either content under either name
    with open_file(path) as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        with gzip.open(file) if packed else nullcontext(file) as unpacked:
            yield unpacked  # type: ignore[misc]
