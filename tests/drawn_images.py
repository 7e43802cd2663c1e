"""Colour images that are drawn: soft backgrounds of any colour, with discs of another on them."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ganvas.data import Dataset
from ganvas.data.dataset import single
from ganvas.data.report import DataReport


def draw_images(count: int, size: int = 48, seed: int = 0) -> Tensor:
    """uint8 (count, 3, size, size), each with a colour, a brightness and discs of its own."""
    random = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 5, 5, generator=random) * 80
    images = interpolate(coarse, (size, size), mode="bicubic").clamp(0, 255)
    images += 120 * torch.rand(count, 3, 1, 1, generator=random)

    axis = torch.arange(size) - size / 2
    for _ in range(4):
        place = (torch.rand(count, 2, 1, 1, generator=random) - 0.5) * size
        radius = size * (0.05 + 0.15 * torch.rand(count, 1, 1, generator=random))
        away = ((axis - place[:, 0]) ** 2 + (axis[:, None] - place[:, 1]) ** 2).sqrt()
        inside = (radius - away).clamp(0, 1)[:, None]  # (N, 1, S, S), with soft borders
        colour = 255 * torch.rand(count, 3, 1, 1, generator=random)
        images = inside * colour + (1 - inside) * images

    images += torch.randn(images.shape, generator=random)
    return images.round().clamp(0, 255).to(torch.uint8)


def add_lattice(images: Tensor, period: int, levels: float) -> Tensor:
    """Images under a chequered pattern that is so many levels lighter and darker."""
    rows = torch.arange(images.shape[-1]) % period < period / 2
    pattern = torch.where(rows == rows[:, None], levels, -levels)
    return (images + pattern).round().clamp(0, 255).to(torch.uint8)


def share_palette(images: Tensor) -> Tensor:
    """Images that keep their shapes and brightness, and all get the mean colour of the first."""
    colours = images.float().mean((2, 3), keepdim=True)
    hues = colours - colours.mean(1, keepdim=True)
    return (images - hues + hues[:1]).round().clamp(0, 255).to(torch.uint8)


def make_dataset(images: Tensor) -> Dataset:
    """They as a data set without labels."""
    report = DataReport(spec="drawn", found=len(images), used=len(images))
    return single(np.ascontiguousarray(images.numpy()), None, (), report)
