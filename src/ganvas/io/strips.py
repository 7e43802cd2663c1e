"""Read bands of rows out of TIFFs that are too large to be decoded whole.

A TIFF holds its pixels in strips of rows, or in tiles. Pillow decodes all of them at once, so a
small TIFF is made in memory of those that are wanted, which is then read as any other file.
"""

import struct
from collections.abc import Sequence
from typing import Any, BinaryIO, NamedTuple

from PIL import TiffImagePlugin

from ganvas.io.complaints import collect_complaints
from ganvas.io.image_files import MAX_PIXELS
from ganvas.io.images import UnreadableError
from ganvas.io.turning import ORIENTATION

__all__ = ["StripedScene", "open_scene"]

# Tags of TIFF.
WIDTH, LENGTH, BITS, COMPRESSION = 256, 257, 258, 259
OFFSETS, SAMPLES, ROWS, COUNTS, PLANAR = 273, 277, 278, 279, 284
TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_COUNTS = 322, 323, 324, 325
JPEG_TABLES = 347
# Photometric interpretation, fill order, predictor, palette, extra samples, their format, and how
# colours of JPEG are stored: they say what the values mean, and are kept.
KEPT = (BITS, COMPRESSION, 262, 266, SAMPLES, PLANAR, 317, 320, 338, 339, JPEG_TABLES, 530, 531)
PLAIN = 1  # of the compressions
PARTS = 4  # a strip or a row of tiles has at most this part of MAX_PIXELS: a band holds some
SHORT, LONG, UNDEFINED = 3, 4, 7  # types of values
REMEDY = "save it again as a TIFF in strips or tiles, or cut it into parts"


