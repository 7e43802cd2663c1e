"""Read the bands of TIFF files that Pillow cannot read, or reads only in part.

Pillow refuses five bands of a sensor, drops a fourth that is no opacity, and keeps 8 bits of
colours of 16. Here all bands of strips or tiles are read, with their own type of number. Of a
compressed strip Pillow is still the decoder: the strip is wrapped into a small grey TIFF of its
own.
"""

import io
import math
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

__all__ = [
    "Bands",
    "TiffLayout",
    "TiffPage",
    "encode_bands",
    "read_bands",
    "read_layout",
    "turn_upright",
    "walk_pages",
]

MOST_VALUES = 2**28  # of a file: its decoded bands take up to 2 GiB as float64
# Tags of TIFF 6.0, sections 4 to 15.
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
OFFSETS, ORIENTATION, SAMPLES, ROWS, COUNTS, PLANAR = 273, 274, 277, 278, 279, 284
PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 317, 322, 323, 324, 325
EXTRAS, FORMAT, SUBFILE = 338, 339, 254
KNOWN = frozenset(
    {WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, OFFSETS, ORIENTATION, SAMPLES}
    | {ROWS, COUNTS, PLANAR, PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS}
    | {EXTRAS, FORMAT, SUBFILE}
)
TYPES = {1: "B", 3: "H", 4: "I", 16: "Q"}  # of a tag's values: what TIFF calls them, and struct
BYTES = {"B": 1, "H": 2, "I": 4, "Q": 8}
MOST_IN_TAG = 2**22  # values: a strip for each row of the largest image, in 64 bands
NUMBERS = {1: "u", 2: "i", 3: "f"}  # of tag FORMAT, as NumPy names them
SIZES = {"u": (8, 16, 32, 64), "i": (8, 16, 32, 64), "f": (16, 32, 64)}  # bits of a value
# Kinds of a single band that Pillow reads whole.
PILLOW = {("u", 8), ("u", 16), ("i", 16), ("i", 32), ("f", 32), ("f", 64)}
MIN_IS_WHITE, MIN_IS_BLACK, RGB = 0, 1, 2  # of tag PHOTOMETRIC
STORED = 1  # of tag COMPRESSION
DEFLATES_AND_LZW = (STORED, 5, 8, 32773, 32946, 50000)  # with PackBits and ZSTD: all are lossless
ALPHAS = (1, 2)  # of tag EXTRAS: opacity, by which colours are multiplied already, or not


NO_PAGE = 1 | 4  # bits of tag SUBFILE for a smaller copy of another page, and for a mask
ENDS = "the TIFF ends within its header"


class TiffForm(NamedTuple):
    """What the first bytes of a TIFF say.

    Attributes:
        order: "<" or ">": of bytes.
        big: whether it is a BigTIFF.
        first: the byte where its first page is described.
    """

    order: str
    big: bool
    first: int


class TiffPage(NamedTuple):
    """A page of a file.

    Attributes:
        number: from 0.
        place: of a TIFF, the byte where the page is described.
        own: whether it is a picture of its own, no thumbnail and no mask.
    """

    number: int
    place: int
    own: bool = True


class TiffLayout(NamedTuple):
    """How a page of a TIFF is laid out.

    Attributes:
        width: in pixels, as stored.
        height: in pixels, as stored.
        number: "u", "i" or "f": unsigned and signed whole numbers, and floats.
        bits: of a value.
        bands: values of a pixel.
        rgb: whether the first three bands are red, green and blue.
        extras: what the file declares of the bands that follow the colours: 0 says nothing, 1 and
            2 opacity.
        orientation: as EXIF has it; 1 is upright.
        order: "<" or ">": of bytes.
        tags: all that is known of the page.
    """

    width: int
    height: int
    number: str
    bits: int
    bands: int
    rgb: bool
    extras: tuple[int, ...]
    orientation: int
    order: str
    tags: dict[int, tuple[int, ...]]

    @property
    def alpha(self) -> bool:
        """Whether the last band is declared to be opacity."""
        return bool(self.extras) and self.extras[-1] in ALPHAS

    @property
    def mode(self) -> str:
        """For people: "RGB", "RGBA", "RGB+1" or "L+4", with ";16" or ";32F" for more bits."""
        beyond = self.bands - (3 if self.rgb else 1) - self.alpha
        mode = ("RGB" if self.rgb else "L") + ("A" if self.alpha else "")
        mode += f"+{beyond}" if beyond else ""
        if (self.number, self.bits) == ("u", 8):
            return mode
        return f"{mode};{self.bits}{'F' if self.number == 'f' else ''}"

    @property
    def lossy_in_pillow(self) -> bool:
        """Whether Pillow refuses the page, or loses some of what it holds."""
        if self.bands == 1:
            return (self.number, self.bits) not in PILLOW
        if self.bits != 8 or self.number != "u":
            return True
        # colours, or grey, alone or with opacity
        colours = 3 if self.rgb else 1
        return self.bands > colours + 1 or (self.bands == colours + 1 and not self.alpha)

    def tag(self, number: int, default: int) -> int:
        """The first value of a tag."""
        return self.tags.get(number, (default,))[0]


