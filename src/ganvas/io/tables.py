"""Read tables that others wrote: lines of cells, as CSV quotes them."""

import csv
from collections.abc import Iterable, Iterator

from ganvas.errors import UserError

__all__ = ["read_cells"]


def read_cells(
    lines: Iterable[str], delimiter: str, where: str, before: int = 0
) -> Iterator[tuple[int, list[str]]]:
    """Read the rows of a table.

    Args:
        lines: of the table.
        delimiter: the sign between two cells.
        where: name of the table, in messages.
        before: lines of the table before these.

    Yields:
        the number of the row's last line, from 1, and its cells.

    Raises:
        UserError: a row cannot be read, such as one with a cell of more than 128 KiB; the message
            names its line.
    """
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            line = before + reader.line_num
            raise UserError(f"{where}, line {line}: cannot be read: {error}") from None
        yield before + reader.line_num, cells
