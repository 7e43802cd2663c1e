"""Images of any size through a GAN that takes some sizes: mirrored edges, and overlapping tiles."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = [
    "OVERLAP",
    "TILE",
    "Tiling",
    "edge_weights",
    "extend_by_mirror",
    "pad_to_multiple",
    "tile_starts",
    "translate_tiles",
]

# Larger images are translated in tiles that overlap, so that memory does not depend on their size.
TILE, OVERLAP = 512, 64  # pixels
SMALLEST = 8  # pixels: networks that halve twice and then look around need two of them


class Tiling(NamedTuple):
    """How large images are cut, in pixels.

    Attributes:
        side: of a tile.
        overlap: of neighbours, at least.
        whole: pixels of the largest image that is translated in one piece.
    """

    side: int = TILE
    overlap: int = OVERLAP
    # In one piece where it fits: instance norm in a tile knows only the tile.
    whole: int = 4 * TILE**2


USUAL = Tiling()


def translate_tiles(
    image: Tensor, channels: int, translate: Callable[[Tensor], Tensor], tiling: Tiling = USUAL
) -> Tensor:
    """Translate an image in one piece or, where it is large, in tiles that fade into one another.

    Args:
        image: float (1, C, H, W).
        channels: of the result.
        translate: an image of any size, float (1, C, h, w), to (1, channels, h, w) on the CPU.
        tiling: how it is cut.

    Returns:
        float (1, channels, H, W) on the CPU.
    """
    _, _, height, width = image.shape
    if height * width <= tiling.whole:
        return translate(image)

    total = torch.zeros(1, channels, height, width)
    weights = torch.zeros(1, 1, height, width)
    for top in tile_starts(height, tiling):
        for left in tile_starts(width, tiling):
            place = (..., slice(top, top + tiling.side), slice(left, left + tiling.side))
            piece = translate(image[place])
            # by the piece's own sides: an image may be narrower than a tile
            high, wide = (edge_weights(side, tiling.overlap) for side in piece.shape[2:])
            share = high[:, None] * wide
            total[place] += piece * share
            weights[place] += share
    return total / weights  # no weight is 0, not even at the edges


def tile_starts(length: int, tiling: Tiling = USUAL) -> list[int]:
    """Where tiles begin that cover a length and overlap by `tiling.overlap` or more."""
    side, overlap, _ = tiling
    count = max(1, -(-(length - overlap) // (side - overlap)))
    return [round(number * max(0, length - side) / max(1, count - 1)) for number in range(count)]


def edge_weights(length: int, overlap: int = OVERLAP) -> Tensor:
    """Weights (length,) that rise from each edge to 1 over `overlap` pixels."""
    distance = torch.arange(length).add(1).minimum(torch.arange(length, 0, -1))  # 1, 2, ..., 2, 1
    return (distance / overlap).clamp(max=1)


def pad_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """Continue (1, C, H, W) by its mirror image until both sides are multiples and large enough."""
    _, _, height, width = image.shape
    # -side % multiple: the pixels that are missing to the next multiple
    down, right = (max(-side % multiple, SMALLEST - side) for side in (height, width))
    return extend_by_mirror(image, down, right)


def extend_by_mirror(image: Tensor, down: int, right: int) -> Tensor:
    """Continue (1, C, H, W) downwards and to the right by its mirror image, however small it is."""
    _, _, height, width = image.shape
    rows = _mirror_indices(height, height + down).to(image.device)
    columns = _mirror_indices(width, width + right).to(image.device)
    return image[:, :, rows][..., columns]


def _mirror_indices(length: int, wanted: int) -> Tensor:
    """Indices 0, 1, ..., length - 1, length - 2, ... back and forth, int64 (wanted,)."""
    period = max(1, 2 * length - 2)  # the outermost pixels are not repeated
    indices = torch.arange(wanted) % period
    return indices.minimum((period - indices).abs()) if length > 1 else indices * 0
