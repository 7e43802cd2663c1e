"""Decode files into square images, one or several images a row."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from ganvas.data.folders.source import Entry, FileSource
from ganvas.data.parallel import map_pieces
from ganvas.data.parts import Part, Reader, cut_parts, is_scene, read_frames, read_scene
from ganvas.data.view import View
from ganvas.io import images
from ganvas.io.images import Picture, UnreadableError
from ganvas.io.resizing import to_square
from ganvas.io.video import is_film, measure_film

__all__ = [
    "LEAST_SHARE",
    "Decoded",
    "Fate",
    "ImageTraits",
    "RowFiles",
    "decode_images",
    "decode_rows",
    "find_size_fault",
    "measure_images",
    "rows_of_files",
    "stream_rows",
]

BATCH_PIXELS = 2**20  # images of one shape are resized together up to this many pixels
CHUNK_BYTES = 2**23  # of decoded rows that are handed on together
LEAST_SHARE = 8  # pictures are left out whose side is smaller than this part of the square's


class ImageTraits(NamedTuple):
    """What several image files may have in common.

    Attributes:
        width: in pixels, upright.
        height: in pixels, upright.
        mode: Pillow's name of the pixel format in the file, such as "RGB".
        transparent: whether transparent pixels were laid over the background.
        turned: whether it was turned upright as its EXIF orientation says.
    """

    width: int
    height: int
    mode: str
    transparent: bool = False
    turned: bool = False

    @property
    def grey(self) -> bool:
        """Whether there is no colour in it."""
        return self.mode in images.GREY


class Fate(NamedTuple):
    """What became of one image of a row.

    Attributes:
        name: of the row, within its set.
        reason: why the row is left out; "" if it is used.
        width: in pixels, upright; 0 if it could not be read.
        height: in pixels, upright; 0 if it could not be read.
        mode: as in `ImageTraits`; "" if it could not be read.
        transparent: as in `ImageTraits`.
        turned: as in `ImageTraits`.
        mark: of a frame or a tile, behind the name: "#12", "#3,5"; "" for a whole file.
        first: whether it is the first tile of its image, or the only one.
        frames: how many frames or pages its file holds.
        digest: equal for equal images; 0: not known.
        remarks: what the decoder complained of.
    """

    name: str
    reason: str
    width: int = 0
    height: int = 0
    mode: str = ""
    transparent: bool = False
    turned: bool = False
    mark: str = ""
    first: bool = True
    frames: int = 1
    digest: int = 0
    remarks: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The name with the mark, for people."""
        return self.name + self.mark

    @property
    def traits(self) -> ImageTraits:
        """What it may have in common with others."""
        return ImageTraits(self.width, self.height, self.mode, self.transparent, self.turned)


class RowFiles(NamedTuple):
    """The files of one row, before they are read.

    Attributes:
        name: of the row, for people.
        files: a file for each image column, or one file that holds all of them side by side.
    """

    name: str
    files: tuple[tuple[Reader, Entry], ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for _, entry in self.files)


class Decoded(NamedTuple):
    """Rows that were decoded together.

    Attributes:
        fates: what became of rows, with a `Fate` for each of their images; the last ones may belong
            to squares that follow.
        squares: the rows that are used, uint8 (K, columns, C, S, S), where S is the load size.
    """

    fates: list[tuple[Fate, ...]]
    squares: np.ndarray


def rows_of_files(reader: Reader, entries: Sequence[Entry]) -> list[RowFiles]:
    """Rows with one image each."""
    return [RowFiles(entry.name, ((reader, entry),)) for entry in entries]


# Decoding


def decode_images(
    reader: Reader, entries: Sequence[Entry], view: View
) -> tuple[list[Fate], np.ndarray]:
    """Decode files with one image a row.

    Returns:
        what became of each file; the images that are used, uint8 (K, C, S, S), as in `decode_rows`.
    """
    fates, squares = decode_rows(rows_of_files(reader, entries), 1, view)
    return [fate for (fate,) in fates], squares[:, 0]


def decode_rows(
    rows: Sequence[RowFiles], columns: int, view: View
) -> tuple[list[tuple[Fate, ...]], np.ndarray]:
    """Decode rows, each with `columns` images; see `stream_rows`.

    Returns:
        what became of each row, with a `Fate` for each of its images; the rows that are used, uint8
        (K, columns, C, S, S), where S is the load size.
    """
    side = view.load_size()
    fates: list[tuple[Fate, ...]] = []
    # begins with an array of no rows: `concatenate` takes no empty list
    squares = [np.empty((0, columns, view.channels or 3, side, side), np.uint8)]
    for some in stream_rows(rows, columns, view):
        fates += some.fates
        squares.append(some.squares)
    return fates, np.concatenate(squares)


