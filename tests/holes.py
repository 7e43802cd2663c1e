"""Random images, and masks that are true in a hole."""

import torch
from torch import Tensor


def draw_noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(
        0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


def draw_slope(height: int, width: int) -> Tensor:
    """An image that rises evenly to the right and downwards: harmonic."""
    down, right = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (20 + 3 * down + 2 * right).to(torch.uint8)[None]


def make_hole(height: int, width: int, rows: slice, columns: slice) -> Tensor:
    mask = torch.zeros(height, width, dtype=torch.bool)
    mask[rows, columns] = True
    return mask
