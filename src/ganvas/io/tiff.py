"""Read the bands of TIFF files that Pillow cannot read, or reads only in part.

Pillow refuses five bands of a sensor, drops a fourth that is no opacity, and keeps 8 bits of
colours of 16. Here all bands of strips or tiles are read, with their own type of number. Of a
compressed strip Pillow is still the decoder: the strip is wrapped into a small grey TIFF of its
own.
"""

import io
import math
import struct
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ganvas.io.tiff_layout import MIN_IS_BLACK, STORED, TYPES, Tag, TiffLayout

__all__ = ["Bands", "encode_bands", "read_bands", "turn_upright"]

MOST_VALUES = 2**28  # of a file: its decoded bands take up to 2 GiB as float64


class Bands(NamedTuple):
    """All bands of a page.

    Attributes:
        values: (H, W, B), upright, of the file's own type of number.
        layout: of the page.
    """

    values: np.ndarray
    layout: TiffLayout


def read_bands(content: bytes, layout: TiffLayout, decode: Callable[[bytes], np.ndarray]) -> Bands:
    """Read all bands of a page.

    Args:
        content: of the file.
        layout: of the page.
        decode: reads a grey TIFF of 8 bits: uint8 (H, W).

    Raises:
        ValueError: the file is broken, or its bands would take too much memory.
    """
    values = layout.width * layout.height * layout.bands
    if values > MOST_VALUES:
        raise ValueError(f"{values:,} values; {MOST_VALUES:,} are the limit")
    if not values:
        raise ValueError("the TIFF has no pixels")

    # pieces are strips, or tiles, of all bands together or of one after the other
    tiled = Tag.TILE_OFFSETS in layout.tags
    offsets = layout.tags.get(Tag.TILE_OFFSETS if tiled else Tag.OFFSETS, ())
    counts = layout.tags.get(Tag.TILE_COUNTS if tiled else Tag.COUNTS, ())
    width = layout.tag(Tag.TILE_WIDTH, 0) if tiled else layout.width
    height = layout.tag(Tag.TILE_HEIGHT, 0) if tiled else layout.tag(Tag.ROWS, layout.height)
    if not tiled:
        height = min(height, layout.height)
    if not 0 < width <= 2**16 or not 0 < height <= 2**16:
        raise ValueError("the TIFF has strips or tiles of no size")

    apart = layout.tag(Tag.PLANAR, 1) == 2
    together = 1 if apart else layout.bands
    across = math.ceil(layout.width / width)
    down = math.ceil(layout.height / height)
    pieces = across * down * (layout.bands if apart else 1)
    if len(offsets) < pieces or len(counts) < pieces:
        raise ValueError(f"the TIFF lists {len(offsets)} of {pieces} strips or tiles")

    kind = np.dtype(f"{layout.number}{layout.bits // 8}")
    found = np.zeros((layout.height, layout.width, layout.bands), kind)
    for number, (offset, count) in enumerate(zip(offsets[:pieces], counts)):
        band, place = divmod(number, across * down)
        top, left = place // across * height, place % across * width
        # the last strip is as high as it needs to be, a tile always whole
        rows = height if tiled else min(height, layout.height - top)
        piece = _read_piece(
            content[offset : offset + count], layout, (rows, width, together), decode
        )
        part = piece[: layout.height - top, : layout.width - left]
        columns = slice(band, band + 1) if apart else slice(None)
        found[top : top + height, left : left + width, columns] = part

    return Bands(turn_upright(found, layout.orientation), layout)


