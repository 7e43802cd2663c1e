"""What is compared with what, and how values are printed."""

from pathlib import Path

import pytest

from ganvas.errors import UserError
from ganvas.evaluation import evaluate
from ganvas.evaluation.formatting import build_tables, format_cell, format_value
from ganvas.evaluation.tables import group_comparable, print_evaluations, split_sets


def test_values_of_different_protocols_are_not_in_one_table():
    one, same, other = (
        evaluate("noise", "digits", metrics=["fd"], features="random", count=n)
        for n in (20, 20, 30)
    )
    assert [len(group) for group in group_comparable([one, other, same])] == [2, 1]


def test_notes_are_printed_once_and_not_in_the_output(capsys: pytest.CaptureFixture[str]):
    settings = {"metrics": ["fd"], "features": "pixels", "count": 20, "device": "cpu"}
    print_evaluations(["noise", "noise", "digits"], None, False, **settings)
    output, error = capsys.readouterr()
    assert output.startswith("set ")
    assert error.splitlines() == [
        "note: only 20 samples of noise: FD is biased upwards; prefer KD",
        "note: only 1,797 images of digits: FD is biased upwards; prefer KD",
    ]


def test_what_is_compared_with_what(run: Path):
    assert split_sets([str(run), str(run)], None) == ([str(run)] * 2, None)
    assert split_sets([str(run), "noise", "digits"], None) == ([str(run), "noise"], "digits")
    assert split_sets(["noise"], "digits") == (["noise"], None)
    for sets, message in (
        ([], "name a run folder"),
        (["digits"], "REFERENCE"),
        (["runs/absent"], "there is no run folder"),
        (["pairs:/absent"], "pairs:/absent REFERENCE compares it"),
        (["mnist-test"], "mnist-test REFERENCE compares it"),
    ):
        with pytest.raises(UserError, match=message):
            split_sets(sets, None)


def test_cells():
    assert format_value("precision", 0.12345) == "12.3 %"
    assert format_value("modes", 8) == "8"
    assert format_value("fd", 12.34567) == "12.35"
    assert format_value("kl", float("nan")) == "-"
    assert format_cell({"kd": 0.01234, "kd_error": 0.0002}, "kd") == "0.0123 ± 0.0002"
    assert format_cell({"fd": 1.0}, "kd") == ""


def test_wide_tables_are_cut():
    rows = [("a run", ["1.234"] * 6)]
    wide, narrow = (build_tables("set", ["a heading"] * 6, rows, width) for width in (100, 40))
    assert [len(table.columns) for table in wide] == [7]
    assert [len(table.columns) for table in narrow] == [4, 4]
