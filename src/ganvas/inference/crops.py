"""Square windows of images of any shape: what a GAN of square images sees of them."""

from typing import NamedTuple

import torch
from torch import Tensor

from ganvas.io.resizing import resize

__all__ = ["Window", "choose_window", "crop_window", "hole_extent", "paste_window"]


class Window(NamedTuple):
    """A square of an image, or around it, in pixels."""

    top: int  # negative where it begins above the image
    left: int  # negative where it begins left of the image
    side: int


def choose_window(mask: Tensor) -> Window:
    """The largest square in the middle of an image, moved so that the hole is inside.

    Where the hole is too large for it, a square around the whole image.

    Args:
        mask: bool (H, W), true in the hole, if there is one.
    """
    height, width = mask.shape
    side = min(height, width)
    starts = []

    for length, hole in zip((height, width), hole_extent(mask)):
        # One known pixel on each side of the hole must fit in, too.
        if len(hole) + 2 > side < length:  # only a longer axis is cut
            side = max(height, width)
            return Window((height - side) // 2, (width - side) // 2, side)
        start = (length - side) // 2  # the middle
        if len(hole):
            start = max(min(start, hole.start - 1), hole.stop + 1 - side)
        starts.append(min(max(start, 0), length - side))  # inside the image

    return Window(starts[0], starts[1], side)


def hole_extent(mask: Tensor) -> tuple[range, range]:
    """The rows and the columns that a hole, bool (H, W), reaches over."""
    spans = []
    for axis in (0, 1):
        indices = mask.any(1 - axis).nonzero()[:, 0].tolist()
        spans.append(range(indices[0], indices[-1] + 1) if indices else range(0))
    return spans[0], spans[1]


def crop_window(image: Tensor, window: Window, outside: int | None = None) -> Tensor:
    """A window of an image (C, H, W), as (C, side, side).

    Args:
        image: of any type.
        window: may reach beyond the image.
        outside: the value there; None: the image's outermost pixels again.
    """
    _, height, width = image.shape
    rows = window.top + torch.arange(window.side)  # (side,), also outside
    columns = window.left + torch.arange(window.side)
    # indices beyond the edge repeat the outermost pixels
    cropped = image[:, rows.clamp(0, height - 1)][:, :, columns.clamp(0, width - 1)]

    if outside is not None:
        inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
        cropped = torch.where(inside, cropped, outside)
    return cropped


def paste_window(image: Tensor, piece: Tensor, window: Window) -> Tensor:
    """An image, uint8 (C, H, W), with a square piece, enlarged or shrunk, in its window; what lies
    beyond the image is lost.
    """
    top, left, side = window
    piece = resize(piece[None], side, side)[0]  # (C, side, side)
    # negative starts would count from the end, so what lies above or left is cut off first
    height, width = (min(side, length) for length in image.shape[1:])
    visible = piece[:, max(-top, 0) :, max(-left, 0) :][:, :height, :width]

    pasted = image.clone()
    pasted[:, max(top, 0) :, max(left, 0) :][:, :side, :side] = visible  # views of `pasted`
    return pasted
