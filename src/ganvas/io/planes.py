"""Show images whose channels are no colours to people: opacity, bands of a sensor, categories."""

import colorsys
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.io.images import to_pil

__all__ = ["category_colours", "show_planes", "to_picture"]

LIGHT, DARK = 255, 225  # of the checkerboard behind transparent pixels
SQUARES = 8  # of the checkerboard, along a side
GOLDEN = 0.618034  # of the circle of hues, from one category to the next: none are near each other


def show_planes(images: Tensor, kind: str, names: Sequence[str] = ()) -> Tensor:
    """Images uint8 (N, C, H, W) as people see them, (N, 1 or 3, H, W).

    Opacity lies over a light checkerboard, of bands the first three are a colour (of two the first
    is a grey), and each category has a colour of its own.

    Args:
        images: of channels as `kind` says.
        kind: "colour", "alpha", "bands" or "categories", as in `ganvas.schema.Planes`; "points"
            come back as they are.
        names: of categories.
    """
    channels = images.shape[1]
    if kind == "categories":
        colours = torch.tensor(category_colours(names), dtype=torch.uint8)  # (K, 3)
        return colours[images.argmax(1)].permute(0, 3, 1, 2)  # (N, H, W, 3) before

    if kind == "alpha":
        alpha = images[:, 3:].int()
        behind = _checkerboard(images.shape[2], images.shape[3])
        # colours are multiplied by opacity already; those of a GAN may be lighter than that allows
        laid = images[:, :3].int() + (behind * (255 - alpha) + 127) // 255
        return laid.clamp(max=255).to(torch.uint8)

    if channels in (1, 3) or kind == "points":
        return images
    return images[:, :3] if channels > 3 else images[:, :1]


def _checkerboard(height: int, width: int) -> Tensor:
    """A light checkerboard, int32 (1, 1, H, W)."""
    side = max(1, min(height, width) // SQUARES)
    odd = (torch.arange(height)[:, None] // side + torch.arange(width) // side) % 2
    return torch.where(odd.bool(), DARK, LIGHT).int()[None, None]


def category_colours(names: Sequence[str]) -> list[tuple[int, int, int]]:
    """Red, green and blue of each category: its own where its name is "#rrggbb"."""
    colours = []
    for number, name in enumerate(names):
        if name.startswith("#"):
            red, green, blue = bytes.fromhex(name[1:])
        else:
            # the first one, often the background, is nearly black; others differ in hue and
            # lightness
            light = (0.95, 0.7, 0.5)[number % 3] if number else 0.15
            shade = colorsys.hsv_to_rgb(number * GOLDEN % 1, 0.75 if number else 0, light)
            red, green, blue = (round(255 * value) for value in shade)
        colours.append((red, green, blue))
    return colours


def to_picture(image: Tensor, kind: str, names: Sequence[str] = ()) -> Image.Image:
    """One image uint8 (C, H, W) as a Pillow image that keeps what it means.

    Opacity becomes RGBA, with colours no longer multiplied by it. A label map has the values of its
    categories again: a palette whose numbers they are, or colours. Of bands only those that are
    shown are kept.

    Args:
        image: of channels as `kind` says; a colour may have its opacity behind it, 255 for opaque.
        kind: as in `show_planes`.
        names: of categories.
    """
    if kind == "colour":
        return to_pil(image)
    if kind == "alpha":
        planes = image.permute(1, 2, 0).int()
        alpha = planes[:, :, 3:]
        colours = (planes[:, :, :3] * 255 + alpha // 2) // alpha.clamp(min=1)
        rgba = torch.cat([colours.clamp(0, 255) * (alpha > 0), alpha], 2)
        return Image.fromarray(rgba.to(torch.uint8).numpy())

    numbered = kind == "categories" and all(name.isdecimal() for name in names)
    if numbered and max(map(int, names)) <= 255:
        values = np.array([int(name) for name in names], np.uint8)
        picture = Image.fromarray(values[image.argmax(0).numpy()])
        palette = [0] * 768
        for name, colour in zip(names, category_colours(names)):
            palette[3 * int(name) : 3 * int(name) + 3] = colour
        picture.putpalette(palette)  # turns grey into a palette, its values stay
        return picture

    return to_pil(show_planes(image[None], kind, names)[0])
