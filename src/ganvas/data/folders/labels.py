"""Class names of images in folders and zips: from sub-folders, or from a table."""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ganvas.data.folders.source import EXTENSIONS, FileSource, extension
from ganvas.data.folders.splits import choose_split
from ganvas.data.report import Skipped
from ganvas.data.text import split_lines
from ganvas.errors import UserError
from ganvas.io.console import count_noun
from ganvas.io.images import UnreadableError
from ganvas.io.reading import DamagedFileError, expand_home, read_bytes
from ganvas.io.tables import read_cells, split_cells

__all__ = [
    "Labelling",
    "describe_absent",
    "find_labels",
    "list_some",
    "sort_classes",
    "usual_labels",
]


@dataclass
class Labelling:
    """Which picture is of which class.

    Attributes:
        classes: class name of each picture, by the picture's name; None: training without labels.
        skipped: pictures without a class.
        notes: what a person should know.
        table: name of the table within the set, "" if there is none.
        digest: identity of the table's content.
    """

    classes: dict[str, str] | None = None
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    table: str = ""
    digest: str = ""


def find_labels(source: FileSource, labels: str) -> Labelling:
    """The classes of a set's pictures by the setting `View.labels`: "none", "folders", or a table
    of files and labels.

    Raises:
        UserError: there are no such labels.
    """
    if labels == "none":
        return Labelling(notes=_unused_labels(source))
    if labels == "folders":
        return _labels_of_folders(source)
    return _labels_of_table(source, labels)


def usual_labels(place: Path, split: str = "train") -> str:
    """What `View.labels` should be for a split of a folder or zip where a person names nothing;
    "none" where there seem to be no labels.

    Raises:
        UserError: it is no folder or zip with pictures, or has no such split.
    """
    with FileSource(place) as whole:
        source = choose_split(whole, split).source
        suggested = _suggested_labels(source)

        # read as a trial: a CSV file at the root may be about anything
        if suggested not in ("none", "folders"):
            try:
                _labels_of_table(source, suggested)
            except UserError:  # a table of other things
                return _labels_by_folders(source)

        return suggested


def _suggested_labels(source: FileSource) -> str:
    """What `View.labels` would use the labels that seem to be here: a table at the root, "folders",
    or "none" where there are none.
    """
    # only at the root: a table in a sub-folder is about that folder
    tables = sorted(
        name for name in source.others if "/" not in name and name.lower().endswith(".csv")
    )
    return tables[0] if tables else _labels_by_folders(source)


def _labels_by_folders(source: FileSource) -> str:
    """ "folders" where sub-folders seem to be classes, else "none"."""
    names = _folders_of(source)
    inside = sum(_folder_of(source, entry.name) != "" for entry in source.pictures)

    # at least half of the pictures must have a class
    classes = len(names) >= 2 and 2 * inside >= len(source.pictures)
    return "folders" if classes else "none"


def _folders_of(source: FileSource) -> list[str]:
    """The first-level folders with pictures."""
    names = {_folder_of(source, entry.name) for entry in source.pictures}
    return sorted(names - {""}, key=_natural)


def _unused_labels(source: FileSource) -> list[str]:
    """Notes on labels that are there but that nobody requested."""
    suggested = _suggested_labels(source)
    if suggested == "none":
        return []
    if suggested != "folders":
        return [
            f"this data seems to have labels, which are not used; to train with them, "
            f"add --labels {suggested}"
        ]

    names = _folders_of(source)
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return [
        f"{len(names)} sub-folders hold images ({shown}); "
        "to train with them as classes: --labels folders"
    ]


def _labels_of_folders(source: FileSource) -> Labelling:
    """Each first-level sub-folder is a class."""
    folders = {entry.name: _folder_of(source, entry.name) for entry in source.pictures}
    classes = {name: folder for name, folder in folders.items() if folder}
    if not classes:
        raise UserError(
            f"{source.place} has no sub-folders with images to be classes; "
            "use --labels none, or a table"
        )

    # one class would be no condition at all
    if len(set(classes.values())) == 1:
        only = next(iter(classes.values()))
        raise UserError(
            f"{source.place} has one sub-folder with images, {only!r}; "
            "classes need two or more, or --labels none"
        )

    # at the root, so of no class: left out and listed, since a person may have misplaced them
    stray = [entry.name for entry in source.pictures if entry.name not in classes]
    return Labelling(
        classes,
        [Skipped(file=name, reason="lies beside the class folders, not in one") for name in stray],
    )


