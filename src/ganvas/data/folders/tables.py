"""Read tables beside images: their encoding, separator, header, and which column names the files.

All tables of text go through here: labels, attributes, captions, and what divides a set into
training and test.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import NamedTuple

from ganvas.data.encodings import decode_text
from ganvas.data.folders.source import EXTENSIONS, Entry, FileSource, extension
from ganvas.data.text import split_lines
from ganvas.errors import UserError
from ganvas.io.images import UnreadableError
from ganvas.io.reading import check_regular, expand_home
from ganvas.io.tables import read_cells

__all__ = [
    "FILE_WORDS",
    "LABEL_WORDS",
    "PARTITION_WORDS",
    "Layout",
    "PictureNames",
    "Table",
    "TableRow",
    "divides_set",
    "find_layout",
    "is_partition",
    "read_bytes",
    "read_table",
]

SIGNS = "\t;,"  # the comma last: names of files and classes may hold one
LOOKED_AT = 200  # rows that show what a table's columns are
MOST_BYTES = 2**28  # of a table; larger ones are no tables of images
# Names of columns, in small letters, as headers of published tables have them.
FILE_WORDS = {"file", "filename", "file_name", "filepath", "file_path", "path", "name", "id"}
FILE_WORDS |= {"image", "image_id", "imageid", "image_name", "img"}
FILE_WORDS |= {"文件", "文件名", "图像", "图片", "图像名", "图片名"}
LABEL_WORDS = {"label", "labels", "class", "class_name", "category", "target"}
LABEL_WORDS |= {"类别", "标签", "分类"}
PARTITION_WORDS = {"partition", "split", "subset", "set", "fold", "usage"}
# What a row may say in such a column, beside 0, 1 and 2.
PARTITIONS = {"train", "training", "val", "valid", "validation", "dev", "test", "testing"}


class TableRow(NamedTuple):
    """A row with something in it.

    Attributes:
        line: its number in the file, from 1.
        cells: without blanks around them.
    """

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """A table that is split into lines, and into cells as its rows are asked for.

    Attributes:
        name: of the file.
        content: its bytes.
        lines: of its text.
        sign: what separates the cells; a blank stands for any number of them.
        skip: lines before the rows: the count and the names in CelebA's layout.
        notes: how its text was read, where it is not UTF-8.
    """

    name: str
    content: bytes
    lines: list[str]
    sign: str
    skip: int
    notes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns after the file's in CelebA's layout; elsewhere none."""
        return tuple(self.lines[1].split()) if self.skip else ()

    def rows(self) -> Iterator[TableRow]:
        """The rows, one by one: a table may have millions of cells.

        Raises:
            UserError: a line cannot be split; names it.
        """
        lines = self.lines[self.skip :]
        if self.sign == " ":
            for number, line in enumerate(lines, self.skip + 1):
                if cells := line.split():
                    yield TableRow(number, cells)
            return

        for line, cells in read_cells(lines, self.sign, self.name, self.skip):
            row = [cell.strip() for cell in cells]
            if any(row):
                yield TableRow(line, row)


def read_bytes(source: FileSource, name: str, what: str) -> bytes:
    """The bytes of a table in a set, or elsewhere on the disk.

    Args:
        source: the set.
        name: of the table.
        what: it is, and what else may be named, for a message.

    Raises:
        UserError: it is not there, or too large.
    """
    # the set's own file comes first, so that a name means the same in every working folder
    path = expand_home(name)
    try:
        size = source.others[name].size if name in source.others else check_regular(path).st_size
        if size <= MOST_BYTES:
            return source.read(source.others[name]) if name in source.others else path.read_bytes()
    except (OSError, UnreadableError) as error:
        raise UserError(
            f"{what} {name!r}: no such file, neither in {source.place} nor on the disk"
        ) from error
    raise UserError(f"{name} is {size / 2**20:,.0f} MiB large; tables have at most 256")


def read_table(name: str, content: bytes) -> Table:
    """Read a text table in any usual encoding, with any usual separator.

    Raises:
        UserError: it is not text.
    """
    decoded = decode_text(content, name)
    lines = split_lines(decoded.text)
    notes = tuple(f"{name}: {note}" for note in decoded.notes)

    # CelebA's layout: the number of rows, the names of the columns but the first, the rows
    first = lines[0].strip() if lines else ""
    if first.isdecimal() and len(lines) > 1:
        return Table(name, content, lines, " ", 2, notes)
    return Table(name, content, lines, _find_sign(lines), 0, notes)


