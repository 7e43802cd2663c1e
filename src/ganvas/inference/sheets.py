"""Draw results side by side: a grid of samples, or rows of images with what they came from."""

import math
from collections.abc import Mapping, Sequence

import torch
from PIL import Image
from torch import Tensor

from ganvas.io.grids import make_grid, make_table
from ganvas.io.resizing import resize, to_square

__all__ = ["ROWS", "draw_columns", "draw_grid", "draw_rows", "make_tile", "square_columns"]

ROWS = 24  # of a sheet with a row for each result
TILE = 128  # side in pixels of the images on such a sheet
LONGEST = 256  # side in pixels of the images on a sheet of one result


def draw_grid(
    images: Sequence[Tensor], columns: int | None = None, caption: str = ""
) -> Image.Image:
    """Draw images of one size, uint8 (C, H, W) each, as a grid.

    Args:
        images: at least one.
        columns: images in a row; None: as square as possible.
        caption: a line below.
    """
    columns = columns or square_columns(len(images))
    return make_grid(torch.stack(list(images)), columns, caption=caption)


def draw_rows(rows: Sequence[Mapping[str, Tensor]]) -> Image.Image:
    """Draw a row for each result, tiles (see `make_tile`) by heading; at least one row."""
    return make_table({name: torch.stack([row[name] for row in rows]) for name in rows[0]})


def draw_columns(columns: Mapping[str, Tensor]) -> Image.Image:
    """Draw the images of one result side by side, uint8 (C, H, W) by heading."""
    # All in the shape of the image with the longest side, so that they can be compared.
    height, width = max((image.shape[1:] for image in columns.values()), key=max)
    scale = min(1.0, LONGEST / max(height, width))  # never enlarged
    high, wide = max(1, round(height * scale)), max(1, round(width * scale))
    return make_table({name: resize(image[None], high, wide) for name, image in columns.items()})


def make_tile(image: Tensor) -> Tensor:
    """An image uint8 (C, H, W) as a square of a sheet of rows, (C, TILE, TILE), on white."""
    return to_square(image[None], TILE, "pad", "white")[0]


def square_columns(count: int) -> int:
    """Columns of a grid as square as possible: the divisor of `count` at or above its root, if one
    is near.
    """
    root = math.isqrt(count - 1) + 1  # the root, rounded up
    return next((columns for columns in range(root, 2 * root + 1) if count % columns == 0), root)
