"""Read tables that others wrote: lines of cells, as CSV quotes them."""

import csv
from collections.abc import Iterable, Iterator

from ganvas.errors import UserError

__all__ = ["read_cells", "split_cells"]


def read_cells(lines: Iterable[str], delimiter: str, where: str) -> Iterator[list[str]]:
    """Read the cells of each row.

    Args:
        lines: of the table.
        delimiter: the sign between two cells.
        where: name of the table, in messages.

    Raises:
        UserError: a row cannot be read, such as one with a cell of more than 128 KiB; the message
            names its line.
    """
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UserError(f"{where}, line {reader.line_num}: {error}") from None
        yield row


def split_cells(line: str, delimiter: str, where: str) -> list[str]:
    """Split one line into its cells; none where it is empty.

    Raises:
        UserError: as `read_cells`.
    """
    return next(read_cells([line], delimiter, where), [])