def stream_rows(rows: Sequence[RowFiles], columns: int, view: View) -> Iterator[Decoded]:
    """Decode rows, a few at a time, so that long films and large scenes do not fill the memory.

    Args:
        rows: their files; one with several frames, or that is cut into tiles, gives several rows.
        columns: images in a row.
        view: with its size resolved; images become RGB unless its channels are 1.
    """
    side = view.load_size()
    shape = (columns, view.channels or 3, side, side)
    fates: list[tuple[Fate, ...]] = []
    squares = [np.empty((0, *shape), np.uint8)]
    size = 0  # bytes of `squares`
    # a generator: `fates` fills while the rows are read below
    usable = _read_usable(rows, columns, view, fates)

    # neighbours of one shape are resized together, which is faster than one by one
    for shapes, alike in itertools.groupby(usable, key=_find_shapes):
        _, height, width = shapes[0]  # pixels of the row's first image
        together = max(1, BATCH_PIXELS // (height * width))
        while batch := list(itertools.islice(alike, together)):
            squares.append(_resize_rows(batch, view))
            size += squares[-1].nbytes
            if size > CHUNK_BYTES:
                yield Decoded(fates.copy(), np.concatenate(squares))
                fates.clear()
                del squares[1:]
                size = 0

    yield Decoded(fates.copy(), np.concatenate(squares))


def _find_shapes(pictures: tuple[Picture, ...]) -> tuple[tuple[int, ...], ...]:
    """The shape (C, H, W) of each image of a row."""
    return tuple(tuple(picture.pixels.shape) for picture in pictures)


def _resize_rows(rows: Sequence[tuple[Picture, ...]], view: View) -> np.ndarray:
    """Rows of images of the same shapes as squares, uint8 (N, columns, C, S, S)."""
    side = view.load_size()
    columns = []

    for pictures in zip(*rows):
        pixels = torch.stack([picture.pixels for picture in pictures])  # uint8 (N, C, H, W)
        columns.append(to_square(pixels, side, view.fit, view.background).numpy())

    return np.stack(columns, 1)


def _read_usable(
    rows: Sequence[RowFiles], columns: int, view: View, fates: list[tuple[Fate, ...]]
) -> Iterator[tuple[Picture, ...]]:
    """Read rows one by one, yield those that can be used, and append what became of each to
    `fates`.
    """
    for row in rows:
        mark = ""
        try:
            for part, reason in _read_parts(row, columns, view):
                mark = part.mark
                fates.append(
                    tuple(
                        _describe_fate(row.name, reason, part, picture) for picture in part.pictures
                    )
                )
                if not reason:
                    yield part.pictures
        except UnreadableError as error:
            # where the file began well, what follows is lost
            reason = f"after {mark}: {error}" if mark else str(error)
            fates.append((Fate(row.name, reason),) * columns)  # one per image, if one fails


def _read_parts(row: RowFiles, columns: int, view: View) -> Iterator[tuple[Part, str]]:
    """What becomes of the files of a row: each part with the reason why it is left out, or "".

    Raises:
        UnreadableError: they cannot be read; also after some parts.
    """
    if columns == 1 and is_scene(row.files, view):
        for part in read_scene(row.files, view):
            yield part, ""
        return

    for frame in read_frames(row.files, columns, view):
        reason = _find_fault(frame.pictures, view)
        if reason:
            mark = f"#{frame.mark}" if frame.mark else ""
            yield Part(mark, frame.pictures, 0), reason
            continue
        for part in cut_parts(frame, view):
            yield part, ""


def _describe_fate(name: str, reason: str, part: Part, picture: Picture) -> Fate:
    """What became of an image that was read."""
    return Fate(
        name,
        reason,
        *picture.size,
        picture.mode,
        picture.transparent,
        picture.turned,
        part.mark,
        part.first,
        picture.frames,
        part.digest,
        picture.remarks,
    )


# Which rows are used


def _find_fault(pictures: Sequence[Picture], view: View) -> str:
    """Why the images of a row cannot be used, "" if they can.

    Images of one row must have nearly the same shape (within 2 %), and none may be too small.
    """
    widths, heights = zip(*(picture.size for picture in pictures))

    for height, width in zip(heights[1:], widths[1:]):
        # width : height compared without a division
        one = widths[0] * height
        other = width * heights[0]
        if abs(one - other) > max(one, other) / 50:  # 2 %
            return f"A is {widths[0]}x{heights[0]} and B {width}x{height}: their shapes differ"

    return find_size_fault(min(widths), min(heights), view)


def find_size_fault(width: int, height: int, view: View) -> str:
    """Why an image is too small to become a square of the view's size, or "".

    Small images are enlarged, or with "pad" laid on the background. Those that would be a blur of
    a few pixels, or a strip in a square of background, teach nothing.
    """
    assert view.size is not None
    # not the load size: between the two there is no more detail either
    square = f"{view.size}x{view.size}"

    if view.fit != "pad":
        small = min(width, height) * LEAST_SHARE < view.size
        return f"{width}x{height} is less than an eighth of {square}" if small else ""

    shrunk = min(1, view.size / max(width, height)) * min(width, height)  # its shorter side, pixels
    if shrunk * LEAST_SHARE < view.size:
        return f"{width}x{height} would fill less than an eighth of the side of {square}"
    return ""


def measure_images(source: FileSource, entries: Sequence[Entry]) -> list[tuple[int, int]]:
    """Width and height of every image whose header can be read."""

    def measure_piece(piece: Sequence[Entry]) -> list[tuple[int, int]]:
        found = []
        for entry in piece:
            # files that fail here are reported when they are decoded
            with suppress(UnreadableError):
                found.append(_measure(source, entry))
        return found

    sizes = [entry.size for entry in entries]
    pieces = map_pieces(entries, measure_piece, sizes, progress=False)
    return [size for found in pieces for size in found]


def _measure(source: FileSource, entry: Entry) -> tuple[int, int]:
    """Width and height of an image, or of the frames of a film.

    Raises:
        UnreadableError: its header cannot be read.
    """
    if is_film(entry.name) and isinstance(entry.where, str):
        return measure_film(Path(entry.where))
    with source.open(entry) as file:
        return images.measure(file)
