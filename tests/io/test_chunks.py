"""Ranges of rows that fit into memory."""

import pytest

from ganvas.io.chunks import chunk_ranges, chunk_slices


@pytest.mark.parametrize(
    ("count", "whole", "expected"),
    [
        (0, False, []),
        (0, True, []),
        (4, False, [range(0, 4)]),
        (4, True, [range(0, 4)]),
        (9, False, [range(0, 4), range(4, 8), range(8, 9)]),
        (9, True, [range(0, 4), range(4, 8), range(8, 12)]),
    ],
)
def test_chunks_cover_the_rows_and_only_a_whole_last_one_goes_beyond(
    count: int, whole: bool, expected: list[range]
) -> None:
    assert list(chunk_ranges(count, 4, whole=whole)) == expected


def test_slices_cut_out_the_same_rows() -> None:
    rows = list(range(9))
    assert [rows[part] for part in chunk_slices(9, 4)] == [rows[:4], rows[4:8], rows[8:]]
