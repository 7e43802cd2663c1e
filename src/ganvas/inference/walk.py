"""A smooth, closed walk through the noise of a GAN, as an animation."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ganvas.gans.base import GAN
from ganvas.inference.sampling import CHUNK, class_inputs, class_number, sample_gan
from ganvas.inference.sheets import square_columns
from ganvas.io.animation import Animation
from ganvas.io.grids import make_grid
from ganvas.io.images import to_uint8
from ganvas.rng import WalkRng

__all__ = ["FRAMES", "draw_walk", "walk_noise"]

FRAMES = 96
MILLISECONDS = 60  # of a frame
ANCHORS = 6  # rows of noise that a walk passes through
MOST_CLASSES = 20  # that walk side by side
SIDE = 128  # pixels that a single small walk is enlarged to


def draw_walk(
    gan: GAN,
    device: torch.device,
    *,
    frames: int = FRAMES,
    seed: int = 0,
    label: str | int | None = None,
    invert: bool = False,
) -> Animation:
    """Draw a walk; with classes and no label, all classes walk side by side.

    Args:
        gan: of images, unconditional or with classes.
        device: where the GAN is.
        frames: number of images.
        seed: of the noise.
        label: a class name or number.
        invert: whether to swap dark and light.

    Raises:
        UserError: the GAN has no such class.
    """
    side_by_side = label is None and "label" in gan.inputs
    classes: Sequence[str | int | None] = gan.classes[:MOST_CLASSES] if side_by_side else (label,)

    walks = []
    for name in classes:
        walk = walk_noise(gan, device, frames, seed, name)  # (frames, C, H, W)
        walks.append(to_uint8(-walk if invert else walk))
    images = torch.stack(walks, 1)  # (frames, classes, C, H, W)

    # A single walk is an animation of its own, so small images are enlarged to be seen.
    if not side_by_side:
        scale = max(1, SIDE // gan.size)
        images = images.repeat_interleave(scale, 3).repeat_interleave(scale, 4)
    columns = square_columns(len(classes))
    return Animation([make_grid(image, columns) for image in images], MILLISECONDS)


def walk_noise(
    gan: GAN, device: torch.device, frames: int, seed: int, label: str | int | None
) -> Tensor:
    """Generate the images of a closed walk through the noise of the first six rows.

    Args:
        gan: unconditional, or with classes.
        device: where the GAN is.
        frames: number of images.
        seed: of the noise.
        label: a class name or number; None: the first class, where the GAN has classes.

    Returns:
        float32 (frames, C, H, W) in [-1, 1], on the CPU.
    """
    fixed = 0 if label is None else class_number(gan, label)
    positions = torch.arange(frames) * ANCHORS / frames  # the last stops short of the first

    parts = []
    for part in positions.split(CHUNK):
        rng = WalkRng(seed, range(ANCHORS), part, device)
        inputs = class_inputs(gan, [fixed] * len(part), device)
        parts.append(sample_gan(gan, rng, len(part), inputs))
    return torch.cat(parts)
