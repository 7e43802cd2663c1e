"""Draw results side by side: a grid of samples, or rows of images with what they came from."""

import math
from collections.abc import Mapping, Sequence

import torch
from PIL import Image
from torch import Tensor

from ganvas.io.grids import make_grid, make_table, stack_grids
from ganvas.io.resizing import resize

__all__ = [
    "ROWS",
    "draw_columns",
    "draw_grid",
    "draw_rows",
    "make_tile",
    "square_columns",
    "title_classes",
]

ROWS = 24  # of a sheet with a row for each result
TILE = 128  # longer side in pixels of the images on such a sheet
LONGEST = 256  # side in pixels of the images on a sheet of one result


def draw_grid(
    images: Sequence[Tensor],
    columns: int | None = None,
    caption: str = "",
    labels: Sequence[str | None] = (),
    names: Sequence[str] = (),
) -> Image.Image:
    """Draw images of one size, uint8 (C, H, W) each, as a grid.

    Args:
        images: at least one.
        columns: images in a row; None: as square as possible.
        caption: a line below.
        labels: the class of each image; where a row or a column shows one class, it is its title.
        names: what stands under each image; nothing, where all are empty.
    """
    columns = columns or square_columns(len(images))
    row_names, headings = title_classes(labels, columns)
    shown = names if any(names) else ()
    return make_grid(torch.stack(list(images)), columns, row_names, caption, headings, shown)


def title_classes(labels: Sequence[str | None], columns: int) -> tuple[list[str], list[str]]:
    """Titles of the rows, or else of the columns, of a grid in which each shows one class.

    Both are empty where classes are mixed, where there are none, and where all images show one.
    """
    if None in labels or len(set(labels)) < 2:
        return [], []
    rows = [labels[start : start + columns] for start in range(0, len(labels), columns)]
    if all(len(set(row)) == 1 for row in rows):
        return [str(row[0]) for row in rows], []
    across = [labels[start::columns] for start in range(columns)]
    if len(rows) > 1 and all(len(set(column)) == 1 for column in across):
        return [], [str(column[0]) for column in across]
    return [], []


def draw_rows(rows: Sequence[Mapping[str, Tensor]]) -> Image.Image:
    """Draw a row for each result, tiles (see `make_tile`) by heading; at least one row.

    A row that lacks a heading of another row is white there.
    """
    headings = list(dict.fromkeys(name for row in rows for name in row))
    width = max(tile.shape[2] for row in rows for tile in row.values())
    channels = max(tile.shape[0] for row in rows for tile in row.values())

    # each row as high as its own highest tile, so that none has empty edges
    bands = []
    for number, row in enumerate(rows):
        height = max(tile.shape[1] for tile in row.values())
        cells = torch.full((len(headings), channels, height, width), 255, dtype=torch.uint8)
        for cell, name in zip(cells, headings):
            if name in row:
                _paste_centred(cell, row[name])
        bands.append(make_grid(cells, len(headings), headings=() if number else headings))
    return stack_grids(bands)


def _paste_centred(cell: Tensor, tile: Tensor) -> None:
    """Write a tile into the middle of a cell, uint8 (C, H, W) each; a grey tile is repeated."""
    _, height, width = tile.shape
    top, left = (cell.shape[1] - height) // 2, (cell.shape[2] - width) // 2
    cell[:, top : top + height, left : left + width] = tile


def draw_columns(columns: Mapping[str, Tensor]) -> Image.Image:
    """Draw the images of one result side by side, uint8 (C, H, W) by heading."""
    # All in the shape of the image with the longest side, so that they can be compared.
    height, width = max((image.shape[1:] for image in columns.values()), key=max)
    scale = min(1.0, LONGEST / max(height, width))  # never enlarged
    high, wide = max(1, round(height * scale)), max(1, round(width * scale))
    return make_table({name: resize(image[None], high, wide) for name, image in columns.items()})


def make_tile(image: Tensor) -> Tensor:
    """An image of any size, uint8 (C, H, W), for a sheet of rows: its longer side is TILE pixels.

    Args:
        image: C of 1 to 4; transparency (2 and 4) is laid over white.
    """
    opaque = _lay_over_white(image)
    scale = TILE / max(opaque.shape[1:])  # also enlarged, so that each fills its cell
    high, wide = (max(1, round(side * scale)) for side in opaque.shape[1:])
    return resize(opaque[None], high, wide)[0]


def _lay_over_white(image: Tensor) -> Tensor:
    """An image, uint8 (C, H, W), without transparency: C of 2 becomes 1, and 4 becomes 3."""
    if image.shape[0] in (1, 3):
        return image
    colours, alpha = image[:-1].float(), image[-1:].float() / 255
    return (colours * alpha + 255 * (1 - alpha)).round().to(torch.uint8)


def square_columns(count: int) -> int:
    """Columns of a grid as square as possible: the divisor of `count` at or above its root, if one
    is near.
    """
    root = math.isqrt(count - 1) + 1  # the root, rounded up
    return next((columns for columns in range(root, 2 * root + 1) if count % columns == 0), root)
