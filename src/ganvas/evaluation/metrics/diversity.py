"""How much images differ in what they show: one shape in several greys is one shape."""

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ganvas.io.images import to_float

__all__ = ["contrasts", "shape_distances", "shapes_of"]

SIDE = 8  # to which images are averaged: noise and fine grain are no differences
TINY = 1e-6  # a norm below it is that of a plain image


def shapes_of(images: Tensor) -> Tensor:
    """What images show, coarsely and without their brightness.

    Args:
        images: uint8 (N, C, H, W).

    Returns:
        float64 (N, C x SIDE x SIDE), each row of mean 0.
    """
    coarse = adaptive_avg_pool2d(to_float(images), min(SIDE, images.shape[-1])).flatten(1)
    # In float64, since the rounding of a correlation near 1 comes out under a square root.
    return coarse.double() - coarse.double().mean(1, keepdim=True)


def contrasts(shapes: Tensor) -> Tensor:
    """How strongly each of `shapes_of` (N, F) stands out, (N,)."""
    return shapes.norm(dim=1)


def shape_distances(shapes: Tensor, typical: float) -> Tensor:
    """How much each two images differ after one was fitted to the other in brightness and contrast.

    Each pair differs by the share of one image that no multiple of the other explains, sqrt(1 -
    rho^2) with the correlation rho, so a shape, the same in grey, and its negative do not differ.
    The paler one of the two decides how much that counts: images that hardly show anything hardly
    differ, and those with more contrast than real images differ no more for it.

    Args:
        shapes: `shapes_of` images, (N, F).
        typical: the contrast of real images.

    Returns:
        (N, N), from 0 to 1.
    """
    strengths = contrasts(shapes)  # (N,)
    directions = shapes / strengths.clamp(min=TINY)[:, None]
    unexplained = (1 - (directions @ directions.T).square()).clamp(min=0).sqrt()
    unexplained.fill_diagonal_(0)  # what rounding leaves
    visible = (strengths / max(typical, TINY)).clamp(max=1)
    return unexplained * torch.minimum(visible[:, None], visible)
