"""Read tables of attributes: of each image file and each attribute, yes or no."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ganvas.data.folders.source import FileSource, extension
from ganvas.data.text import split_lines
from ganvas.errors import UserError
from ganvas.io.console import count_noun
from ganvas.io.images import UnreadableError
from ganvas.io.reading import DamagedFileError, expand_home, read_bytes
from ganvas.io.tables import split_cells

__all__ = ["AttributeTable", "find_attribute_table", "read_rows"]

VALUES = {"1": 1, "true": 1, "0": 0, "-1": 0, "false": 0}  # CelebA writes -1 for no
ENDINGS = (".txt", ".csv")
LAYOUTS = (
    "a count, a line of names, then lines FILE 1 -1 ..., as CelebA's; "
    "or a CSV with the header file,NAME,NAME,..."
)


@dataclass(frozen=True)
class AttributeTable:
    """A table of attributes whose rows are not read yet.

    Attributes:
        file: its name.
        content: its bytes.
        names: of the attributes.
    """

    file: str
    content: bytes
    names: tuple[str, ...]


def find_attribute_table(source: FileSource, wanted: str) -> AttributeTable:
    """The table of attributes of a set: the `wanted` one, or with "none" the only one at the root.

    Raises:
        UserError: there is none, or several, or it cannot be read.
    """
    if wanted != "none":
        return _read_head(wanted, _read_content(source, wanted))

    # only at the root: a table in a sub-folder is about that folder
    there = sorted(name for name in source.others if "/" not in name and extension(name) in ENDINGS)
    contents = {name: _read_content(source, name) for name in there}
    if len(there) > 1:  # a licence or a list of boxes may lie beside it
        contents = {
            name: content for name, content in contents.items() if _looks_right(name, content)
        }
    if len(contents) == 1:
        return _read_head(*next(iter(contents.items())))

    if contents:
        names = list(contents)
        raise UserError(
            f"{source.place} has several tables of attributes: {', '.join(names)}; "
            f"name one with --labels {names[0]}"
        )
    found = "it has no .txt or .csv file beside the images or their folder"
    if there:
        found = f"none of {', '.join(there)} is one"
    raise UserError(f"{source.place} has no table of attributes: {found}; a table is {LAYOUTS}")


def _read_content(source: FileSource, name: str) -> bytes:
    """The bytes of a table in a set, or elsewhere on the disk.

    Raises:
        UserError: it is not there.
    """
    # the set's own file comes first, so that a name means the same in every working folder
    try:
        if name in source.others:
            return source.read(source.others[name])
        return read_bytes(expand_home(name))
    except (UnreadableError, DamagedFileError) as error:
        raise UserError(
            f"table of attributes {name!r}: no such file, neither in {source.place} nor on the disk"
        ) from error


def _looks_right(name: str, content: bytes) -> bool:
    """Whether a file begins as a table of attributes does."""
    # one row is enough: faults further down are errors, no reason to take another table
    try:
        table = _read_head(name, content)
        next(_iterate_rows(table), None)
    except UserError:
        return False
    return True


def _read_head(name: str, content: bytes) -> AttributeTable:
    """A table with its names read.

    Raises:
        UserError: not UTF-8, or it does not begin as a table of attributes does.
    """
    try:
        lines = split_lines(content.decode("utf-8-sig"))  # spreadsheets put a mark before the text
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8 text; save it again as UTF-8") from error

    # CelebA's layout begins with the number of rows, a CSV with its header
    first = lines[0].strip() if lines else ""
    if first.isdecimal() and len(lines) > 1:
        names = lines[1].split()
    else:
        names = [cell.strip() for cell in _split_line(first, first, name)][1:]

    if not names or not all(names):
        raise UserError(f"{name} begins with {first[:60]!r}; a table of attributes is {LAYOUTS}")
    twice = [one for one, count in Counter(names).items() if count > 1]
    if twice:
        raise UserError(f"{name} has the attribute {twice[0]!r} twice; give each a name of its own")
    return AttributeTable(name, content, tuple(names))


def _split_line(line: str, header: str, name: str) -> list[str]:
    """The cells of a line of a CSV whose header has tabs, semicolons or commas."""
    # the comma last: a name in a header with tabs may hold one
    delimiter = next((sign for sign in "\t;," if sign in header), ",")
    return split_cells(line, delimiter, name)


def _iterate_rows(table: AttributeTable) -> Iterator[tuple[str, bytes]]:
    """File and values of each row; the values are one byte, 1 or 0, an attribute.

    Raises:
        UserError: a row has too few or too many cells, or a value that is neither yes nor no; the
            message names its line.
    """
    lines = split_lines(table.content.decode("utf-8-sig"))
    counted = lines[0].strip().isdecimal()
    head = 2 if counted else 1

    # line by line, so that a message can name the line: no cell can hold a newline
    for number, line in enumerate(lines[head:], head + 1):
        if not line.strip():
            continue

        file, *values = line.split() if counted else _split_line(line, lines[0], table.file)
        if len(values) != len(table.names):
            found = count_noun(len(values), "value")
            wanted = count_noun(len(table.names), "attribute")
            raise UserError(f"{table.file}, line {number}: {found} for {wanted}: {line[:60]!r}")

        # one byte a value: a table of 200,000 images and 40 attributes takes 8 MB
        try:
            row = bytes(VALUES[value.strip().lower()] for value in values)
        except KeyError as error:
            raise UserError(
                f"{table.file}, line {number}: {error.args[0]!r} is none of 1, 0, -1, true, false"
            ) from None
        # paths as Windows and `find .` write them
        yield file.strip().replace("\\", "/").removeprefix("./"), row


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
