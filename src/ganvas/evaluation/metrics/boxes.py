"""Whether objects lie in the requested boxes, in images with a background of one colour."""

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["BoxComparison", "boxes_around", "compare_boxes", "intersection_over_union"]

CHANGED = 24  # of 255: a pixel this far from the background, in any channel, belongs to the object
# The share of the object's pixels that a box may leave out at each side, so that a stray pixel
# does not widen it.
TRIMMED = 0.01


class BoxComparison(NamedTuple):
    """How the objects found lie to the requested boxes.

    Attributes:
        found: boxes around the objects, (N, 4): left, top, width and height in shares of the side;
            all 0 where there is none.
        iou: intersection over union of both boxes, (N,).
        inside: share of the object's pixels that lie in the requested box, (N,); 0 where there are
            none.
    """

    found: Tensor
    iou: Tensor
    inside: Tensor


def compare_boxes(images: Tensor, boxes: Tensor, background: Tensor) -> BoxComparison:
    """Find the objects in images and compare them with the requested boxes.

    Args:
        images: uint8 (N, C, H, W).
        boxes: float (N, 4), left, top, width and height in shares of the image's side.
        background: uint8 (C,), or (N, C) where backgrounds differ.
    """
    mask = _find_objects(images, background)  # bool (N, H, W)
    found = boxes_around(mask)

    # The pixels, by their centres, inside the requested boxes: columns (N, W) and rows (N, H).
    height, width = mask.shape[-2:]
    x = (torch.arange(width, device=boxes.device) + 0.5) / width
    y = (torch.arange(height, device=boxes.device) + 0.5) / height
    left, top, right, bottom = _box_edges(boxes).unbind(1)
    columns = (x >= left[:, None]) & (x < right[:, None])
    rows = (y >= top[:, None]) & (y < bottom[:, None])

    within = (mask & rows[:, :, None] & columns[:, None]).sum((1, 2))  # (N,), pixels
    inside = within / mask.sum((1, 2)).clamp(min=1)  # 0, not NaN, without an object
    return BoxComparison(found, intersection_over_union(found, boxes), inside)


def _find_objects(images: Tensor, background: Tensor) -> Tensor:
    """Which pixels of images (N, C, H, W) do not have the background's colour, bool (N, H, W).

    Args:
        images: uint8.
        background: (C,) or (N, C).
    """
    colours = background.expand(len(images), -1)[:, :, None, None]  # (N, C, 1, 1)
    # int32, because a uint8 difference below 0 would wrap around to a large one
    return ((images.int() - colours.int()).abs() > CHANGED).any(1)


def boxes_around(mask: Tensor) -> Tensor:
    """Boxes (N, 4) in shares of the side around the true pixels of (N, H, W), but a few strays."""
    starts, lengths = [], []
    for counts in (mask.sum(1), mask.sum(2)):  # by column (N, W), by row (N, H)
        # The share of the object's pixels up to each column or row, so from 0 to 1.
        share = counts.cumsum(1) / counts.sum(1, keepdim=True).clamp(min=1)
        cells = counts.shape[1]
        first = (share <= TRIMMED).sum(1)  # (N,), cells before the object
        last = (share < 1 - TRIMMED).sum(1) + 1  # exclusive

        present = counts.any(1)  # (N,), false where there is no object
        starts.append(torch.where(present, first / cells, 0.0))
        lengths.append(torch.where(present, (last - first) / cells, 0.0))
    return torch.stack([*starts, *lengths], 1)  # left, top, width, height


def intersection_over_union(one: Tensor, other: Tensor) -> Tensor:
    """The area that two boxes (N, 4) share, by the area that either covers, (N,).

    0 where neither has any.
    """
    a, b = _box_edges(one), _box_edges(other)  # (N, 4): left, top, right, bottom
    # Boxes that lie apart have negative sides here; the product of two of them would be an area.
    sides = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0)
    shared = sides.prod(1)
    either = one[:, 2:].prod(1) + other[:, 2:].prod(1) - shared
    return shared / either.clamp(min=1e-12)  # 0, not NaN, where neither has an area


def _box_edges(boxes: Tensor) -> Tensor:
    """Left, top, right and bottom of boxes (N, 4) of left, top, width and height."""
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
