"""What is compared with what, and how values are printed."""

import json
import math
from pathlib import Path

import pytest

import ganvas
from ganvas.errors import UserError
from ganvas.evaluation import evaluate
from ganvas.evaluation.formatting import build_tables, format_cell, format_value, head_column
from ganvas.evaluation.registry import BETTER, check_metric_names
from ganvas.evaluation.tables import group_comparable, print_evaluations, split_sets
from ganvas.evaluation.titles import TITLES, find_keys
from ganvas.runs.locate import find_checkpoints

STATIC = Path(ganvas.__file__).parent / "studio" / "static"


def test_values_of_different_protocols_are_not_in_one_table():
    one, same, other = (
        evaluate("noise", "digits", metrics=["fd"], features="random", count=n)
        for n in (20, 20, 30)
    )
    assert [len(group) for group in group_comparable([one, other, same])] == [2, 1]


def test_notes_are_printed_once_below_the_table(capsys: pytest.CaptureFixture[str]):
    settings = {"metrics": ["fd"], "features": "pixels", "count": 20, "device": "cpu"}
    note = "note: with fewer than 10,000 samples or real images fd is too high; look at kd"
    print_evaluations(["noise", "noise", "digits"], None, False, **settings)
    output, error = capsys.readouterr()
    assert output.startswith("set ")
    assert output.splitlines().count(note) == 1
    assert output.splitlines()[-1] == note
    assert not error

    # What a program reads is JSON and nothing else.
    print_evaluations(["noise", "noise", "digits"], None, True, **settings)
    output, error = capsys.readouterr()
    assert [note[6:]] * 2 == [text for each in json.loads(output) for text in each["notes"]]
    assert error.splitlines() == [note]


def test_of_few_images_there_are_no_shares(capsys: pytest.CaptureFixture[str]):
    """One image more, and there are."""
    shares = ["precision", "recall", "density", "coverage"]
    settings = {"metrics": ["kd", *shares], "features": "pixels", "device": "cpu"}
    print_evaluations(["noise", "digits"], None, False, count=99, **settings)
    output = capsys.readouterr().out
    assert output.splitlines()[1].split()[2:] == ["-"] * 4
    assert output.count("need 100 samples and 100 real images") == 1

    few, enough = (evaluate("noise", "digits", count=count, **settings) for count in (99, 100))
    assert [name for name, value in few.values.items() if math.isnan(value)] == shares
    assert {few.to_json()["values"][name] for name in shares} == {None}
    assert not any(math.isnan(value) for value in enough.values.values())


def test_of_few_held_out_images_there_are_no_copies():
    """Digits hold out 35."""
    settings = {"data": "digits", "metrics": ["copies"], "features": "pixels", "device": "cpu"}
    found = evaluate("noise", count=200, **settings)
    assert math.isnan(found.values["copies"])
    assert found.values.keys() == {"copies"}
    assert any("held out from training" in note for note in found.notes)


def test_copies_stand_beside_what_chance_gives():
    values = {"copies": 0.034, "copies_chance": 0.01}
    assert format_cell(values, "copies") == "3.4 % (chance 1.0 %)"


def test_every_column_can_be_asked_for_by_the_name_that_is_shown():
    """In the table with its arrow, and in the studio."""
    page = (STATIC / "texts" / "judge.js").read_text(encoding="utf-8")
    assert TITLES.keys() == BETTER.keys()
    for key, title in TITLES.items():
        assert f'"judge.name.{key}": "{title}"' in page
        check_metric_names([key, head_column(key), title, title.upper()])
        assert find_keys(key) == find_keys(head_column(key)) == (key,)
        assert key in find_keys(title)

    settings = {"features": "pixels", "count": 120, "device": "cpu"}
    asked = ["Kernel distance", "frechet distance", " Precision ↑"]
    found = evaluate("noise", "digits", metrics=asked, **settings)
    assert found.values.keys() == {"kd", "fd", "precision"}
    with pytest.raises(UserError, match="KID: that name is for Inception features"):
        evaluate("noise", "digits", metrics=["KID"], **settings)


def test_checkpoints_of_a_run_have_names_of_their_own(
    run: Path, capsys: pytest.CaptureFixture[str]
):
    first, *_, last = find_checkpoints(run / "checkpoints")
    settings = {"metrics": ["kd"], "features": "pixels", "count": 20, "device": "cpu"}
    print_evaluations([str(first), str(last), "digits"], None, False, **settings)
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines[1:3]]
    assert names == [f"run@{int(path.name):,}" for path in (first, last)]


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
