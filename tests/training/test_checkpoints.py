"""Checkpoints: which are kept, NaN that is never saved, damage that is named."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from short_runs import train_mlp

import ganvas
from ganvas.gans import GANS
from ganvas.gans.base import Batch, Clock, Update, Updates
from ganvas.gans.mlp import MLP
from ganvas.recipes import get_recipe
from ganvas.runs import checkpoint
from ganvas.runs.locate import find_checkpoints
from ganvas.training.clock import RunClock
from ganvas.training.guard import NotFiniteError
from ganvas.training.state import TrainingState, save_checkpoint


def test_newest_checkpoints_are_kept(tmp_path: Path):
    train_mlp(tmp_path / "run", 96, keep=3)
    names = [path.name for path in find_checkpoints(tmp_path / "run" / "checkpoints")]
    assert names == ["000000000072", "000000000084", "000000000096"]


class Exploding(MLP):
    """An MLP whose generator's loss turns NaN in the fourth step."""

    def step(self, batch: Batch, clock: Clock, rng: ganvas.rng.Rng) -> Iterator[Updates]:  # type: ignore[name-defined]
        for move in super().step(batch, clock, rng):
            discriminator, _generator = move if isinstance(move, tuple) else (move, move)
            yield discriminator
            factor = float("nan") if clock.steps == 3 else 1.0
            yield Update(
                "generator",
                {"adversarial": self.generator(rng.uniform(2, self.noise_size)).mean() * factor},
            )


def test_nan_stops_the_run_by_name_before_any_update(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(GANS, "mlp", Exploding)
    with pytest.raises(
        NotFiniteError,
        match=r"generator's loss is not finite \(adversarial = nan\) after 18 images; the last ",
    ):
        train_mlp(tmp_path / "run", 60, checkpoint_every=6)
    newest = find_checkpoints(tmp_path / "run" / "checkpoints")[-1]
    assert newest.name == "000000000018"
    run = ganvas.load(newest)
    assert all(value.isfinite().all() for value in run.gan.state_dict().values())
    assert "adversarial = nan" in (tmp_path / "run" / "summary.html").read_text(encoding="utf-8")


def test_not_finite_weights_are_never_saved(tmp_path: Path):
    run = train_mlp(tmp_path / "run", 12)
    state = TrainingState(run.gan, None, {}, RunClock(6, 12, 12))
    with torch.no_grad():
        next(run.gan.parameters())[0] = float("inf")
    with pytest.raises(checkpoint.CheckpointError, match="NaN or infinity"):
        save_checkpoint(tmp_path / "elsewhere", state, {}, get_recipe("mnist-mlp"), None)  # type: ignore[arg-type]
    assert not find_checkpoints(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    "file", ["gan.safetensors", "training.safetensors", "training.json", "about.json"]
)
@pytest.mark.parametrize("damage", ["cut", "changed", "missing"])
def test_damaged_checkpoint_is_refused_by_name(file: str, damage: str, tmp_path: Path):
    train_mlp(tmp_path / "run", 12)
    path = find_checkpoints(tmp_path / "run" / "checkpoints")[-1] / file
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"\x00" + content[1:])
    with pytest.raises(checkpoint.CheckpointError, match=f"{file}.* (damaged|missing|read)"):
        train_mlp(tmp_path / "run", 24)


def test_checkpoint_of_another_gan_is_refused(tmp_path: Path):
    train_mlp(tmp_path / "run", 12)
    about = find_checkpoints(tmp_path / "run" / "checkpoints")[-1] / "about.json"
    content = json.loads(about.read_text())
    content["gan"]["options"]["hidden"] = 9
    about.write_text(json.dumps(content))

    with pytest.raises(
        checkpoint.CheckpointError, match=r"gan\.safetensors belongs to another GAN"
    ):
        ganvas.load(tmp_path / "run")

    content["format"] = 99
    about.write_text(json.dumps(content))
    with pytest.raises(checkpoint.CheckpointError, match="format 99"):
        ganvas.load(tmp_path / "run")