class Bands(NamedTuple):
    """All bands of a page.

    Attributes:
        values: (H, W, B), upright, of the file's own type of number.
        layout: of the page.
    """

    values: np.ndarray
    layout: TiffLayout


def read_layout(file: BinaryIO, place: int = 0) -> TiffLayout | None:
    """How a page is laid out; None: the file is no TIFF, or of a kind that only Pillow reads.

    Args:
        file: open.
        place: of the page, as in `TiffPage`; 0: the first page.

    Raises:
        ValueError: the file is broken.
    """
    form = _read_form(file)
    if form is None:
        return None
    return _describe_layout(_read_tags(file, form, place or form.first)[0], form.order)


def walk_pages(file: BinaryIO) -> Iterator[TiffPage]:
    """The pages of a TIFF, one after another; none: the file is no TIFF.

    Raises:
        ValueError: the file is broken; also after some pages.
    """
    form = _read_form(file)
    place = form.first if form else 0
    seen: set[int] = set()
    while form and place and place not in seen:  # a file may lead back to an earlier page
        tags, following = _read_tags(file, form, place)
        yield TiffPage(len(seen), place, not tags.get(SUBFILE, (0,))[0] & NO_PAGE)
        seen.add(place)
        place = following


def _read_form(file: BinaryIO) -> TiffForm | None:
    """What the first bytes of a TIFF say; None: the file is none."""
    file.seek(0)
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        return None
    version = struct.unpack(f"{order}H", head[2:4])[0]
    if version not in (42, 43):
        return None
    big = version == 43
    try:
        first = struct.unpack_from(f"{order}{'Q' if big else 'I'}", head, 8 if big else 4)[0]
    except struct.error as error:
        raise ValueError(ENDS) from error
    return TiffForm(order, big, first)


def _read_tags(
    file: BinaryIO, form: TiffForm, place: int
) -> tuple[dict[int, tuple[int, ...]], int]:
    """The values of the tags of a page that are in KNOWN, and the place of the next page.

    Raises:
        ValueError: there is no page, the file is too short, or a tag has too many values.
    """
    # BigTIFF has 8 bytes where the classic form has 4, and counts its tags in 8 instead of 2
    order = form.order
    word, size, counter = ("Q", 8, "Q") if form.big else ("I", 4, "H")
    entry_size = 4 + 2 * size
    if not place:
        raise ValueError("the TIFF has no page")

    try:
        file.seek(place)
        count = struct.unpack(f"{order}{counter}", file.read(BYTES[counter]))[0]
        entries = file.read(min(count, 4096) * entry_size)
        following = struct.unpack(f"{order}{word}", file.read(size))[0]

        tags = {}
        for start in range(0, len(entries) - entry_size + 1, entry_size):
            tag, kind, many = struct.unpack_from(f"{order}HH{word}", entries, start)
            if tag not in KNOWN or kind not in TYPES:
                continue
            if many > MOST_IN_TAG:
                raise ValueError(f"tag {tag} of the TIFF has {many} values")
            letter = TYPES[kind]
            # few values stand in the entry itself, many elsewhere
            content = entries[start + entry_size - size : start + entry_size]
            if many * BYTES[letter] > size:
                file.seek(struct.unpack(f"{order}{word}", content)[0])
                content = file.read(many * BYTES[letter])
            tags[tag] = struct.unpack_from(f"{order}{many}{letter}", content)
    except struct.error as error:
        raise ValueError(ENDS) from error
    return {tag: values for tag, values in tags.items() if values}, following


