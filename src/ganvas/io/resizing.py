"""Bring uint8 images to another size, shape or number of channels."""

from typing import Literal

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from ganvas.io.images import colour

__all__ = [
    "Fit",
    "place_in_square",
    "resize",
    "resize_labels",
    "square_labels",
    "to_square",
    "with_channels",
]

Fit = Literal["crop", "pad", "stretch", "tiles"]
# Values of a picture above which `resize` works channel by channel, to save memory.
MAX_VALUES = 2**24  # 64 MiB as float32


def resize(images: Tensor, height: int, width: int) -> Tensor:
    """Resize uint8 (N, C, h, w) to uint8 (N, C, height, width).

    Bicubic with antialiasing, computed in float, then rounded and clipped.
    """
    if images.shape[-2:] == (height, width):
        return images
    if images.shape[1] > 1 and images[0].numel() > MAX_VALUES:
        # A photograph of 50 million pixels would take gigabytes as floats. The values are the same.
        channels = images.split(1, dim=1)
        return torch.cat([resize(channel, height, width) for channel in channels], dim=1)

    # Always in one memory layout, since others give other values in the last digit of a float.
    values = images.to(torch.float32, memory_format=torch.contiguous_format)
    resized = functional.interpolate(values, (height, width), mode="bicubic", antialias=True)
    # Bicubic weights are negative in part, so values may leave 0..255.
    return resized.round_().clamp_(0, 255).to(torch.uint8)


def to_square(
    images: Tensor, size: int, fit: Fit, background: str, enlarge: bool = False
) -> Tensor:
    """Bring pictures of one shape to uint8 (N, C, size, size).

    Args:
        images: uint8 (N, C, H, W).
        size: side in pixels.
        fit: "crop": the shorter side becomes `size`, then the centre is cut out; "pad": the longer
            side becomes `size` and `background` fills the rest; "stretch": both sides become
            `size`; "tiles": as "crop", for pictures that are tiles already.
        background: colour around padded pictures of 1 or 3 channels; others are padded with 0,
            which is transparent where the fourth is opacity.
        enlarge: whether padding may enlarge a small picture; if not, it keeps its size and is
            centred.
    """
    top, left, height, width = place_in_square(
        images.shape[-2], images.shape[-1], size, fit, enlarge
    )
    images = resize(images, height, width)
    if fit != "pad":
        return images[..., -top : size - top, -left : size - left]  # both are 0 or negative here

    fill = _background_pixel(background, images.shape[1]).view(1, -1, 1, 1)  # (1, C, 1, 1)
    square = fill.expand(len(images), -1, size, size).clone()  # clone: expanded pixels share memory
    square[..., top : top + height, left : left + width] = images
    return square


def resize_labels(labels: Tensor, height: int, width: int) -> Tensor:
    """Resize label maps, uint8 (N, 1, h, w): each pixel takes the value of the nearest one."""
    if labels.shape[-2:] == (height, width):
        return labels
    return functional.interpolate(labels, (height, width), mode="nearest-exact")


def square_labels(labels: Tensor, size: int, fit: Fit, padding: int) -> Tensor:
    """Bring label maps of one shape to uint8 (N, 1, size, size), as `to_square` does with images.

    No value is mixed with another: each pixel takes that of the nearest one.

    Args:
        labels: uint8 (N, 1, H, W).
        size: side in pixels.
        fit: as in `to_square`.
        padding: the value around padded maps.
    """
    top, left, height, width = place_in_square(labels.shape[-2], labels.shape[-1], size, fit)
    labels = resize_labels(labels, height, width)
    if fit != "pad":
        return labels[..., -top : size - top, -left : size - left]

    square = torch.full((len(labels), 1, size, size), padding, dtype=torch.uint8)
    square[..., top : top + height, left : left + width] = labels
    return square


def place_in_square(
    height: int, width: int, size: int, fit: Fit, enlarge: bool = False
) -> tuple[int, int, int, int]:
    """Where `to_square` places a whole picture in the square.

    Returns:
        top, left, height and width in pixels of the square; with "crop" and "tiles" top or left is
        negative, and what lies outside is cut off.
    """
    if fit == "stretch":
        return 0, 0, size, size

    scale = size / (max(height, width) if fit == "pad" else min(height, width))
    if fit == "pad" and not enlarge:
        scale = min(scale, 1)
    # At least 1: a thin strip may shrink to less than half a pixel.
    height, width = max(1, round(height * scale)), max(1, round(width * scale))
    if fit != "pad":
        # Of an odd number of rows or columns, one more is cut at the bottom or right.
        return -((height - size) // 2), -((width - size) // 2), height, width
    return (size - height) // 2, (size - width) // 2, height, width


def _background_pixel(name: str, channels: int) -> Tensor:
    """A colour as uint8 (channels,); grey is its luminance, with Pillow's weights. Around opacity
    and bands nothing is seen: 0.
    """
    rgb = colour(name)
    if channels == 3:
        return torch.tensor(rgb, dtype=torch.uint8)
    if channels != 1:
        return torch.zeros(channels, dtype=torch.uint8)
    grey = Image.new("RGB", (1, 1), rgb).convert("L").getpixel((0, 0))
    return torch.tensor([grey], dtype=torch.uint8)


def with_channels(images: Tensor, channels: int) -> Tensor:
    """Bring uint8 (N, 1 or 3, H, W) to 1 or 3 channels.

    Grey is repeated; RGB becomes its luminance, with Pillow's weights.
    """
    if images.shape[1] == channels:
        return images
    if channels == 3:
        return images.expand(-1, 3, -1, -1)  # a view: to be copied before it is written to

    # Pillow's integer arithmetic: weights in shares of 2^16, and 2^15 to round.
    weights = torch.tensor([19_595, 38_470, 7_471], dtype=torch.int32).view(3, 1, 1)
    luminance = (images.int() * weights).sum(1, keepdim=True)  # (N, 1, H, W), up to 255 x 2^16
    return (luminance + 2**15 >> 16).to(torch.uint8)
