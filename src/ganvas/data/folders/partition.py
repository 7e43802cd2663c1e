"""Read tables of partitions, such as CelebA's: which image is for training, validation or tests."""

import csv
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from ganvas.data.folders.source import FileSource, extension
from ganvas.data.text import split_lines
from ganvas.io.images import UnreadableError

__all__ = ["WORDS", "Partition", "read_partition"]

WORDS = {"train": "train", "test": "test", "val": "val", "valid": "val", "validation": "val"}
NUMBERS = {"0": "train", "1": "val", "2": "test"}  # as CelebA's table writes them
TABLES = (".txt", ".csv", ".tsv")
COLUMNS = ("split", "partition", "set", "subset")  # heads of the column that names the split
HEAD = 4096  # characters of a table that show whether it is one of partitions


class Partition(NamedTuple):
    """A table of partitions, as far as its images are there.

    Attributes:
        table: its name.
        of: split of each image, "train", "val" or "test", by the image's name in the set.
    """

    table: str
    of: dict[str, str]


def read_partition(source: FileSource) -> Partition | None:
    """The table of partitions at the root of a set; None: there is none."""
    for table, entry in sorted(source.others.items()):
        if "/" in table or extension(table) not in TABLES:
            continue
        try:
            text = source.read(entry).decode("utf-8-sig")
        except (UnreadableError, UnicodeDecodeError):
            continue  # whoever needs the table says what is wrong with it
        if found := _match_images(source, _parse_partition(table, text)):
            return Partition(table, found)
    return None


def _match_images(source: FileSource, rows: Mapping[str, str]) -> dict[str, str]:
    """The split of each image that has a row, found by its path or, where only one image has it,
    its name.
    """
    if not rows:
        return {}
    paths = {entry.name for entry in source.pictures}
    counts = Counter(name.rpartition("/")[2] for name in paths)
    bare = {name.rpartition("/")[2]: name for name in paths}

    found = {}
    for file, split in rows.items():
        name = file if file in paths else file.removeprefix(source.wrapper)
        last = name.rpartition("/")[2]
        if name not in paths and counts[last] == 1:
            name = bare[last]
        if name in paths:
            found[name] = split
    return found


def _parse_partition(table: str, text: str) -> dict[str, str]:
    """The split of each file in a table of partitions; empty where it is another table.

    A table is one if a column is called so, or its second and last column holds nothing but words
    such as "train", or the table's own name has "partition" in it.
    """
    head = text[:HEAD].partition("\n")[0].strip()
    sign = next((sign for sign in "\t;," if sign in head), None)
    heads = [cell.strip().lower() for cell in _split_cells(head, sign)]
    column = next((heads.index(name) for name in COLUMNS if name in heads[1:]), None)
    if column is None and len(heads) != 2:
        return {}

    lines = split_lines(text)[0 if column is None else 1 :]
    numbered = "partition" in table.lower() or (column is not None and heads[column] == "partition")
    allowed = WORDS | NUMBERS if numbered else WORDS
    found: dict[str, str] = {}
    for line in lines:
        cells = [cell.strip() for cell in _split_cells(line, sign)]
        if not any(cells):
            continue
        where = 1 if column is None else column
        split = allowed.get(cells[where].lower()) if len(cells) > where else None
        # one row that names no split: a table of something else, such as labels
        if split is None:
            return {}
        found[cells[0].replace("\\", "/").removeprefix("./")] = split
    return found


def _split_cells(line: str, sign: str | None) -> list[str]:
    """The cells of a line, cut at a sign; None: at spaces."""
    try:
        return line.split() if sign is None else next(csv.reader([line], delimiter=sign), [])
    except csv.Error:  # a cell of more than 128 KiB: no row of a table of partitions
        return []
