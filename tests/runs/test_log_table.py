"""What a run has logged, as a table and as CSV."""

import csv
import io
import json
from pathlib import Path

import pytest
from written_runs import losses, write_log, write_run

from ganvas.cli import main
from ganvas.recipes.recipe import Recipe
from ganvas.runs.log_table import collect_numbers_by_images

LOG = [
    {"images": 0, "kind": "samples"},
    losses(100, 0.5),
    {"images": 100, "kind": "speed", "images_per_second": 1234.5},
    losses(200, float("nan")),
    {"images": 200, "kind": "measured", "generator": 0.75},
    {"images": 200, "kind": "health", "distance": 1.5, "classes": {"one, two": 0.5}},
    {"images": 200, "kind": "stopped", "reason": "enough"},
]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = write_run(tmp_path / "a run")
    write_log(folder, LOG)
    return folder


def test_the_table_of_losses(run: Path, capsys: pytest.CaptureFixture[str]):
    main(["log", str(run)])
    lines = capsys.readouterr().out.splitlines()
    players = list(Recipe.model_validate_json((run / "recipe.json").read_text()).optimizers)
    assert lines[0].split() == ["images", "step", *players, "images/s"]
    values = {"discriminator": "0.5000", "generator": "1.0000"}
    assert lines[1].split() == ["100", "2", *(values[player] for player in players), "1,234"]
    assert lines[2].split() == ["200", "4", "nan", "nan"]
    assert lines[-1].endswith(f"ganvas log '{run}' --csv")


def test_the_csv_has_all_numbers(run: Path, capsys: pytest.CaptureFixture[str]):
    main(["log", str(run), "--csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["images"] for row in rows] == ["100", "200"]
    assert rows[0]["discriminator/real"] == "0.25"
    assert rows[0]["speed.images_per_second"] == "1234.5"
    assert rows[0]["measured.generator"] == ""
    assert (rows[1]["generator"], rows[1]["measured.generator"]) == ("nan", "0.75")
    assert rows[1]["health.classes.one, two"] == "0.5"


def test_numbers_keep_their_values_and_order():
    rows = collect_numbers_by_images(
        [losses(200, 1 / 3), losses(100, 1.0), {"images": 5, "kind": "x"}]
    )
    assert list(rows) == [100, 200]
    assert rows[200]["discriminator"] == 1 / 3


def test_a_run_without_losses_says_when_they_come(run: Path, capsys: pytest.CaptureFixture[str]):
    write_log(run, LOG[:1])
    recipe = json.loads((run / "recipe.json").read_text())
    (run / "recipe.json").write_text(json.dumps(recipe | {"report_every": 500}))
    with pytest.raises(SystemExit) as stop:
        main(["log", str(run)])
    assert stop.value.code == 2
    assert "no losses yet: the first are after 500 images" in capsys.readouterr().err
