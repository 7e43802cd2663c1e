"""`ganvas evaluate`: names, columns, tables and JSON."""

import json
import re
import shutil
from pathlib import Path

import pytest
from commands import Command
from PIL import Image

from ganvas.runs.locate import find_checkpoints


def test_two_rows_never_share_a_name(ganvas: Command, run: Path, tmp_path: Path):
    for folder in ("one", "other"):
        shutil.copytree(run, tmp_path / folder / "digits")
        assert ganvas("sample", run, "--count", 4, "--out", tmp_path / folder / "made")[0] == 0

    ganvas(
        "train",
        "--out",
        tmp_path / "one" / "digits",
        "--images",
        1050,
        "--device",
        "cpu",
        "--quiet",
    )
    first, last = find_checkpoints(tmp_path / "one" / "digits" / "checkpoints")[-2:]
    sets = [
        first,
        last,
        tmp_path / "other" / "digits",
        tmp_path / "one" / "made",
        tmp_path / "other" / "made",
        "noise",
    ]
    asked = ["--features", "pixels", "--count", 4, "--metrics", "fd"]
    status, output, error = ganvas("evaluate", *sets, "digits", *asked, "--json")

    assert status == 0, error

    before, after = (
        json.loads((path / "about.json").read_text())["images"] for path in (first, last)
    )
    one, other = tmp_path / "one", tmp_path / "other"
    # Only where a name is still shared does it get its folder.
    names = [f"{one / 'digits'}@{before:,}", f"digits@{after:,}"]
    names += [
        f"{other / 'digits'}@{before:,}",
        str(one / "made"),
        str(other / "made"),
        "noise",
    ]

    assert [each["name"] for each in json.loads(output)] == names

    # the same weights, named in two ways
    _, output, _ = ganvas("evaluate", last, last.parents[1], "digits", *asked)
    assert [line.split()[0] for line in output.splitlines()[1:3]] == [
        str(last),
        str(last.parents[1]),
    ]


@pytest.mark.slow
def test_every_column_can_be_asked_for_by_its_name(ganvas: Command, run: Path, tmp_path: Path):
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    asked = [copy, "--features", "classifier", "--count", 60, "--data", "digits"]
    status, output, error = ganvas("evaluate", *asked)

    assert status == 0, error
    for column in re.findall(r"(\w+) [↓↑→]", output.splitlines()[0]):
        status, output, error = ganvas("evaluate", *asked, "--metrics", column)
        assert status == 0, error
        assert column in output.splitlines()[0]

    _, output, _ = ganvas("evaluate", *asked, "--metrics", "copies,kl")
    assert output.splitlines()[0].split() == ["set", "copies", "↓", "kl", "↓"]

    error = ganvas("evaluate", *asked, "--metrics", "high_quality")[2]
    assert "--metrics high_quality: modes gives only modes, kl here" in error

    error = ganvas("evaluate", *asked, "--metrics", "trrtr")[2]
    assert "did you mean trtr? known: agreement, attributes, augmented," in error
    assert error.count("\n") == 1


def test_evaluate_shows_values_and_protocol(ganvas: Command, run: Path, tmp_path: Path):
    copy = tmp_path / "digits"
    shutil.copytree(run, copy)
    status, output, error = ganvas("evaluate", copy, "--count", 40)

    assert status == 0, error
    for word in (
        "fd ↓",
        "kd ↓",
        "precision ↑",
        "memorisation",
        "agreement",
        "40 samples, seed 0",
        "1,762 8x8 images",
    ):
        assert word in output
    assert "classifier, trained on digits" in output
    note = "note: with fewer than 10,000 samples or real images fd is too high; look at kd"
    assert output.count(note) == 1
    assert str(copy / "memorisation.png") in output
    assert (copy / "memorisation.png").exists()
    assert len((copy / "evaluations.jsonl").read_text().splitlines()) == 1


def test_evaluate_as_json_is_what_it_records(ganvas: Command, run: Path, tmp_path: Path):
    shutil.copytree(run, tmp_path / "one")
    status, output, error = ganvas(
        "evaluate", tmp_path / "one", "noise", "--data", "digits", "--count", 40, "--json"
    )

    assert status == 0, error

    first, second = json.loads(output)
    assert [first] == [
        json.loads(line)
        for line in (tmp_path / "one" / "evaluations.jsonl").read_text().splitlines()
    ]
    assert (first["name"], second["name"]) == ("one", "noise")
    assert first["protocol"] == second["protocol"]
    assert first["values"]["fd"] != second["values"]["fd"]


def test_sets_measured_in_different_ways_get_tables_of_their_own(ganvas: Command, tmp_path: Path):
    (tmp_path / "few").mkdir()
    for number in range(9):
        Image.new("L", (8, 8), 20 * number).save(tmp_path / "few" / f"{number}.png")
    arguments = (
        "noise",
        tmp_path / "few",
        "digits",
        "--count",
        20,
        "--features",
        "pixels",
        "--metrics",
        "fd",
    )
    status, output, error = ganvas("evaluate", *arguments)

    assert status == 0, error
    assert output.count("fd ↓") == 2
    assert "do not compare their values" in output
    assert "note: of a set with fewer than 20 images all are used" in output
