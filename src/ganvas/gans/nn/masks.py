"""Random holes for pictures: boxes and strokes, as tensors that are 1 in the hole and 0 around it."""

import math
from itertools import pairwise

import torch
from torch import Tensor

CORNERS = 8  # of a stroke's line
BEND = math.pi * 2 / 3  # most that a line turns at a corner
LONGEST = 0.4  # piece of a line, in shares of the picture's side


def draw_holes(
    random: torch.Generator, count: int, height: int, width: int, least: float, most: float
) -> Tensor:
    """Holes of which a quarter are boxes in the middle, a quarter boxes anywhere, and half
    free-form strokes.

    Args:
        random: where the numbers come from.
        count: how many.
        height: of the pictures, in pixels.
        width: the same.
        least: share of the picture that a hole covers at least, as closely as whole pixels can.
        most: the same at most.

    Returns:
        (count, 1, height, width) of the default type, 0 or 1.
    """
    area = least + (most - least) * torch.rand(count, generator=random)
    kind = torch.rand(count, generator=random)
    holes = draw_box_holes(random, area, height, width, central=kind < 0.25)
    drawn = kind >= 0.5
    holes[drawn] = draw_stroke_holes(random, area[drawn], height, width)
    return holes


def draw_box_holes(
    random: torch.Generator, area: Tensor, height: int, width: int, central: Tensor
) -> Tensor:
    """Upright boxes wholly inside the picture, up to twice as long as wide (in shares of its
    sides).

    Args:
        random: where the numbers come from.
        area: (N,) in shares of the picture.
        height: of the pictures, in pixels.
        width: the same.
        central: bool (N,), whether a box is in the middle; else it is anywhere.

    Returns:
        (N, 1, height, width), 0 or 1; no box is empty.
    """
    root = area.sqrt()
    # its square is height by width: 1/2 to 2
    longer = 2 ** (torch.rand(len(area), generator=random) - 0.5)
    longer = longer.clamp(root, 1 / root)  # neither is longer than the picture
    corner = torch.where(central[:, None], 0.5, torch.rand(len(area), 2, generator=random))
    inside = []
    for side, length, place in (
        (height, root * longer, corner[:, 0]),
        (width, root / longer, corner[:, 1]),
    ):
        pixels = (length * side).round().clamp(min=1)
        start = (place * (side - pixels)).round()[:, None]
        positions = torch.arange(side)
        inside.append((positions >= start) & (positions < start + pixels[:, None]))
    rows, columns = inside
    return (rows[:, None, :, None] & columns[:, None, None, :]).to(area.dtype)


def draw_stroke_holes(random: torch.Generator, area: Tensor, height: int, width: int) -> Tensor:
    """Free-form strokes, as if drawn by hand: a line that bends at its corners, as thick as the
    area asks for.

    As in Yu et al. 2019, "Free-Form Image Inpainting with Gated Convolution", appendix, random
    walks; but there their thickness is drawn and the area follows.

    Args:
        random: where the numbers come from.
        area: (N,) in shares of the picture.
        height: of the pictures, in pixels.
        width: the same.

    Returns:
        (N, 1, height, width), 0 or 1; no hole is empty.
    """
    count, side = len(area), max(height, width)
    turns = (torch.rand(count, CORNERS - 1, generator=random) * 2 - 1) * BEND
    turns[:, 0] = torch.rand(count, generator=random) * 2 * math.pi
    lengths = torch.rand(count, CORNERS - 1, 1, generator=random) * LONGEST * side
    heading = turns.cumsum(1)
    extent = torch.tensor([height, width], dtype=area.dtype)
    corners = [torch.rand(count, 2, generator=random) * extent]
    for piece in (lengths * torch.stack([heading.sin(), heading.cos()], 2)).unbind(1):
        corners.append(torch.minimum((corners[-1] + piece).clamp(min=0), extent))
    grid = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    # (2, height x width): row and column of each pixel's middle
    pixels = torch.stack(grid).flatten(1).to(area.dtype) + 0.5
    nearest = torch.full((count, height * width), math.inf)
    for start, end in pairwise(corners):
        nearest = torch.minimum(nearest, squared_distance(pixels, start, end))
    filled = (area * height * width).round().clamp(1, height * width).long()
    limit = nearest.sort(1).values.gather(1, filled[:, None] - 1)
    return (nearest <= limit).view(count, 1, height, width).to(area.dtype)


def squared_distance(points: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Of points (2, P) from the straight pieces between start and end, (N, 2) each: (N, P).

    With q from the start to the point and d along the piece: |q|² - 2 t q·d + t² |d|², t the share
    of d nearest to the point.
    """
    along = end - start
    length = along.square().sum(1, keepdim=True).clamp(min=1e-6)
    reach = along @ points - (along * start).sum(1, keepdim=True)  # q·d
    share = (reach / length).clamp_(0, 1)
    from_start = points.square().sum(0) - 2 * (start @ points) + start.square().sum(1, keepdim=True)
    return from_start + share * (share * length - 2 * reach)
