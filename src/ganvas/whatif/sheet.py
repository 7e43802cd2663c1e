"""Draw what both sides generated along their training: single grids, and all of them as one."""

from PIL import Image, ImageDraw, ImageFont

from ganvas.data.builtin.points import mode_discs
from ganvas.io.images import as_sheet
from ganvas.io.planes import show_planes
from ganvas.io.scatter import draw_sheet
from ganvas.whatif.course import Course, Moment

__all__ = ["draw_moment", "draw_sides"]

HEAD, GAP = 44, 12  # pixels: the line above a row of grids, and the space between them


def draw_moment(course: Course, moment: Moment, caption: str = "") -> Image.Image:
    """The samples of one time, as a grid or as points over the modes of their data."""
    samples = moment.samples
    if course.gan.kind == "image":
        samples = show_planes(samples, *course.gan.schema.planes(course.gan.target))
    discs = mode_discs(course.dataset.report.spec)
    return draw_sheet(samples, moment.columns, moment.rows, caption, discs)


def draw_sides(broken: Course, mended: Course, lines: tuple[str, str]) -> Image.Image:
    """Both sides below each other, time from left to right.

    Args:
        broken: the one side.
        mended: the other.
        lines: what each was trained with, in a few words.
    """
    rows = [
        [draw_moment(course, each, f"{each.images:,} images") for each in course.moments]
        for course in (broken, mended)
    ]
    width = max(grid.width for row in rows for grid in row) + GAP
    height = max(grid.height for row in rows for grid in row) + HEAD
    columns = max(map(len, rows))
    sheet = Image.new("RGB", (columns * width + GAP, len(rows) * height + GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(20)

    for number, (row, line) in enumerate(zip(rows, lines)):
        top = number * height
        pen.text((GAP, top + HEAD / 2), line, fill="black", font=font, anchor="lm")
        for column, grid in enumerate(row):
            sheet.paste(grid, (GAP + column * width, top + HEAD))
    return as_sheet(sheet)