def _labels_of_table(source: FileSource, table: str) -> Labelling:
    """A table of two columns, file and label; it lies at the root of the set, or anywhere on the
    disk.
    """
    path = expand_home(table)

    # the set's own file comes first, so that a set means the same in every working folder
    try:
        content = source.read(source.others[table]) if table in source.others else read_bytes(path)
    except (UnreadableError, DamagedFileError) as error:
        raise UserError(
            f"labels {table!r}: no such file, neither in {source.place} nor on the disk; "
            'allowed: "none", "folders", or a CSV file with the columns file,label'
        ) from error

    rows = _read_label_table(content, table)
    names = {entry.name for entry in source.pictures}
    labels: dict[str, str] = {}
    absent = []
    for file, label in rows.items():
        # a table may name files with or without the folder that wraps the whole set
        name = file if file in names else file.removeprefix(source.wrapper)
        if name in names:
            labels[name] = label
        elif name not in source.elsewhere:  # images of other splits have their rows too
            absent.append(file)

    # most likely the table of another set, or one with other paths
    if not labels:
        raise UserError(
            f"{table} names none of the images in {source.place}; "
            f"it begins with {next(iter(rows))!r}"
        )

    notes = describe_absent(table, absent)
    unnamed = []
    for name in sorted(names - labels.keys()):
        unnamed.append(Skipped(file=name, reason=f"not named in {table}"))

    # a table elsewhere on the disk is none of the set's files
    used = table if table in source.others else ""
    return Labelling(labels, unnamed, notes, used, hashlib.sha256(content).hexdigest())


def _read_label_table(content: bytes, name: str) -> dict[str, str]:
    """Labels by file from a CSV text: comma, semicolon or tab; a first row that names no picture is
    the header.

    Raises:
        UserError: not UTF-8, not two columns, or two labels for one file.
    """
    # "utf-8-sig": spreadsheet programs put a mark before the text
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8 text; save it again as CSV UTF-8") from error

    lines = split_lines(text)
    first = next((line for line in lines if line.strip()), "")
    delimiter = _find_delimiter(first, name)
    header = split_cells(first, delimiter, name) or [""]

    labels: dict[str, str] = {}
    for number, row in enumerate(read_cells(lines, delimiter, name), 1):
        # wherever it stands: joined tables repeat their header
        if not any(cell.strip() for cell in row) or (
            row == header and extension(row[0].strip()) not in EXTENSIONS
        ):
            continue

        if len(row) != 2 or not row[1].strip():
            raise UserError(
                f"{name}, line {number}: {delimiter.join(row)!r}; a row is a file and a label"
            )

        # paths as Windows and `find .` write them
        file = row[0].strip().replace("\\", "/").removeprefix("./")
        label = row[1].strip()
        if labels.setdefault(file, label) != label:
            raise UserError(
                f"{name}, line {number}: {file!r} is {label!r} here and {labels[file]!r} before"
            )

    if not labels:
        raise UserError(f"{name} is empty; its rows are a file and a label")
    return labels


def _find_delimiter(line: str, name: str) -> str:
    """The sign that cuts a line into two cells; a comma where none does."""
    for sign in "\t;,":  # the comma last: names of files and classes may hold one
        if len(split_cells(line, sign, name)) == 2:
            return sign
    return ","


def _folder_of(source: FileSource, name: str) -> str:
    """The first-level folder in which a picture lies, that of its split apart; "" at the root."""
    top, slash, _ = source.inside(name).partition("/")
    return top if slash else ""


def sort_classes(names: Counter[str]) -> list[str]:
    """Class names sorted: numbers by their value, texts with the numbers in them by value ("a2"
    before "a10").
    """
    try:
        return sorted(names, key=lambda name: (float(name), name))  # "1" and "01" differ
    except ValueError:
        return sorted(names, key=_natural)


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Sort key that compares the numbers in a text by value."""
    key = []
    for part in re.split(r"([0-9]+)", text):
        if part.isdecimal():
            key.append((0, int(part), part))  # 0 or 1 first: no number is compared with a text
        else:
            key.append((1, 0, part.casefold()))

    # the text itself last: "Cat" and "cat" differ, and their order must not depend on the disk's
    key.append((2, 0, text))
    return key


def describe_absent(table: str, absent: list[str]) -> list[str]:
    """The note on files that a table names and that are not there; none without such files."""
    if not absent:
        return []
    files = count_noun(len(absent), "file that is", "files that are")
    return [f"{table} names {files} not there: {list_some(absent)}"]


def list_some(names: list[str]) -> str:
    """The first names of a list."""
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
