"""Split many rows into chunks that fit into memory."""

from collections.abc import Iterator

__all__ = ["chunk_ranges", "chunk_slices"]


def chunk_ranges(count: int, size: int, whole: bool = False) -> Iterator[range]:
    """Split the rows 0..count - 1 into ranges of `size` rows each, in order.

    Args:
        count: rows in all, 0 or more.
        size: rows of a chunk, 1 or more.
        whole: whether the last range also has `size` rows, some of them beyond `count`. A network
            rounds differently for another batch size, so a row is the same whatever the count
            only if every chunk has the same size; the surplus rows are then cut off.

    Yields:
        each range of rows; without `whole` the last one may be shorter.
    """
    for start in range(0, count, size):
        end = start + size
        yield range(start, end if whole else min(end, count))


def chunk_slices(count: int, size: int) -> Iterator[slice]:
    """As `chunk_ranges`, as slices that cut the rows out of an array or a list."""
    for rows in chunk_ranges(count, size):
        # Arrays are cut by a slice without a copy; a range as an index would copy the rows.
        yield slice(rows.start, rows.stop)
