"""Trainings of a few steps."""

from pathlib import Path

import torch
from tiny import make_gan
from torch import nn

import ganvas

# Only at the end of a short run. What a run leaves to be looked at takes longer than its few steps:
# two reports are a plot, and each grid is a frame of the time-lapse.
PERIODS = ("report_every", "sample_every", "checkpoint_every", "health_every")
SELDOM = dict.fromkeys(PERIODS, 10_000)
# Several times in a run of some steps.
OFTEN = {"report_every": 24, "health_every": 24}
TINY = SELDOM | {"batch": 6, "sample_every": 24, "checkpoint_every": 12}
MLP = {"options.hidden": 8, "stop_below": {}}
TWO_STEPS = {
    **SELDOM,
    "batch": 2,
    "sample_every": 4,
    "checkpoint_every": 4,
    "size": 16,
    "load_scale": 1.0,
    "options.width": 2,
}


def train_tiny(
    name: str, out: Path, images: int, data: Path | str, **settings: object
) -> ganvas.Run:
    """Train a recipe in batches of six, with a checkpoint every two steps."""
    return ganvas.train(
        name, data=data, out=out, images=images, device="cpu", settings=TINY | settings, quiet=True
    )


def train_mlp(out: Path, images: int, **settings: object) -> ganvas.Run:
    """Train the smallest GAN, on the digits."""
    return train_tiny("mnist-mlp", out, images, "digits", **{"size": 8} | MLP | settings)


def train_two_steps(
    name: str, out: Path, data: Path | str, images: int = 4, **settings: object
) -> ganvas.Run:
    """Train a narrow GAN that translates 16x16 images, in batches of two."""
    settings = TWO_STEPS | settings
    return ganvas.train(
        name, data=data, out=out, images=images, device="cpu", settings=settings, quiet=True
    )


def train_digits(out: Path) -> ganvas.Run:
    """A GAN with ten classes."""
    return train_tiny("digits", out, 24, "digits", **{"options.width": 2})


def train_points(out: Path) -> ganvas.Run:
    """A GAN of points in the plane."""
    return train_tiny("rings", out, 24, "rings", **{"options.hidden": 8, "stop_below": {}})


def make_varied_run() -> ganvas.Run:
    """A GAN with ten classes, in no folder, that was not trained, but draws images that differ."""
    gan = make_gan("cdcgan", classes=10, width=4)
    torch.manual_seed(0)
    for weights in gan.get_submodule("generator").parameters():
        nn.init.normal_(weights, std=0.5)
    return ganvas.Run(Path("none"), gan, {}, torch.device("cpu"))
