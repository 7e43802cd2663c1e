"""Runs: the same numbers whether stopped or not, and nothing is lost."""

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from short_runs import MLP, OFTEN, TINY, train_tiny
from stopping import contents, interrupted_after

import ganvas
from ganvas.errors import UserError
from ganvas.recipes import RECIPES, get_recipe
from ganvas.runs.locate import find_checkpoints
from ganvas.runs.log import read_log
from ganvas.training.signals import InterruptedRun

R3GAN = {
    "options.width": 4,
    "options.augmentation": 0.5,
    "options.burn_in": 24,
    "ema_burn_in": 24,
    "optimizers.discriminator.burn_in": 24,
    "optimizers.generator.burn_in": 24,
}
SMALL = {
    "mnist-mlp": MLP,
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
    "avatars-fast": {
        "options.width": 4,
        "options.augmentation": "adaptive",
        "options.fold": True,
    },
    "stacked-mnist-fast": {"options.width": 4},
    "stacked-mnist-r3gan": R3GAN,
    "cifar10-r3gan": R3GAN,
    "ffhq-64-r3gan": R3GAN,
    "inpaint": {"options.width": 2, "size": 8},
    "inpaint-fast": {"options.width": 2},
    "pix2pix-fast": {"options.width": 4, "load_scale": 1.25},
    "stargan-fast": {"options.width": 4, "options.blocks": 1},
    "pix2pix": {"options.width": 4, "options.halvings": 1, "load_scale": 1.25},
    "cyclegan": {"options.width": 4, "options.blocks": 1, "options.pool": 4},
    "cyclegan-fast": {"options.width": 4, "options.blocks": 1},
    "stargan": {"options.width": 4, "options.blocks": 1},
    "sngan": {"options.width": 4, "size": 16},
    "wgan-gp": {"options.width": 4, "size": 16},
    "gawwn-box": {"options.width": 2, "options.letters": 4},
    "gawwn-fast": {"options.width": 2, "options.letters": 4},
    "gawwn-keypoints": {"options.width": 2, "options.letters": 4},
}


# One recipe of each kind of training; the slow tests stop and resume all the others.
QUICK = {"digits", "mnist-mlp", "wgan-gp", "pix2pix", "rings"}


def data_of(name: str, pictures: Path) -> str:
    """What a recipe can be trained on."""
    if name.startswith("pix2pix"):
        return f"pairs:{pictures},{pictures}"
    if name.startswith("cyclegan"):
        return f"unpaired:{pictures},{pictures}"
    if name.startswith("stargan"):
        return f"attributes:{with_attributes(pictures)}"
    if name.startswith("gawwn"):
        return "figures"
    recipe = get_recipe(name)
    return {1: "digits", 2: recipe.data, 3: None}[recipe.channels or 3] or str(pictures)


def with_attributes(pictures: Path) -> Path:
    """The images, with a table of two attributes."""
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
    settings = ({} if own else {"size": 8}) | SMALL[name] | more
    return train_tiny(name, out, images, data, **settings)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK)) for name in RECIPES],
)
def test_stopped_and_resumed_equals_uninterrupted(name: str, tmp_path: Path, pictures: Path):
    train(name, tmp_path / "whole", 54, pictures, **OFTEN)
    # Stopped off every period of reports, samples and checkpoints, in the middle of an epoch.
    with interrupted_after(5, tmp_path / "parts"), pytest.raises(InterruptedRun):
        train(name, tmp_path / "parts", 54, pictures, **OFTEN)
    assert [path.name for path in find_checkpoints(tmp_path / "parts" / "checkpoints")][
        -1
    ] == "000000000030"
    train(name, tmp_path / "parts", 54, pictures, **OFTEN)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_a_longer_run_resumes_from_a_finished_one(tmp_path: Path, pictures: Path):
    train("dcgan-64", tmp_path / "whole", 48, pictures, **OFTEN)
    train("dcgan-64", tmp_path / "parts", 24, pictures, **OFTEN)
    train("dcgan-64", tmp_path / "parts", 48, pictures, **OFTEN)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_a_run_without_recipe_resumes_with_its_own(tmp_path: Path, pictures: Path):
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


def test_scores_may_begin_in_a_resumed_run(tmp_path: Path, pictures: Path):
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
    common = {
        "data": data_of("mnist-mlp", pictures),
        "images": 12,
        "device": "cpu",
        "settings": TINY | SMALL["mnist-mlp"] | {"size": 8},
        "quiet": True,
    }
    ganvas.train("mnist-mlp", out=tmp_path / "a", **common)
    ganvas.train("mnist-mlp", out=tmp_path / "b", seed=1, **common)
    assert (
        contents(tmp_path / "a")["000000000012/gan.safetensors"]
        != contents(tmp_path / "b")["000000000012/gan.safetensors"]
    )


def test_early_stop_is_remembered_until_more_is_asked_for(tmp_path: Path, pictures: Path):
    limits = {"stop_below": {"generator": 100.0, "discriminator": 100.0}, "report_every": 12}
    train("mnist-mlp", tmp_path / "run", 60, pictures, **limits)
    train("mnist-mlp", tmp_path / "run", 60, pictures, **limits)
    assert find_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "000000000012"
    stops = [
        entry for entry in read_log(tmp_path / "run" / "log.jsonl") if entry["kind"] == "stopped"
    ]
    assert len(stops) == 1
    assert "generator" in stops[0]["reason"]
    # what it has learned by then is to be seen
    assert (tmp_path / "run" / "samples" / "000000000012.png").exists()
    train("mnist-mlp", tmp_path / "run", 72, pictures, **limits)
    assert find_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "000000000024"


def test_an_extended_early_stop_resumes_after_a_crash(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
):
    limits = {"stop_below": {"generator": 100.0, "discriminator": 100.0}, "report_every": 12}
    train("mnist-mlp", tmp_path / "run", 60, pictures, **limits)

    def crash(*_: object) -> None:
        raise KeyError("as if the power had gone")

    with monkeypatch.context() as patch, pytest.raises(KeyError):
        patch.setattr("ganvas.training.step.take_step", crash)
        train("mnist-mlp", tmp_path / "run", 72, pictures, **limits)
    train("mnist-mlp", tmp_path / "run", 72, pictures, **limits)
    assert find_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "000000000024"


def test_bf16_turns_report_full_precision_losses(tmp_path: Path, pictures: Path):
    losses = {}
    for precision in ("bf16", "fp32"):
        train("dcgan-64", tmp_path / precision, 12, pictures, precision=precision)
        log = read_log(tmp_path / precision / "log.jsonl")
        losses[precision] = [entry["discriminator"] for entry in log if entry["kind"] == "losses"]
    assert losses["bf16"][0] != torch.tensor(losses["bf16"][0]).bfloat16().item()
    assert losses["bf16"] != losses["fp32"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.05)


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
