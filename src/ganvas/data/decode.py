"""Decode files into square images, one or several images a row."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from ganvas.data.folders.labels import list_some
from ganvas.data.folders.source import Entry, FileSource
from ganvas.data.parallel import map_pieces
from ganvas.data.view import View
from ganvas.io import images
from ganvas.io.images import Picture, UnreadableError
from ganvas.io.label_maps import NO_CATEGORY
from ganvas.io.rasters import is_grey
from ganvas.io.resizing import square_labels, to_square
from ganvas.io.values import Reading, ValueRange

__all__ = [
    "Fate",
    "ImageTraits",
    "Reader",
    "RowFiles",
    "count_planes",
    "decode_images",
    "decode_rows",
    "find_size_fault",
    "measure_images",
    "reading_of_view",
    "rows_of_files",
]

BATCH_PIXELS = 2**20  # images of one shape are resized together up to this many pixels
SEEN = 64  # rows and columns of an image that show how dark and light it is


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
        return is_grey(self.mode)


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
        low: the lowest of its values in the file, where a range was applied to them.
        high: the highest of them.
        dark: of 0..255, nearly all of its pixels are this or more, as training sees them.
        light: nearly all are this or less.
    """

    name: str
    reason: str
    width: int = 0
    height: int = 0
    mode: str = ""
    transparent: bool = False
    turned: bool = False
    low: float | None = None
    high: float | None = None
    dark: int = 0
    light: int = 255

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

    def open(self, entry: Entry) -> BinaryIO:
        """A seekable stream of them.

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


def reading_of_view(view: View) -> Reading:
    """What the values of files mean as far as the view alone says it."""
    given = ValueRange(*view.range, every=True) if view.range else None
    return Reading(given, alpha=view.channels == 4)


def decode_images(
    reader: Reader, entries: Sequence[Entry], view: View
) -> tuple[list[Fate], np.ndarray]:
    """Decode files with one image a row, which mean what the view alone says.

    Returns:
        what became of each file; the images that are used, uint8 (K, C, S, S), as in `decode_rows`.
    """
    readings = [reading_of_view(view)]
    fates, squares = decode_rows(rows_of_files(reader, entries), readings, view)
    return [fate for (fate,) in fates], squares[0]


def count_planes(reading: Reading, view: View) -> int:
    """The planes of a column; RGB first where the view leaves it open."""
    return len(reading.categories) or view.channels or 3


def decode_rows(
    rows: Sequence[RowFiles], readings: Sequence[Reading], view: View
) -> tuple[list[tuple[Fate, ...]], list[np.ndarray]]:
    """Decode rows, each with an image for each of `readings`.

    Args:
        rows: their files.
        readings: what the values of each column mean.
        view: with its size resolved; images become RGB where it names no channels.

    Returns:
        what became of each row, with a `Fate` for each of its images; by column the rows that are
        used, uint8 (K, C, S, S), where S is the load size.
    """
    side = view.load_size()
    fates: list[tuple[Fate, ...]] = []
    # begins with arrays of no rows: `concatenate` takes no empty list
    squares = [
        [np.empty((0, count_planes(reading, view), side, side), np.uint8)] for reading in readings
    ]
    # a generator: `fates` fills while the rows are read below
    usable = _read_usable(rows, readings, view, fates)

    # neighbours of one shape are resized together, which is faster than one by one
    for shapes, alike in itertools.groupby(usable, key=_find_shapes):
        _, height, width = shapes[0]  # pixels of the row's first image
        together = max(1, BATCH_PIXELS // (height * width))
        while batch := list(itertools.islice(alike, together)):
            for found, resized in zip(squares, _resize_rows(batch, readings, view)):
                found.append(resized)

    return fates, [np.concatenate(found) for found in squares]


def _find_shapes(pictures: tuple[Picture, ...]) -> tuple[tuple[int, ...], ...]:
    """The shape (C, H, W) of each image of a row."""
    return tuple(tuple(picture.pixels.shape) for picture in pictures)


def _resize_rows(
    rows: Sequence[tuple[Picture, ...]], readings: Sequence[Reading], view: View
) -> list[np.ndarray]:
    """Rows of images of the same shapes as squares, uint8 (N, C, S, S) by column."""
    side = view.load_size()
    columns = []

    for pictures, reading in zip(zip(*rows), readings):
        pixels = torch.stack([picture.pixels for picture in pictures])  # uint8 (N, C, H, W)
        if reading.categories:
            numbers = square_labels(pixels, side, view.fit, NO_CATEGORY)  # (N, 1, S, S)
            places = torch.arange(len(reading.categories)).view(1, -1, 1, 1)
            columns.append((numbers == places).numpy().astype(np.uint8) * np.uint8(255))
        else:
            columns.append(to_square(pixels, side, view.fit, view.background).numpy())

    return columns


def _read_usable(
    rows: Sequence[RowFiles],
    readings: Sequence[Reading],
    view: View,
    fates: list[tuple[Fate, ...]],
) -> Iterator[tuple[Picture, ...]]:
    """Read rows one by one, yield those that can be used, and append what became of each to
    `fates`.
    """
    for row in rows:
        try:
            pictures = _read_row(row, readings, view)
        except UnreadableError as error:
            # one per image, if one fails
            fates.append((Fate(row.name, str(error)),) * len(readings))
            continue

        reason = _find_fault(pictures, view)
        fates.append(tuple(_describe_fate(row.name, reason, picture) for picture in pictures))
        if not reason:
            yield pictures


def _describe_fate(name: str, reason: str, picture: Picture) -> Fate:
    """What became of an image that was read."""
    _, height, width = picture.pixels.shape
    dark, light = _find_contrast(picture.pixels)
    return Fate(
        name,
        reason,
        width,
        height,
        picture.mode,
        picture.transparent,
        picture.turned,
        picture.low,
        picture.high,
        dark,
        light,
    )


def _find_contrast(pixels: Tensor) -> tuple[int, int]:
    """The values of uint8 (C, H, W) between which nearly all pixels lie, from a few thousand."""
    _, height, width = pixels.shape
    some = pixels[:, :: 1 + height // SEEN, :: 1 + width // SEEN].numpy().reshape(-1)
    few = len(some) // 200  # half a percent at each end may be noise
    ordered = np.partition(some, (few, len(some) - 1 - few))
    return int(ordered[few]), int(ordered[-1 - few])


def _read_row(row: RowFiles, readings: Sequence[Reading], view: View) -> tuple[Picture, ...]:
    """The images of a row.

    Raises:
        UnreadableError: one cannot be read, or one file should hold two images and is not wider
            than high.
    """
    # RGB first where the view leaves it open: only all images together show whether there is colour
    channels = view.channels or 3
    contents = [reader.read(entry) for reader, entry in row.files]
    if len(contents) == len(readings):
        pictures = tuple(
            images.read(content, channels, view.background, reading=reading)
            for content, reading in zip(contents, readings)
        )
        _check_pictures(pictures, readings)
        return pictures

    # fewer files than columns: one file holds both images, whose values may mean different things
    read = {
        reading: images.read(contents[0], channels, view.background, reading=reading)
        for reading in readings
    }
    pictures = tuple(_cut_halves(read[reading])[side] for side, reading in enumerate(readings))
    _check_pictures(pictures, readings)
    return pictures


def _check_pictures(pictures: Sequence[Picture], readings: Sequence[Reading]) -> None:
    """Refuse what is no result to learn from, and a label map with a label that is no category.

    Raises:
        UnreadableError: says why; names the categories.
    """
    for picture, reading in zip(pictures, readings):
        if picture.candidate:
            raise UnreadableError("not a result: another candidate for one, drawn by ganvas")
        if reading.categories and (picture.pixels == NO_CATEGORY).any():
            shown = list_some(list(reading.categories))
            raise UnreadableError(f"holds a label that is none of the categories {shown}")


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
