"""Cut and mirror rows of data: the same for all that belongs to a row, pictures, boxes and key
points.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

Rows = dict[str, Tensor]


def framed(rows: Rows, size: int, corners: Tensor | None = None) -> Rows:
    """Cut a square of `size` pixels out of every picture, and bring boxes and key points along.

    Args:
        rows: columns as `ganvas.data.dataset.Dataset` keeps them.
        size: side in pixels of what is left.
        corners: top and left of each row's square in shares of the room there is, (N, 2) in [0, 1),
            on the CPU, wherever the columns are; None: the middle.
    """
    side = next(values.shape[-1] for values in rows.values() if values.ndim == 4)
    if side == size:
        return rows
    first = next(iter(rows.values()))
    room = side - size
    shares = torch.full((len(first), 2), 0.5) if corners is None else corners
    places = (shares * (room + 1)).long().clamp(max=room)  # (N, 2): top, left
    found = dict(rows)
    for name, values in rows.items():
        if values.ndim == 4:
            cut = [
                picture[:, top : top + size, left : left + size]
                for picture, (top, left) in zip(values, places.tolist())
            ]
            found[name] = torch.stack(cut)
    # in shares of the new side, (N, 1) each
    top, left = (places.to(first.device, non_blocking=True) / size).split(1, 1)
    if "box" in rows:
        found["box"] = inside(
            rows["box"] * (side / size) - torch.cat([left, top, 0 * left, 0 * top], 1)
        )
    if "keypoints" in rows:
        x, y, seen = rows["keypoints"].unbind(2)
        found["keypoints"] = visible(
            torch.stack([x * (side / size) - left, y * (side / size) - top, seen], 2)
        )
    return found


def mirrored(rows: Rows, which: Tensor, parts: Sequence[str] = ()) -> Rows:
    """Mirror the rows of which (N,) is true, left and right.

    Args:
        rows: columns; pictures may be of any type.
        which: bool (N,), on the rows' device.
        parts: names of the key points; mirrored, a left part becomes the right one.
    """
    found = dict(rows)
    for name, values in rows.items():
        if values.ndim == 4:
            found[name] = torch.where(which[:, None, None, None], values.flip(3), values)
    if "box" in rows:
        left, top, width, height = rows["box"].unbind(1)
        found["box"] = torch.where(
            which[:, None], torch.stack([1 - left - width, top, width, height], 1), rows["box"]
        )
    if "keypoints" in rows:
        x, y, seen = rows["keypoints"].unbind(2)
        flipped = torch.stack([torch.where(seen > 0, 1 - x, x), y, seen], 2)
        flipped = torch.stack([flipped[:, number] for number in partners(parts)], 1)
        found["keypoints"] = torch.where(which[:, None, None], flipped, rows["keypoints"])
    return found


def partners(parts: Sequence[str]) -> list[int]:
    """For each part the number of the one whose place it takes in a mirror:

    "left eye" takes that of "right eye".
    """
    swapped = {name: swap(name) for name in parts}
    return [
        parts.index(swapped[name]) if swapped[name] in parts else number
        for number, name in enumerate(parts)
    ]


def swap(name: str) -> str:
    """The name with left and right exchanged."""
    for one, other in (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT")):
        if one in name:
            return name.replace(one, other)
        if other in name:
            return name.replace(other, one)
    return name


def inside(boxes: Tensor) -> Tensor:
    """Boxes (N, 4) cut to the picture."""
    corner, far = boxes[:, :2].clamp(0, 1), (boxes[:, :2] + boxes[:, 2:]).clamp(0, 1)
    return torch.cat([corner, far - corner], 1)


def visible(keypoints: Tensor) -> Tensor:
    """Key points (N, P, 3); those outside the picture are not seen, and all of these are at 0."""
    x, y, seen = keypoints.unbind(2)
    there = (seen > 0) & (x >= 0) & (x < 1) & (y >= 0) & (y < 1)
    return keypoints * there[:, :, None]
