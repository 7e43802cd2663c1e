"""Write the rows of a folder as columns of the packed store, and decide grey or colour."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ganvas.data.dataset import Dataset, read_slice
from ganvas.data.decode import RowFiles, count_planes, stream_rows
from ganvas.data.fates import LEAST_SHARE, Fate
from ganvas.data.folders.notes import (
    count_parts,
    describe_fates,
    describe_films,
    describe_parts,
    find_copies,
)
from ganvas.data.folders.source import FileSource
from ganvas.data.folders.steps import describe_steps
from ganvas.data.folders.value_notes import describe_values
from ganvas.data.folders.values import ColumnLook, look_at_values, widen_range
from ganvas.data.parallel import PIECE, stream_pieces
from ganvas.data.report import DataReport, Skipped, add_prefix
from ganvas.data.store import open_image_file, write_images
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.chunks import chunk_slices
from ganvas.io.console import count_noun
from ganvas.io.rasters import is_grey
from ganvas.io.video import is_film

__all__ = ["WrittenRows", "check_strict", "describe_ignored", "write_rows"]


class WrittenRows(NamedTuple):
    """What was written.

    Attributes:
        kept: a `Fate` for each image of the rows that are used, in their order.
        report: how they came to be, with notes on the images.
        size: side in pixels of the images that training sees.
    """

    kept: list[tuple[Fate, ...]]
    report: DataReport
    size: int


def write_rows(
    folder: Path,
    columns: Sequence[str],
    place: Path,
    rows: Sequence[RowFiles],
    view: View,
    progress: bool,
) -> WrittenRows:
    """Decode rows into COLUMN.npy files in `folder`, each uint8 (N, C, S, S) with the view's load
    size as S.

    Without channels in the view, a column is grey if all of its images are. What the values mean is
    found out for each column as a whole.

    Args:
        folder: where to write.
        columns: names of the image columns, in the order of a row's files.
        place: the folder or zip that the rows come from, for messages and the report.
        rows: the files of each row.
        view: with its size resolved.
        progress: show a progress bar on stderr.

    Raises:
        UserError: fewer than two rows can be used.
    """
    assert view.size is not None
    _check_films(place, rows, view)
    paths = [folder / f"{column}.npy" for column in columns]
    looks = look_at_values(rows, columns, view, progress)
    fates = _write_squares(paths, rows, looks, view, progress)

    # only all files together show the lowest and the highest value
    wider = [widen_range(look, of_column) for look, of_column in zip(looks, zip(*_used(fates)))]
    if wider != looks[: len(wider)]:
        looks = wider
        fates = _write_squares(paths, rows, looks, view, progress)

    # a row is used as a whole or not at all, so its first fate has the reason
    kept = _used(fates)
    if len(kept) < 2:
        raise UserError(f"{place}: {_explain_unusable([row[0] for row in fates], view)}")

    # a column without colour is kept as one plane
    steps, notes = describe_parts(kept), describe_fates(fates, view)
    for number, (look, path) in enumerate(zip(looks, paths)):
        images = _join_tiles([row[number] for row in kept])
        channels = view.channels or (1 if all(is_grey(fate.mode) for fate in images) else 3)
        if view.channels is None and channels == 1 and not look.reading.categories:
            _drop_colour(path)
        seen = view.model_copy(update={"channels": channels})
        prefix = "" if len(columns) == 1 else f"{look.column}: "
        done, remarks = describe_values(look, images, seen)
        traits = Counter(fate.traits for fate in images)
        done += describe_steps(traits, seen, look.reading, len(kept))
        steps += [prefix + step for step in done]
        notes += [add_prefix(prefix, note) for note in remarks]

    # sizes as found, of the first image of each row; modes of all
    first = [row[0] for row in fates]
    whole = [row for row in fates if row[0].first and row[0].mode]
    report = DataReport(
        spec=str(place),
        found=len(fates),
        used=len(kept),
        skipped=[Skipped(file=fate.title, reason=fate.reason) for fate in first if fate.reason],
        sizes=_count_values(f"{row[0].width}x{row[0].height}" for row in whole),
        modes=_count_values(fate.mode for row in whole for fate in row),
        steps=list(dict.fromkeys(steps)),
        notes=notes,
        copies=find_copies(kept),
        parts=count_parts(kept),
        ranges={look.column: look.reading.range for look in looks if look.reading.range},
        categories={
            look.column: look.reading.categories for look in looks if look.reading.categories
        },
        alpha=any(look.reading.alpha for look in looks),
        ignore_alpha=view.ignore_alpha,
        transparent=sum(any(fate.transparent for fate in row) for row in whole),
        paged=sum(row[0].frames > 1 for row in whole),
        bands=max((header.bands for look in looks for header in look.headers), default=0),
    )
    return WrittenRows(kept, report, view.size)


def _used(fates: Sequence[tuple[Fate, ...]]) -> list[tuple[Fate, ...]]:
    """The rows that are used."""
    return [row for row in fates if not row[0].reason]


def _join_tiles(fates: Sequence[Fate]) -> list[Fate]:
    """One fate for each image that was cut into tiles, with what its tiles hold together."""
    images: list[Fate] = []
    for fate in fates:
        if fate.first or not images:
            images.append(fate)
            continue
        last = images[-1]
        lows = [each.low for each in (last, fate) if each.low is not None]
        highs = [each.high for each in (last, fate) if each.high is not None]
        images[-1] = last._replace(
            low=min(lows, default=None),
            high=max(highs, default=None),
            dark=min(last.dark, fate.dark),
            light=max(last.light, fate.light),
        )
    return images


def _check_films(place: Path, rows: Sequence[RowFiles], view: View) -> None:
    """Refuse films of which one frame would be used.

    Raises:
        UserError: there are some, and the view wants no frames.
    """
    films = sum(is_film(entry.name) for row in rows for _, entry in row.files)
    if films and not view.every:
        raise UserError(
            f"{place} holds {count_noun(films, 'film')}; --frames all reads all frames, "
            "--frames 10 every tenth"
        )


def _write_squares(
    paths: Sequence[Path],
    rows: Sequence[RowFiles],
    looks: Sequence[ColumnLook],
    view: View,
    progress: bool,
) -> list[tuple[Fate, ...]]:
    """Decode rows and write each of their columns to its path; returns what became of each row."""
    side = view.load_size()
    readings = [look.reading for look in looks]
    sizes = [row.size for row in rows]
    fates: list[tuple[Fate, ...]] = []

    # a file that gives many rows is work enough for a thread
    together = 1 if view.every or view.fit == "tiles" else PIECE
    pieces = stream_pieces(
        rows, lambda piece: stream_rows(piece, readings, view), sizes, progress, together
    )
    # closing: the threads end at once where writing fails
    with closing(pieces), ExitStack() as files:
        writers = [
            files.enter_context(open_image_file(path, (count_planes(reading, view), side, side)))
            for path, reading in zip(paths, readings)
        ]
        for some, squares in pieces:  # squares: uint8 (K, C, S, S) by column
            fates.extend(some)
            for write, found in zip(writers, squares):
                write(found)

    return fates


def _drop_colour(path: Path) -> None:
    """Keep one of three equal planes of the images (N, 3, S, S) at `path`."""
    images = np.load(path, mmap_mode="r")
    pieces = (read_slice(images, rows)[:, :1] for rows in chunk_slices(len(images), 1024))
    grey = path.with_name("grey.npy")
    write_images(grey, pieces, (1, *images.shape[2:]))

    del images  # some systems do not replace a file that is mapped
    grey.replace(path)


# What a report says


def _count_values(values: Iterable[str]) -> dict[str, int]:
    """How often each value occurs, the commonest first."""
    # ties by name: a report must not depend on the order of the files
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))


def describe_ignored(source: FileSource, used: set[str]) -> list[str]:
    """Notes on files of a source that are not images and not among the tables in `used`, and on
    films.
    """
    others = source.other_kinds(used)
    return ([f"other files are ignored: {others}"] if others else []) + describe_films(source)


def _explain_unusable(fates: Sequence[Fate], view: View) -> str:
    """The message for a set with fewer than two usable rows, without the name of its place."""
    start = f"{count_noun(len(fates), 'image')}, fewer than two of them usable"
    sides = sorted((min(fate.width, fate.height) for fate in fates if fate.mode), reverse=True)

    # the second largest: with it, two images are large enough
    largest = LEAST_SHARE * sides[1] if len(sides) > 1 else 0
    if view.fit != "pad" and view.size and 0 < largest < view.size:
        return (
            f"{start} at size {view.size}; "
            f"the largest size that would work is {largest}: --size {largest}"
        )

    first = next((f"; {fate.name!r}: {fate.reason}" for fate in fates if fate.reason), "")
    return f"{start}{first}; training needs at least two"


def check_strict(dataset: Dataset, strict: bool) -> Dataset:
    """The data set; with `strict` only if all of its files can be used.

    Raises:
        UserError: names the first file that cannot be used.
    """
    report = dataset.report

    # after packing: the store is of use even so, for a run without `strict`
    if strict and report.skipped:
        first = report.skipped[0]
        raise UserError(
            f"{report.spec}: {len(report.skipped):,} of {count_noun(report.found, 'file')} "
            f"cannot be used, the first is {first.file!r}: {first.reason}; "
            "repair or remove them, or leave out --strict"
        )
    return dataset