def _find_sign(lines: Sequence[str]) -> str:
    """What separates the cells: the sign that cuts all lines alike into two cells or more; a comma
    where none does.
    """
    some = list(islice((line for line in lines if line.strip()), LOOKED_AT))
    files = {}  # by sign: cells that are names of images
    for sign in SIGNS:
        # a quote that never ends, or a huge cell, is reported when the rows are read
        with suppress(UserError):
            rows = [cells for _, cells in read_cells(some, sign, "")]
            widths = {len(row) for row in rows}
            if len(widths) == 1 and 1 not in widths:
                files[sign] = sum(_is_file(cell) for row in rows for cell in row)
    if files:
        # "a.png,red;blue" may be cut at either, but only the comma leaves the name whole
        return max(files, key=files.__getitem__)

    # not all lines alike: the sign of the first one, so that a message can name the others
    first = some[0] if some else ""
    if sign := next((sign for sign in SIGNS if sign in first), ""):
        return sign
    pairs = len(some) > 1 and all(len(line.split()) == 2 for line in some)
    return " " if pairs else ","


def _is_file(cell: str) -> bool:
    """Whether a cell ends as the names of images do."""
    return extension(cell.strip()) in EXTENSIONS


class PictureNames:
    """The images of a set by what a table may call them: the path, the name alone, and both without
    the ending; the shorter ones only where they mean one image.
    """

    def __init__(self, source: FileSource) -> None:
        self.wrapper = source.wrapper
        self.paths = {entry.name: entry for entry in source.pictures}
        self.names = _keep_unique((PurePosixPath(path).name, one) for path, one in self._all())
        self.stems = _keep_unique((_without_ending(path), one) for path, one in self._all())
        self.bare = _keep_unique((PurePosixPath(path).stem, one) for path, one in self._all())
        # images of other splits, which a table of the whole set names too
        self.elsewhere = {_without_ending(path) for path in source.elsewhere}
        self.far = {PurePosixPath(path).stem for path in source.elsewhere}

    def _all(self) -> Iterator[tuple[str, Entry]]:
        yield from self.paths.items()

    def find_file(self, text: str) -> Entry | None:
        """The image of a path or name with its ending, in the spelling of any system."""
        name = _plain_path(text)
        inside = name.removeprefix(self.wrapper)  # the set's wrapper may be named or not
        if found := self.paths.get(name) or self.paths.get(inside):
            return found
        # "train/1.png" is not the "1.png" of another split
        return None if self._is_far(name) else self.names.get(PurePosixPath(name).name)

    def find(self, text: str) -> Entry | None:
        """The image of a path or name, with its ending or without."""
        if found := self.find_file(text):
            return found
        name = _plain_path(text)
        inside = name.removeprefix(self.wrapper)
        if found := self.stems.get(name) or self.stems.get(inside):
            return found
        return None if self._is_far(name) or not name else self.bare.get(PurePosixPath(name).name)

    def is_elsewhere(self, text: str) -> bool:
        """Whether a path or name is that of an image in another split."""
        name = _plain_path(text)
        last = PurePosixPath(name)
        return self._is_far(name) or bool({last.name, last.stem} & self.far)

    def _is_far(self, name: str) -> bool:
        """Whether a path, not only its last part, is that of an image in another split."""
        inside = name.removeprefix(self.wrapper)
        whole = {name, inside, _without_ending(name), _without_ending(inside)}
        return bool(whole & self.elsewhere)


def _plain_path(text: str) -> str:
    """A path as a set names its files: Windows and `find .` write it otherwise."""
    return text.replace("\\", "/").removeprefix("./")


def _without_ending(path: str) -> str:
    return path.removesuffix(PurePosixPath(path).suffix)


def _keep_unique(pairs: Iterator[tuple[str, Entry]]) -> dict[str, Entry]:
    """The pairs whose name occurs once."""
    found: dict[str, Entry | None] = {}
    for name, entry in pairs:
        found[name] = None if name in found else entry
    return {name: entry for name, entry in found.items() if entry is not None}


