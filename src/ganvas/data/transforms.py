"""Crop and mirror rows of data: images together with their boxes and key points."""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["clip_boxes", "crop_rows", "find_partners", "hide_outside", "mirror_rows"]

Rows = dict[str, Tensor]  # columns by name, as `ganvas.data.dataset.Dataset` keeps them


def crop_rows(rows: Rows, size: int, corners: Tensor | None = None) -> Rows:
    """Cut a square of `size` pixels out of every image, and bring boxes and key points along.

    Args:
        rows: images (N, C, S, S); boxes (N, 4) and key points (N, P, 3) in shares of S.
        size: side of the result in pixels.
        corners: top and left of each row's square in shares of the free room, (N, 2) in [0, 1), on
            the CPU wherever the columns are; None: the middle.
    """
    side = next(values.shape[-1] for values in rows.values() if values.ndim == 4)
    if side == size:
        return rows

    room = side - size
    first = next(iter(rows.values()))  # any column: they share length and device
    shares = torch.full((len(first), 2), 0.5) if corners is None else corners
    # room + 1 places, equally likely; a share just below 1 may round up to one too many
    places = (shares * (room + 1)).long().clamp(max=room)  # (N, 2): top, left in pixels

    cropped = dict(rows)
    for name, values in rows.items():
        if values.ndim == 4:
            cropped[name] = _crop_images(values, places, size)

    # in shares of the new side, (N, 1) each
    top, left = (places.to(first.device, non_blocking=True) / size).split(1, 1)
    grown = side / size  # a share of the old side is so much more of the new one

    if "box" in rows:
        zero = torch.zeros_like(left)
        cropped["box"] = clip_boxes(rows["box"] * grown - torch.cat([left, top, zero, zero], 1))

    if "keypoints" in rows:
        x, y, seen = rows["keypoints"].unbind(2)  # (N, P) each
        moved = torch.stack([x * grown - left, y * grown - top, seen], 2)
        cropped["keypoints"] = hide_outside(moved)

    return cropped


def _crop_images(images: Tensor, places: Tensor, size: int) -> Tensor:
    """Squares (N, C, size, size) of images (N, C, S, S), at `places`, (N, 2): top and left."""
    squares = []
    for image, (top, left) in zip(images, places.tolist()):  # on the CPU: waits for no GPU
        squares.append(image[:, top : top + size, left : left + size])
    return torch.stack(squares)


def mirror_rows(rows: Rows, which: Tensor, parts: Sequence[str] = ()) -> Rows:
    """Mirror rows, left to right.

    Args:
        rows: columns; images may be of any type.
        which: the rows to mirror, bool (N,), on the rows' device.
        parts: names of the key points; in a mirror a left part becomes the right one.
    """
    mirrored = dict(rows)

    for name, values in rows.items():
        if values.ndim == 4:
            mirrored[name] = torch.where(which[:, None, None, None], values.flip(3), values)

    if "box" in rows:
        left, top, width, height = rows["box"].unbind(1)  # (N,) each
        # the right edge becomes the left one
        flipped = torch.stack([1 - left - width, top, width, height], 1)
        mirrored["box"] = torch.where(which[:, None], flipped, rows["box"])

    if "keypoints" in rows:
        x, y, seen = rows["keypoints"].unbind(2)  # (N, P) each
        # parts that are not visible stay at 0
        flipped = torch.stack([torch.where(seen > 0, 1 - x, x), y, seen], 2)
        swapped = [flipped[:, number] for number in find_partners(parts)]
        mirrored["keypoints"] = torch.where(
            which[:, None, None], torch.stack(swapped, 1), rows["keypoints"]
        )

    return mirrored


def find_partners(parts: Sequence[str]) -> list[int]:
    """For each part the number of the part whose place it takes in a mirror: "left eye" takes that
    of "right eye".
    """
    partners = []
    for number, name in enumerate(parts):
        other = _swap_sides(name)
        partners.append(parts.index(other) if other in parts else number)
    return partners


def _swap_sides(name: str) -> str:
    """The name with left and right exchanged."""
    for one, other in (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT")):
        if one in name:
            return name.replace(one, other)
        if other in name:
            return name.replace(other, one)
    return name


def clip_boxes(boxes: Tensor) -> Tensor:
    """Boxes (N, 4), left, top, width and height, cut at the edges of the image."""
    near = boxes[:, :2].clamp(0, 1)  # left, top: (N, 2)
    far = (boxes[:, :2] + boxes[:, 2:]).clamp(0, 1)  # right, bottom: (N, 2)
    return torch.cat([near, far - near], 1)


def hide_outside(keypoints: Tensor) -> Tensor:
    """Key points (N, P, 3), with all three values 0 where a point lies outside the image."""
    x, y, seen = keypoints.unbind(2)
    visible = (seen > 0) & (x >= 0) & (x < 1) & (y >= 0) & (y < 1)
    return keypoints * visible[:, :, None]
