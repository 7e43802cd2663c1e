"""Random geometric changes of images, as matrices, and their differentiable resampling.

Matrices act on positions in pixels, (right, down, 1) from the middle of the image. They say where
in the old image each pixel of the new one is looked up.
"""

import math
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import grid_sample

__all__ = [
    "GEOMETRY",
    "Resample",
    "ResampleTranspose",
    "geometry_matrices",
    "resample",
    "to_normal",
    "to_whole_pixels",
]

GEOMETRY = 18  # random numbers of `geometry_matrices`
# of the side: the farthest shift by whole pixels, and the standard deviation of the other shift
SHIFT = 1 / 8
SCALE = 0.2  # standard deviation, in octaves
BILINEAR, REFLECTION = 0, 2  # the codes of PyTorch's operator


def to_normal(numbers: Tensor) -> Tensor:
    """Uniform numbers in [0, 1) to standard normal ones, at most 3.9 from 0."""
    # erfinv(-1) is infinite, so the ends are cut.
    return math.sqrt(2) * (2 * numbers - 1).clamp(-0.9999, 0.9999).erfinv()


def to_whole_pixels(numbers: Tensor, side: int) -> Tensor:
    """Uniform numbers in [0, 1) to whole pixels, up to SHIFT of the side either way."""
    return ((2 * numbers - 1) * (SHIFT * side)).round()


def geometry_matrices(
    numbers: Tensor, probability: float | Tensor, height: int, width: int
) -> Tensor:
    """Mirror, quarter turns, shift by whole pixels, scale, rotate, stretch, rotate, shift.

    Args:
        numbers: (N, GEOMETRY), uniform in [0, 1). Each change has one number that decides whether
            it happens, and one or two that decide how.
        probability: of each change; of the two rotations, that of at least one.
        height: of the images, in pixels.
        width: of the images, in pixels.

    Returns:
        One matrix per image, (N, 2, 3).
    """
    # (N,) each, in the order of the changes: whether first, then how
    mirrors, mirror, quarters, quarter, jumps, jump_right, jump_down = numbers[:, :7].unbind(1)
    scales, scale, turns, turn, stretches, stretch = numbers[:, 7:13].unbind(1)
    late_turns, late_turn, drifts, drift_right, drift_down = numbers[:, 13:].unbind(1)

    # half of the mirrored images are as before, and a quarter of the turned ones
    side = 1 - 2 * (mirror < 0.5) * (mirrors < probability).to(numbers.dtype)
    # 0 to 3 quarter turns, in radians
    right_angle = math.pi / 2 * (4 * quarter).floor() * (quarters < probability)
    jumped = jumps < probability
    jump_x = to_whole_pixels(jump_right, width) * jumped
    jump_y = to_whole_pixels(jump_down, height) * jumped

    # Octaves to factors of a length; above 1 the image looks smaller.
    factor = (SCALE * to_normal(scale) * (scales < probability)).exp2()
    wider = (SCALE * to_normal(stretch) * (stretches < probability)).exp2()

    # Rotations before and after the stretch: the chance of at least one is `probability`.
    rotating = 1 - (1 - probability) ** 0.5
    angle = math.pi * (2 * turn - 1) * (turns < rotating)
    late_angle = math.pi * (2 * late_turn - 1) * (late_turns < rotating)

    drifted = SHIFT * (drifts < probability)  # in shares of the side, or 0
    drift_x = width * to_normal(drift_right) * drifted
    drift_y = height * to_normal(drift_down) * drifted

    # Positions in the old image: to shift it to the right, look up further left. The first change
    # comes first for the image, and last for a position, on which the rightmost matrix acts first.
    changes = [
        _matrix(side, 0, 0, 0, 1, 0),
        _rotation(right_angle),
        _matrix(1, 0, -jump_x, 0, 1, -jump_y),
        _matrix(factor, 0, 0, 0, factor, 0),
        _rotation(angle),
        _matrix(wider, 0, 0, 0, 1 / wider, 0),
        _rotation(late_angle),
        _matrix(1, 0, -drift_x, 0, 1, -drift_y),
    ]
    return reduce(_product, changes)[:, :2]  # the third row is always (0, 0, 1)


def _matrix(*entries: float | Tensor) -> Tensor:
    """Two rows of three entries each, numbers or (N,), above (0, 0, 1): (N, 3, 3)."""
    like = next(entry for entry in entries if isinstance(entry, Tensor))  # (N,)
    columns = []
    for entry in (*entries, 0, 0, 1):
        columns.append(entry if isinstance(entry, Tensor) else torch.full_like(like, entry))
    return torch.stack(columns, 1).unflatten(1, (3, 3))  # from (N, 9)


def _rotation(angle: Tensor) -> Tensor:
    """Rotations by radians (N,): (N, 3, 3)."""
    cosine, sine = angle.cos(), angle.sin()
    return _matrix(cosine, -sine, 0, sine, cosine, 0)


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Products of matrices (N, 3, 3); not `@`, which a GPU may compute with three digits."""
    return (left[:, :, :, None] * right[:, None]).sum(2)


def resample(images: Tensor, matrices: Tensor) -> Tensor:
    """Look up images (N, C, H, W) through matrices (N, 2, 3).

    Bilinear between pixels; mirrored beyond the borders.
    """
    height, width = images.shape[2:]
    like = {"device": images.device, "dtype": images.dtype}
    right = torch.arange(width, **like) - (width - 1) / 2  # (W,), from the middle
    down = torch.arange(height, **like) - (height - 1) / 2  # (H,)

    # In the units of PyTorch's operator the outer borders of an image are at -1 and 1.
    units = torch.stack([torch.full_like(right[0], 2 / side) for side in (width, height)])
    a, b, c = (matrices * units[:, None])[:, None, None].unbind(-1)  # (N, 1, 1, 2) each
    grid = a * right[:, None] + b * down[:, None, None] + c  # (N, H, W, 2)

    # Images that do not change are not even rounded.
    same = (matrices == torch.eye(2, 3, **like)).flatten(1).all(1)  # (N,)
    changed = Resample.apply(images, grid)
    return torch.where(same[:, None, None, None], images, changed)  # pyright: ignore[reportArgumentType]


class Resample(Function):
    """`grid_sample`, differentiable any number of times with respect to the images.

    PyTorch's own is differentiable twice only in recent versions. Resampling is linear in the
    images: its derivative is its transpose, and the derivative of the transpose is resampling.
    """

    @staticmethod
    def forward(ctx: Any, images: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)  # not the images, in which the map is linear
        return grid_sample(images, grid, "bilinear", "reflection", align_corners=False)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        # The grid gets no gradient: it follows from random numbers alone.
        return ResampleTranspose.apply(gradients[0], *ctx.saved_tensors), None


class ResampleTranspose(Function):
    """The transpose of `Resample`: adds each pixel's value to where it was looked up."""

    @staticmethod
    def forward(ctx: Any, pixels: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        transpose = torch.ops.aten.grid_sampler_2d_backward
        # The second argument is the images that were looked up. Only their shape counts, and it is
        # the shape of `pixels`.
        return transpose(pixels, pixels, grid, BILINEAR, REFLECTION, False, [True, False])[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return Resample.apply(gradients[0], *ctx.saved_tensors), None
