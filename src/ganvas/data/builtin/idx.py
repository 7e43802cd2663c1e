"""The idx format of MNIST: a four-byte magic (0, 0, type, number of dimensions), big-endian sizes,
then the values.

Source: Yann LeCun, "The MNIST database of handwritten digits", section "File formats".
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from ganvas.errors import UserError

__all__ = ["dimensions", "read_idx"]

# the third byte of the magic, and NumPy's name of the type; all are big-endian
TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def dimensions(path: Path) -> int | None:
    """How many dimensions the idx file at `path` (gzipped or not) has; None: it is no idx file."""
    # called on every file of a folder, so it reads no more than it must
    try:
        with gzip.open(path) if _is_gzip(path) else path.open("rb") as file:
            magic = file.read(4)
    except (OSError, EOFError, zlib.error):
        return None

    begins_right = len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in TYPES
    return magic[3] if begins_right else None


def read_idx(path: Path) -> np.ndarray:
    """Read an idx file, gzipped or not, in the shape and type that it declares.

    Raises:
        UserError: the file is missing, is not idx, or is shorter or longer than its header says.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if _is_gzip(path) else path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist") from error
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read: {error}; fetch it again") from error

    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in TYPES:
        raise UserError(
            f"{path} is not an idx file: it begins with {content[:4].hex(' ') or 'nothing'}, "
            "idx images begin with 00 00 08 03 and labels with 00 00 08 01"
        )

    # the magic, then a size of 4 bytes for each dimension
    head = 4 + 4 * content[3]
    if len(content) < head:
        raise UserError(f"{path} is cut off within its header; fetch it again")

    # checked before NumPy reads: a file cut off while downloading is the usual fault
    shape = struct.unpack(f">{content[3]}I", content[4:head])
    kind = np.dtype(TYPES[content[2]])
    expected = math.prod(shape) * kind.itemsize  # bytes, in Python's integers: no overflow
    if len(content) - head != expected:
        declared = "x".join(map(str, shape))
        raise UserError(
            f"{path} declares {declared} ({expected:,} bytes) "
            f"but holds {len(content) - head:,} bytes"
        )

    return np.frombuffer(content, kind, offset=head).reshape(shape)  # without a copy, so read-only


def _is_gzip(path: Path) -> bool:
    """Whether the file's content, not its name, is gzipped."""
    # browsers and unpacking programs leave either content under either name
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"
