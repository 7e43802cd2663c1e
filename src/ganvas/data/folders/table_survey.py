"""Try the tables beside images, to tell what they are good for before anyone is advised to use
them.
"""

from contextlib import suppress
from typing import Literal, NamedTuple

from ganvas.data.folders.attribute_table import holds_attributes
from ganvas.data.folders.caption_table import holds_captions
from ganvas.data.folders.label_table import (
    ColumnNeededError,
    NotClassesError,
    are_real_numbers,
    find_class_columns,
    read_label_table,
)
from ganvas.data.folders.source import FileSource, extension
from ganvas.data.folders.tables import divides_set, read_bytes, read_table
from ganvas.errors import UserError

__all__ = ["TableFinding", "survey_tables"]

ENDINGS = (".csv", ".tsv")  # of tables that nobody named; a .txt may be about anything
TEXT = ".txt"  # CelebA's tables of attributes


class TableFinding(NamedTuple):
    """What a table is good for.

    Attributes:
        name: of the table.
        kind: "labels"; "columns", several of which could be the labels; "numbers" or "many"
            different texts, which are no classes; "attributes"; or "captions".
        columns: those that could be the labels, where there is a choice.
    """

    name: str
    kind: Literal["labels", "columns", "numbers", "many", "attributes", "captions"]
    columns: tuple[str, ...] = ()

    @property
    def labels(self) -> str:
        """What `View.labels` must be for the labels of this table."""
        return ":".join((self.name, *self.columns[:1]))


def survey_tables(source: FileSource) -> list[TableFinding]:
    """What the tables at the root of a set are good for, by name; those without a use are left out.

    Each is tried: none of them is refused afterwards.
    """
    # only at the root: a table in a sub-folder is about that folder
    names = sorted(name for name in source.others if "/" not in name)
    found = []
    for name in names:
        if extension(name) in (*ENDINGS, TEXT):
            # what cannot be read is no table, and is counted with the other files
            with suppress(UserError):
                finding = _try_table(source, name)
                found += [finding] if finding else []
    return found


def _try_table(source: FileSource, name: str) -> TableFinding | None:
    """What a table is good for; None: nothing.

    Raises:
        UserError: it cannot be read, or does not fit the images.
    """
    table = read_table(name, read_bytes(source, name, "table"))
    if divides_set(table):
        return None
    if holds_captions(table):
        return TableFinding(name, "captions")
    is_attributes = holds_attributes(table)
    if extension(name) == TEXT:
        return TableFinding(name, "attributes") if is_attributes else None

    try:
        found = read_label_table(source, name)
    except ColumnNeededError:
        if is_attributes:
            return TableFinding(name, "attributes")
        return _try_columns(source, name)
    except NotClassesError as error:
        if error.fault == "one":
            return None
        return TableFinding(name, error.fault)

    # by itself, a number with a fraction is never a class
    if are_real_numbers(set(found.labels.values())):
        return TableFinding(name, "numbers")
    return TableFinding(name, "labels")


def _try_columns(source: FileSource, name: str) -> TableFinding | None:
    """What a table with several columns is good for; None: none of them holds classes.

    Raises:
        UserError: it does not fit the images.
    """
    columns = find_class_columns(source, name)
    if not columns:
        return None
    read_label_table(source, f"{name}:{columns[0]}")  # whether it names images that are there
    return TableFinding(name, "columns" if len(columns) > 1 else "labels", tuple(columns))
