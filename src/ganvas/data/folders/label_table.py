"""Read a table of labels: of each image file the name of its class."""

import hashlib
import math
from collections.abc import Collection
from typing import Literal, NamedTuple

from ganvas.data.folders.source import FileSource
from ganvas.data.folders.tables import (
    LABEL_WORDS,
    PARTITION_WORDS,
    Layout,
    PictureNames,
    Table,
    divides_set,
    find_layout,
    read_bytes,
    read_table,
)
from ganvas.errors import UserError, nearest
from ganvas.io.console import count_noun
from ganvas.io.reading import expand_home

__all__ = [
    "ColumnNeededError",
    "LabelTable",
    "NotClassesError",
    "are_real_numbers",
    "are_too_many",
    "find_class_columns",
    "read_label_table",
]

FEW = 10  # so many classes are no mistake, however few images there are
MOST = 10_000  # classes of a column that nobody named
WHAT = 'labels: "none", "folders", or a table with the columns file,label;'


class ColumnNeededError(UserError):
    """A table has several columns that could be the labels, and none was named."""


class NotClassesError(UserError):
    """What a table says of the images are no classes.

    Attributes:
        fault: "numbers" for real numbers, "many" for nearly as many classes as images, "one" for a
            single class.
    """

    def __init__(self, message: str, fault: Literal["numbers", "many", "one"]) -> None:
        super().__init__(message)
        self.fault: Literal["numbers", "many", "one"] = fault


class LabelTable(NamedTuple):
    """The classes that a table gives to the images of a set.

    Attributes:
        name: of the table.
        labels: name of the class by the image's name.
        absent: files that the table names and that are not there.
        notes: how the table was read, where that is not usual.
        digest: identity of the table's content and column.
    """

    name: str
    labels: dict[str, str]
    absent: list[str]
    notes: list[str]
    digest: str


def read_label_table(source: FileSource, labels: str) -> LabelTable:
    """The labels of a table, named as TABLE or TABLE:COLUMN, which lies at the root of the set or
    anywhere on the disk.

    Raises:
        UserError: there is no such table or column, it does not fit the images, or it does not hold
            classes.
    """
    name, wanted = _split_column(source, labels)
    content = read_bytes(source, name, WHAT)
    table = read_table(name, content)
    pictures = PictureNames(source)
    layout = find_layout(table, pictures)
    if divides_set(table):
        raise UserError(f"{name} divides the images into training and test, it holds no labels")

    column = _find_column(table, layout, wanted)
    by_file = _read_labels(table, layout, column)
    found: dict[str, str] = {}
    files: dict[str, str] = {}  # by image, as the table names it
    absent = []
    for file, label in by_file.items():
        entry = pictures.find(file)
        if entry is None:
            if not pictures.is_elsewhere(file):
                absent.append(file)
        elif found.setdefault(entry.name, label) != label:
            raise UserError(
                f"{name}: {file!r} and {files[entry.name]!r} are both {entry.name!r}, and their "
                "labels differ; give whole paths"
            )
        else:
            files[entry.name] = file

    # most likely the table of another set, or one with other paths
    if not found:
        first = next(iter(pictures.paths))
        raise UserError(
            f"{name} names none of the images in {source.place}; "
            f"it begins with {next(iter(by_file))!r}, they with {first!r}"
        )

    _check_classes(found, name, layout.name(column))
    notes = list(table.notes)
    if layout.width > 2:
        notes.append(f"labels are the column {layout.name(column)!r} of {name}")
    digest = hashlib.sha256(content + f"\0{column}".encode()).hexdigest()
    return LabelTable(name, found, absent, notes, digest)


def _split_column(source: FileSource, labels: str) -> tuple[str, str]:
    """The table and the column of TABLE or TABLE:COLUMN; "" where no column is named."""
    # the whole first: a file may have a colon in its name, and Windows paths have one
    if labels in source.others or expand_home(labels).is_file():
        return labels, ""
    name, _, column = labels.rpartition(":")
    there = name in source.others or (name != "" and expand_home(name).is_file())
    return (name, column.strip()) if there else (labels, "")


