"""Runs of tiny GANs that were never trained: for what does not depend on what was learnt."""

from pathlib import Path

import torch
from tiny import make_gan

from ganvas.gans import GAN
from ganvas.inference.run import Run

__all__ = ["make_run", "wrap_gan"]


def make_run(name: str, folder: Path, size: int = 16, channels: int = 3, **options: object) -> Run:
    """A run of the GAN of that name."""
    return wrap_gan(name, make_gan(name, size, channels, **options), folder)


def wrap_gan(name: str, gan: GAN, folder: Path, **recipe: object) -> Run:
    """A run of a GAN, with settings of its recipe."""
    for player in gan.children():
        player.requires_grad_(False)
    about = {
        "gan": {"name": name},
        "images": 1000,
        "recipe": {"name": f"{name}-recipe"} | recipe,
        "data": {"spec": "drawn"},
    }
    return Run(folder / "checkpoints" / "1", gan.eval(), about, torch.device("cpu"))
