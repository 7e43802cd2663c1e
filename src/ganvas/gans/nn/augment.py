"""Differentiable augmentation: a discriminator that sees few pictures must not learn them by heart.

Real and generated pictures are changed at random before they are judged, in both players' moves.
While a change leaves most pictures as they were, the generator still learns what they looked like
before it. `augment` makes many kinds of changes, each with the same probability, which `adapted`
moves by how much the discriminator overfits (Karras et al. 2020, "Training Generative Adversarial
Networks with Limited Data", appendix B); `diff_augment` makes a few, always (Zhao et al. 2020,
"Differentiable Augmentation for Data-Efficient GAN Training").

Pictures are (N, C, H, W) with C 1 or 3, in [-1, 1]; what comes back may leave that range, since
pixels cut off at it would have no gradient. Both functions are differentiable any number of times
with respect to the pictures, so that a penalty on gradients may be taken through them. All chance
comes in as `numbers`, uniform in [0, 1), (N, AUGMENT_NUMBERS): `draw.shares(n, AUGMENT_NUMBERS)`.
Nothing is read back from the device.
"""

import math
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import grid_sample

GEOMETRY, COLOUR, CUTOUT = 18, 10, 3  # numbers that each part uses
AUGMENT_NUMBERS = GEOMETRY + COLOUR + CUTOUT

# of the side: the farthest shift by whole pixels, and the standard deviation of the other
SHIFT = 1 / 8
SCALE = 0.2  # standard deviation, in octaves
BRIGHTNESS = 0.2  # standard deviation
CONTRAST = 0.5  # standard deviation, in octaves
SATURATION = 1.0  # standard deviation, in octaves
BILINEAR, REFLECTION = 0, 2  # how PyTorch's operator knows them


def augment(
    images: Tensor, numbers: Tensor, probability: float | Tensor, colour_share: float = 0.5
) -> Tensor:
    """Pictures mirrored, turned, shifted, scaled, recoloured and cut: each change by itself, with
    the same probability.

    Strengths are those of Karras et al. 2020, appendix B. Where we differ: the resampling is
    bilinear, at the pictures' own resolution, where theirs doubles it in between; no filter of
    bands and no noise, which their choice leaves out too; a cutout, and colours with a share of the
    probability, as in R3GAN (Huang et al. 2024).

    Args:
        images: (N, C, H, W); one channel has no hue and no saturation.
        numbers: (N, AUGMENT_NUMBERS); equal numbers, equal changes.
        probability: of each change, in [0, 1]; a tensor has no dimensions. With 0 the same pictures
            come back.
        colour_share: changes of colour have this share of the probability.
    """
    # Three digits, as in half precision, are too few for places in a picture.
    pictures = images.to(torch.promote_types(images.dtype, torch.float32))
    parts = numbers.to(pictures.dtype).split([GEOMETRY, COLOUR, CUTOUT], 1)
    with torch.autocast(images.device.type, enabled=False):
        pictures = resample(pictures, geometry_matrices(parts[0], probability, *images.shape[2:]))
        pictures = recolour(pictures, colour_matrices(parts[1], probability * colour_share))
        chance, across, down = parts[2].unbind(1)
        kept = ~(
            cutout_masks(across, down, *images.shape[2:]) & (chance < probability)[:, None, None]
        )
        return (pictures * kept[:, None]).to(images.dtype)


def diff_augment(images: Tensor, numbers: Tensor) -> Tensor:
    """Pictures with other brightness, saturation and contrast, shifted by up to an eighth of the
    side, half the side cut out.

    Brightness moves by up to 0.5; colours keep 0 to 2 times their distance from grey, and pixels
    0.5 to 1.5 times theirs from the picture's mean. What is shifted in or cut out is 0.

    Args:
        images: (N, C, H, W).
        numbers: (N, AUGMENT_NUMBERS), of which the first seven are used; equal numbers, equal
            changes.
    """
    height, width = images.shape[2:]
    brightness, saturation, contrast, right, below, across, down = (
        numbers[:, :7, None, None, None].to(images.dtype).unbind(1)
    )
    images = images + (brightness - 0.5)
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * (2 * saturation)
    mean = images.mean((1, 2, 3), keepdim=True)
    images = mean + (images - mean) * (contrast + 0.5)
    images = shifted(
        images, whole_pixels(right.flatten(), width), whole_pixels(below.flatten(), height)
    )
    return images * ~cutout_masks(across.flatten(), down.flatten(), height, width)[:, None]


