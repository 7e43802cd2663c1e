"""Runs: the same numbers whether stopped or not, nothing lost, trouble named."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from stopping import contents, interrupted_after

import ganvas
from ganvas.errors import UserError
from ganvas.gans import GANS
from ganvas.gans.base import Batch, Clock, Update, Updates
from ganvas.gans.mlp import MLP
from ganvas.recipes import RECIPES, get_recipe
from ganvas.runs import checkpoint
from ganvas.runs.checkpoint import find_checkpoints
from ganvas.runs.log import read_log
from ganvas.training.clock import RunClock
from ganvas.training.guard import NotFiniteError
from ganvas.training.signals import InterruptedRun
from ganvas.training.state import TrainingState, save_checkpoint

TINY = {
    "batch": 6,
    "report_every": 12,
    "sample_every": 24,
    "checkpoint_every": 12,
    "health_every": 12,
}
R3GAN = {
    "options.width": 4,
    "options.augmentation": 0.5,
    "options.burn_in": 24,
    "ema_burn_in": 24,
    "optimizers.discriminator.burn_in": 24,
    "optimizers.generator.burn_in": 24,
}
SMALL = {
    "mnist-mlp": {"options.hidden": 8, "stop_below": {}},
    "mnist-mlp-deep": {"options.hidden": [8, 12]},
    "mnist-mlp-tanh": {"options.hidden": 8},
    "mnist-cdcgan": {"options.width": 4, "measure_every": 18, "size": 16},
    "avatars-dcgan": {"options.width": 4, "size": 16, "flip": True},
    "dcgan-64": {"options.width": 4, "size": 16},
    "stacked-mnist": {"options.width": 4, "size": 16},
    "rings": {"options.hidden": 8},
    "grid": {"options.hidden": 8, "options.packing": 3},
    "rings-fast": {"options.hidden": [8, 9]},
    "grid-fast": {"options.hidden": [8]},
    "digits": {"options.width": 4},
    "mnist-fast": {"options.width": 4},
    "fashion-fast": {"options.width": 4},
    "avatars-fast": {"options.width": 4, "options.augmentation": "adaptive"},
    "stacked-mnist-fast": {"options.width": 4},
    "stacked-mnist-r3gan": R3GAN,
    "cifar10-r3gan": R3GAN,
    "ffhq-64-r3gan": R3GAN,
    "inpaint": {"options.width": 2, "size": 8},
    "pix2pix": {"options.width": 4, "options.halvings": 1, "load_scale": 1.25},
    "cyclegan": {"options.width": 4, "options.blocks": 1, "options.pool": 4},
    "stargan": {"options.width": 4, "options.blocks": 1},
    "sngan": {"options.width": 4, "size": 16},
    "wgan-gp": {"options.width": 4, "size": 16},
    "gawwn-box": {"options.width": 2, "options.letters": 4},
    "gawwn-keypoints": {"options.width": 2, "options.letters": 4},
}


# Recipes that, made small, play a game which another one of them plays as well.
AGAIN = {
    "mnist-fast",
    "fashion-fast",
    "stacked-mnist-fast",
    "stacked-mnist",
    "stacked-mnist-r3gan",
    "ffhq-64-r3gan",
    "grid-fast",
    # The dearest; each of their GANs is stopped and resumed in the slow tests.
    "gawwn-box",
    "gawwn-keypoints",
    "stargan",
}


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 20 small colour pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(0).integers(0, 255, (20, 16, 16, 3), dtype=np.uint8)
    for number, picture in enumerate(noise):
        Image.fromarray(picture).save(folder / f"{number}.png")
    return folder


def data_of(name: str, pictures: Path) -> str:
    """What a recipe can be trained on."""
    if name == "pix2pix":
        return f"pairs:{pictures},{pictures}"
    if name == "cyclegan":
        return f"unpaired:{pictures},{pictures}"
    if name == "stargan":
        return f"attributes:{with_attributes(pictures)}"
    if name.startswith("gawwn"):
        return "figures"
    recipe = get_recipe(name)
    return {1: "digits", 2: recipe.data, 3: None}[recipe.channels or 3] or str(pictures)


def with_attributes(pictures: Path) -> Path:
    """The pictures, with a table of two attributes."""
    folder = pictures.with_name("with-attributes")
    if not folder.exists():
        shutil.copytree(pictures, folder)
        rows = [f"{row}.png {1 if row % 2 else -1} {1 if row % 3 else -1}" for row in range(20)]
        (folder / "attributes.txt").write_text(
            "\n".join(["20", "Smiling Young", *rows]), encoding="utf-8"
        )
    return folder


def train(name: str, out: Path, images: int, pictures: Path, **more: object) -> ganvas.Run:
    data = data_of(name, pictures)
    own = name == "digits" or get_recipe(name).channels == 2  # whose size is the data's
    settings = TINY | ({} if own else {"size": 8}) | SMALL[name] | more
    return ganvas.train(
        name, data=data, out=out, images=images, device="cpu", settings=settings, quiet=True
    )


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in AGAIN)) for name in RECIPES]
)
def test_stopped_and_resumed_equals_uninterrupted(name: str, tmp_path: Path, pictures: Path):
    train(name, tmp_path / "whole", 54, pictures)
    # Stopped off every period of reports, samples and checkpoints, in the middle of an epoch.
    with interrupted_after(5, tmp_path / "parts"), pytest.raises(InterruptedRun):
        train(name, tmp_path / "parts", 54, pictures)
    assert [path.name for path in find_checkpoints(tmp_path / "parts" / "checkpoints")][
        -1
    ] == "000000000030"
    train(name, tmp_path / "parts", 54, pictures)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_longer_run_goes_on_from_a_finished_one(tmp_path: Path, pictures: Path):
    train("dcgan-64", tmp_path / "whole", 48, pictures)
    train("dcgan-64", tmp_path / "parts", 24, pictures)
    train("dcgan-64", tmp_path / "parts", 48, pictures)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_run_without_recipe_goes_on_with_its_own(tmp_path: Path, pictures: Path):
    train("dcgan-64", tmp_path / "run", 24, pictures)
    before = contents(tmp_path / "run")
    # already finished: nothing changes
    ganvas.train(out=tmp_path / "run", device="cpu", quiet=True)
    assert contents(tmp_path / "run") == before
    ganvas.train(out=tmp_path / "run", images=30, device="cpu", quiet=True)
    assert find_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "000000000030"


def test_the_best_checkpoint_is_kept_and_resume_knows_it(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
):
    scores = iter([3.0, 1.0, 2.0, 4.0, 5.0, 6.0])
    monkeypatch.setattr("ganvas.training.monitor.quick_score", lambda *_: next(scores))
    more = {"evaluate_every": 6, "evaluate_count": 16, "keep": 1}
    train("rings", tmp_path / "run", 24, pictures, **more)
    kept = [path.name for path in find_checkpoints(tmp_path / "run" / "checkpoints")]
    assert kept == ["000000000012", "000000000024"]
    train("rings", tmp_path / "run", 36, pictures, **more)  # the best was in the first process
    kept = [path.name for path in find_checkpoints(tmp_path / "run" / "checkpoints")]
    assert kept == ["000000000012", "000000000036"]
    scored = [
        entry["distance"]
        for entry in read_log(tmp_path / "run" / "log.jsonl")
        if entry["kind"] == "evaluated"
    ]
    assert scored == [3.0, 1.0, 2.0, 4.0, 5.0, 6.0]


def test_scores_may_begin_in_a_run_that_is_gone_on_with(tmp_path: Path, pictures: Path):
    train("rings", tmp_path / "run", 12, pictures)
    train("rings", tmp_path / "run", 24, pictures, evaluate_every=12, health_every=6)
    log = read_log(tmp_path / "run" / "log.jsonl")
    assert [entry["images"] for entry in log if entry["kind"] == "evaluated"] == [24]
    assert [entry["images"] for entry in log if entry["kind"] == "health"] == [12, 18, 24]
    with pytest.raises(UserError, match="evaluate_count is 2048 there and 99 here"):
        train("rings", tmp_path / "run", 30, pictures, evaluate_every=12, evaluate_count=99)


def test_a_real_score_while_training(tmp_path: Path, pictures: Path):
    train("digits", tmp_path / "run", 12, pictures, evaluate_every=6, evaluate_count=32)
    scored = [
        entry for entry in read_log(tmp_path / "run" / "log.jsonl") if entry["kind"] == "evaluated"
    ]
    assert [entry["features"] for entry in scored] == ["classifier", "classifier"]
    assert all(entry["distance"] > 0 for entry in scored)


def test_grids_of_a_killed_process_are_dropped(tmp_path: Path, pictures: Path):
    train("dcgan-64", tmp_path / "run", 24, pictures)
    beyond = tmp_path / "run" / "samples" / "000000000036.png"
    beyond.write_bytes((tmp_path / "run" / "samples" / "000000000024.png").read_bytes())
    (beyond.parent / ".partial-77-0a0b-000000000024.png").write_bytes(b"half a pic")
    with (tmp_path / "run" / "log.jsonl").open("a") as log:
        log.write('{"images": 36, "kind": "samples"}\n')
    train("dcgan-64", tmp_path / "run", 24, pictures)
    assert sorted(file.name for file in beyond.parent.iterdir()) == [
        "000000000000.png",
        "000000000024.png",
    ]


def test_another_seed_gives_another_run(tmp_path: Path, pictures: Path):
    train("mnist-mlp", tmp_path / "a", 12, pictures)
    train("mnist-mlp", tmp_path / "b", 12, pictures, seed=1)
    assert (
        contents(tmp_path / "a")["000000000012/gan.safetensors"]
        != contents(tmp_path / "b")["000000000012/gan.safetensors"]
    )


def test_other_settings_are_refused_with_the_difference(tmp_path: Path, pictures: Path):
    train("mnist-mlp", tmp_path / "run", 12, pictures)
    with pytest.raises(
        UserError, match=r"batch is 6 there and 8 here; options\.hidden is 8 there and 9 here"
    ):
        train("mnist-mlp", tmp_path / "run", 12, pictures, batch=8, **{"options.hidden": 9})


def test_changed_data_is_refused(tmp_path: Path, pictures: Path):
    changing = tmp_path / "pictures"
    changing.mkdir()
    for file in list(pictures.iterdir())[:10]:
        (changing / file.name).write_bytes(file.read_bytes())
    train("dcgan-64", tmp_path / "run", 12, changing)
    (changing / "another.png").write_bytes(next(pictures.iterdir()).read_bytes())
    with pytest.raises(UserError, match=r"begun with other data: 10 images .* there, 11 "):
        train("dcgan-64", tmp_path / "run", 24, changing)


def test_newest_checkpoints_are_kept(tmp_path: Path, pictures: Path):
    train("mnist-mlp", tmp_path / "run", 96, pictures, keep=3)
    names = [path.name for path in find_checkpoints(tmp_path / "run" / "checkpoints")]
    assert names == ["000000000072", "000000000084", "000000000096"]


def test_early_stop_is_remembered_until_more_is_asked_for(tmp_path: Path, pictures: Path):
    limits = {"stop_below": {"generator": 100.0, "discriminator": 100.0}}
    train("mnist-mlp", tmp_path / "run", 60, pictures, **limits)
    train("mnist-mlp", tmp_path / "run", 60, pictures, **limits)
    assert find_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "000000000012"
    stops = [
        entry for entry in read_log(tmp_path / "run" / "log.jsonl") if entry["kind"] == "stopped"
    ]
    assert len(stops) == 1
    assert "generator" in stops[0]["reason"]
    train("mnist-mlp", tmp_path / "run", 72, pictures, **limits)
    assert find_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "000000000024"


def test_extended_early_stop_goes_on_after_a_crash(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
):
    limits = {"stop_below": {"generator": 100.0, "discriminator": 100.0}}
    train("mnist-mlp", tmp_path / "run", 60, pictures, **limits)

    def crash(*_: object) -> None:
        raise KeyError("as if the power had gone")

    with monkeypatch.context() as patch, pytest.raises(KeyError):
        patch.setattr("ganvas.training.step.take_step", crash)
        train("mnist-mlp", tmp_path / "run", 72, pictures, **limits)
    train("mnist-mlp", tmp_path / "run", 72, pictures, **limits)
    assert find_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "000000000024"


def test_run_keeps_its_length_and_cannot_become_shorter_than_it_is(tmp_path: Path, pictures: Path):
    train("mnist-mlp", tmp_path / "run", 24, pictures)
    settings = TINY | {"size": 8} | SMALL["mnist-mlp"]
    ganvas.train(
        "mnist-mlp",
        data="digits",
        out=tmp_path / "run",
        device="cpu",
        settings=settings,
        quiet=True,
    )
    assert find_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "000000000024"
    with pytest.raises(UserError, match="is already trained on 24 images; ask for more than that"):
        train("mnist-mlp", tmp_path / "run", 12, pictures)


def test_bf16_turns_report_full_precision_losses(tmp_path: Path, pictures: Path):
    losses = {}
    for precision in ("bf16", "fp32"):
        train("dcgan-64", tmp_path / precision, 12, pictures, precision=precision)
        log = read_log(tmp_path / precision / "log.jsonl")
        losses[precision] = [entry["discriminator"] for entry in log if entry["kind"] == "losses"]
    assert losses["bf16"][0] != torch.tensor(losses["bf16"][0]).bfloat16().item()
    assert losses["bf16"] != losses["fp32"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.05)


def test_refused_run_leaves_no_folder(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="needs classes"):
        ganvas.train("mnist-cdcgan", data=pictures, settings={"size": 8}, quiet=True)
    assert not list((tmp_path / "runs").iterdir())


class Exploding(MLP):
    """An MLP whose generator's loss turns NaN in the fourth round."""

    def step(self, batch: Batch, clock: Clock, rng: ganvas.rng.Rng) -> Iterator[Updates]:  # type: ignore[name-defined]
        for move in super().step(batch, clock, rng):
            discriminator, _generator = move if isinstance(move, tuple) else (move, move)
            yield discriminator
            factor = float("nan") if clock.steps == 3 else 1.0
            yield Update(
                "generator",
                {"adversarial": self.generator(rng.uniform(2, self.noise_size)).mean() * factor},
            )


