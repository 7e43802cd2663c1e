"""Draw images side by side: grids and tables."""

from collections.abc import Mapping, Sequence

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ganvas.io.images import as_sheet, to_pil

__all__ = ["make_grid", "make_table", "stack_grids"]

GAP = 4  # pixels between pictures and around them
# Small pictures are enlarged by a whole number to about so many pixels; under headings to more,
# since the text needs the width.
SIDE, SIDE_WITH_HEADINGS = 56, 96
HEADING_HEIGHT, HEADING_POINTS = 18, 13
HEADING_BASE = 14  # pixels from the top to the line that headings stand on


def make_grid(
    images: Tensor,
    columns: int,
    row_names: Sequence[str] = (),
    caption: str = "",
    headings: Sequence[str] = (),
    names: Sequence[str] = (),
) -> Image.Image:
    """Draw pictures row by row on white, with optional names, headings and a caption.

    Args:
        images: uint8 (N, C, H, W); small ones are enlarged.
        columns: pictures in a row; the last row may be short.
        row_names: one name per row, written at the left.
        caption: a line written under the grid.
        headings: one per column, written above.
        names: one per picture, written under it; cut where it is wider.
    """
    count, channels, height, width = images.shape
    columns = min(columns, count)
    rows = -(-count // columns)  # rounded up
    side = SIDE_WITH_HEADINGS if headings or names else SIDE
    scale = max(1, round(side / max(height, width)))
    # Pixels of a cell: a picture with a gap at its left and top, and its name below.
    cell_width, cell_height = width * scale + GAP, height * scale + GAP
    if names:
        cell_height += HEADING_HEIGHT

    # The grid begins at (left, top); around it is room for the text.
    points = max(12, min(20, cell_height // 3))  # font size
    font = ImageFont.load_default(points)
    left = _text_width(row_names, font) + 12 if row_names else 0  # 6 pixels on either side
    top = HEADING_HEIGHT if headings else 0
    bottom = 2 * points if caption else 0

    # as wide as the pictures, or as the caption where that is wider
    wide = max(left + columns * cell_width + GAP, _text_width([caption], font) + 12)
    grey = channels == 1
    sheet = Image.new(
        "L" if grey else "RGB", (wide, top + rows * cell_height + GAP + bottom), "white"
    )
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        picture = to_pil(image).resize((width * scale, height * scale), Image.Resampling.BICUBIC)
        sheet.paste(picture, (left + GAP + column * cell_width, top + GAP + row * cell_height))

    pen = ImageDraw.Draw(sheet)
    for row, name in enumerate(row_names):
        middle = top + GAP + (row + 0.5) * cell_height
        # "rm": the point is at the right end of the text, half-way up.
        pen.text((left - 6, middle), name, fill="black", font=font, anchor="rm")

    small = _fit_font(headings, cell_width)
    for column, name in enumerate(headings):
        middle = left + GAP + (column + 0.5) * cell_width
        # "ms": on one line, whether or not a word has letters that reach below it.
        pen.text((middle, HEADING_BASE), name, fill="black", font=small, anchor="ms")

    small = _fit_font(names, cell_width)
    for index, name in enumerate(names):
        row, column = divmod(index, columns)
        middle = left + GAP / 2 + (column + 0.5) * cell_width
        base = top + (row + 1) * cell_height - HEADING_HEIGHT + HEADING_BASE
        pen.text((middle, base), _cut(name, small, cell_width), "black", small, "ms")

    if caption:
        middle = (sheet.width / 2, sheet.height - bottom / 2)
        pen.text(middle, caption, fill="black", font=font, anchor="mm")
    return as_sheet(sheet)


def _text_width(lines: Sequence[str], font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> int:
    """Width of the longest line in pixels; 0 without lines."""
    return int(max((font.getlength(line) for line in lines), default=0))


def _fit_font(headings: Sequence[str], width: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font in which the longest heading fits a column of `width` pixels, 7 to 13 points."""
    font = ImageFont.load_default(HEADING_POINTS)
    widest = max((font.getlength(name) for name in headings), default=1)
    points = int(HEADING_POINTS * width / max(widest, 1))  # widths grow with the points
    return ImageFont.load_default(max(7, min(HEADING_POINTS, points)))


def _cut(name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """A name as far as it fits into `width` pixels."""
    cut = name
    while cut and font.getlength(cut) > width:
        name = name[:-1]
        cut = f"{name}..."
    return cut


def make_table(
    columns: Mapping[str, Tensor], row_names: Sequence[str] = (), caption: str = ""
) -> Image.Image:
    """Draw pictures that belong together side by side: a row for each N, a column per heading.

    Args:
        columns: by heading, uint8 (N, C, H, W) of one size; grey ones are repeated to RGB if
            others are in colour.
        row_names: as in `make_grid`.
        caption: as in `make_grid`.
    """
    channels = max(pictures.shape[1] for pictures in columns.values())
    expanded = [pictures.expand(-1, channels, -1, -1) for pictures in columns.values()]
    # (N, columns, C, H, W), so that the pictures of a row follow one another.
    together = torch.stack(expanded, 1)
    return make_grid(together.flatten(0, 1), len(columns), row_names, caption, list(columns))


def stack_grids(grids: Sequence[Image.Image]) -> Image.Image:
    """Put grids of one width below each other as one sheet, with one gap between two of them."""
    height = sum(grid.height for grid in grids) - GAP * (len(grids) - 1)
    sheet = Image.new(grids[0].mode, (grids[0].width, height), "white")
    top = 0
    for grid in grids:
        sheet.paste(grid, (0, top))
        top += grid.height - GAP  # a grid has a gap at its top and at its bottom
    return as_sheet(sheet)
