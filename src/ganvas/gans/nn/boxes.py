"""Boxes and key points: what they mean on a map of features, and how to draw them on images.

A box is (left, top, width, height) and a key point (x, y, seen), in shares of the image's side.
"""

from colorsys import hsv_to_rgb

import torch
from torch import Tensor

__all__ = [
    "box_mask",
    "box_planes",
    "crop_boxes",
    "draw_boxes",
    "draw_keypoints",
    "heat_maps",
    "location_maps",
    "paste_into_boxes",
    "shrink_images",
]

REACH = 0.08  # of a key point's bell: its standard deviation, in shares of the side


def paste_into_boxes(maps: Tensor, box: Tensor) -> Tensor:
    """Shrink whole maps (N, C, M, M) into boxes (N, 4) of empty maps: zero outside.

    Jaderberg et al. 2015, "Spatial Transformer Networks". Bilinear, and smoothed where the box is
    smaller than the map, as an antialiased resizing does.
    """
    left, top, width, height = _widen_boxes(box, maps.shape[-1]).unbind(1)
    # The whole map as seen from the box: the inverse of its window.
    return _resample_window(maps, -top / height, 1 / height, -left / width, 1 / width)


def crop_boxes(maps: Tensor, box: Tensor) -> Tensor:
    """Cut boxes (N, 4) out of maps and enlarge them to whole maps (N, C, M, M).

    The inverse of `paste_into_boxes`.
    """
    left, top, width, height = _widen_boxes(box, maps.shape[-1]).unbind(1)
    return _resample_window(maps, top, height, left, width)


def _resample_window(
    maps: Tensor, top: Tensor, height: Tensor, left: Tensor, width: Tensor
) -> Tensor:
    """The part of maps (N, C, M, M) that a window shows, each edge (N,) in shares of the map.

    It is zero where the window reaches beyond the map.
    """
    rows = _window_weights(top, height, maps.shape[-2]).to(maps.dtype)  # (N, M, M)
    columns = _window_weights(left, width, maps.shape[-1]).to(maps.dtype)  # (N, M, M)
    # Two products of matrices are faster on a CPU than sampling point by point, and on a GPU they
    # give the same result in every run.
    return rows[:, None] @ maps @ columns[:, None].mT


def _window_weights(start: Tensor, length: Tensor, cells: int) -> Tensor:
    """How much each cell of a line contributes to each cell of a window on it.

    Args:
        start: (N,) where the window begins, in shares of the line.
        length: (N,) of the window, in shares of the line.
        cells: of the line, and of the window.

    Returns:
        (N, cells of the window, cells of the line).
    """
    number = torch.arange(cells, device=start.device, dtype=start.dtype)  # (cells,)
    # (N, cells): the middles of the window's cells, in cells of the line
    places = (start[:, None] + length[:, None] * (number + 0.5) / cells) * cells - 0.5
    # A window longer than the line shrinks it: each of its cells is a mean over several.
    reach = length.clamp(min=1)[:, None, None]  # (N, 1, 1), in cells of the line

    # The weights of an endless line sum to 1, so that what lies beyond the ends counts as zero.
    beyond = torch.arange(-cells, cells + 1, device=start.device, dtype=start.dtype)
    offset = (places - places.floor())[:, :, None] - beyond  # (N, cells, 2 x cells + 1)
    whole = (1 - offset.abs() / reach).clamp(min=0).sum(2, keepdim=True)  # (N, cells, 1)
    return (1 - (places[:, :, None] - number).abs() / reach).clamp(min=0) / whole


def _widen_boxes(box: Tensor, cells: int) -> Tensor:
    """Boxes (N, 4), those smaller than a cell widened around their middle.

    Otherwise they would be lost between two cells.
    """
    sides = box[:, 2:].clamp(min=1 / cells)  # (N, 2)
    return torch.cat([box[:, :2] + (box[:, 2:] - sides) / 2, sides], 1)


def box_mask(box: Tensor, cells: int) -> Tensor:
    """Boxes (N, 4) as maps (N, 1, cells, cells): 1 inside, 0 outside, between them at the edge."""
    # not len(), which an export would turn into a constant
    ones = torch.ones(box.shape[0], 1, cells, cells, device=box.device, dtype=box.dtype)
    return paste_into_boxes(ones, box)


def shrink_images(
    images: Tensor, box: Tensor, smallest: float, shares: Tensor
) -> tuple[Tensor, Tensor]:
    """Shrink images and put them somewhere on a ground of the colour of their corners.

    Args:
        images: (N, C, H, H).
        box: (N, 4).
        smallest: smallest new side, in shares of the old one.
        shares: (N, 3) in [0, 1): of the range of sizes, and of the room in x and y.

    Returns:
        Images and boxes of the same shapes.
    """
    side = smallest + (1 - smallest) * shares[:, :1]  # (N, 1), of both axes
    corner = (1 - side) * shares[:, 1:]  # (N, 2): left, top

    # Pasting leaves zeros outside, so the ground is taken away before and added after it.
    # (N, C, 1, 1)
    ground = images[:, :, [0, 0, -1, -1], [0, -1, 0, -1]].mean(2)[:, :, None, None]
    small = paste_into_boxes(images - ground, torch.cat([corner, side, side], 1)) + ground
    return small, torch.cat([corner + box[:, :2] * side, box[:, 2:] * side], 1)


