"""Draw the stages of a network below each other, on one sheet."""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ganvas.inference.inside.stages import Stage
from ganvas.io.images import as_sheet, to_pil

__all__ = [
    "choose_side",
    "describe_stage",
    "draw_judgement",
    "draw_noise",
    "draw_stages",
    "most_tiles",
]

Row = tuple[str, str, list[Image.Image]]  # what it is, the layer's name, and pictures

LABEL, WIDTH = 168, 1240  # pixels: of the names at the left, and of the whole sheet
GAP, POINTS = 4, 14
MOST = 16  # maps of a stage
LARGE = 192  # pixels of the image's side, about
UNIT = 10  # pixels of a unit, and of a number of noise
# Names are written with the letters of Pillow's own font, which has no multiplication sign.
INK, FAINT = "#171a1f", "#5b6472"


def choose_side(side: int) -> int:
    """Pixels in which the longer side of a map is shown: larger maps are larger, small ones are
    enlarged by a whole number, and more.
    """
    wanted = 40 + 12 * math.log2(max(side, 1))
    return side * max(1, round(wanted / side))


def most_tiles(stage: Stage) -> int:
    """How many maps of a stage fit into a row of the sheet."""
    return max(1, min(MOST, (WIDTH - LABEL) // (choose_side(max(stage.size)) + GAP)))


def describe_stage(stage: Stage) -> str:
    """The size of a stage, such as "8 x 8, 64 maps"."""
    high, wide = stage.size
    if not stage.has_maps:
        return f"{stage.count} units"
    return f"{wide} x {high}, {stage.count} map{'s' * (stage.count > 1)}"


def draw_noise(noise: Tensor) -> Image.Image:
    """Noise (size,) as a rectangle of grey squares; what lies beyond 2 counts as 2."""
    units = Stage("", noise.clamp(-2, 2)[:, None, None])
    return _enlarge(to_pil(units.draw_tiles(1)), UNIT)


def draw_stages(
    stages: Sequence[Stage],
    image: Image.Image,
    noise: Tensor | None = None,
    given: Image.Image | None = None,
) -> Image.Image:
    """Draw a row of maps for each stage of a generator, between what it was given and the image.

    Args:
        stages: in order.
        image: that was generated.
        noise: float (size,), if it was given some.
        given: image that it was given, if any.
    """
    rows = [] if given is None else [_image_row(given, "given")]
    if noise is not None:
        rows.append((f"noise, {len(noise)} numbers", "", [draw_noise(noise)]))
    return _draw_rows([*rows, *map(_stage_row, stages), _image_row(image, "image")])


def draw_judgement(stages: Sequence[Stage], image: Image.Image, score: float) -> Image.Image:
    """Draw a row of maps for each stage of a discriminator, between the image and its score."""
    last: Row = (f"score {score:.3g}", "", [])
    return _draw_rows([_image_row(image, "image"), *map(_stage_row, stages), last])


def _stage_row(stage: Stage) -> Row:
    return describe_stage(stage), stage.name, draw_tiles(stage)


def _image_row(image: Image.Image, word: str) -> Row:
    scale = max(1, round(LARGE / max(image.size)))
    return f"{word}, {image.width} x {image.height}", "", [_enlarge(image, scale)]


def draw_tiles(stage: Stage) -> list[Image.Image]:
    """The maps of a stage as they are shown, the strongest first."""
    scale = choose_side(max(stage.size)) // max(stage.size) if stage.has_maps else UNIT
    return [_enlarge(to_pil(tile[None]), scale) for tile in stage.draw_tiles(most_tiles(stage))]


def _enlarge(picture: Image.Image, scale: int) -> Image.Image:
    """A picture with each pixel repeated."""
    size = picture.width * scale, picture.height * scale
    return picture.resize(size, Image.Resampling.NEAREST)


def _draw_rows(rows: Sequence[Row]) -> Image.Image:
    """Draw rows of pictures with two lines of text at the left."""
    heights = [max([2 * POINTS + 12, *(one.height for one in line)]) for *_, line in rows]
    widths = [sum(one.width + GAP for one in line) for *_, line in rows]
    sheet = Image.new(
        "RGB", (LABEL + max(widths) + GAP, sum(heights) + 3 * GAP * (len(rows) + 1)), "white"
    )
    pen = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(POINTS), ImageFont.load_default(POINTS - 3)

    top = 3 * GAP
    for (text, name, line), height in zip(rows, heights):
        middle = top + height // 2
        pen.text((10, middle - (8 if name else 0)), text, fill=INK, font=large, anchor="lm")
        pen.text((10, middle + 10), _shorten(name), fill=FAINT, font=small, anchor="lm")
        left = LABEL
        for one in line:
            sheet.paste(one, (left, top + (height - one.height) // 2))
            left += one.width + GAP
        top += height + 3 * GAP
    return as_sheet(sheet)


def _shorten(name: str, most: int = 26) -> str:
    """The end of a long name, which tells layers apart."""
    return name if len(name) <= most else f"\N{HORIZONTAL ELLIPSIS}{name[1 - most :]}"
