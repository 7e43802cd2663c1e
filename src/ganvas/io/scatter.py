"""Points in the plane as a picture, and the choice between that and a grid of pictures."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ganvas.io.grids import make_grid
from ganvas.io.images import as_sheet

SIDE = 480  # pixels of the square [-1, 1]
FINE = 3  # drawn that many times as large and shrunk, for smooth edges
# centre x, centre y and radius, in the coordinates of the points
Discs = Sequence[tuple[float, float, float]]
MARGIN, FOOT = 24, 36  # pixels around the square; below it for a caption
DOT = 1.6  # a point's radius in pixels
INK, MODE, LINE, TEXT = (
    (20, 90, 200, 110),
    (255, 176, 59, 110),
    (222, 222, 222, 255),
    (70, 70, 70, 255),
)


def draw_sheet(
    images: Tensor,
    columns: int,
    row_names: Sequence[str] = (),
    caption: str = "",
    discs: Discs = (),
) -> Image.Image:
    """What a person looks at: pictures in a grid, or points in a scatter picture, where columns and
    rows have no meaning.

    Args:
        images: pictures, uint8 (N, C, H, W); or points, float (N, 2, 1, 1) in [-1, 1].
        columns: as `grids.make_grid`; row_names and caption too.
        discs: drawn behind points, one for each mode of their data where the modes are known.
    """
    return (
        draw_points(images, caption, discs)
        if images.shape[1] == 2
        else make_grid(images, columns, row_names, caption)
    )


def draw_points(points: Tensor, caption: str = "", discs: Discs = ()) -> Image.Image:
    """Points, float (N, 2, 1, 1), in the square [-1, 1], y upwards, in front of the discs."""
    width, height = SIDE + 2 * MARGIN, SIDE + 2 * MARGIN + (FOOT if caption else 0)
    canvas = Image.new("RGB", (width * FINE, height * FINE), "white")
    pen = ImageDraw.Draw(canvas, "RGBA")

    def place(x: float, y: float) -> tuple[float, float]:
        return (MARGIN + (x + 1) / 2 * SIDE) * FINE, (MARGIN + (1 - y) / 2 * SIDE) * FINE

    pen.rectangle([*place(-1, 1), *place(1, -1)], outline=LINE, width=FINE)
    pen.line([place(-1, 0), place(1, 0)], fill=LINE, width=FINE)
    pen.line([place(0, -1), place(0, 1)], fill=LINE, width=FINE)
    for x, y, radius in discs:
        pen.circle(place(x, y), max(3, radius * SIDE / 2) * FINE, fill=MODE)
    for x, y in points.flatten(1).tolist():
        pen.circle(place(x, y), DOT * FINE, fill=INK)
    drawn = canvas.resize((width, height), Image.Resampling.LANCZOS)
    pen, font = ImageDraw.Draw(drawn), ImageFont.load_default(12)
    for value in (-1, 0, 1):
        across, down = (side / FINE for side in place(value, value))
        pen.text((across, SIDE + MARGIN + 4), f"{value}", fill=TEXT, font=font, anchor="ma")
        pen.text((MARGIN - 5, down), f"{value}", fill=TEXT, font=font, anchor="rm")
    pen.text(
        (width / 2, height - FOOT / 2),
        caption,
        fill=TEXT,
        font=ImageFont.load_default(15),
        anchor="mm",
    )
    return as_sheet(drawn)
