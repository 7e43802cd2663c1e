"""The doctor on real trainings: some with one thing wrong, some healthy."""

import json
from pathlib import Path

import numpy as np
import pytest
from short_runs import SELDOM

from ganvas import train
from ganvas.cli import main
from ganvas.data.sampler import EpochSampler
from ganvas.rng import Rng
from ganvas.runs.diagnosis import Diagnosis
from ganvas.runs.log import read_log
from ganvas.training.guard import NotFiniteError
from ganvas.training.trainer import Trainer

MLP = {"stop_below": {}, "size": 8}


def conditions(
    out: Path, recipe: str, images: int, seed: int = 0, **settings: object
) -> dict[str, str]:
    """Train, and return the conditions that appeared, by name, with their last titles."""
    seldom = {"sample_every": images, "checkpoint_every": images}
    changed = seldom | {key.replace("__", "."): value for key, value in settings.items()}
    train(recipe, data="digits", out=out, images=images, seed=seed, settings=changed, quiet=True)
    diagnosis = Diagnosis.of(read_log(out / "log.jsonl"))
    logged = [entry for entry in read_log(out / "log.jsonl") if entry["kind"] == "condition"]
    assert [entry["condition"] for entry in logged] == [
        change.finding.title for change in diagnosis.changes
    ]
    seen = {
        change.finding.name: change.finding.title
        for change in diagnosis.changes
        if change.state == "appeared"
    }
    return seen | {name: finding.title for name, finding in diagnosis.active.items()}


@pytest.mark.slow
def test_a_generator_that_ignores_its_noise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    normal = Rng.normal
    monkeypatch.setattr(Rng, "normal", lambda self, count, size: 0 * normal(self, count, size))
    assert "mode collapse" in conditions(tmp_path / "run", "digits", 12_500, health_every=2_500)


@pytest.mark.slow
def test_a_discriminator_that_learns_20_times_as_fast(tmp_path: Path):
    faster = MLP | {"size": 16, "optimizers__discriminator__lr": 20 * 2e-4}
    assert "discriminator wins" in conditions(
        tmp_path / "run", "mnist-mlp", 76_800, health_every=6_400, **faster
    )


@pytest.mark.slow
def test_learning_rates_100_times_too_large(tmp_path: Path):
    rates = {f"optimizers__{player}__lr": 100 * 2e-4 for player in ("generator", "discriminator")}
    found = conditions(tmp_path / "run", "mnist-mlp", 102_400, health_every=6_400, **MLP, **rates)
    assert "diverging" in found


@pytest.mark.slow
def test_fifty_images(tmp_path: Path):
    found = conditions(tmp_path / "run", "digits", 30_000, held_out=1_797 - 50, health_every=5_000)
    assert found == {"discriminator memorises": "discriminator memorises"}


@pytest.mark.slow
def test_a_class_that_training_never_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    indices = EpochSampler.indices

    def without(self: EpochSampler, images: int) -> np.ndarray:
        rows = indices(self, images)
        assert self.dataset.labels is not None
        gone = np.isin(self.dataset.labels[rows], (4, 9))
        return np.where(gone, np.resize(rows[~gone], len(rows)), rows)

    monkeypatch.setattr(EpochSampler, "indices", without)
    found = conditions(tmp_path / "run", "digits", 24_000, health_every=2_000)
    log = read_log(tmp_path / "run" / "log.jsonl")
    logged = [(entry["condition"], entry["state"]) for entry in log if entry["kind"] == "condition"]
    assert logged == [("partial collapse (classes 4, 9 missing)", "appeared")]
    assert found.keys() == {"partial collapse"}  # to the end


def test_a_discriminator_that_hardly_learns(tmp_path: Path):
    slower = MLP | {"optimizers__discriminator__lr": 2e-4 / 50}
    assert "generator wins" in conditions(
        tmp_path / "run", "mnist-mlp", 64_000, health_every=12_800, **slower
    )


@pytest.mark.slow
def test_a_healthy_run_shows_nothing(tmp_path: Path):
    assert conditions(tmp_path / "run", "digits", 20_000, health_every=1_000) == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_healthy_runs_of_other_seeds_show_nothing(tmp_path: Path, seed: int):
    assert conditions(tmp_path / "run", "digits", 100_000, seed) == {}


# How it is reported


def test_losses_that_are_not_finite_are_diverging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    take_step = Trainer.step

    def broken(self: Trainer) -> object:
        values = take_step(self)
        if self.state.clock.images == 650:
            for parameter in self.state.gan.players()["generator"]:
                parameter.data.fill_(float("nan"))
        return values

    monkeypatch.setattr(Trainer, "step", broken)
    with pytest.raises(NotFiniteError, match="discriminator's loss is not finite"):
        often = SELDOM | {"health_every": 200, "checkpoint_every": 400, "options.width": 4}
        train("digits", out=tmp_path / "run", images=1_000, settings=often, quiet=True)
    main(["health", str(tmp_path / "run")])
    assert (
        "diverging, since 650 images: the discriminator's loss is not finite"
        in capsys.readouterr().out
    )


def test_health_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture):
    out = tmp_path / "run"
    with pytest.raises(SystemExit) as status:
        main(["health", str(out)])
    assert status.value.code == 2
    train(
        "digits",
        out=out,
        images=2_000,
        quiet=True,
        settings=SELDOM | {"health_every": 500, "options.width": 4},
    )
    capsys.readouterr()
    main(["health", str(out)])
    shown = capsys.readouterr().out

    assert "Finished: 2,000 images shown." in shown
    assert "Too early to tell: waits for checkup 5 of 5, at about 2,500 images" in shown
    for word in ("separation", "generator gradient", "diversity", "overfitting"):
        assert word in shown

    main(["health", str(out), "--json"])
    facts = json.loads(capsys.readouterr().out)
    assert facts["images"] == 2_000
    assert facts["active"] == facts["changes"] == []
    assert not facts["going"]
    assert facts["state"] == facts["checkup"]["state"] == "too early to tell"
    assert facts["remarks"][0].startswith("waits for checkup 5 of 5")
    assert facts["checkup"]["agreement"].keys() == {str(digit) for digit in range(10)}
    assert "Too early to tell" in (out / "summary.html").read_text(encoding="utf-8")
