"""Whether things are drawn where they were asked for, in pictures with a ground of one colour."""

from typing import NamedTuple

import torch
from torch import Tensor

CHANGED = 24  # of 255: a pixel this far from the ground, in any channel, belongs to the thing
# of the thing's pixels, at each side, that a found box may leave out: a stray pixel is no part of
# it
TRIMMED = 0.01


class BoxPlacement(NamedTuple):
    """How things lie to the boxes that were asked for.

    Attributes:
        found: boxes around what is there, (N, 4): left, top, width and height in shares of the
            side; all 0 where nothing is.
        iou: area that both boxes share by the area that either covers, (N,).
        inside: share of the thing's pixels that lie in the box asked for, (N,); 0 where nothing is.
    """

    found: Tensor
    iou: Tensor
    inside: Tensor


def compare_boxes(images: Tensor, boxes: Tensor, background: Tensor) -> BoxPlacement:
    """Find the things in pictures and hold them against the boxes asked for.

    Args:
        images: uint8 (N, C, H, W).
        boxes: float (N, 4), left, top, width and height in shares of the picture's side.
        background: uint8 (C,), or (N, C) where grounds differ.
    """
    thing = things(images, background)
    found = boxes_around(thing)
    height, width = thing.shape[-2:]
    x = (torch.arange(width, device=boxes.device) + 0.5) / width
    y = (torch.arange(height, device=boxes.device) + 0.5) / height
    left, top, right, bottom = edges(boxes).unbind(1)
    columns = (x >= left[:, None]) & (x < right[:, None])
    rows = (y >= top[:, None]) & (y < bottom[:, None])
    within = (thing & rows[:, :, None] & columns[:, None]).sum((1, 2))
    return BoxPlacement(
        found, intersection_over_union(found, boxes), within / thing.sum((1, 2)).clamp(min=1)
    )


def things(images: Tensor, background: Tensor) -> Tensor:
    """Which pixels of pictures (N, C, H, W) are not of the ground's colour, (C,) or (N, C): bool
    (N, H, W).
    """
    ground = background.expand(len(images), -1)[:, :, None, None]
    return ((images.int() - ground.int()).abs() > CHANGED).any(1)


def boxes_around(thing: Tensor) -> Tensor:
    """Boxes (N, 4) in shares of the side around the pixels that are true, (N, H, W), but for a few
    strays.
    """
    sides = []
    for counts in (thing.sum(1), thing.sum(2)):  # by column, by row
        share = counts.cumsum(1) / counts.sum(1, keepdim=True).clamp(min=1)
        cells = counts.shape[1]
        first = (share <= TRIMMED).sum(1)
        last = (share < 1 - TRIMMED).sum(1) + 1
        there = counts.any(1)
        sides.append(
            (
                torch.where(there, first / cells, 0.0),
                torch.where(there, (last - first) / cells, 0.0),
            )
        )
    (left, width), (top, height) = sides
    return torch.stack([left, top, width, height], 1)


def intersection_over_union(one: Tensor, other: Tensor) -> Tensor:
    """The area that two boxes share by the area that either covers, (N,);

    0 where neither has any.
    """
    a, b = edges(one), edges(other)
    sides = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0)
    shared = sides.prod(1)
    either = one[:, 2:].prod(1) + other[:, 2:].prod(1) - shared
    return shared / either.clamp(min=1e-12)


def edges(boxes: Tensor) -> Tensor:
    """Left, top, right and bottom of boxes (N, 4)."""
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
