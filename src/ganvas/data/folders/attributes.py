"""Pictures with attributes: hair colours, glasses, a smile, told by a table such as CelebA's."""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from ganvas.data.dataset import Dataset, Skipped, View, joined
from ganvas.data.decode import Fate
from ganvas.data.folders.images import SizeNeededError, checked, ignored, write_pictures
from ganvas.data.folders.labels import describe_absent
from ganvas.data.folders.source import Entry, Source, extension
from ganvas.data.folders.spec import parse_place
from ganvas.data.store import Packed, open_store, write_images
from ganvas.errors import UserError, nearest
from ganvas.io.console import count_noun
from ganvas.io.images import UnreadableError

VALUES = {"1": 1, "true": 1, "0": 0, "-1": 0, "false": 0}
TABLES = (".txt", ".csv")
LAYOUTS = "a count, a line of names, then lines FILE 1 -1 ..., as CelebA's; or a CSV with the header file,NAME,NAME,..."


@dataclass(frozen=True)
class Table:
    """A table of attributes: of each file and each name 1 or 0.

    Attributes:
        file: its name.
        content: its bytes.
        names: of the attributes.
    """

    file: str
    content: bytes
    names: tuple[str, ...]


def open_attributes(
    spec: str, view: View, *, strict: bool = False, progress: bool = False
) -> Dataset:
    """`attributes:PLACE`, a folder or zip of pictures with a table of attributes; or
    `attributes:PLACE,PLACE`, two of them.

    The table is the one .txt or .csv at the root, or the one that `view.labels` names. Of two sets
    the attributes are those of either, and where one does not know all of them, the column "known"
    tells which it knows.

    Raises:
        SizeNeededError: the view has no size and the pictures do not share one.
        UserError: no table, or several; one that cannot be read; an attribute that is in none; with
            `strict`, any picture that cannot be used.
    """
    place = parse_place(spec)
    if place.split != "train":
        raise UserError(
            f"{spec}: sets with attributes have no splits; write {place.other('train')}"
        )
    with ExitStack() as stack:
        sources = [stack.enter_context(Source(path)) for path in place.paths]
        tables = [find_table(source, view.labels) for source in sources]
        names = tuple(dict.fromkeys(name for table in tables for name in table.names))
        for name in view.attributes:
            if name not in names:
                raise UserError(f"{place.text} has no attribute {name!r}; {nearest(name, names)}")
        digests = [hashlib.sha256(table.content).hexdigest() for table in tables]
        kept = view.model_dump(exclude={"labels", "attributes"})
        key = ["attributes", [source.identity() for source in sources], digests, kept]
        dataset = open_store(
            key, lambda folder: build(folder, sources, tables, names, view, progress)
        )
    return checked(chosen(dataset, spec, view.attributes), strict)


def chosen(dataset: Dataset, spec: str, wanted: Sequence[str]) -> Dataset:
    """The set with the attributes wanted; with none wanted, with all that differ between its
    pictures.

    Raises:
        UserError: there are none of these.
    """
    names, values = dataset.names["attributes"], np.asarray(dataset.columns["attributes"])
    known = np.asarray(dataset.columns.get("known", np.ones_like(values)))
    counts = values.sum(0, dtype=np.int64)
    constant = [
        name
        for name, count, of in zip(names, counts, known.sum(0, dtype=np.int64))
        if count in (0, of)
    ]
    kept = list(dict.fromkeys(wanted)) or [name for name in names if name not in constant]
    if not kept:
        raise UserError(
            f"{spec}: every attribute ({', '.join(names)}) is the same for all pictures; there is nothing to learn"
        )
    places = [names.index(name) for name in kept]
    columns = dict(dataset.columns) | {"attributes": values[:, places]}
    if "known" in columns:
        columns["known"] = known[:, places]
    same = [name for name in constant if name in wanted or not wanted]
    what = "kept since they are asked for" if wanted else "left out"
    notes = (
        [f"attributes that are the same for all pictures are {what}: {', '.join(same)}"]
        if same
        else []
    )
    report = dataset.report.model_copy(
        update={
            "spec": spec,
            "classes": {name: int(counts[place]) for name, place in zip(kept, places)},
            "notes": notes + dataset.report.notes,
        }
    )
    digest = hashlib.blake2b(repr((dataset.fingerprint, kept)).encode(), digest_size=16).hexdigest()
    own = {name: tuple(kept) for name in ("attributes", "known") if name in columns}
    return replace(dataset, columns=columns, names=own, report=report, fingerprint=digest)


