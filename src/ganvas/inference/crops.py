"""Square windows of pictures of any form: where a GAN that makes squares looks."""

from typing import NamedTuple

import torch
from torch import Tensor

from ganvas.io.resizing import resize


class Window(NamedTuple):
    """A square of a picture, or around it."""

    top: int
    left: int
    side: int


def square(mask: Tensor) -> Window:
    """The middle square of a picture, moved so that the hole is inside; one around all of it, where
    the hole is too large.

    Args:
        mask: bool (H, W), true in the hole, if there is one.
    """
    height, width = mask.shape
    side = min(height, width)
    places = []
    for length, hole in zip((height, width), extent(mask)):
        if len(hole) + 2 > side < length:
            side = max(height, width)
            return Window((height - side) // 2, (width - side) // 2, side)
        start = (length - side) // 2
        if len(hole):
            # a pixel around it must be known
            start = max(min(start, hole.start - 1), hole.stop + 1 - side)
        places.append(min(max(start, 0), length - side))
    return Window(places[0], places[1], side)


def extent(mask: Tensor) -> tuple[range, range]:
    """The rows and the columns that a hole reaches over."""
    spans = [mask.any(1 - axis).nonzero()[:, 0].tolist() for axis in (0, 1)]
    rows, columns = (range(span[0], span[-1] + 1) if span else range(0) for span in spans)
    return rows, columns


def cut(picture: Tensor, window: Window, edge: int | None = None) -> Tensor:
    """A window of (C, H, W), as (C, side, side); beyond the picture its outermost pixels again, or
    the value `edge`.
    """
    _, height, width = picture.shape
    rows, columns = (start + torch.arange(window.side) for start in window[:2])
    found = picture[:, rows.clamp(0, height - 1)][:, :, columns.clamp(0, width - 1)]
    if edge is not None:
        inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
        found = torch.where(inside, found, edge)
    return found


def pasted(picture: Tensor, piece: Tensor, window: Window) -> Tensor:
    """The picture with a square piece, enlarged or shrunk, in its window; what lies beyond the
    picture is lost.
    """
    top, left, side = window
    piece = resize(piece[None], side, side)[0]
    result = picture.clone()
    height, width = (min(side, length) for length in picture.shape[1:])
    result[:, max(top, 0) :, max(left, 0) :][:, :side, :side] = piece[
        :, max(-top, 0) :, max(-left, 0) :
    ][:, :height, :width]
    return result
