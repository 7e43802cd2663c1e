"""Runs that are fitted into a given time. Nothing here depends on how fast the machine is."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from stopping import contents, interrupted_after
from tiny import refused_in_one_line

import ganvas
from ganvas.cli import main
from ganvas.data import Dataset, open_dataset
from ganvas.recipes import get_recipe
from ganvas.recipes.length import change_length, take_length
from ganvas.recipes.recipe import Recipe, change
from ganvas.runs.folder import read_recipe
from ganvas.training import dry_run, fitting
from ganvas.training.budget import Budget, Costs, make_budget
from ganvas.training.engine import Engine
from ganvas.training.fitting import fit_run, measure_costs, time_steps
from ganvas.training.request import Request
from ganvas.training.setup import prepare
from ganvas.training.signals import InterruptedRun

NOON = datetime(2026, 5, 1, 12, 0)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Pretend that a training step takes as many seconds as its images have million pixels, but
    0.41 at 8 pixels, and that no time has passed before.

    Returns:
        The sides of the images that were measured.
    """
    sides: list[int] = []

    def cost(recipe: Recipe, dataset: Dataset) -> float:
        return 0.41 if dataset.size == 8 else recipe.batch * dataset.size**2 / 1e6

    def pretend(recipe: Recipe, dataset: Dataset, *_: Any) -> Costs:
        sides.append(dataset.size)
        return Costs(step=cost(recipe, dataset))

    def pretend_steps(step: Any, _: Engine) -> float:
        context = step.__self__.context  # of the trainer whose method it is
        return cost(context.recipe, context.dataset)

    monkeypatch.setattr(Budget, "left", lambda budget: budget.seconds)
    monkeypatch.setattr(fitting, "measure_costs", pretend)
    # A dry run measures once more what was chosen; grids, checkups and checkpoints take no time.
    monkeypatch.setattr(dry_run, "time_steps", pretend_steps)
    monkeypatch.setattr(dry_run, "measure_looks", lambda costs, *_: costs)
    return sides


@pytest.fixture
def pictures(tmp_path: Path) -> str:
    """Sixty images of 64 pixels."""
    noise = np.random.default_rng(0).integers(0, 255, (60, 64, 64, 3), dtype=np.uint8)
    (tmp_path / "set").mkdir()
    for number, picture in enumerate(noise):
        Image.fromarray(picture).save(tmp_path / "set" / f"{number}.png")
    return str(tmp_path / "set")


# The time


def test_times():
    budget = make_budget(10, None, NOON)
    assert budget and (budget.seconds, budget.words) == (600, "10 minutes")
    until = make_budget(None, "12:30", NOON)
    assert until and (until.seconds, until.words) == (1800, "the time until 12:30")
    tomorrow = make_budget(None, "11:30", NOON)
    assert tomorrow and tomorrow.seconds == 23.5 * 3600
    assert make_budget(None, None, NOON) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--minutes", "3", "--images", "500"), "images and minutes both set the length"),
        (("--minutes", "3", "--epochs", "2"), "epochs and minutes both set the length"),
        (("--until", "18:30", "--set", "images=500"), "images and until both set the length"),
        (("--minutes", "3", "--until", "18:30"), "minutes and until both set the length"),
        (("--minutes", "-1"), "--minutes -1: ask for more than 0"),
        (("--minutes", "1e9"), "--minutes 1e+09: ask for more than 0, and at most a year"),
        (("--until", "half past six"), "write hours and minutes of local time, such as 18:30"),
    ],
)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_wrong_times(
    arguments: tuple[str, ...],
    message: str,
    dry: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    with pytest.raises(SystemExit) as stop:
        main(["train", "digits", "--out", str(tmp_path / "run"), *arguments, *dry])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "run").exists()


# A run


@pytest.mark.slow
def test_a_run_keeps_the_length_that_it_was_given(
    tmp_path: Path, measured: list[int], capsys: pytest.CaptureFixture[str]
):
    """Resumed by the same command, by its folder and by its recipe's name, without measuring."""
    settings = {"options.width": 4, "batch": 10}
    again: dict[str, Any] = {"out": tmp_path / "run", "device": "cpu"}
    ganvas.train("digits", minutes=0.2, settings=settings, verbose=True, **again)
    assert measured == [8]
    printed = capsys.readouterr().err
    assert "images: 200\n  As many as fit into 12 seconds. 24 images/s were" in printed
    before = read_recipe(tmp_path / "run")
    assert before
    assert (before.images, before.ema_halflife) == (200, round(10_000 * 200 / 150_000))

    budget = make_budget(0.2, None, NOON)
    for request in (
        Request("digits", settings, budget=budget),
        Request("digits", settings),
        Request(change(get_recipe("digits"), settings)),
        Request(),
    ):
        engine = Engine("cpu")
        found = prepare(request, tmp_path / "run", engine, progress=False)
        assert fit_run(request, found, tmp_path / "run", engine)[0] == before
    assert measured == [8]

    capsys.readouterr()
    found = prepare(Request("digits", settings), tmp_path / "run", Engine("cpu"), progress=False)
    fit_run(Request("digits", settings, budget=budget), found, tmp_path / "run", Engine("cpu"))
    assert "run keeps its length of 200 images; --images makes it longer" in capsys.readouterr().out

    ganvas.train("digits", images=220, settings=settings, **again)
    longer = read_recipe(tmp_path / "run")
    assert longer
    assert (longer.images, longer.ema_halflife) == (220, before.ema_halflife)
    assert longer.reasons["ema_halflife"] == before.reasons["ema_halflife"]


