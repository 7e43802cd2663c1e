"""Pictures side by side: grids and tables."""

from collections.abc import Mapping, Sequence

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ganvas.io.images import as_sheet, to_pil

GAP = 4  # pixels between pictures and around them


def make_grid(
    images: Tensor,
    columns: int,
    row_names: Sequence[str] = (),
    caption: str = "",
    headings: Sequence[str] = (),
) -> Image.Image:
    """Lay pictures out row by row on white, small ones enlarged to be seen, with optional row
    names, headings and a caption.

    Args:
        images: uint8 (N, C, H, W).
        columns: pictures in a row; the last row may be short.
        row_names: one name a row, written at the left.
        caption: a line written under the grid.
        headings: one a column, written above.
    """
    count, _, height, width = images.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    scale = max(1, round((96 if headings else 56) / max(height, width)))
    cell_width, cell_height = width * scale + GAP, height * scale + GAP
    points = max(12, min(20, cell_height // 3))
    font = ImageFont.load_default(points)
    left = 0
    if row_names:
        left = int(max(font.getlength(name) for name in row_names)) + 12
    bottom = 2 * points if caption else 0
    small = ImageFont.load_default(heading_points(headings, cell_width))
    top = 18 if headings else 0
    mode = "L" if images.shape[1] == 1 else "RGB"
    white = 255 if mode == "L" else (255, 255, 255)
    black = 0 if mode == "L" else (0, 0, 0)
    sheet = Image.new(
        mode, (left + columns * cell_width + GAP, top + rows * cell_height + GAP + bottom), white
    )
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        picture = to_pil(image).resize((width * scale, height * scale), Image.Resampling.BICUBIC)
        sheet.paste(picture, (left + GAP + column * cell_width, top + GAP + row * cell_height))
    pen = ImageDraw.Draw(sheet)
    for row, name in enumerate(row_names):
        pen.text(
            (left - 6, top + GAP + (row + 0.5) * cell_height),
            name,
            fill=black,
            font=font,
            anchor="rm",
        )
    for column, name in enumerate(headings):
        pen.text(
            (left + GAP + (column + 0.5) * cell_width, top),
            name,
            fill=black,
            font=small,
            anchor="mb",
        )
    if caption:
        pen.text(
            (sheet.width / 2, sheet.height - bottom / 2),
            caption,
            fill=black,
            font=font,
            anchor="mm",
        )
    return as_sheet(sheet)


def heading_points(headings: Sequence[str], width: int) -> int:
    """The size of type in which the longest heading fits its column."""
    widest = max((ImageFont.load_default(13).getlength(name) for name in headings), default=1)
    return max(7, min(13, int(13 * width / max(widest, 1))))


def table(
    columns: Mapping[str, Tensor], row_names: Sequence[str] = (), caption: str = ""
) -> Image.Image:
    """Pictures that belong together side by side: a row for each N, a column for each heading.

    Args:
        columns: uint8 (N, C, H, W) of one size by heading; grey ones are repeated to RGB where
            others are not.
        row_names: as `make_grid`; caption too.
    """
    channels = max(pictures.shape[1] for pictures in columns.values())
    together = torch.stack(
        [pictures.expand(-1, channels, -1, -1) for pictures in columns.values()], 1
    )
    return make_grid(together.flatten(0, 1), len(columns), row_names, caption, list(columns))