class StripedScene(NamedTuple):
    """A TIFF that is read band by band.

    Attributes:
        file: open; nothing but the wanted strips is read from it.
        tags: of its first page.
        order: "<" or ">", the order of bytes.
        width: in pixels.
        height: in pixels.
        rows: of a strip, or of a tile.
        columns: of a tile; 0: there are strips.
    """

    file: BinaryIO
    tags: Any
    order: str
    width: int
    height: int
    rows: int
    columns: int

    def read_band(self, top: int, bottom: int) -> tuple[bytes, int]:
        """A small TIFF that holds the rows from `top` to `bottom`, and perhaps more.

        Returns:
            the content of a file; which of its rows is `top`.
        """
        first, last = top // self.rows, (bottom - 1) // self.rows
        start = first * self.rows
        height = min((last + 1) * self.rows, self.height) - start
        return self._write(self._read_parts(first, last, start, height), height), top - start

    def _read_parts(self, first: int, last: int, start: int, height: int) -> list[bytes]:
        """The strips or tiles of a band, those of the second plane behind those of the first."""
        planes = self.value(SAMPLES, 1) if self.value(PLANAR, 1) == 2 else 1
        across = -(-self.width // self.columns) if self.columns else 1
        down = -(-self.height // self.rows)
        offsets = self.tags[TILE_OFFSETS if self.columns else OFFSETS]

        # one long strip without compression: its rows can be told apart
        if len(offsets) == 1 and down > 1:
            each = self._row_bytes()
            return [self._read(offsets[0] + start * each, height * each)]

        counts = self.tags[TILE_COUNTS if self.columns else COUNTS]
        parts = []
        for plane in range(planes):
            for number in range(first * across, (last + 1) * across):
                place = plane * across * down + number
                parts.append(self._read(offsets[place], counts[place]))
        return parts

    def _row_bytes(self) -> int:
        """Bytes of a row of a file without compression, whose samples lie side by side."""
        bits = sum(self.tags.get(BITS, (1,) * self.value(SAMPLES, 1)))
        return -(-self.width * bits // 8)

    def _read(self, offset: int, count: int) -> bytes:
        """Bytes of the file."""
        self.file.seek(offset)
        return self.file.read(count)

    def value(self, tag: int, default: int) -> int:
        """The only or first value of a tag."""
        value = self.tags.get(tag, default)
        return value[0] if isinstance(value, tuple) else value

    def _write(self, parts: Sequence[bytes], height: int) -> bytes:
        """A TIFF of one page with these strips or tiles."""
        entries: dict[int, tuple[int, Sequence[int] | bytes]] = {
            WIDTH: (LONG, [self.width]),
            LENGTH: (LONG, [height]),
        }
        for tag in KEPT:
            value = self.tags.get(tag)
            if isinstance(value, bytes):
                entries[tag] = (UNDEFINED, value)
            elif value is not None:
                entries[tag] = (SHORT, value if isinstance(value, tuple) else [value])

        where, count = (TILE_OFFSETS, TILE_COUNTS) if self.columns else (OFFSETS, COUNTS)
        if self.columns:
            entries[TILE_WIDTH] = (LONG, [self.columns])
            entries[TILE_LENGTH] = (LONG, [self.rows])
        else:
            entries[ROWS] = (LONG, [self.rows if len(parts) > 1 else height])
        entries[count] = (LONG, [len(part) for part in parts])
        entries[where] = (LONG, [0] * len(parts))  # filled when it is known how long the head is

        head = self._write_head(entries)
        place, offsets = len(head), []
        for part in parts:
            offsets.append(place)
            place += len(part)
        entries[where] = (LONG, offsets)
        return self._write_head(entries) + b"".join(parts)

    def _write_head(self, entries: dict[int, tuple[int, Sequence[int] | bytes]]) -> bytes:
        """All of a TIFF before its pixels."""
        mark = b"II*\0" if self.order == "<" else b"MM\0*"
        directory = struct.pack(self.order + "H", len(entries))
        place = 8 + 2 + 12 * len(entries) + 4
        beyond = b""  # values of more than four bytes

        for tag, (kind, values) in sorted(entries.items()):
            if isinstance(values, bytes):
                packed = values
            else:
                code = "H" if kind == SHORT else "L"
                packed = struct.pack(f"{self.order}{len(values)}{code}", *values)
            if len(packed) > 4:
                field = struct.pack(self.order + "L", place + len(beyond))
                beyond += packed + b"\0" * (len(packed) % 2)
            else:
                field = packed.ljust(4, b"\0")
            directory += struct.pack(self.order + "HHL", tag, kind, len(values)) + field

        return mark + struct.pack(self.order + "L", 8) + directory + b"\0" * 4 + beyond


def open_scene(file: BinaryIO) -> StripedScene | None:
    """A TIFF of more than MAX_PIXELS, to be read band by band; None: it is another file, or small.

    Raises:
        UnreadableError: it is one that cannot be read in bands.
    """
    prefix = file.read(4)
    file.seek(0)
    if prefix not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return None
    try:
        with collect_complaints():
            tags = _read_tags(file)
            width, height = tags[WIDTH], tags[LENGTH]
            if width * height <= MAX_PIXELS:
                return None
            columns = tags.get(TILE_WIDTH, 0)
            rows = tags[TILE_LENGTH] if columns else min(tags.get(ROWS, height), height)
            order = "<" if prefix[:2] == b"II" else ">"
            scene = StripedScene(file, tags, order, width, height, rows, columns)
            return _split_strip(scene)
    except UnreadableError:
        raise
    except Exception as error:  # a broken file can make the reader raise anything
        raise UnreadableError(f"broken: {str(error) or type(error).__name__}") from error


def _read_tags(file: BinaryIO) -> Any:
    """The tags of the first page; also where Pillow does not know what its pixels are."""
    head = file.read(8)
    head += file.read(8) if head[2:4] in (b"+\0", b"\0+") else b""
    tags = TiffImagePlugin.ImageFileDirectory_v2(head)
    file.seek(tags.next)
    tags.load(file)
    return tags


def _split_strip(scene: StripedScene) -> StripedScene:
    """A scene whose strips are small enough; one long strip without compression counts as many.

    Raises:
        UnreadableError: its parts are too large, or its rows are not in order.
    """
    size = f"{scene.width:,}x{scene.height:,} pixels"
    if scene.tags.get(ORIENTATION, 1) != 1:
        raise UnreadableError(f"{size}, and turned by its orientation; {REMEDY}")

    plain = scene.value(COMPRESSION, PLAIN) == PLAIN and scene.value(PLANAR, 1) == 1
    if not scene.columns and plain and scene.rows >= scene.height:
        return scene._replace(rows=1)
    if scene.rows * scene.width > MAX_PIXELS // PARTS:
        raise UnreadableError(f"{size} in one piece of {scene.rows:,} rows; {REMEDY}")
    return scene