def location_maps(keypoints: Tensor, cells: int) -> Tensor:
    """Key points (N, P, 3) as maps (N, P, cells, cells): 1 in the cell of a part that is seen."""
    place = (keypoints[..., :2] * cells).floor().clamp(0, cells - 1)  # 1.0 lies in the last cell
    number = torch.arange(cells, device=keypoints.device, dtype=keypoints.dtype)
    columns, rows = (place[..., None] == number).to(keypoints.dtype).unbind(2)  # (N, P, cells) each
    seen = keypoints[..., 2] > 0.5  # (N, P); completed points have a probability here
    return rows[:, :, :, None] * columns[:, :, None, :] * seen[:, :, None, None]


def box_planes(box: Tensor, cells: int) -> Tensor:
    """Boxes (N, 4) as maps (N, 3, cells, cells): inside it, and where in it a cell lies.

    The second plane counts across from -1 at the left edge to 1 at the right one, the third down
    from -1 at the top to 1 at the bottom; both stay at -1 or 1 beyond the edges.
    """
    # (cells,), the middles of the cells in shares of the side
    middle = (torch.arange(cells, device=box.device, dtype=box.dtype) + 0.5) / cells
    left, top, width, height = _widen_boxes(box, cells)[:, :, None].unbind(1)  # (N, 1) each
    across = (2 * (middle - left) / width - 1).clamp(-1, 1)  # (N, cells)
    down = (2 * (middle - top) / height - 1).clamp(-1, 1)

    across, down = across[:, None, None, :], down[:, None, :, None]
    shape = (-1, -1, cells, cells)
    return torch.cat([box_mask(box, cells), across.expand(shape), down.expand(shape)], 1)


def heat_maps(keypoints: Tensor, cells: int) -> Tensor:
    """Key points (N, P, 3) as maps (N, P, cells, cells): bells around the parts that are seen.

    1 at the part, exp(-1/2) at a `REACH` of the side from it; 0 everywhere for a hidden part.
    """
    middle = (torch.arange(cells, device=keypoints.device, dtype=keypoints.dtype) + 0.5) / cells
    distance = (keypoints[..., :2, None] - middle) / REACH  # (N, P, 2, cells)
    columns, rows = (-distance.square() / 2).exp().unbind(2)  # (N, P, cells) each
    seen = (keypoints[..., 2] > 0.5).to(keypoints.dtype)  # (N, P)
    return rows[:, :, :, None] * columns[:, :, None, :] * seen[:, :, None, None]


# Drawing, for people to look at


def draw_boxes(images: Tensor, box: Tensor) -> Tensor:
    """Draw boxes (N, 4) on images (N, C, H, W) in [-1, 1], a pixel wide.

    They are red, or black on grey images.
    """
    height, width = images.shape[-2:]
    red = [1.0, -1.0, -1.0] if images.shape[1] == 3 else [-1.0]
    colour = torch.tensor(red, device=images.device, dtype=images.dtype)[:, None, None]

    corners = torch.cat([box[:, :2], box[:, :2] + box[:, 2:]], 1)  # left, top, right, bottom
    scale = torch.tensor([width, height, width, height], device=box.device)
    edges = (corners * scale).round().long().tolist()  # pixels

    drawn = images.clone()
    # Each `image` is a view, so that writing to it changes `drawn`.
    for image, (left, top, right, bottom) in zip(drawn, edges):
        left, top = max(0, left), max(0, top)
        right, bottom = min(width, right) - 1, min(height, bottom) - 1
        image[:, [top, bottom], left : right + 1] = colour
        image[:, top : bottom + 1, [left, right]] = colour
    return drawn


def draw_keypoints(images: Tensor, keypoints: Tensor) -> Tensor:
    """Draw key points (N, P, 3) on images (N, C, H, W) in [-1, 1], as small squares.

    Each part has its own colour; on grey images all are black.
    """
    height, width = images.shape[-2:]
    reach = max(1, width // 48)  # pixels, so that a mark has 1/24 of the side
    drawn = images.clone()

    for image, points in zip(drawn, keypoints.tolist()):
        for number, (x, y, seen) in enumerate(points):
            if seen <= 0.5:
                continue
            rgb = hsv_to_rgb(number / len(points), 1.0, 0.9) if len(image) == 3 else (0.0,)
            colour = torch.tensor(rgb, device=images.device, dtype=images.dtype) * 2 - 1
            row = min(int(y * height), height - 1)
            column = min(int(x * width), width - 1)
            rows = slice(max(0, row - reach), row + reach)
            columns = slice(max(0, column - reach), column + reach)
            image[:, rows, columns] = colour[:, None, None]
    return drawn