def _find_column(table: Table, layout: Layout, wanted: str) -> int:
    """The column of the labels: the wanted one, the only one, or the one whose header says so.

    Raises:
        UserError: there is no such column, or there are several and none is named.
    """
    names = tuple(layout.name(column) for column in layout.others)
    if wanted:
        column = layout.find(wanted)
        if column is None or column == layout.file:
            raise UserError(
                f"{table.name} has no column {wanted!r} of labels; {nearest(wanted, names)}"
            )
        return column

    others = layout.others
    if len(others) > 1:  # which images are for training is no class
        others = [one for one in others if layout.name(one).lower() not in PARTITION_WORDS]
    if len(others) > 1:
        called = [one for one in others if layout.name(one).lower() in LABEL_WORDS]
        others = called if len(called) == 1 else others
    if len(others) == 1:
        return others[0]

    if not others:
        raise UserError(f"{table.name} has one column; a row is a file and a label")
    raise ColumnNeededError(
        f"{table.name} has {layout.width} columns, and a row is a file and a label: choose a "
        f"column with --labels {table.name}:COLUMN, where COLUMN is one of {', '.join(names)}"
    )


def find_class_columns(source: FileSource, name: str) -> list[str]:
    """The columns of a table that look like classes of its images.

    Raises:
        UserError: the table cannot be read.
    """
    table = read_table(name, read_bytes(source, name, WHAT))
    layout = find_layout(table, PictureNames(source))
    # by column; one more value than may be there is enough to know
    values: dict[int, set[str]] = {column: set() for column in layout.others}
    count = 0
    for row in table.rows():
        if len(row.cells) == layout.width and not layout.is_header(row):
            count += 1
            for column, seen in values.items():
                if len(seen) <= MOST:
                    seen.add(row.cells[column])

    found = []
    for column, seen in values.items():
        named = layout.name(column)
        measured = len(seen) > FEW and all(_is_number(value) for value in seen)
        unlikely = measured or are_real_numbers(seen) or are_too_many(len(seen), count)
        divides = named.lower() in PARTITION_WORDS
        if 1 < len(seen) <= MOST and "" not in seen and not unlikely and not divides:
            found.append(named)
    return found


def _read_labels(table: Table, layout: Layout, column: int) -> dict[str, str]:
    """Labels by file, as the table names it.

    Raises:
        UserError: a row is not like the others, or a file has two labels.
    """
    labels: dict[str, str] = {}
    for row in table.rows():
        if layout.is_header(row):
            continue
        cells = row.cells
        if len(cells) != layout.width or not cells[layout.file] or not cells[column]:
            raise UserError(
                f"{table.name}, line {row.line}: {table.sign.join(cells)[:60]!r}; a row is a file "
                f"and a label, in {layout.width} columns as in the first row"
            )
        file, label = cells[layout.file], cells[column]
        if labels.setdefault(file, label) != label:
            raise UserError(
                f"{table.name}, line {row.line}: {file!r} is {label!r} here and "
                f"{labels[file]!r} before"
            )

    if not labels:
        raise UserError(f"{table.name} is empty; its rows are a file and a label")
    return labels


# Whether labels are classes


def are_too_many(classes: int, images: int) -> bool:
    """Whether there are nearly as many classes as images, so that none can be learned."""
    return classes > FEW and 2 * classes > images


def are_real_numbers(labels: Collection[str]) -> bool:
    """Whether labels are numbers, some of them with a fraction."""
    if not all(map(_is_number, labels)):
        return False
    return any(not float(label.replace(",", ".")).is_integer() for label in labels)


def _is_number(text: str) -> bool:
    """Whether a text is a number; some countries write a comma in it."""
    try:
        return math.isfinite(float(text.replace(",", ".")))
    except ValueError:
        return False


def _check_classes(labels: dict[str, str], name: str, column: str) -> None:
    """Refuse what cannot be learned as classes.

    Raises:
        NotClassesError: real numbers, one class, or nearly as many classes as images.
    """
    classes = set(labels.values())
    images = count_noun(len(labels), "image")
    if are_real_numbers(classes) and len(classes) > FEW:
        raise NotClassesError(
            f"{name}: the column {column!r} has {len(classes):,} real numbers for {images}; "
            "numbers are no classes, and no GAN here takes them: write a column with a class for "
            "each range of them, or use --labels none",
            "numbers",
        )
    if are_too_many(len(classes), len(labels)):
        raise NotClassesError(
            f"{name}: the column {column!r} has {len(classes):,} classes for {images}, too few of "
            "each to learn: write a column with fewer classes, or use --labels none",
            "many",
        )
    # one class would be no condition at all
    if len(classes) == 1:
        raise NotClassesError(
            f"{name}: the column {column!r} has one class, {classes.pop()!r}, for all images; "
            "classes need two or more, or --labels none",
            "one",
        )