def pair_signs(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """How well scores tell real (N,) from fake (M,) pictures: the mean sign of all differences, 2
    P(real > fake) - 1; a scalar.

    It is 0 for scores that tell nothing and 1 where every real picture scores higher than every
    fake one. It stands for overfitting where only differences of scores mean anything, as in
    relativistic losses; where 0 divides real from fake, the measure is `real_scores.sign().mean()`,
    the r_t of Karras et al. 2020, eq. 1.
    """
    return (real_scores.detach().flatten()[:, None] - fake_scores.detach().flatten()).sign().mean()


def adapt_probability(
    probability: Tensor,
    measure: Tensor,
    images: int,
    target: float = 0.6,
    images_to_one: int = 500_000,
) -> Tensor:
    """The next probability: one step up if the discriminator overfits more than `target`, else one
    step down; within [0, 1].

    Args:
        probability: a scalar; a buffer of the GAN, so that it is in checkpoints.
        measure: of overfitting, a scalar in [-1, 1]; of all processes, so that each takes the same
            step.
        images: real ones shown since the last step.
        images_to_one: real ones in which the probability can go from 0 to 1.
    """
    step = images / images_to_one
    return (probability + torch.where(measure > target, step, -step)).clamp(0, 1)


def to_normal(numbers: Tensor) -> Tensor:
    """Standard normal numbers from uniform ones, at most 3.9 from 0."""
    return math.sqrt(2) * (2 * numbers - 1).clamp(-0.9999, 0.9999).erfinv()


def whole_pixels(numbers: Tensor, side: int) -> Tensor:
    """Whole numbers of pixels, up to SHIFT of the side either way."""
    return ((2 * numbers - 1) * (SHIFT * side)).round()


# Geometry. Matrices act on places in pixels, (across, down, 1) from the middle of the picture. They
# tell where in the old picture each pixel of the new one is looked up.


def geometry_matrices(
    numbers: Tensor, probability: float | Tensor, height: int, width: int
) -> Tensor:
    """Mirror, quarter turns, shift by whole pixels, scale, turn, stretch, turn, shift: one matrix
    per picture, (N, 2, 3).

    Args:
        numbers: (N, GEOMETRY): for each change one that decides whether, and the rest how.
        probability: of each; of the two turns it is that of at least one.
    """
    mirrors, mirror, quarters, quarter, jumps, jump_right, jump_down, scales, scale = numbers[
        :, :9
    ].unbind(1)
    turns, turn, stretches, stretch, late_turns, late_turn, drifts, drift_right, drift_down = (
        numbers[:, 9:].unbind(1)
    )
    turning = 1 - (1 - probability) ** 0.5
    side = 1 - 2 * (mirror < 0.5) * (mirrors < probability).to(numbers.dtype)
    right_angle = math.pi / 2 * (4 * quarter).floor() * (quarters < probability)
    factor = (SCALE * to_normal(scale) * (scales < probability)).exp2()
    wider = (SCALE * to_normal(stretch) * (stretches < probability)).exp2()
    jumped, drifted = jumps < probability, SHIFT * (drifts < probability)
    steps = [
        matrix(side, 0, 0, 0, 1, 0),
        rotation(right_angle),
        matrix(
            1,
            0,
            -whole_pixels(jump_right, width) * jumped,
            0,
            1,
            -whole_pixels(jump_down, height) * jumped,
        ),
        matrix(factor, 0, 0, 0, factor, 0),
        rotation(math.pi * (2 * turn - 1) * (turns < turning)),
        matrix(wider, 0, 0, 0, 1 / wider, 0),
        rotation(math.pi * (2 * late_turn - 1) * (late_turns < turning)),
        matrix(
            1,
            0,
            -width * to_normal(drift_right) * drifted,
            0,
            1,
            -height * to_normal(drift_down) * drifted,
        ),
    ]
    return reduce(product, steps)[:, :2]


def matrix(*entries: float | Tensor) -> Tensor:
    """Two rows of three entries each, numbers or (N,), above (0, 0, 1): (N, 3, 3)."""
    like = next(entry for entry in entries if isinstance(entry, Tensor))
    columns = [
        entry if isinstance(entry, Tensor) else torch.full_like(like, entry)
        for entry in (*entries, 0, 0, 1)
    ]
    return torch.stack(columns, 1).unflatten(1, (3, 3))


def rotation(angle: Tensor) -> Tensor:
    """By radians (N,): (N, 3, 3)."""
    cosine, sine = angle.cos(), angle.sin()
    return matrix(cosine, -sine, 0, sine, cosine, 0)


def product(left: Tensor, right: Tensor) -> Tensor:
    """Of matrices (N, 3, 3). Not `@`, which a GPU may compute with three digits."""
    return (left[:, :, :, None] * right[:, None]).sum(2)


def resample(images: Tensor, matrices: Tensor) -> Tensor:
    """Pictures (N, C, H, W) looked up through matrices (N, 2, 3), between pixels bilinearly;
    mirrored beyond their borders.
    """
    height, width = images.shape[2:]
    across, down = (
        torch.arange(side, device=images.device, dtype=images.dtype) - (side - 1) / 2
        for side in (width, height)
    )
    # In the units of PyTorch's operator the outer borders of a picture are at -1 and 1.
    units = torch.stack([torch.full_like(across[0], 2 / side) for side in (width, height)])
    a, b, c = (matrices * units[:, None])[:, None, None].unbind(-1)
    grid = a * across[:, None] + b * down[:, None, None] + c
    same = (matrices == torch.eye(2, 3, device=images.device, dtype=images.dtype)).flatten(1).all(1)
    # Not even rounded where nothing changes.
    return torch.where(same[:, None, None, None], images, Resample.apply(images, grid))  # pyright: ignore[reportArgumentType]


class Resample(Function):
    """`grid_sample`, differentiable any number of times with respect to the images; PyTorch's own
    only lately is.

    It is linear in them: its derivative is its transpose, and that of the transpose is itself.
    """

    @staticmethod
    # ctx is the name that PyTorch gives it
    def forward(ctx: Any, images: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        return grid_sample(images, grid, "bilinear", "reflection", align_corners=False)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return ResampleTranspose.apply(gradients[0], *ctx.saved_tensors), None


class ResampleTranspose(Function):
    """The transpose of `Resample`: what each pixel holds goes back to where it was looked up."""

    @staticmethod
    def forward(ctx: Any, pixels: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        transpose = torch.ops.aten.grid_sampler_2d_backward
        # Of the second, the pictures that were looked up, only the shape counts, and it is the
        # same.
        return transpose(pixels, pixels, grid, BILINEAR, REFLECTION, False, [True, False])[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return Resample.apply(gradients[0], *ctx.saved_tensors), None


def shifted(images: Tensor, right: Tensor, below: Tensor) -> Tensor:
    """Pictures (N, C, H, W) moved by whole pixels (N,), with 0 where nothing comes in."""
    height, width = images.shape[2:]
    columns = torch.arange(width, device=images.device) - right.long()[:, None]
    rows = torch.arange(height, device=images.device) - below.long()[:, None]
    there = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[
        :, None
    ]
    places = rows.clamp(0, height - 1)[:, :, None] * width + columns.clamp(0, width - 1)[:, None]
    moved = images.flatten(2).gather(2, places.flatten(1)[:, None].expand(-1, images.shape[1], -1))
    return moved.unflatten(2, (height, width)) * there[:, None]


def cutout_masks(across: Tensor, down: Tensor, height: int, width: int) -> Tensor:
    """Where a rectangle of half the sides is, with its middle at these shares (N,) of them: bool
    (N, H, W).
    """
    inside = []
    for middle, side in ((across, width), (down, height)):
        pixels = torch.arange(side, device=middle.device, dtype=middle.dtype) + 0.5
        inside.append((pixels - middle[:, None] * side).abs() < side / 4)
    return inside[1][:, :, None] & inside[0][:, None]


# Colours


def colour_matrices(numbers: Tensor, probability: float | Tensor) -> Tensor:
    """Brightness, contrast, dark for light, hue, saturation: a matrix per picture, (N, 3, 4),
    acting on (red, green, blue, 1).

    Args:
        numbers: (N, COLOUR): for each change one that decides whether, and one how.
        probability: of each.
    """
    happens = (numbers[:, ::2] < probability).to(numbers.dtype)
    brightness, contrast, inversion, hue, saturation = numbers[:, 1::2].unbind(1)
    brightens, contrasts, inverts, turns, saturates = happens[:, :, None, None].unbind(1)
    added, octaves, more = (
        to_normal(each)[:, None, None] for each in (brightness, contrast, saturation)
    )
    factor = (CONTRAST * octaves * contrasts).exp2()
    turned = (inversion < 0.5)[:, None, None] * inverts
    angle = math.pi * (2 * hue - 1)[:, None, None] * turns
    vivid = (SATURATION * more * saturates).exp2()
    identity = torch.eye(3, device=numbers.device, dtype=numbers.dtype)
    grey = torch.full_like(identity, 1 / 3)  # the part of a colour that is grey
    # a quarter turn about the greys of the part that is not
    aside = (identity.roll(-1, 1) - identity.roll(1, 1)) / math.sqrt(3)
    # Hue and saturation change what is not grey, dark for light what is; as changes of the
    # identity, so that without any it is exact.
    mixed = (
        identity
        + (vivid * angle.cos() - 1) * (identity - grey)
        + vivid * angle.sin() * aside
        - 2 * turned * grey
    )
    offset = (1 - 2 * turned) * BRIGHTNESS * added * brightens
    return factor * torch.cat([mixed, offset.expand(-1, 3, 1)], 2)


def recolour(images: Tensor, matrices: Tensor) -> Tensor:
    """Pictures (N, 1 or 3, H, W) with each pixel changed by a matrix (N, 3, 4); one channel as a
    grey of three.
    """
    if images.shape[1] == 1:
        factor, offset = matrices[:, :1, :3].sum(2), matrices[:, :1, 3]
        return images * factor[:, :, None, None] + offset[:, :, None, None]
    red, green, blue, offset = matrices[:, :, :, None, None].unbind(2)
    return red * images[:, :1] + green * images[:, 1:2] + blue * images[:, 2:] + offset
