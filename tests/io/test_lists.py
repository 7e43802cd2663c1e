"""Lists in flags: with commas, or the flag again."""

from pathlib import Path

import pytest

from ganvas.io.lists import split_list, split_pairs, split_places


def test_commas_and_repetition_mean_the_same():
    assert split_list(["fd, kd", "recall", ""]) == ["fd", "kd", "recall"]
    assert split_list([]) == []


@pytest.mark.parametrize(
    ("given", "pairs"),
    [
        (["A=1,B=0", "C=1"], ["A=1", "B=0", "C=1"]),
        (["beak=1,2,left eye=3,4"], ["beak=1,2", "left eye=3,4"]),
        (["batch=4, options.width=8"], ["batch=4", "options.width=8"]),
        (['attributes=["A", "B"],seed=1'], ['attributes=["A", "B"]', "seed=1"]),
        (['options.exclusive=[["A", "B"]]'], ['options.exclusive=[["A", "B"]]']),
        (['stop_below={"a": 1, "b=": 2},seed=1'], ['stop_below={"a": 1, "b=": 2}', "seed=1"]),
        (["A,B=1"], ["A", "B=1"]),  # the first is refused by whoever reads it
        (["A=yes=1,2"], ["A=yes=1,2"]),
    ],
)
def test_pairs_are_cut_where_a_new_one_begins(given: list[str], pairs: list[str]):
    assert split_pairs(given) == pairs


def test_a_place_whose_name_holds_a_comma_is_one(tmp_path: Path):
    (tmp_path / "a,b").mkdir()
    assert split_places([tmp_path / "a,b", Path("c"), Path("d,e")]) == [
        tmp_path / "a,b",
        Path("c"),
        Path("d"),
        Path("e"),
    ]
