"""Find out what the values in the files of a set mean: one range for all, bands, opacity,
categories.

Files are never judged one by one. A first look reads the headers of all files that can hold more
than RGBA of 8 bits, and the values of some. When all are decoded, the lowest and the highest value
are known; where they lie outside the range that was found, the set is decoded once more.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from ganvas.data.decode import RowFiles, reading_of_view
from ganvas.data.fates import Fate
from ganvas.data.folders.source import Entry, extension
from ganvas.data.parallel import map_pieces
from ganvas.data.parts import Reader, read_rasters
from ganvas.data.pick import choose_rows
from ganvas.data.view import PinnedView, View
from ganvas.errors import UserError
from ganvas.io.formats import FORMATS
from ganvas.io.headers import Header, peek
from ganvas.io.images import UnreadableError
from ganvas.io.label_maps import list_labels, name_labels
from ganvas.io.rasters import Raster, is_deep
from ganvas.io.values import Reading, ValueRange, choose_range

__all__ = ["ColumnLook", "look_at_values", "widen_range"]

# Endings of the formats that may hold more than RGBA of 8 bits.
DEEP_FORMATS = {"PNG", "TIFF", "JPEG2000", "PPM"}
DEEP_ENDINGS = {ending for each in FORMATS if each.name in DEEP_FORMATS for ending in each.endings}
LOOKED_AT = 256  # files whose values are read before all are decoded
ALPHA_LOOKED_AT = 16  # files whose declared opacity is read
OPAQUE = 0.1  # share of pixels that are wholly clear or opaque, in images with real opacity


File = tuple[Reader, Entry]


class ColumnLook(NamedTuple):
    """What the first look at a column found.

    Attributes:
        column: its name.
        reading: what its values mean.
        headers: files by what their headers say, of those that may hold more than RGBA of 8 bits.
        given: whether the range is not to be changed.
        measured: whether the fourth band of files is declared to be opacity and hardly can be.
    """

    column: str
    reading: Reading
    headers: Counter[Header]
    given: bool
    measured: bool


def look_at_values(
    rows: Sequence[RowFiles], columns: Sequence[str], view: View, progress: bool
) -> list[ColumnLook]:
    """Look at the files of each column of a set.

    Args:
        rows: the files.
        columns: names of the columns, in the order of a row's files.
        view: how training wants to see them.
        progress: show a progress bar on stderr.

    Raises:
        UserError: a column of categories is none.
    """
    looks = []
    for number, column in enumerate(columns):
        # fewer files than columns: one file holds the images of both
        halves = bool(rows) and len(rows[0].files) < len(columns)
        files = [row.files[0 if halves else number] for row in rows]
        if view.categories == column:
            half = number if halves else None
            looks.append(_look_at_labels(column, files, half, view, progress))
        else:
            looks.append(_look_at_column(column, files, view, progress))
    return looks


def _look_at_column(column: str, files: Sequence[File], view: View, progress: bool) -> ColumnLook:
    """Look at the files of a column of images."""
    found = _read_headers(files, progress)
    if view.ignore_alpha:
        found = [header and header._replace(alpha=False) for header in found]
    headers = Counter(header for header in found if header is not None)
    pinned = view.ranges.get(column) if isinstance(view, PinnedView) else None

    reading = reading_of_view(view)
    if pinned:
        reading = reading._replace(range=ValueRange(*pinned))
    elif not view.range:
        deep = [
            number
            for number, header in enumerate(found)
            if header is not None and is_deep(header.mode)
        ]
        reading = reading._replace(range=_find_range(files, deep, view))

    # a fourth band that is measured makes four bands of all
    if reading.alpha and any(header.bands - header.alpha >= 4 for header in headers):
        reading = reading._replace(alpha=False)
    declared = [
        number
        for number, header in enumerate(found)
        if header is not None and header.tiff and header.alpha
    ]
    given = bool(pinned or view.range)
    return ColumnLook(column, reading, headers, given, _is_measured(files, declared, view))


def _read_headers(files: Sequence[File], progress: bool) -> list[Header | None]:
    """What the header of each file says; None: at most RGBA of 8 bits, or it cannot be read."""

    def read_piece(piece: Sequence[File]) -> list[Header | None]:
        found = []
        for reader, entry in piece:
            header = None
            if extension(entry.name) in DEEP_ENDINGS:
                # files that fail here are reported when they are decoded
                with suppress(UnreadableError), reader.open(entry) as file:
                    header = peek(file)
            found.append(header)
        return found

    # other formats hold 8 bits a value: a set of photographs is not opened for this
    if not any(extension(entry.name) in DEEP_ENDINGS for _, entry in files):
        return [None] * len(files)
    sizes = [0] * len(files)  # of headers: they are small
    return [header for piece in map_pieces(files, read_piece, sizes, progress) for header in piece]


def _find_range(files: Sequence[File], deep: Sequence[int], view: View) -> ValueRange | None:
    """The range of values of some files, of each the first page, evenly spread over those of more
    than 8 bits; None: there are none, or none of them can be read.
    """
    lows, highs, whole = [], [], True
    for number in choose_rows(np.array(deep, np.int64), LOOKED_AT):
        reader, entry = files[number]
        with suppress(UnreadableError):
            values = next(read_rasters(reader, entry, view)).values
            lows.append(float(values.min()))
            highs.append(float(values.max()))
            whole = whole and values.dtype.kind != "f"
    return ValueRange(*choose_range(min(lows), max(highs), whole)) if lows else None


def _is_measured(files: Sequence[File], declared: Sequence[int], view: View) -> bool:
    """Whether what files declare to be opacity is nearly nowhere wholly clear or opaque."""
    ends = total = 0
    for number in choose_rows(np.array(declared, np.int64), ALPHA_LOOKED_AT):
        reader, entry = files[number]
        with suppress(UnreadableError):
            last = next(read_rasters(reader, entry, view)).values[:, :, -1]
            opaque = np.iinfo(last.dtype).max if last.dtype.kind in "ui" else 1
            ends += int(((last == 0) | (last == opaque)).sum())
            total += last.size
    return total > 0 and ends < OPAQUE * total


def _look_at_labels(
    column: str, files: Sequence[File], half: int | None, view: View, progress: bool
) -> ColumnLook:
    """Look at a column of label maps.

    Args:
        column: its name.
        files: its files.
        half: 0 or 1, where files hold two images side by side; None: one image.
        view: how training wants to see them.
        progress: show a progress bar on stderr.

    Raises:
        UserError: it holds no label maps.
    """
    known = view.names.get(column) if isinstance(view, PinnedView) else None
    if known:
        return ColumnLook(column, Reading(categories=known), Counter(), True, False)

    def list_piece(piece: Sequence[File]) -> set[int]:
        labels: set[int] = set()
        for reader, entry in piece:
            with suppress(UnreadableError, ValueError):  # reported when they are decoded
                for raster in read_rasters(reader, entry, view, indices=True):
                    labels |= list_labels(_take_half(raster, half))
        return labels

    sizes = [entry.size for _, entry in files]
    labels = set[int]().union(*map_pieces(files, list_piece, sizes, progress))
    try:
        categories = name_labels(labels)
    except ValueError as error:
        raise UserError(f"--categories {column}: {error}") from None
    return ColumnLook(column, Reading(categories=categories), Counter(), True, False)


def _take_half(raster: Raster, half: int | None) -> Raster:
    """The left half, 0, or the right one, 1, of two images side by side; None: all of one."""
    if half is None:
        return raster
    middle = raster.values.shape[1] // 2
    part = slice(0, middle) if half == 0 else slice(-middle, None)
    return raster._replace(values=raster.values[:, part])


def widen_range(look: ColumnLook, fates: Sequence[Fate]) -> ColumnLook:
    """A look whose range holds the values of all files that are used, of which `fates` tells.

    A range that was given stays as it is.
    """
    deep = [fate for fate in fates if is_deep(fate.mode) and fate.low is not None]
    if look.given or not deep:
        return look

    low = min(fate.low for fate in deep if fate.low is not None)
    high = max(fate.high for fate in deep if fate.high is not None)
    known = look.reading.range
    if known is not None and known.low <= low and high <= known.high:
        return look
    whole = not any(fate.mode.endswith("F") for fate in deep)
    found = ValueRange(*choose_range(low, high, whole))
    return look._replace(reading=look.reading._replace(range=found))
