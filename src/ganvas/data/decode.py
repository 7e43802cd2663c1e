"""Decode files into square images, one or several images a row."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from ganvas.data.fates import Fate, describe_fate, find_fault, find_meaning_fault
from ganvas.data.folders.source import Entry, FileSource
from ganvas.data.parallel import map_pieces
from ganvas.data.parts import Part, Reader, cut_parts, is_scene, read_frames, read_scene
from ganvas.data.view import View
from ganvas.io import image_files
from ganvas.io.image_files import Picture
from ganvas.io.images import UnreadableError
from ganvas.io.label_maps import NO_CATEGORY
from ganvas.io.resizing import square_labels, to_square
from ganvas.io.values import Reading, ValueRange
from ganvas.io.video import is_film, measure_film

__all__ = [
    "Decoded",
    "RowFiles",
    "count_planes",
    "decode_images",
    "decode_rows",
    "measure_images",
    "reading_of_view",
    "rows_of_files",
    "stream_rows",
]

BATCH_PIXELS = 2**20  # images of one shape are resized together up to this many pixels
CHUNK_BYTES = 2**23  # of decoded rows that are handed on together


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
        squares: by column the rows that are used, uint8 (K, C, S, S), where S is the load size.
    """

    fates: list[tuple[Fate, ...]]
    squares: list[np.ndarray]


def rows_of_files(reader: Reader, entries: Sequence[Entry]) -> list[RowFiles]:
    """Rows with one image each."""
    return [RowFiles(entry.name, ((reader, entry),)) for entry in entries]


# Decoding


def reading_of_view(view: View) -> Reading:
    """What the values of files mean as far as the view alone says it."""
    given = ValueRange(*view.range, every=True) if view.range else None
    kept = view.channels == 4 and not view.ignore_alpha
    return Reading(given, alpha=kept, ignore_alpha=view.ignore_alpha)


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
    """Decode rows, each with an image for each of `readings`; see `stream_rows`.

    Returns:
        what became of each row, with a `Fate` for each of its images; by column the rows that are
        used, uint8 (K, C, S, S), where S is the load size.
    """
    fates: list[tuple[Fate, ...]] = []
    squares = [[columns] for columns in _empty_columns(readings, view)]
    for some in stream_rows(rows, readings, view):
        fates += some.fates
        for found, column in zip(squares, some.squares):
            found.append(column)
    return fates, [np.concatenate(found) for found in squares]


def _empty_columns(readings: Sequence[Reading], view: View) -> list[np.ndarray]:
    """An array of no rows for each column: `concatenate` takes no empty list."""
    side = view.load_size()
    shapes = [(0, count_planes(reading, view), side, side) for reading in readings]
    return [np.empty(shape, np.uint8) for shape in shapes]


def stream_rows(
    rows: Sequence[RowFiles], readings: Sequence[Reading], view: View
) -> Iterator[Decoded]:
    """Decode rows, a few at a time, so that long films and large scenes do not fill the memory.

    Args:
        rows: their files; one with several frames, or that is cut into tiles, gives several rows.
        readings: what the values of each column mean.
        view: with its size resolved; images become RGB where it names no channels.
    """
    fates: list[tuple[Fate, ...]] = []
    squares = [[column] for column in _empty_columns(readings, view)]
    size = 0  # bytes of `squares`
    # a generator: `fates` fills while the rows are read below
    usable = _read_usable(rows, readings, view, fates)

    # neighbours of one shape are resized together, which is faster than one by one
    for shapes, alike in itertools.groupby(usable, key=_find_shapes):
        _, height, width = shapes[0]  # pixels of the row's first image
        together = max(1, BATCH_PIXELS // (height * width))
        while batch := list(itertools.islice(alike, together)):
            for found, resized in zip(squares, _resize_rows(batch, readings, view)):
                found.append(resized)
                size += resized.nbytes
            if size > CHUNK_BYTES:
                yield Decoded(fates.copy(), [np.concatenate(found) for found in squares])
                fates.clear()
                for found in squares:
                    del found[1:]
                size = 0

    yield Decoded(fates.copy(), [np.concatenate(found) for found in squares])


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
        mark = ""
        try:
            for part, reason in _read_parts(row, readings, view):
                mark = part.mark
                fates.append(
                    tuple(
                        describe_fate(row.name, reason, part, picture) for picture in part.pictures
                    )
                )
                if not reason:
                    yield part.pictures
        except UnreadableError as error:
            # where the file began well, what follows is lost
            reason = f"after {mark}: {error}" if mark else str(error)
            # one per image, if one fails
            fates.append((Fate(row.name, reason),) * len(readings))


def _read_parts(
    row: RowFiles, readings: Sequence[Reading], view: View
) -> Iterator[tuple[Part, str]]:
    """What becomes of the files of a row: each part with the reason why it is left out, or "".

    Raises:
        UnreadableError: they cannot be read; also after some parts.
    """
    if len(readings) == 1 and is_scene(row.files, view):
        for part in read_scene(row.files, readings[0], view):
            yield part, find_meaning_fault(part.pictures, readings)
        return

    for frame in read_frames(row.files, readings, view):
        reason = find_meaning_fault(frame.pictures, readings) or find_fault(frame.pictures, view)
        if reason:
            mark = f"#{frame.mark}" if frame.mark else ""
            yield Part(mark, frame.pictures, 0), reason
            continue
        for part in cut_parts(frame, readings, view):
            yield part, ""


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
        return image_files.measure(file)