def build(
    folder: Path,
    sources: Sequence[Source],
    tables: Sequence[Table],
    names: tuple[str, ...],
    view: View,
    progress: bool,
) -> Packed:
    """Write the pictures of one or two sets, all attributes, and what is known of them."""
    attributes, known, reports, sizes = [], [], [], []
    pieces = [folder / f"piece{number}.npy" for number in range(len(sources))]
    for source, table, piece in zip(sources, tables, pieces):
        rows = read_rows(table)
        matched, notes, unnamed = match(source, table, rows)
        fates, report, size = write_pictures(piece, source, list(matched), view, progress)
        values, there = spread(
            fates, {entry.name: row for entry, row in matched.items()}, table.names, names
        )
        attributes.append(values)
        known.append(there)
        sizes.append(size)
        skipped = sorted(unnamed + report.skipped, key=lambda item: item.file)
        notes += ignored(source, {table.file})
        reports.append(
            report.model_copy(
                update={"found": len(source.pictures), "skipped": skipped, "notes": notes}
            )
        )
    if len(set(sizes)) > 1:
        told = " and ".join(
            f"{source.place} pictures of {size}x{size}" for source, size in zip(sources, sizes)
        )
        raise SizeNeededError(
            f"{told}; say which size both should have, for instance --size {min(sizes)}", min(sizes)
        )
    for number in merge(pieces, folder / "image.npy"):
        step = f"{count_noun(reports[number].used, 'picture')} grey: repeated to RGB"
        reports[number] = reports[number].model_copy(
            update={"steps": [*reports[number].steps, step]}
        )
    np.save(folder / "attributes.npy", np.concatenate(attributes))
    if not all(there.all() for there in known):
        np.save(folder / "known.npy", np.concatenate(known))
    report = (
        reports[0]
        if len(reports) == 1
        else joined("", {f"set {number}": one for number, one in enumerate(reports, 1)})
    )
    return Packed({"attributes": names}, report, sizes[0])