def test_nan_stops_the_run_by_name_before_anyone_moves(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(GANS, "mlp", Exploding)
    with pytest.raises(
        NotFiniteError,
        match=r"generator's loss is not finite \(adversarial = nan\) after 18 images; the last ",
    ):
        train("mnist-mlp", tmp_path / "run", 60, pictures, checkpoint_every=6)
    newest = find_checkpoints(tmp_path / "run" / "checkpoints")[-1]
    assert newest.name == "000000000018"
    run = ganvas.load(newest)
    assert all(value.isfinite().all() for value in run.gan.state_dict().values())
    assert "adversarial = nan" in (tmp_path / "run" / "summary.html").read_text(encoding="utf-8")


def test_not_finite_weights_are_never_saved(tmp_path: Path, pictures: Path):
    run = train("mnist-mlp", tmp_path / "run", 12, pictures)
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
def test_damaged_checkpoint_is_refused_by_name(
    file: str, damage: str, tmp_path: Path, pictures: Path
):
    train("mnist-mlp", tmp_path / "run", 12, pictures)
    path = find_checkpoints(tmp_path / "run" / "checkpoints")[-1] / file
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"\x00" + content[1:])
    with pytest.raises(checkpoint.CheckpointError, match=f"{file}.* (damaged|missing|read)"):
        train("mnist-mlp", tmp_path / "run", 24, pictures)


