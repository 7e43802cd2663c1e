"""`ganvas.train`, `evaluate` and `health` as functions, and how their results look."""

import json
from pathlib import Path

import pytest
from short_runs import TINY, train_mlp
from tiny import refused_in_one_line

import ganvas
from ganvas.runs.record import read_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ganvas.Run:
    return train_mlp(tmp_path_factory.mktemp("mlp") / "<b>run", 24)


# Training


def test_flags_are_settings_of_the_recipe(tmp_path: Path):
    settings = {**TINY, "options.hidden": 4, "stop_below": {}}
    ganvas.train(
        "mnist-mlp",
        data="digits",
        out=tmp_path,
        images=12,
        size=10,
        fit="pad",
        background="black",
        evaluate_every=None,
        device="cpu",
        settings=settings,
        quiet=True,
    )
    recipe = read_run(tmp_path).recipe
    assert (recipe.size, recipe.fit, recipe.background, recipe.batch) == (10, "pad", "black", 6)


def test_a_setting_is_given_once(tmp_path: Path):
    for given in ({"size": 8}, {"seed": 1}):
        refused_in_one_line(
            lambda given=given: ganvas.train(
                "digits", out=tmp_path / "run", size=8, seed=2, settings=given
            ),
            f"{next(iter(given))} is given in settings",
        )
    assert not (tmp_path / "run").exists()


# Evaluation


def test_flags_of_evaluate(run: ganvas.Run):
    found = ganvas.evaluate(run, metrics="kd,precision", features="pixels", count=50, device="cpu")
    assert set(found.measurements) == {"kd", "precision"}

    smaller = ganvas.evaluate(
        "digits", "digits", metrics=["kd"], features="pixels", count=50, size=4, device="cpu"
    )
    assert smaller.protocol["reference"]["size"] == 4


def test_an_evaluation_shows_as_a_table(run: ganvas.Run):
    found = ganvas.evaluate(run, metrics="kd", features="pixels", count=50, device="cpu")
    page = found._repr_html_()
    assert "kd ↓" in page
    assert f"{found.values['kd']:#.4g}" in page
    assert "features: pixels" in page
    assert "&lt;b&gt;run" in page
    assert "<b>run" not in page


def test_values_by_class_show_as_a_table(run: ganvas.Run):
    found = ganvas.evaluate(
        "digits", "digits", metrics="class_fd", features="pixels", count=400, device="cpu"
    )
    page = found._repr_html_()
    assert page.count("<tr>") >= 10
    assert "by class" in page


# Health


def test_health_prints_and_shows(run: ganvas.Run, capsys: pytest.CaptureFixture[str]):
    found = ganvas.health(run)
    assert found.findings == []
    assert found.state == found.to_json()["state"] == "too early to tell"
    assert found.checkup["images"] == 24
    assert json.loads(json.dumps(found.to_json()))["images"] == 24

    text = repr(found)
    assert "Too early to tell: waits for checkup 5 of 5" in text
    assert "share of pairs" in text
    page = found._repr_html_()
    assert "Too early to tell" in page
    assert "&lt;b&gt;run" in page
    assert "<b>run" not in page
    assert capsys.readouterr().out == ""


def test_health_takes_a_folder(run: ganvas.Run, tmp_path: Path):
    assert repr(ganvas.health(str(run.folder))) == repr(ganvas.health(run))
    refused_in_one_line(lambda: ganvas.health(tmp_path), "not a run folder")
