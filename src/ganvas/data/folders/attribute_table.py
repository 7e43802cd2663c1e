"""Read tables of attributes: of each image file and each attribute, yes or no."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ganvas.data.folders.source import FileSource, extension
from ganvas.data.folders.tables import Table, divides_set, read_bytes, read_table
from ganvas.errors import UserError
from ganvas.io.console import count_noun

__all__ = ["AttributeTable", "find_attribute_table", "holds_attributes", "read_rows"]

VALUES = {"1": 1, "true": 1, "0": 0, "-1": 0, "false": 0}  # CelebA writes -1 for no
ENDINGS = (".txt", ".csv", ".tsv")
LOOKED_AT = 1_000  # rows by which a table is known
LAYOUTS = (
    "a count, a line of names, then lines FILE 1 -1 ..., as CelebA's; "
    "or a CSV with the header file,NAME,NAME,..."
)


@dataclass(frozen=True)
class AttributeTable:
    """A table of attributes whose rows are not read yet.

    Attributes:
        table: its text.
        names: of the attributes.
    """

    table: Table
    names: tuple[str, ...]

    @property
    def file(self) -> str:
        """The name of its file."""
        return self.table.name

    @property
    def content(self) -> bytes:
        """The bytes of its file."""
        return self.table.content


def find_attribute_table(source: FileSource, wanted: str) -> AttributeTable:
    """The table of attributes of a set: the `wanted` one, or with "none" the only one at the root.

    Raises:
        UserError: there is none, or several, or it cannot be read.
    """
    if wanted != "none":
        return _read_head(read_table(wanted, read_bytes(source, wanted, "table of attributes")))

    # only at the root: a table in a sub-folder is about that folder
    there = sorted(name for name in source.others if "/" not in name and extension(name) in ENDINGS)
    if len(there) == 1:  # a fault in it is reported
        only = read_table(there[0], read_bytes(source, there[0], "table of attributes"))
        if divides_set(only):
            raise UserError(
                f"{source.place} has no table of attributes: {only.name} divides the images into "
                f"training and test; a table is {LAYOUTS}"
            )
        return _read_head(only)

    # a licence, a list of boxes, or what divides the set may lie beside it
    found = [name for name in there if _looks_right(source, name)]
    if len(found) == 1:
        return find_attribute_table(source, found[0])
    if found:
        raise UserError(
            f"{source.place} has several tables of attributes: {', '.join(found)}; "
            f"name one with --labels {found[0]}"
        )
    why = "it has no .txt or .csv file beside the images or their folder"
    if there:
        why = f"none of {', '.join(there)} is one"
    raise UserError(f"{source.place} has no table of attributes: {why}; a table is {LAYOUTS}")


def _looks_right(source: FileSource, name: str) -> bool:
    """Whether a file at the root is a table of attributes."""
    try:
        return holds_attributes(read_table(name, read_bytes(source, name, "table of attributes")))
    except UserError:
        return False


def holds_attributes(table: Table) -> bool:
    """Whether a table begins as one of attributes does: names, then rows of yes and no."""
    try:
        rows = _iterate_rows(_read_head(table))
        some = sum(1 for _ in islice(rows, LOOKED_AT))
    except UserError:
        return False
    return some > 0 and not divides_set(table)


def _read_head(table: Table) -> AttributeTable:
    """A table with its names read.

    Raises:
        UserError: it does not begin as a table of attributes does.
    """
    # CelebA's layout begins with the number of rows, a CSV with its header
    first = next(table.rows(), None)
    names = table.names or (tuple(first.cells[1:]) if first else ())

    if not names or not all(names):
        start = table.lines[0].strip()[:60] if table.lines else ""
        raise UserError(f"{table.name} begins with {start!r}; a table of attributes is {LAYOUTS}")
    twice = [one for one, count in Counter(names).items() if count > 1]
    if twice:
        raise UserError(
            f"{table.name} has the attribute {twice[0]!r} twice; give each a name of its own"
        )
    return AttributeTable(table, names)


def _iterate_rows(attributes: AttributeTable) -> Iterator[tuple[str, bytes]]:
    """File and values of each row; the values are one byte, 1 or 0, an attribute.

    Raises:
        UserError: a row has too few or too many cells, or a value that is neither yes nor no; the
            message names its line.
    """
    table = attributes.table
    head = None if table.names else next(table.rows(), None)
    for number, (file, *values) in table.rows():
        if head and number == head.line:
            continue
        if len(values) != len(attributes.names):
            found = count_noun(len(values), "value")
            wanted = count_noun(len(attributes.names), "attribute")
            line = table.lines[number - 1][:60]
            raise UserError(f"{table.name}, line {number}: {found} for {wanted}: {line!r}")

        # one byte a value: a table of 200,000 images and 40 attributes takes 8 MB
        try:
            row = bytes(VALUES[value.lower()] for value in values)
        except KeyError as error:
            raise UserError(
                f"{table.name}, line {number}: {error.args[0]!r} is none of 1, 0, -1, true, false"
            ) from None
        yield file, row


def read_rows(table: AttributeTable) -> dict[str, bytes]:
    """The values of each file.

    Raises:
        UserError: there are none, or a file has two different rows.
    """
    rows: dict[str, bytes] = {}
    for file, row in _iterate_rows(table):
        # equal rows do no harm
        if rows.setdefault(file, row) != row:
            raise UserError(f"{table.file}: {file!r} has two rows that differ; keep one of them")

    if not rows:
        raise UserError(f"{table.file} has no rows; a table is {LAYOUTS}")
    return rows