def spread(
    fates: Sequence[Fate], rows: dict[str, bytes], own: tuple[str, ...], names: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Attributes of pictures in the columns of all sets' names, and which are known: uint8 (N, A)
    each.
    """
    values, known = (np.zeros((len(fates), len(names)), np.uint8) for _ in range(2))
    places = [names.index(name) for name in own]
    values[:, places] = np.frombuffer(
        b"".join(rows[fate.name] for fate in fates), np.uint8
    ).reshape(len(fates), len(own))
    known[:, places] = 1
    return values, known


def merge(pieces: Sequence[Path], path: Path) -> list[int]:
    """Files of pictures (N, C, S, S), one after the other, as one; returns the numbers of grey
    ones, repeated for the others.
    """
    if len(pieces) == 1:
        pieces[0].replace(path)
        return []
    shapes = [np.load(piece, mmap_mode="r").shape[1:] for piece in pieces]
    shape = max(shapes)

    def parts() -> Iterator[np.ndarray]:
        for piece in pieces:
            array = np.load(piece, mmap_mode="r")
            for start in range(0, len(array), 256):
                part = array[start : start + 256]
                yield np.broadcast_to(part, (len(part), *shape))

    write_images(path, parts(), shape)
    for piece in pieces:
        piece.unlink()
    return [number for number, own in enumerate(shapes) if own != shape]


def find_table(source: Source, wanted: str) -> Table:
    """The table of attributes of a set: the one that is wanted, or with "none" the only one at the
    root.

    Raises:
        UserError: there is none, or several, or it cannot be read.
    """
    there = sorted(name for name in source.others if "/" not in name and extension(name) in TABLES)
    if wanted != "none":
        return read_head(wanted, table_content(source, wanted))
    contents = {name: table_content(source, name) for name in there}
    if len(there) > 1:  # a licence or a list of boxes may lie beside it
        contents = {
            name: content for name, content in contents.items() if looks_right(name, content)
        }
    if len(contents) == 1:
        return read_head(*next(iter(contents.items())))
    if contents:
        names = list(contents)
        raise UserError(
            f"{source.place} has several tables of attributes: {', '.join(names)}; name one with --labels {names[0]}"
        )
    found = (
        f"none of {', '.join(there)} is one"
        if there
        else "it has no .txt or .csv file beside the pictures or their folder"
    )
    raise UserError(f"{source.place} has no table of attributes: {found}; a table is {LAYOUTS}")


def table_content(source: Source, name: str) -> bytes:
    """The bytes of a table in a set, or elsewhere on the disk.

    Raises:
        UserError: it is not there.
    """
    try:
        return (
            source.read(source.others[name])
            if name in source.others
            else Path(name).expanduser().read_bytes()
        )
    except (OSError, UnreadableError) as error:
        raise UserError(
            f"table of attributes {name!r}: no such file, neither in {source.place} nor on the disk"
        ) from error


def looks_right(name: str, content: bytes) -> bool:
    """Whether the beginning of a file is that of a table of attributes."""
    try:
        table = read_head(name, content)
        next(cells(table), None)
    except UserError:
        return False
    return True


def read_head(name: str, content: bytes) -> Table:
    """A table with its names read.

    Raises:
        UserError: not UTF-8, or it does not begin as a table of attributes does.
    """
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8 text; save it again as UTF-8") from error
    first = lines[0].strip() if lines else ""
    names = (
        lines[1].split()
        if first.isdecimal() and len(lines) > 1
        else [cell.strip() for cell in split_row(first, first)][1:]
    )
    if not names or not all(names):
        raise UserError(f"{name} begins with {first[:60]!r}; a table of attributes is {LAYOUTS}")
    twice = [one for one, count in Counter(names).items() if count > 1]
    if twice:
        raise UserError(f"{name} has the attribute {twice[0]!r} twice; give each a name of its own")
    return Table(name, content, tuple(names))


def split_row(line: str, header: str) -> list[str]:
    """The cells of a line of a CSV whose header has tabs, semicolons or commas."""
    delimiter = next((sign for sign in "\t;," if sign in header), ",")
    return next(csv.reader([line], delimiter=delimiter), [])


def cells(table: Table) -> Iterator[tuple[str, bytes]]:
    """File and values, one byte 1 or 0 an attribute, of each row.

    Raises:
        UserError: a row has too few or too many cells, or a value that is neither yes nor no; the
            message names its line.
    """
    lines = table.content.decode("utf-8-sig").splitlines()
    counted = lines[0].strip().isdecimal()
    for number, line in enumerate(lines[2 if counted else 1 :], 3 if counted else 2):
        if not line.strip():
            continue
        file, *values = line.split() if counted else split_row(line, lines[0])
        if len(values) != len(table.names):
            found, wanted = (
                count_noun(len(values), "value"),
                count_noun(len(table.names), "attribute"),
            )
            raise UserError(f"{table.file}, line {number}: {found} for {wanted}: {line[:60]!r}")
        try:
            row = bytes(VALUES[value.strip().lower()] for value in values)
        except KeyError as error:
            raise UserError(
                f"{table.file}, line {number}: {error.args[0]!r} is none of 1, 0, -1, true, false"
            ) from None
        yield file.strip().replace("\\", "/").removeprefix("./"), row


def read_rows(table: Table) -> dict[str, bytes]:
    """The values of each file.

    Raises:
        UserError: there are none, or a file has two different rows.
    """
    rows: dict[str, bytes] = {}
    for file, row in cells(table):
        if rows.setdefault(file, row) != row:
            raise UserError(f"{table.file}: {file!r} has two rows that differ; keep one of them")
    if not rows:
        raise UserError(f"{table.file} has no rows; a table is {LAYOUTS}")
    return rows


def match(
    source: Source, table: Table, rows: dict[str, bytes]
) -> tuple[dict[Entry, bytes], list[str], list[Skipped]]:
    """The row of each picture, found by its path or, where only one picture has it, its name.

    Returns:
        pictures with their values; notes on rows without a picture; pictures without a row.

    Raises:
        UserError: none of the pictures has a row.
    """
    paths = {entry.name: entry for entry in source.pictures}
    counts = Counter(PurePosixPath(name).name for name in paths)
    by_name = {
        PurePosixPath(name).name: entry
        for name, entry in paths.items()
        if counts[PurePosixPath(name).name] == 1
    }
    matched: dict[Entry, bytes] = {}
    absent = []
    for file, row in rows.items():
        entry = (
            paths.get(file)
            or paths.get(file.removeprefix(source.wrapper))
            or by_name.get(PurePosixPath(file).name)
        )
        if entry is None:
            absent.append(file)
        elif matched.setdefault(entry, row) != row:
            raise UserError(
                f"{table.file}: {file!r} and another row are both of {entry.name!r}; give whole paths"
            )
    if not matched:
        first = f"it begins with {next(iter(rows))!r}, they with {next(iter(paths))!r}"
        raise UserError(f"{table.file} names none of the pictures in {source.place}: {first}")
    in_order = {entry: matched[entry] for entry in source.pictures if entry in matched}
    notes = describe_absent(table.file, absent)
    unnamed = [
        Skipped(file=name, reason=f"has no row in {table.file}")
        for name, entry in paths.items()
        if entry not in matched
    ]
    return in_order, notes, unnamed
