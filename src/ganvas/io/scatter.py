"""Draw points in the plane, or a grid where there are images."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ganvas.io.grids import make_grid
from ganvas.io.images import as_sheet

__all__ = ["FOOT", "MARGIN", "SIDE", "draw_points", "draw_sheet"]

SIDE = 480  # pixels of the square [-1, 1]
MARGIN = 24  # pixels around the square
FOOT = 36  # pixels below it for a caption
FINE = 3  # drawn at this multiple of the size and shrunk, for smooth edges
DOT = 1.6  # radius of a point in pixels

# Colours of points, modes, lines and text; points and modes are translucent, since they overlap.
POINT = (20, 90, 200, 110)
MODE = (255, 176, 59, 110)
LINE = (222, 222, 222, 255)
TEXT = (70, 70, 70, 255)

# Centre x, centre y and radius, in the coordinates of the points.
Discs = Sequence[tuple[float, float, float]]


def draw_sheet(
    images: Tensor,
    columns: int,
    row_names: Sequence[str] = (),
    caption: str = "",
    discs: Discs = (),
) -> Image.Image:
    """Draw pictures as a grid, or points as a scatter plot without columns and rows.

    Args:
        images: pictures, uint8 (N, C, H, W); or points, float (N, 2, 1, 1) in [-1, 1].
        columns: as in `make_grid`.
        row_names: as in `make_grid`.
        caption: a line written below.
        discs: drawn behind points, one for each mode of their data if the modes are known.
    """
    if images.shape[1:] == (2, 1, 1):
        return draw_points(images, caption, discs)
    return make_grid(images, columns, row_names, caption)


def draw_points(points: Tensor, caption: str = "", discs: Discs = ()) -> Image.Image:
    """Draw points, float (N, 2, 1, 1), in the square [-1, 1], y upwards, in front of the discs."""
    width = SIDE + 2 * MARGIN
    height = width + (FOOT if caption else 0)
    canvas = Image.new("RGB", (width * FINE, height * FINE), "white")
    pen = ImageDraw.Draw(canvas, "RGBA")

    # The frame and both axes.
    pen.rectangle([*_to_canvas(-1, 1), *_to_canvas(1, -1)], outline=LINE, width=FINE)
    pen.line([_to_canvas(-1, 0), _to_canvas(1, 0)], fill=LINE, width=FINE)
    pen.line([_to_canvas(0, -1), _to_canvas(0, 1)], fill=LINE, width=FINE)

    for x, y, radius in discs:
        pen.circle(_to_canvas(x, y), max(3, radius * SIDE / 2) * FINE, fill=MODE)
    for x, y in points.flatten(1).tolist():
        pen.circle(_to_canvas(x, y), DOT * FINE, fill=POINT)

    # Text is drawn after shrinking, which would blur it.
    picture = canvas.resize((width, height), Image.Resampling.LANCZOS)
    _write_labels(picture, caption)
    return as_sheet(picture)


def _to_canvas(x: float, y: float) -> tuple[float, float]:
    """Pixel of a point on the canvas, which is FINE times as large as the picture."""
    across = MARGIN + (x + 1) / 2 * SIDE
    down = MARGIN + (1 - y) / 2 * SIDE
    return across * FINE, down * FINE


def _write_labels(picture: Image.Image, caption: str) -> None:
    """Write the numbers of both axes and the caption."""
    pen = ImageDraw.Draw(picture)
    small, large = ImageFont.load_default(12), ImageFont.load_default(15)
    for value in (-1, 0, 1):
        across, down = (pixel / FINE for pixel in _to_canvas(value, value))
        pen.text((across, SIDE + MARGIN + 4), f"{value}", fill=TEXT, font=small, anchor="ma")
        pen.text((MARGIN - 5, down), f"{value}", fill=TEXT, font=small, anchor="rm")

    middle = (picture.width / 2, picture.height - FOOT / 2)
    pen.text(middle, caption, fill=TEXT, font=large, anchor="mm")
