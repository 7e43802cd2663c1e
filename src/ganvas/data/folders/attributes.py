"""Open images with a table of attributes (hair colours, glasses, a smile) such as CelebA's."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ganvas.data.dataset import Dataset
from ganvas.data.decode import rows_of_files
from ganvas.data.folders.attribute_table import AttributeTable, find_attribute_table, read_rows
from ganvas.data.folders.labels import describe_absent
from ganvas.data.folders.rows import check_strict, describe_ignored, write_rows
from ganvas.data.folders.sizes import count_sizes, with_common_size
from ganvas.data.folders.source import Entry, FileSource
from ganvas.data.folders.spec import parse_place
from ganvas.data.folders.splits import choose_split, find_judges, report_parts
from ganvas.data.folders.tables import PictureNames
from ganvas.data.report import DataReport, Skipped, join_reports
from ganvas.data.store import Packed, open_store, write_images
from ganvas.data.view import View
from ganvas.errors import UserError, nearest
from ganvas.io.chunks import chunk_slices
from ganvas.io.console import count_noun

__all__ = ["MatchedSet", "WrittenSet", "open_attributes"]


def open_attributes(
    spec: str, view: View, *, strict: bool = False, progress: bool = False
) -> Dataset:
    """`attributes:PLACE`, a folder or zip of images with a table of attributes; or
    `attributes:PLACE,PLACE`, two of them.

    The table is the one .txt or .csv at the root, or the one that `view.labels` names. Two sets are
    joined: they have the attributes of both, and where one of them does not know an attribute, the
    column "known" is 0.

    Raises:
        SizeNeededError: the view has no size and the images do not share one.
        UserError: no table, or several; one that cannot be read; an unknown attribute; with
            `strict`, any unusable image.
    """
    place = parse_place(spec)

    with ExitStack() as stack:
        wholes = [
            stack.enter_context(FileSource(path, links=view.follow_links)) for path in place.paths
        ]
        parts = [choose_split(whole, place.split) for whole in wholes]
        sources = [part.source for part in parts]
        judge = next(iter(find_judges(parts)), None)
        tables = [find_attribute_table(source, view.labels) for source in sources]
        # of all tables, each name once: these are the columns of the store
        names = tuple(dict.fromkeys(name for table in tables for name in table.names))
        # before packing: a wrong name is found at once, not after an hour of decoding
        for name in view.attributes:
            if name not in names:
                raise UserError(f"{place.text} has no attribute {name!r}; {nearest(name, names)}")

        # all attributes are packed: choosing others later does not decode the images again
        key = [
            "attributes",
            [source.identity() for source in sources],
            [hashlib.sha256(table.content).hexdigest() for table in tables],
            view.key(),
        ]
        dataset = open_store(
            key, lambda folder: _write_sets(folder, sources, tables, names, view, progress)
        )

    said = report_parts(parts, judge)
    said["notes"] += dataset.report.notes
    test = place.other(judge) if judge else None
    dataset = dataset.with_report(test=test, **said)
    return check_strict(_choose_attributes(dataset, spec, view.attributes), strict)


def _choose_attributes(dataset: Dataset, spec: str, wanted: Sequence[str]) -> Dataset:
    """The set with the wanted attributes only; if none are named, with all that differ between its
    images.

    Raises:
        UserError: no attribute differs.
    """
    names = dataset.names["attributes"]
    values = np.asarray(dataset.columns["attributes"])
    known = np.asarray(dataset.columns.get("known", np.ones_like(values)))

    # int64: sums of uint8 would wrap; (A,) each
    counts = values.sum(0, dtype=np.int64)
    totals = known.sum(0, dtype=np.int64)
    # an attribute counts as constant where all images that know it agree
    constant = [name for name, count, of in zip(names, counts, totals) if count in (0, of)]
    kept = list(dict.fromkeys(wanted)) or [name for name in names if name not in constant]
    if not kept:
        raise UserError(
            f"{spec}: every attribute ({', '.join(names)}) is the same for all images; "
            "there is nothing to learn"
        )

    # the packed store holds all attributes, in its own order
    places = [names.index(name) for name in kept]
    columns = dict(dataset.columns) | {"attributes": values[:, places]}
    if "known" in columns:
        columns["known"] = known[:, places]

    notes = []
    same = [name for name in constant if name in wanted or not wanted]
    if same:
        what = "kept since they are asked for" if wanted else "left out"
        notes = [f"attributes that are the same for all images are {what}: {', '.join(same)}"]

    report = dataset.report.model_copy(
        update={
            "spec": spec,
            "classes": {name: int(counts[place]) for name, place in zip(kept, places)},
            "notes": notes + dataset.report.notes,
        }
    )
    # the images are as before, so their digest and the names are enough
    digest = hashlib.blake2b(repr((dataset.fingerprint, kept)).encode(), digest_size=16).hexdigest()
    own = {name: tuple(kept) for name in ("attributes", "known") if name in columns}
    return replace(dataset, columns=columns, names=own, report=report, fingerprint=digest)


# Writing the store


class MatchedSet(NamedTuple):
    """One of the sets before its images are read.

    Attributes:
        source: the images.
        table: their attributes.
        rows: the values of each image that has a row in the table.
        notes: on rows without an image.
        unnamed: images without a row.
    """

    source: FileSource
    table: AttributeTable
    rows: dict[Entry, bytes]
    notes: list[str]
    unnamed: list[Skipped]


class WrittenSet(NamedTuple):
    """One of the sets, written as a piece.

    Attributes:
        path: of its images, uint8 (N, C, S, S).
        values: uint8 (N, A), in the columns of the names of all sets.
        known: uint8 (N, A), 1 where the set knows the attribute.
        report: how it came to be.
    """

    path: Path
    values: np.ndarray
    known: np.ndarray
    report: DataReport


def _write_sets(
    folder: Path,
    sources: Sequence[FileSource],
    tables: Sequence[AttributeTable],
    names: tuple[str, ...],
    view: View,
    progress: bool,
) -> Packed:
    """Write the images of one or two sets, all attributes, and which of them are known."""
    matched = [_match_rows(source, table) for source, table in zip(sources, tables)]
    # one file cannot hold images of two sizes
    view = with_common_size(
        view,
        lambda: {str(one.source.place): count_sizes(one.source, [*one.rows]) for one in matched},
    )

    sets = []
    for number, one in enumerate(matched):
        path = folder / f"piece{number}.npy"
        sets.append(_write_set(path, one, names, view, progress))

    reports = [one.report for one in sets]
    for number in _join_images([one.path for one in sets], folder / "image.npy"):
        report = reports[number]
        step = f"{count_noun(report.used, 'image')} grey: repeated to RGB"
        reports[number] = report.model_copy(update={"steps": [*report.steps, step]})

    # without a column "known" every attribute is known of every image
    np.save(folder / "attributes.npy", np.concatenate([one.values for one in sets]))
    if not all(one.known.all() for one in sets):
        np.save(folder / "known.npy", np.concatenate([one.known for one in sets]))

    report = reports[0]
    if len(reports) > 1:
        report = join_reports("", {f"set {number}": one for number, one in enumerate(reports, 1)})
    assert view.size is not None
    return Packed({"attributes": names}, report, view.size)


def _write_set(
    path: Path, matched: MatchedSet, names: tuple[str, ...], view: View, progress: bool
) -> WrittenSet:
    """Write the images of one set at `path`, and their attributes in the columns of `names`, those
    of all sets.
    """
    source, table, by_entry, notes, unnamed = matched
    rows = rows_of_files(source, list(by_entry))
    kept, report, _ = write_rows(path.parent, [path.stem], source.place, rows, view, progress)

    # some images could not be decoded: the values follow what was kept, in its order
    by_name = {entry.name: row for entry, row in by_entry.items()}
    own = b"".join(by_name[fate.name] for (fate,) in kept)  # a byte per attribute
    places = [names.index(name) for name in table.names]  # columns of this table
    values = np.zeros((len(kept), len(names)), np.uint8)
    known = np.zeros_like(values)
    values[:, places] = np.frombuffer(own, np.uint8).reshape(len(kept), len(places))
    known[:, places] = 1

    report = report.model_copy(
        update={
            "found": len(source.pictures) - len(rows) + report.found,
            "skipped": sorted(unnamed + report.skipped, key=lambda item: item.file),
            "notes": report.notes + notes + describe_ignored(source, {table.file}),
        }
    )
    return WrittenSet(path, values, known, report)


def _join_images(pieces: Sequence[Path], path: Path) -> list[int]:
    """Write files of images (N, C, S, S), one after the other, as one file at `path`.

    Returns:
        the numbers of the grey files whose planes were repeated, since others have colour.
    """
    if len(pieces) == 1:
        pieces[0].replace(path)
        return []

    shapes = [np.load(piece, mmap_mode="r").shape[1:] for piece in pieces]
    shape = max(shapes)  # the one with more channels

    def iterate_parts() -> Iterator[np.ndarray]:
        for piece in pieces:
            array = np.load(piece, mmap_mode="r")
            # 256 at a time: the pieces may be larger than the memory
            for rows in chunk_slices(len(array), 256):
                part = array[rows]
                yield np.broadcast_to(part, (len(part), *shape))  # a view, without a copy

    write_images(path, iterate_parts(), shape)
    for piece in pieces:
        piece.unlink()
    return [number for number, own in enumerate(shapes) if own != shape]


# Which row is of which image


def _match_rows(source: FileSource, table: AttributeTable) -> MatchedSet:
    """The row of each image, found by its path or, where only one image has it, its name; with its
    ending or without.

    Raises:
        UserError: no image has a row.
    """
    rows = read_rows(table)
    pictures = PictureNames(source)

    matched: dict[Entry, bytes] = {}
    absent = []
    for file, row in rows.items():
        entry = pictures.find(file)
        if entry is None:
            # images of other splits have their rows too
            if not pictures.is_elsewhere(file):
                absent.append(file)
        elif matched.setdefault(entry, row) != row:
            raise UserError(
                f"{table.file}: {file!r} and another row are both of {entry.name!r}; "
                "give whole paths"
            )

    if not matched:
        first = f"it begins with {next(iter(rows))!r}, they with {next(iter(pictures.paths))!r}"
        raise UserError(f"{table.file} names none of the images in {source.place}: {first}")

    # in the order of the source, whatever the order of the table
    ordered = {entry: matched[entry] for entry in source.pictures if entry in matched}
    unnamed = []
    for entry in source.pictures:
        if entry not in matched:
            unnamed.append(Skipped(file=entry.name, reason=f"has no row in {table.file}"))
    notes = [*table.table.notes, *describe_absent(table.file, absent)]
    return MatchedSet(source, table, ordered, notes, unnamed)