def _read_piece(
    stored: bytes,
    layout: TiffLayout,
    shape: tuple[int, int, int],
    decode: Callable[[bytes], np.ndarray],
) -> np.ndarray:
    """The values of a strip or tile, of this shape (rows, columns, bands).

    Raises:
        ValueError: it is too short.
    """
    rows, columns, bands = shape
    size = layout.bits // 8
    line = columns * bands * size  # bytes of a row
    compression = layout.tag(Tag.COMPRESSION, STORED)
    if compression == STORED:
        raw = np.frombuffer(stored, np.uint8)
    else:
        raw = decode(_wrap_strip(stored, line, rows, compression)).reshape(-1)
    if len(raw) < rows * line:
        raise ValueError("a strip or tile of the TIFF is too short")
    raw = raw[: rows * line]

    predictor = layout.tag(Tag.PREDICTOR, 1)
    if predictor == 3:  # floats: bytes of equal weight lie together, the first ones first
        steps = raw.reshape(rows, -1, bands).cumsum(1, dtype=np.uint8)
        mixed = steps.reshape(rows, size, columns * bands).transpose(0, 2, 1)
        values = np.ascontiguousarray(mixed).view(f">{layout.number}{size}")
        return values.astype(f"{layout.number}{size}").reshape(shape)

    values = raw.view(f"{layout.order}{layout.number}{size}").reshape(shape)
    if predictor == 2:  # each value is the difference from its left neighbour
        values = values.cumsum(1, dtype=values.dtype.newbyteorder("="))
    elif predictor != 1:
        raise ValueError(f"predictor {predictor} of a TIFF is not known")
    return values


def _wrap_strip(stored: bytes, width: int, rows: int, compression: int) -> bytes:
    """A compressed strip as a grey TIFF of 8 bits and one strip, little-endian."""
    tags = [
        (Tag.WIDTH, 4, width),
        (Tag.HEIGHT, 4, rows),
        (Tag.BITS, 3, 8),
        (Tag.COMPRESSION, 3, compression),
        (Tag.PHOTOMETRIC, 3, MIN_IS_BLACK),
        (Tag.OFFSETS, 4, 8 + 2 + 9 * 12 + 4),  # behind the header, nine tags and the end mark
        (Tag.SAMPLES, 3, 1),
        (Tag.ROWS, 4, rows),
        (Tag.COUNTS, 4, len(stored)),
    ]
    file = io.BytesIO()
    file.write(b"II*\0" + struct.pack("<IH", 8, len(tags)))
    for tag, kind, value in tags:
        file.write(struct.pack("<HHII", tag, kind, 1, value))
    file.write(struct.pack("<I", 0) + stored)
    return file.getvalue()


def encode_bands(values: np.ndarray) -> bytes:
    """Bands as an uncompressed TIFF: the first one grey, the others declared as "unspecified".

    Args:
        values: uint8 (H, W, B).
    """
    height, width, bands = values.shape
    tags = [
        (Tag.WIDTH, 4, [width]),
        (Tag.HEIGHT, 4, [height]),
        (Tag.BITS, 3, [8] * bands),
        (Tag.COMPRESSION, 3, [STORED]),
        (Tag.PHOTOMETRIC, 3, [MIN_IS_BLACK]),
        (Tag.OFFSETS, 4, [0]),  # known below
        (Tag.SAMPLES, 3, [bands]),
        (Tag.ROWS, 4, [height]),
        (Tag.COUNTS, 4, [values.size]),
        (Tag.PLANAR, 3, [1]),
        (Tag.EXTRAS, 3, [0] * (bands - 1)),
    ]
    # values that do not fit into 4 bytes follow the tags, then the pixels
    place = 8 + 2 + 12 * len(tags) + 4
    pixels = place + sum(2 * len(found) for _, kind, found in tags if kind == 3 and len(found) > 2)

    head = b"II*\0" + struct.pack("<IH", 8, len(tags))
    beyond = b""
    for tag, kind, found in tags:
        content = struct.pack(f"<{len(found)}{TYPES[kind]}", *found)
        if tag == Tag.OFFSETS:
            content = struct.pack("<I", pixels)
        if len(content) > 4:
            content, beyond = struct.pack("<I", place + len(beyond)), beyond + content
        head += struct.pack("<HHI", tag, kind, len(found)) + content.ljust(4, b"\0")
    return head + struct.pack("<I", 0) + beyond + np.ascontiguousarray(values).tobytes()


def turn_upright(values: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels (H, W, B) turned and mirrored as an EXIF orientation says."""
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return np.ascontiguousarray(values)