def test_checkpoint_of_another_gan_is_refused(tmp_path: Path, pictures: Path):
    train("mnist-mlp", tmp_path / "run", 12, pictures)
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


def test_run_needs_labels(tmp_path: Path, pictures: Path):
    with pytest.raises(UserError, match=r"needs classes: .*--labels folders"):
        ganvas.train(
            "mnist-cdcgan", data=pictures, out=tmp_path / "run", settings={"size": 16}, quiet=True
        )
    assert not (tmp_path / "run").exists()


def test_two_trainings_in_one_folder_are_refused(tmp_path: Path, pictures: Path):
    from ganvas.runs.folder import lock_folder

    with (
        lock_folder(tmp_path / "run"),
        pytest.raises(UserError, match="being trained by another process"),
    ):
        train("mnist-mlp", tmp_path / "run", 12, pictures)


@pytest.mark.slow
def test_killed_twenty_times_equals_uninterrupted(tmp_path: Path):
    """SIGKILL at random moments, even while a checkpoint is written: the run ends at the same
    weights.
    """

    def command(out: str) -> list[str]:
        settings = [f"--set={key}={value}" for key, value in TINY.items()]
        options = [
            "--images=2400",
            f"--out={tmp_path / out}",
            "--device=cpu",
            "--quiet",
            "--set=options.width=4",
        ]
        return [sys.executable, "-m", "ganvas", "train", "digits", *options, *settings]

    def saved() -> list[str]:
        return [folder.name for folder in find_checkpoints(tmp_path / "parts" / "checkpoints")]

    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(command("whole"), check=True, env=environment)
    chance, killed = random.Random(0), 0
    for _ in range(20):
        before = saved()
        process = subprocess.Popen(command("parts"), env=environment)
        # each process gets a little further than the one before
        while process.poll() is None and saved() == before:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.1))
        if process.poll() is None:
            process.kill()
            killed += 1
        process.wait()
    assert killed >= 15
    subprocess.run(command("parts"), check=True, env=environment)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
