"""Cut large images into squares."""

import math
from typing import NamedTuple

from ganvas.data.pick import spread_evenly

__all__ = ["Tile", "grow_to_fit", "list_tiles"]


class Tile(NamedTuple):
    """A square of an image.

    Attributes:
        row: its number from the top, from 1.
        column: its number from the left, from 1.
        top: its first row of pixels.
        left: its first column of pixels.
    """

    row: int
    column: int
    top: int
    left: int


def list_tiles(height: int, width: int, side: int, overlap: float, most: int | None) -> list[Tile]:
    """The squares of an image, row by row.

    Nothing is lost at the right and at the bottom: where the last square would reach over the edge,
    it lies at the edge instead, over a part of its neighbour.

    Args:
        height: of the image in pixels, at least `side`.
        width: of the image in pixels, at least `side`.
        side: of the squares in pixels.
        overlap: share of its side by which a square reaches over the next one, in [0, 1).
        most: squares at most, evenly spread over the image; None: all.
    """
    step = max(1, round(side * (1 - overlap)))
    tops = _list_starts(height, side, step)
    lefts = _list_starts(width, side, step)

    count = len(tops) * len(lefts)
    chosen = spread_evenly(count if most is None else most, count)
    tiles = []
    for number in chosen.tolist():
        row, column = divmod(number, len(lefts))
        tiles.append(Tile(row + 1, column + 1, tops[row], lefts[column]))
    return tiles


def _list_starts(length: int, side: int, step: int) -> list[int]:
    """Where squares begin along a side of an image."""
    starts = list(range(0, length - side + 1, step))
    if starts[-1] + side < length:
        starts.append(length - side)
    return starts


def grow_to_fit(height: int, width: int, side: int) -> tuple[int, int]:
    """Height and width of an image whose shorter side is enlarged to `side`, if it is smaller."""
    scale = max(1.0, side / min(height, width))
    # at least `side`: rounding must not lose a pixel
    return max(side, math.floor(height * scale + 0.5)), max(side, math.floor(width * scale + 0.5))