def test_evaluations_while_training_have_no_known_time(tmp_path: Path, measured: list[int]):
    settings = {"options.width": 4, "evaluate_every": 100}
    run = tmp_path / "run"

    refused_in_one_line(
        lambda: ganvas.train("digits", out=run, minutes=0.2, device="cpu", settings=settings),
        "evaluate_every=100 and 12 seconds: how long an evaluation takes is not measured",
    )

    assert not run.exists()
    assert measured == []


@pytest.mark.slow
def test_a_stopped_run_ends_with_the_same_bits(tmp_path: Path, measured: list[int]):
    """A run that was fitted, stopped and resumed by the same call equals one that went through."""
    settings = {"options.width": 4, "batch": 10}
    common: dict[str, Any] = {"minutes": 0.2, "device": "cpu", "settings": settings}
    whole, part = tmp_path / "whole", tmp_path / "part"
    ganvas.train("digits", out=whole, **common)

    with interrupted_after(8, part), pytest.raises(InterruptedRun, match="stopped at 80 of 200"):
        ganvas.train("digits", out=part, **common)
    ganvas.train("digits", out=part, **common)
    assert measured == [8, 8]  # never for the resumed one
    assert contents(part) == contents(whole)


def test_auto_makes_images_smaller_for_a_short_time(
    pictures: str, measured: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    def plan(minutes: float) -> str:
        given = ["--minutes", str(minutes), "--out", str(tmp_path / "none")]
        main(["train", "auto", "--data", pictures, "--dry-run", *given])
        return capsys.readouterr().out

    # a thousand steps take 123 seconds; of 16 images 79, of smaller ones 44
    assert "  batch = 30\n" in plan(3)
    assert measured == [64]
    measured.clear()
    shown = plan(1.4)
    assert measured == [64, 64]
    assert "  size = 64\n" in shown
    assert "  batch = 16\n    # Smaller than usual, so that there are enough" in shown
    measured.clear()
    shown = plan(0.75)
    assert measured == [64, 48]
    assert "  size = 48\n    # At 64 pixels there would be too few training steps in 45" in shown
    assert "As many as fit into 45 seconds." in shown
    assert "  options.width = 24\n" in shown
    assert "expect: what avatars-fast had learned at 48 pixels" in shown
    measured.clear()
    assert "  options.width = 16\n    # Narrower than usual, to be quicker" in plan(0.6)
    assert measured == [64, 48]


def test_auto_keeps_a_requested_size(
    pictures: str, measured: list[int], capsys: pytest.CaptureFixture[str]
):
    given = ["--minutes", "0.3", "--size", "64", "--set", "options.width=20", "--set", "batch=20"]
    main(["train", "auto", "--data", pictures, "--dry-run", *given])
    assert measured == [64]
    assert "  options.width = 20\n" in capsys.readouterr().out


def test_costs_are_measured_without_writing(tmp_path: Path):
    """Each part of a run takes some time, and the run's folder stays as it is."""
    recipe = change(get_recipe("digits"), {"options.width": 4})
    dataset = open_dataset("digits", recipe.view)
    costs = measure_costs(recipe, dataset, tmp_path / "run", Engine("cpu"))
    assert min(costs.model_dump().values()) > 0
    assert costs.start > costs.grid
    assert not (tmp_path / "run").exists()


def test_few_slow_steps_are_timed(monkeypatch: pytest.MonkeyPatch):
    """A mean over 16 steps after the first, or over 3 where they are slow."""
    now = [0.0]
    taken = []

    def step(seconds: float) -> None:
        taken.append(seconds)
        now[0] += seconds if len(taken) > 1 else 100

    monkeypatch.setattr(fitting.time, "perf_counter", lambda: now[0])
    assert time_steps(lambda: step(0.1), Engine("cpu")) == pytest.approx(0.1)
    assert len(taken) == 17
    taken.clear()
    assert time_steps(lambda: step(5.0), Engine("cpu")) == pytest.approx(5.0)
    assert len(taken) == 4


# What is said


def test_few_images_are_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "few").mkdir()
    for number in range(12):
        Image.new("RGB", (16, 16), (number * 9, 0, 0)).save(tmp_path / "few" / f"{number}.png")
    arguments = ["train", "auto", "--data", str(tmp_path / "few"), "--images", "12"]
    main([*arguments, "--dry-run"])
    warning = "WARNING: there are only 12 images. A GAN memorises so few"
    assert any(line.startswith(warning) for line in capsys.readouterr().out.splitlines())
    main([*arguments, "--out", str(tmp_path / "run"), "--device", "cpu"])
    assert any(line.startswith(warning) for line in capsys.readouterr().err.splitlines())
    notes = json.loads((tmp_path / "run" / "data.json").read_text())["notes"]
    assert notes[0].startswith(warning)
    main(["train", "digits", "--dry-run"])
    assert "WARNING" not in capsys.readouterr().out


def test_only_a_fitted_length_is_taken_up():
    recipe = get_recipe("digits")
    fitted = change_length(recipe, 3_000, "why")
    assert take_length(recipe, fitted) == fitted
    assert take_length(recipe, change(recipe, {"images": 3_000})) == recipe
    assert take_length(get_recipe("mnist-fast"), fitted) == get_recipe("mnist-fast")
    refused_in_one_line(lambda: make_budget(0, None, NOON), "ask for more than 0")