def _describe_layout(tags: dict[int, tuple[int, ...]], order: str) -> TiffLayout | None:
    """What the tags say; None: something that only Pillow reads, such as JPEG in TIFF."""
    bits = set(tags.get(BITS, (1,)))
    formats = set(tags.get(FORMAT, (1,)))
    photometric = tags.get(PHOTOMETRIC, (-1,))[0]
    if len(bits) > 1 or len(formats) > 1 or WIDTH not in tags or HEIGHT not in tags:
        return None

    number = NUMBERS.get(formats.pop(), "")
    size = bits.pop()
    known = (
        size in SIZES.get(number, ())
        and photometric in (MIN_IS_WHITE, MIN_IS_BLACK, RGB)
        and tags.get(COMPRESSION, (STORED,))[0] in DEFLATES_AND_LZW
        and tags.get(FILL_ORDER, (1,))[0] == 1
    )
    bands = tags.get(SAMPLES, (1,))[0]
    rgb = photometric == RGB and bands >= 3
    if not known or bands < 1:
        return None

    # bands beyond the colours of which nothing is said count as 0, "unspecified"
    beyond = bands - (3 if rgb else 1)
    extras = tags.get(EXTRAS, ())[:beyond]
    return TiffLayout(
        width=tags[WIDTH][0],
        height=tags[HEIGHT][0],
        number=number,
        bits=size,
        bands=bands,
        rgb=rgb,
        extras=extras + (0,) * (beyond - len(extras)),
        orientation=tags.get(ORIENTATION, (1,))[0],
        order=order,
        tags=tags,
    )


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
    tiled = TILE_OFFSETS in layout.tags
    offsets = layout.tags.get(TILE_OFFSETS if tiled else OFFSETS, ())
    counts = layout.tags.get(TILE_COUNTS if tiled else COUNTS, ())
    width = layout.tag(TILE_WIDTH, 0) if tiled else layout.width
    height = layout.tag(TILE_HEIGHT, 0) if tiled else layout.tag(ROWS, layout.height)
    if not tiled:
        height = min(height, layout.height)
    if not 0 < width <= 2**16 or not 0 < height <= 2**16:
        raise ValueError("the TIFF has strips or tiles of no size")

    apart = layout.tag(PLANAR, 1) == 2
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
    compression = layout.tag(COMPRESSION, STORED)
    if compression == STORED:
        raw = np.frombuffer(stored, np.uint8)
    else:
        raw = decode(_wrap_strip(stored, line, rows, compression)).reshape(-1)
    if len(raw) < rows * line:
        raise ValueError("a strip or tile of the TIFF is too short")
    raw = raw[: rows * line]

    predictor = layout.tag(PREDICTOR, 1)
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
        (WIDTH, 4, width),
        (HEIGHT, 4, rows),
        (BITS, 3, 8),
        (COMPRESSION, 3, compression),
        (PHOTOMETRIC, 3, MIN_IS_BLACK),
        (OFFSETS, 4, 8 + 2 + 9 * 12 + 4),  # behind the header, nine tags and the end mark
        (SAMPLES, 3, 1),
        (ROWS, 4, rows),
        (COUNTS, 4, len(stored)),
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
        (WIDTH, 4, [width]),
        (HEIGHT, 4, [height]),
        (BITS, 3, [8] * bands),
        (COMPRESSION, 3, [STORED]),
        (PHOTOMETRIC, 3, [MIN_IS_BLACK]),
        (OFFSETS, 4, [0]),  # known below
        (SAMPLES, 3, [bands]),
        (ROWS, 4, [height]),
        (COUNTS, 4, [values.size]),
        (PLANAR, 3, [1]),
        (EXTRAS, 3, [0] * (bands - 1)),
    ]
    # values that do not fit into 4 bytes follow the tags, then the pixels
    place = 8 + 2 + 12 * len(tags) + 4
    pixels = place + sum(2 * len(found) for _, kind, found in tags if kind == 3 and len(found) > 2)

    head = b"II*\0" + struct.pack("<IH", 8, len(tags))
    beyond = b""
    for tag, kind, found in tags:
        content = struct.pack(f"<{len(found)}{TYPES[kind]}", *found)
        if tag == OFFSETS:
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
