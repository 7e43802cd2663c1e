"""Decode files into square images, one or several images a row."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

import numpy as np
import torch

from ganvas.data.folders.source import Entry, FileSource
from ganvas.data.parallel import map_pieces
from ganvas.data.view import View
from ganvas.io import images
from ganvas.io.images import Picture, UnreadableError
from ganvas.io.resizing import to_square

__all__ = [
    "Fate",
    "ImageTraits",
    "Reader",
    "RowFiles",
    "decode_images",
    "decode_rows",
    "find_size_fault",
    "measure_images",
    "rows_of_files",
]

BATCH_PIXELS = 2**20  # images of one shape are resized together up to this many pixels


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
    """

    name: str
    reason: str
    width: int = 0
    height: int = 0
    mode: str = ""
    transparent: bool = False
    turned: bool = False

    @property
    def traits(self) -> ImageTraits:
        """What it may have in common with others."""
        return ImageTraits(self.width, self.height, self.mode, self.transparent, self.turned)


class Reader(Protocol):
    """Where the bytes of files come from: a folder, a zip, a tar."""

    def read(self, entry: Entry) -> bytes:
        """The file's bytes.

        Raises:
            UnreadableError: they cannot be read.
        """
        ...


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
    """Decode rows, each with `columns` images.

    Args:
        rows: their files.
        columns: images in a row.
        view: with its size resolved; images become RGB unless its channels are 1.

    Returns:
        what became of each row, with a `Fate` for each of its images; the rows that are used, uint8
        (K, columns, C, S, S), where S is the load size.
    """
    side = view.load_size()
    fates: list[tuple[Fate, ...]] = []
    # begins with an array of no rows: `concatenate` takes no empty list
    squares = [np.empty((0, columns, view.channels or 3, side, side), np.uint8)]
    # a generator: `fates` fills while the rows are read below
    usable = _read_usable(rows, columns, view, fates)

    # neighbours of one shape are resized together, which is faster than one by one
    for shapes, alike in itertools.groupby(usable, key=_find_shapes):
        _, height, width = shapes[0]  # pixels of the row's first image
        together = max(1, BATCH_PIXELS // (height * width))
        while batch := list(itertools.islice(alike, together)):
            squares.append(_resize_rows(batch, view))

    return fates, np.concatenate(squares)


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
        try:
            pictures = _read_row(row, columns, view)
        except UnreadableError as error:
            fates.append((Fate(row.name, str(error)),) * columns)  # one per image, if one fails
            continue

        reason = _find_fault(pictures, view)
        fates.append(tuple(_describe_fate(row.name, reason, picture) for picture in pictures))
        if not reason:
            yield pictures


def _describe_fate(name: str, reason: str, picture: Picture) -> Fate:
    """What became of an image that was read."""
    _, height, width = picture.pixels.shape
    return Fate(name, reason, width, height, picture.mode, picture.transparent, picture.turned)


def _read_row(row: RowFiles, columns: int, view: View) -> tuple[Picture, ...]:
    """The images of a row.

    Raises:
        UnreadableError: one cannot be read, or one file should hold two images and is not wider
            than high.
    """
    # RGB first where the view leaves it open: only all images together show whether there is colour
    channels = 1 if view.channels == 1 else 3
    pictures = [
        images.read(reader.read(entry), channels, view.background) for reader, entry in row.files
    ]
    if any(picture.candidate for picture in pictures):
        raise UnreadableError("not a result: another candidate for one, drawn by ganvas")
    # fewer files than columns: one file holds both images
    return tuple(pictures) if len(pictures) == columns else _cut_halves(pictures[0])


def _cut_halves(picture: Picture) -> tuple[Picture, Picture]:
    """The left and the right half of an image, (C, H, W // 2) each.

    Raises:
        UnreadableError: it is not wider than high.
    """
    _, height, width = picture.pixels.shape
    if width <= height:
        raise UnreadableError(f"{width}x{height} is one image, not two side by side")

    middle = width // 2  # an odd column in the middle belongs to neither
    left = picture._replace(pixels=picture.pixels[..., :middle])
    right = picture._replace(pixels=picture.pixels[..., -middle:])
    return left, right


# Which rows are used


def _find_fault(pictures: Sequence[Picture], view: View) -> str:
    """Why the images of a row cannot be used, "" if they can.

    Images of one row must have nearly the same shape (within 2 %), and none may be too small.
    """
    heights, widths = zip(*(picture.pixels.shape[1:] for picture in pictures))

    for height, width in zip(heights[1:], widths[1:]):
        # width : height compared without a division
        one = widths[0] * height
        other = width * heights[0]
        if abs(one - other) > max(one, other) / 50:  # 2 %
            return f"A is {widths[0]}x{heights[0]} and B {width}x{height}: their shapes differ"

    return find_size_fault(min(widths), min(heights), view)


def find_size_fault(width: int, height: int, view: View) -> str:
    """Why an image cannot become a square of the view's size unless it is enlarged, or ""."""
    assert view.size is not None
    # not the load size: between the two, images are enlarged rather than left out
    square = f"{view.size}x{view.size}"

    # "crop" and "stretch" would enlarge the shorter side, which adds no detail
    if view.fit != "pad":
        small = min(width, height) < view.size
        return f"{width}x{height} is smaller than {square}" if small else ""

    # A strip of a few pixels in a square of background teaches nothing.
    shrunk = min(1, view.size / max(width, height)) * min(width, height)  # its shorter side, pixels
    if shrunk * 8 < view.size:
        return f"{width}x{height} would fill less than an eighth of the side of {square}"
    return ""


def measure_images(source: FileSource, entries: Sequence[Entry]) -> list[tuple[int, int]]:
    """Width and height of every image whose header can be read."""

    def measure_piece(piece: Sequence[Entry]) -> list[tuple[int, int]]:
        found = []
        for entry in piece:
            # files that fail here are reported when they are decoded
            with suppress(UnreadableError), source.open(entry) as file:
                found.append(images.measure(file))
        return found

    sizes = [entry.size for entry in entries]
    pieces = map_pieces(entries, measure_piece, sizes, progress=False)
    return [size for found in pieces for size in found]
