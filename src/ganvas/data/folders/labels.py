"""Class names of images in folders and zips: from sub-folders, or from a table."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ganvas.data.folders.label_table import are_too_many, read_label_table
from ganvas.data.folders.source import FileSource
from ganvas.data.folders.splits import choose_split
from ganvas.data.folders.table_survey import TableFinding, survey_tables
from ganvas.data.report import Skipped
from ganvas.errors import UserError
from ganvas.io.console import count_noun

__all__ = [
    "Labelling",
    "describe_absent",
    "describe_unused",
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
    of files and labels, as TABLE or TABLE:COLUMN.

    Raises:
        UserError: there are no such labels, or they are no classes.
    """
    if labels == "none":
        return Labelling()
    if labels == "folders":
        return _labels_of_folders(source)
    return _labels_of_table(source, labels)


def usual_labels(place: Path, split: str = "train", links: bool = False) -> str:
    """What `View.labels` should be for a split of a folder or zip where a person names nothing;
    "none" where there seem to be no labels, or where a person must choose between several.

    Raises:
        UserError: it is no folder or zip with pictures, or has no such split.
    """
    with FileSource(place, links=links) as whole:
        source = choose_split(whole, split).source
        tables = [table.labels for table in survey_tables(source) if table.kind == "labels"]
        return tables[0] if len(tables) == 1 else _labels_by_folders(source)


def _labels_by_folders(source: FileSource) -> str:
    """ "folders" where sub-folders seem to be classes, else "none"."""
    names = _folders_of(source)
    inside = sum(_folder_of(source, entry.name) != "" for entry in source.pictures)

    # at least half of the pictures must have a class; a folder for nearly each one is no class
    classes = (
        len(names) >= 2
        and 2 * inside >= len(source.pictures)
        and not are_too_many(len(names), inside)
    )
    return "folders" if classes else "none"


def _folders_of(source: FileSource) -> list[str]:
    """The first-level folders with pictures."""
    names = {_folder_of(source, entry.name) for entry in source.pictures}
    return sorted(names - {""}, key=_natural)


def describe_unused(source: FileSource) -> list[str]:
    """Notes on labels that are there but that nobody requested. What they advise has been tried."""
    tables = survey_tables(source)
    labels = [table.labels for table in tables if table.kind == "labels"]
    notes = [_describe_table(source, table) for table in tables if table.kind != "labels"]
    if len(labels) > 1:
        notes.insert(
            0,
            f"several tables could be labels ({', '.join(labels)}), which are not used; to train "
            f"with one of them, name it: --labels {labels[0]}",
        )
    elif labels:
        notes.insert(
            0,
            f"this data seems to have labels, which are not used; to train with them, "
            f"add --labels {labels[0]}",
        )
    elif _labels_by_folders(source) == "folders":
        names = _folders_of(source)
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        notes.insert(
            0,
            f"{len(names)} sub-folders hold images ({shown}); "
            "to train with them as classes: --labels folders",
        )
    return notes


def _describe_table(source: FileSource, table: TableFinding) -> str:
    """What a person should know of a table that holds no labels as it is."""
    columns = ", ".join(table.columns[:5]) + (", ..." if len(table.columns) > 5 else "")
    if table.kind == "attributes":
        return (
            f"{table.name} is a table of attributes, which are not used; to train with them: "
            f"--data attributes:{source.place} --labels {table.name}"
        )
    if table.kind == "captions":
        return (
            f"{table.name} is a table of captions, which are not used; to train with them: "
            f"--data captions:{source.place}"
        )
    if table.kind == "columns":
        return (
            f"{table.name} has several columns that could be labels ({columns}), which are not "
            f"used; to train with one of them: --labels {table.name}:COLUMN"
        )
    if table.kind == "numbers":
        return f"{table.name} holds numbers, which no GAN here takes; they are not used"
    return f"{table.name} says something else of each image, so it holds no classes; it is not used"


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


def _labels_of_table(source: FileSource, labels: str) -> Labelling:
    """The classes that a table of files and labels gives."""
    table = read_label_table(source, labels)
    unnamed = []
    for entry in source.pictures:
        if entry.name not in table.labels:
            unnamed.append(Skipped(file=entry.name, reason=f"not named in {table.name}"))

    # a table elsewhere on the disk is none of the set's files
    used = table.name if table.name in source.others else ""
    notes = [*table.notes, *describe_absent(table.name, table.absent)]
    return Labelling(table.labels, unnamed, notes, used, table.digest)


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
