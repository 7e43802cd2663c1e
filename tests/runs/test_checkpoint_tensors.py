"""Tensors of a checkpoint: those that do not fit are refused by name."""

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from run_files import SETTINGS, newest_checkpoint, seal, train
from safetensors.torch import load_file, save_file
from tiny import refused_in_one_line

import ganvas
from ganvas.data import open_dataset
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import change
from ganvas.runs.checkpoint import CheckpointError
from ganvas.training.checkup import Checkup, features_shape
from ganvas.training.engine import Engine
from ganvas.training.state import list_optimizer_tensors, resume_checkpoint, save_checkpoint
from ganvas.training.trainer import Trainer


def replace(name: str, value: torch.Tensor) -> Callable[[dict[str, torch.Tensor]], object]:
    return lambda tensors: tensors.update({name: value})


def drop(part: str) -> Callable[[dict[str, torch.Tensor]], object]:
    return lambda tensors: [tensors.pop(name) for name in list(tensors) if part in name]


SPOILED_TENSORS = {
    "moments of another shape": (
        "training",
        replace("generator/0/exp_avg", torch.zeros(3)),
        r"generator/0/exp_avg is \(3,\)",
    ),
    "moments of another type": (
        "training",
        replace("generator/1/exp_avg_sq", torch.zeros(8).double()),
        "exp_avg_sq .*float64",
    ),
    "a step with a size": (
        "training",
        replace("discriminator/0/step", torch.zeros(1)),
        r"discriminator/0/step is \(1,\)",
    ),
    "no second moment": (
        "training",
        drop("generator/0/exp_avg_sq"),
        "generator/0/exp_avg_sq is missing",
    ),
    "no step": ("training", drop("generator/1/step"), "generator/1/step is missing"),
    "no state of a parameter": ("training", drop("generator/1/"), "generator/1/exp_avg is missing"),
    "no state of a player": ("training", drop("generator/"), "generator/0/exp_avg is missing"),
    "an unknown player": (
        "training",
        replace("critic/0/step", torch.zeros(())),
        "it has critic/0/step, which",
    ),
    "an unknown parameter": (
        "training",
        replace("generator/99/step", torch.zeros(())),
        "it has generator/99/step, which",
    ),
    "an unknown quantity": (
        "training",
        replace("generator/0/max_exp_avg_sq", torch.zeros(3)),
        "it has generator/0/max_exp",
    ),
    "another name": ("training", replace("generator", torch.zeros(3)), "it has generator, which"),
    "weights missing": ("gan", drop("generator"), r"generator\S* is missing"),
    "weights too much": (
        "gan",
        replace("generator.more", torch.zeros(3)),
        "it has generator.more, which",
    ),
    "averages missing": ("ema", drop("generator"), r"generator\S* is missing"),
    "no features": ("checkup", drop("features"), "features is missing"),
    "features of fewer samples": (
        "checkup",
        replace("features", torch.zeros(3, 256)),
        r"features is \(3, 256\) .*\(128, 256\)",
    ),
    "features of another type": (
        "checkup",
        replace("features", torch.zeros(128, 256).half()),
        "features is .*float16",
    ),
}


@pytest.mark.parametrize("case", SPOILED_TENSORS)
def test_tensors_that_do_not_fit_are_refused_by_name(run: Path, case: str):
    name, spoil, message = SPOILED_TENSORS[case]
    file = newest_checkpoint(run) / f"{name}.safetensors"
    tensors = load_file(file)
    spoil(tensors)
    save_file(tensors, file)
    seal(newest_checkpoint(run))
    refused_in_one_line(
        lambda: train(run, 24), rf"{name}\.safetensors belongs to another GAN: .*{message}"
    )
    with pytest.raises(CheckpointError):
        train(run, 24)


@pytest.mark.parametrize("name", ["gan", "ema"])
def test_weights_of_another_type_are_refused(run: Path, name: str):
    file = newest_checkpoint(run) / f"{name}.safetensors"
    save_file({key: value.double() for key, value in load_file(file).items()}, file)
    seal(newest_checkpoint(run))
    refused_in_one_line(
        lambda: train(run, 24),
        rf"{name}\.safetensors belongs to another GAN: \S+ is .*float64, not .*float32",
    )
    refused_in_one_line(lambda: ganvas.load(run), rf"{name}\.safetensors belongs to another GAN")


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff" * 20, struct.pack("<Q", 9) + b'{"a":{}}}'],
    ids=["empty", "long", "header"],
)
def test_files_that_are_not_tensors_are_refused(run: Path, content: bytes):
    for name in ("training", "gan"):
        (newest_checkpoint(run) / f"{name}.safetensors").write_bytes(content)
        seal(newest_checkpoint(run))
        refused_in_one_line(
            lambda: train(run, 24), rf"{name}\.safetensors is damaged: .*remove the folder"
        )


def test_files_without_use_are_refused(run: Path):
    shutil.copy(
        newest_checkpoint(run) / "gan.safetensors", newest_checkpoint(run) / "more.safetensors"
    )
    seal(newest_checkpoint(run))
    refused_in_one_line(lambda: train(run, 24), r"more\.safetensors is of another run")


def test_players_without_an_update_resume_as_if_they_began(tmp_path: Path):
    """A fresh optimizer has no state; its checkpoint has the zeros that Adam begins with, and
    nothing else may be missing.
    """
    recipe = change(get_recipe("mnist-mlp"), SETTINGS | {"data": "digits", "images": 24})
    assert recipe.data
    dataset = open_dataset(recipe.data, recipe.view)

    def begin(name: str) -> Trainer:
        (tmp_path / name).mkdir()
        return Trainer(recipe, dataset, tmp_path / name, Engine("cpu"), quiet=True)

    whole, stopped, resumed = (begin(name) for name in ("whole", "stopped", "resumed"))
    path = save_checkpoint(tmp_path / "saved", stopped.state, {}, recipe, dataset)
    moments = load_file(path / "training.safetensors")
    assert len(moments) == 3 * len(list(stopped.state.gan.parameters()))
    assert not any(value.any() for value in moments.values())
    resume_checkpoint(tmp_path / "saved", resumed.state)
    for trainer in (whole, resumed):
        trainer.step()
    after = [list_optimizer_tensors(trainer.state.optimizers) for trainer in (whole, resumed)]
    assert after[0].keys() == after[1].keys()
    assert all(torch.equal(value, after[1][name]) for name, value in after[0].items())
    assert all(value.any() for name, value in after[0].items() if name.endswith("step"))


@pytest.mark.parametrize("name", ["mnist-mlp", "rings", "inpaint"])
def test_the_shape_of_what_the_doctor_remembers(name: str, tmp_path: Path):
    data, more = ("rings", {}) if name == "rings" else ("digits", {"size": 8})
    recipe = change(get_recipe(name), {"data": data, "batch": 4, **more})
    trainer = Trainer(recipe, open_dataset(data, recipe.view), tmp_path, Engine("cpu"), quiet=True)
    gan = trainer.state.gan
    checkup = Checkup(
        recipe, gan, trainer.context.dataset, trainer.loader, trainer.context.engine.device
    )
    features = checkup.measure(gan, gan, None)[1]
    assert features.shape == features_shape(gan, trainer.loader)
    assert features.dtype == torch.float32
