"""Read tables of partitions, such as CelebA's: which image is for training, validation or tests."""

from collections.abc import Mapping
from typing import NamedTuple

from ganvas.data.folders.source import FileSource, extension
from ganvas.data.folders.tables import (
    PARTITION_WORDS,
    PictureNames,
    Table,
    divides_set,
    read_bytes,
    read_table,
)
from ganvas.errors import UserError

__all__ = ["WORDS", "Partition", "read_partition"]

# What folders and tables call the splits.
WORDS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
WORDS |= {"val": "val", "valid": "val", "validation": "val", "dev": "val"}
NUMBERS = {"0": "train", "1": "val", "2": "test"}  # as CelebA's table writes them
TABLES = (".txt", ".csv", ".tsv")


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
    for name in sorted(source.others):
        if "/" in name or extension(name) not in TABLES:
            continue
        try:
            rows = _parse_partition(read_table(name, read_bytes(source, name, "table")))
        except UserError:
            continue  # whoever needs the table says what is wrong with it
        if found := _match_images(source, rows):
            return Partition(name, found)
    return None


def _match_images(source: FileSource, rows: Mapping[str, str]) -> dict[str, str]:
    """The split of each image that has a row."""
    pictures = PictureNames(source) if rows else None
    found = {}
    for file, split in rows.items():
        if pictures and (entry := pictures.find(file)):
            found[entry.name] = split
    return found


def _parse_partition(table: Table) -> dict[str, str]:
    """The split of each file in a table of partitions; empty where it is another table.

    A table is one if a column is called so and holds nothing but splits, or as `divides_set` says.

    Raises:
        UserError: it cannot be read.
    """
    first = next(table.rows(), None)
    if first is None:
        return {}
    heads = [cell.lower() for cell in first.cells]
    column = next(
        (number for number in range(1, len(heads)) if heads[number] in PARTITION_WORDS), 0
    )
    if not column and not divides_set(table):
        return {}

    found: dict[str, str] = {}
    for number, (_, cells) in enumerate(table.rows()):
        where = column or 1
        split = (WORDS | NUMBERS).get(cells[where].lower()) if len(cells) > where else None
        if split is not None:
            found[cells[0]] = split
        elif number:  # only the head may name no split: it is a table of something else
            return {}
    return found
