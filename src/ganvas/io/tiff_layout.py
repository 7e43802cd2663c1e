"""How the pages of a TIFF file are laid out, as its tags say.

The tags are those of TIFF 6.0, sections 4 to 15, and of BigTIFF.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import BinaryIO, NamedTuple

__all__ = [
    "MIN_IS_BLACK",
    "STORED",
    "TYPES",
    "Tag",
    "TiffLayout",
    "TiffPage",
    "read_layout",
    "walk_pages",
]

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


class Tag(IntEnum):
    """The tags that are read."""

    SUBFILE = 254
    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    FILL_ORDER = 266
    OFFSETS = 273
    ORIENTATION = 274
    SAMPLES = 277
    ROWS = 278
    COUNTS = 279
    PLANAR = 284
    PREDICTOR = 317
    TILE_WIDTH = 322
    TILE_HEIGHT = 323
    TILE_OFFSETS = 324
    TILE_COUNTS = 325
    EXTRAS = 338
    FORMAT = 339


KNOWN = frozenset(Tag)


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
        yield TiffPage(len(seen), place, not tags.get(Tag.SUBFILE, (0,))[0] & NO_PAGE)
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
    """The values of the tags of a page that are in `Tag`, and the place of the next page.

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
    bits = set(tags.get(Tag.BITS, (1,)))
    formats = set(tags.get(Tag.FORMAT, (1,)))
    photometric = tags.get(Tag.PHOTOMETRIC, (-1,))[0]
    if len(bits) > 1 or len(formats) > 1 or Tag.WIDTH not in tags or Tag.HEIGHT not in tags:
        return None

    number = NUMBERS.get(formats.pop(), "")
    size = bits.pop()
    known = (
        size in SIZES.get(number, ())
        and photometric in (MIN_IS_WHITE, MIN_IS_BLACK, RGB)
        and tags.get(Tag.COMPRESSION, (STORED,))[0] in DEFLATES_AND_LZW
        and tags.get(Tag.FILL_ORDER, (1,))[0] == 1
    )
    bands = tags.get(Tag.SAMPLES, (1,))[0]
    rgb = photometric == RGB and bands >= 3
    if not known or bands < 1:
        return None

    # bands beyond the colours of which nothing is said count as 0, "unspecified"
    beyond = bands - (3 if rgb else 1)
    extras = tags.get(Tag.EXTRAS, ())[:beyond]
    return TiffLayout(
        width=tags[Tag.WIDTH][0],
        height=tags[Tag.HEIGHT][0],
        number=number,
        bits=size,
        bands=bands,
        rgb=rgb,
        extras=extras + (0,) * (beyond - len(extras)),
        orientation=tags.get(Tag.ORIENTATION, (1,))[0],
        order=order,
        tags=tags,
    )