class Layout(NamedTuple):
    """What the columns of a table are.

    Attributes:
        header: the row with their names; empty: there is none.
        file: number of the column that names the image, from 0.
        width: how many columns there are.
    """

    header: list[str]
    file: int
    width: int

    def is_header(self, row: TableRow) -> bool:
        """Whether a row repeats the header, as in tables that were joined."""
        return bool(self.header) and row.cells == self.header

    def name(self, column: int) -> str:
        """A column's name, or its number from 1."""
        return self.header[column] if self.header else str(column + 1)

    def find(self, name: str) -> int | None:
        """The number of a column by its name, or by its number from 1; None: there is none."""
        if name in self.header:
            return self.header.index(name)
        lower = [one.lower() for one in self.header]
        if lower.count(name.lower()) == 1:
            return lower.index(name.lower())
        is_number = name.isdecimal() and 1 <= int(name) <= self.width
        return int(name) - 1 if is_number else None

    @property
    def others(self) -> list[int]:
        """The columns that do not name the image."""
        return [column for column in range(self.width) if column != self.file]


def find_layout(table: Table, pictures: PictureNames) -> Layout:
    """Which column of a table names the images, and whether the first row is a header.

    Raises:
        UserError: the table is empty.
    """
    rows = [row.cells for row in islice(table.rows(), LOOKED_AT)]
    if not rows:
        raise UserError(f"{table.name} is empty; its rows are a file and a label")
    if table.names:
        return Layout([], 0, len(table.names) + 1)

    width = len(rows[0])
    file = _find_file_column(rows, pictures)
    return Layout(rows[0] if _is_header(rows, file, pictures) else [], file, width)


def _find_file_column(rows: Sequence[Sequence[str]], pictures: PictureNames) -> int:
    """The column whose cells name most images; a name with its ending counts before one without,
    since a number may be the name of a class too.
    """
    columns = range(len(rows[0]))
    for find in (pictures.find_file, pictures.find):
        counts = [
            sum(bool(find(row[column])) for row in rows if column < len(row)) for column in columns
        ]
        if any(counts):
            return max(columns, key=counts.__getitem__)

    # none: the table of another set, whose header may tell
    named = [column for column in columns if rows[0][column].lower() in FILE_WORDS]
    return named[0] if named else 0


def _is_header(rows: Sequence[Sequence[str]], file: int, pictures: PictureNames) -> bool:
    """Whether the first row names columns, not an image."""
    first = rows[0][file]
    if pictures.find(first) or _is_file(first):
        return False
    if any(cell.lower() in FILE_WORDS | LABEL_WORDS | PARTITION_WORDS for cell in rows[0]):
        return True
    # a number among numbers is the name of an image that is not there
    others = [row[file] for row in rows[1:] if file < len(row)]
    return not (first.isdecimal() and others and all(name.isdecimal() for name in others))


def is_partition(rows: Sequence[Sequence[str]], name: str = "") -> bool:
    """Whether a table divides a set into training, validation and test images: a file and 0, 1, 2
    or a word such as "train" in each row.

    Args:
        rows: the cells of its rows, a header among them.
        name: of its file: numbers alone could also be classes, so without a header the name must
            tell, as CelebA's "list_eval_partition.txt" does.
    """
    if not rows or any(len(row) != 2 for row in rows):
        return False

    told = any(word in name.lower() for word in ("partition", "split"))
    head = rows[0][1].strip().lower()
    body = rows
    if head in PARTITION_WORDS or (rows[0][0].strip().lower() in FILE_WORDS and len(rows) > 1):
        told = told or head in PARTITION_WORDS
        body = rows[1:]

    values = {row[1].strip().lower() for row in body}
    return bool(values) and (values <= PARTITIONS or (told and values <= {"0", "1", "2"}))


def divides_set(table: Table) -> bool:
    """Whether a table divides a set into training, validation and test images."""
    first = next(table.rows(), None)
    # the width first: a table of attributes may have millions of cells
    if first is None or len(first.cells) != 2:
        return False
    return is_partition([row.cells for row in table.rows()], table.name)
