"""Runs of tiny GANs that were never trained, as exporting takes them."""

from pathlib import Path

import torch
from tiny import OPTIONS, make_gan

from ganvas.gans import GANS
from ganvas.inference.run import Run


def make_run(name: str, size: int = 16, channels: int = 3) -> Run:
    """A run of the GAN of that name, on the CPU."""
    gan = make_gan(name, size, channels).eval()
    spread_images(gan)
    about = {
        "gan": {"name": name, "data": gan.schema.model_dump(mode="json"), "options": OPTIONS[name]},
        "recipe": {"name": "tiny"},
        "images": 1_234,
        "data": {"spec": "tiny"},
    }
    return Run(Path("runs/tiny"), gan, about, torch.device("cpu"))


def spread_images(gan) -> None:
    """Enlarge weights that begin near zero, so that a wrong image differs from a right one."""
    torch.manual_seed(1)
    with torch.no_grad():
        for name, values in gan.named_parameters():
            if name.split(".")[0] != "discriminator" and values.dim() > 1:
                values.add_(torch.randn_like(values) * (1 / values[0].numel()) ** 0.5)


assert GANS.keys() == OPTIONS.keys()
