"""Random holes for images: boxes and strokes, as tensors that are 1 in the hole and 0 around it."""

import math
from itertools import pairwise

import torch
from torch import Tensor

__all__ = ["draw_box_holes", "draw_holes", "draw_stroke_holes", "squared_distance"]

CORNERS = 8  # of a stroke's line
BEND = math.pi * 2 / 3  # largest angle by which a line bends at a corner
LONGEST = 0.4  # longest piece of a line, in shares of the image's longer side


def draw_holes(
    random: torch.Generator, count: int, height: int, width: int, least: float, most: float
) -> Tensor:
    """Holes: a quarter are boxes in the middle, a quarter boxes anywhere, half free-form strokes.

    Args:
        random: where the numbers come from.
        count: how many holes.
        height: of the images, in pixels.
        width: of the images, in pixels.
        least: smallest share of the image that a hole covers, as closely as whole pixels can.
        most: largest share.

    Returns:
        (count, 1, height, width) of the default type, 0 or 1.
    """
    area = least + (most - least) * torch.rand(count, generator=random)  # (N,)
    kind = torch.rand(count, generator=random)

    holes = draw_box_holes(random, area, height, width, central=kind < 0.25)  # strokes replace half
    free_form = kind >= 0.5
    holes[free_form] = draw_stroke_holes(random, area[free_form], height, width)
    return holes


def draw_box_holes(
    random: torch.Generator, area: Tensor, height: int, width: int, central: Tensor
) -> Tensor:
    """Upright boxes inside the image, at most twice as long as wide (in shares of its sides).

    Args:
        random: where the numbers come from.
        area: (N,) in shares of the image.
        height: of the images, in pixels.
        width: of the images, in pixels.
        central: bool (N,), whether a box is in the middle; else it is anywhere.

    Returns:
        (N, 1, height, width), 0 or 1; no box is empty.
    """
    root = area.sqrt()  # side of a square hole, in shares
    # The square of `longer` is height by width, 1/2 to 2. Clamped, no side exceeds the image.
    longer = 2 ** (torch.rand(len(area), generator=random) - 0.5)
    longer = longer.clamp(root, 1 / root)
    # (N, 2): in the room around the box, 0 is at the top or left, 1/2 in the middle
    corner = torch.where(central[:, None], 0.5, torch.rand(len(area), 2, generator=random))

    rows = _mark_interval(root * longer, corner[:, 0], height)  # (N, height)
    columns = _mark_interval(root / longer, corner[:, 1], width)  # (N, width)
    return (rows[:, None, :, None] & columns[:, None, None, :]).to(area.dtype)


def _mark_interval(length: Tensor, place: Tensor, side: int) -> Tensor:
    """Intervals of at least one pixel on a line of `side` pixels.

    Args:
        length: (N,) in shares of the line.
        place: (N,) in [0, 1]: where in the room that is left the interval begins.
        side: pixels of the line.

    Returns:
        bool (N, side), True inside the interval.
    """
    pixels = (length * side).round().clamp(min=1)
    start = (place * (side - pixels)).round()[:, None]  # (N, 1), in pixels
    positions = torch.arange(side)
    return (positions >= start) & (positions < start + pixels[:, None])


def draw_stroke_holes(random: torch.Generator, area: Tensor, height: int, width: int) -> Tensor:
    """Free-form strokes, as if drawn by hand: a line that bends at its corners.

    A random walk as in Yu et al. 2019, "Free-Form Image Inpainting with Gated Convolution",
    appendix. There the thickness is drawn and the area follows; here the area decides the
    thickness.

    Args:
        random: where the numbers come from.
        area: (N,) in shares of the image.
        height: of the images, in pixels.
        width: of the images, in pixels.

    Returns:
        (N, 1, height, width), 0 or 1; no hole is empty.
    """
    count = len(area)
    corners = _draw_line(random, count, height, width)  # CORNERS times (N, 2)

    # (2, height x width): row and column of each pixel's middle
    grid = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    pixels = torch.stack(grid).flatten(1).to(area.dtype) + 0.5

    # (N, height x width): squared distance of each pixel from the line
    nearest = torch.full((count, height * width), math.inf)
    for start, end in pairwise(corners):
        nearest = torch.minimum(nearest, squared_distance(pixels, start, end))

    # The hole is as many of the nearest pixels as its area asks for.
    filled = (area * height * width).round().clamp(1, height * width).long()  # (N,)
    limit = nearest.sort(1).values.gather(1, filled[:, None] - 1)  # (N, 1)
    return (nearest <= limit).view(count, 1, height, width).to(area.dtype)


def _draw_line(random: torch.Generator, count: int, height: int, width: int) -> list[Tensor]:
    """The CORNERS corners of lines inside an image, (count, 2) each: row and column in pixels."""
    # (count, CORNERS - 1): the first piece has any direction, each later one bends from the last
    turns = (torch.rand(count, CORNERS - 1, generator=random) * 2 - 1) * BEND
    turns[:, 0] = torch.rand(count, generator=random) * 2 * math.pi
    lengths = torch.rand(count, CORNERS - 1, 1, generator=random) * LONGEST * max(height, width)
    direction = turns.cumsum(1)  # radians; sine is down, cosine right
    pieces = lengths * torch.stack([direction.sin(), direction.cos()], 2)  # (count, CORNERS - 1, 2)

    extent = torch.tensor([height, width], dtype=turns.dtype)  # pixels
    corners = [torch.rand(count, 2, generator=random) * extent]
    for piece in pieces.unbind(1):
        # A corner beyond the border moves to the border.
        corners.append(torch.minimum((corners[-1] + piece).clamp(min=0), extent))
    return corners


def squared_distance(points: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Squared distances of points (2, P) from straight pieces between start and end, (N, 2) each.

    With q from the start to the point and d along the piece: |q|² - 2 t q·d + t² |d|², where t is
    the share of d that is nearest to the point.

    Returns:
        (N, P).
    """
    along = end - start  # d, (N, 2)
    length = along.square().sum(1, keepdim=True).clamp(min=1e-6)  # |d|², never 0
    reach = along @ points - (along * start).sum(1, keepdim=True)  # q·d
    share = (reach / length).clamp_(0, 1)  # t, (N, P)
    # |q|² multiplied out, without an (N, P, 2) tensor; rounding may leave it just below 0.
    from_start = points.square().sum(0) - 2 * (start @ points) + start.square().sum(1, keepdim=True)
    return from_start + share * (share * length - 2 * reach)
