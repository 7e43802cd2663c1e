"""Where things are in a picture: what a box or a key point means on a map of features, and blocks
of players that are told it.

A box is (left, top, width, height) and a key point (x, y, seen), all in shares of the picture's
side.
"""

from colorsys import hsv_to_rgb

import torch
from torch import Tensor


def paste_into_boxes(maps: Tensor, box: Tensor) -> Tensor:
    """Lay whole maps (N, C, M, M) into boxes (N, 4) of empty ones: zero outside.

    Jaderberg et al. 2015, "Spatial Transformer Networks". Bilinear, and smoothed where the box is
    smaller than the map, as an antialiased resizing does.
    """
    left, top, width, height = widen_boxes(box, maps.shape[-1]).unbind(1)
    return resample_window(maps, -top / height, 1 / height, -left / width, 1 / width)


def crop_boxes(maps: Tensor, box: Tensor) -> Tensor:
    """Cut boxes (N, 4) out of maps (N, C, M, M) and enlarge them to (N, C, M, M): the way back from
    `into_box`.
    """
    left, top, width, height = widen_boxes(box, maps.shape[-1]).unbind(1)
    return resample_window(maps, top, height, left, width)


def resample_window(
    maps: Tensor, top: Tensor, height: Tensor, left: Tensor, width: Tensor
) -> Tensor:
    """Maps (N, C, M, M) seen through a window, each (N,) in shares of the map; zero where the
    window looks beyond it.
    """
    rows = window_weights(top, height, maps.shape[-2]).to(maps.dtype)
    columns = window_weights(left, width, maps.shape[-1]).to(maps.dtype)
    # Two products of matrices: on a CPU faster than sampling point by point, and on a GPU the same
    # in every run.
    return rows[:, None] @ maps @ columns[:, None].mT


def window_weights(start: Tensor, length: Tensor, cells: int) -> Tensor:
    """How much each cell of a line counts in each cell of a window, (N, cells of the window, cells
    of the line).

    Args:
        start: (N,) where the window begins, in shares of the line.
        length: (N,) of the window, likewise.
        cells: of the line, and of the window.
    """
    number = torch.arange(cells, device=start.device, dtype=start.dtype)
    # (N, cells), in cells of the line
    places = (start[:, None] + length[:, None] * (number + 0.5) / cells) * cells - 0.5
    reach = length.clamp(min=1)[:, None, None]
    # Brought to a sum of 1 over an endless line, so that what lies beyond the ends counts as zero.
    beyond = torch.arange(-cells, cells + 1, device=start.device, dtype=start.dtype)
    whole = (
        (1 - ((places - places.floor())[:, :, None] - beyond).abs() / reach)
        .clamp(min=0)
        .sum(2, keepdim=True)
    )
    return (1 - (places[:, :, None] - number).abs() / reach).clamp(min=0) / whole


def widen_boxes(box: Tensor, cells: int) -> Tensor:
    """Boxes (N, 4); those smaller than a cell are widened around their middle, so that they are not
    lost between two.
    """
    sides = box[:, 2:].clamp(min=1 / cells)
    return torch.cat([box[:, :2] + (box[:, 2:] - sides) / 2, sides], 1)


def box_mask(box: Tensor, cells: int) -> Tensor:
    """Boxes (N, 4) as maps (N, 1, cells, cells) of 1 inside and 0 outside, softly where the edge
    crosses a cell.
    """
    return paste_into_boxes(
        torch.ones(len(box), 1, cells, cells, device=box.device, dtype=box.dtype), box
    )


def shrink_images(
    images: Tensor, box: Tensor, smallest: float, shares: Tensor
) -> tuple[Tensor, Tensor]:
    """Pictures made smaller and laid somewhere on a ground of the colour of their corners, with
    their boxes.

    Args:
        images: (N, C, H, H).
        box: (N, 4).
        smallest: the smallest side, in shares of the former.
        shares: (N, 3) in [0, 1): of the range of sizes, and of the room in x and y.
    """
    side = smallest + (1 - smallest) * shares[:, :1]
    corner = (1 - side) * shares[:, 1:]  # (N, 2): left, top
    ground = images[:, :, [0, 0, -1, -1], [0, -1, 0, -1]].mean(2)[:, :, None, None]
    small = paste_into_boxes(images - ground, torch.cat([corner, side, side], 1)) + ground
    return small, torch.cat([corner + box[:, :2] * side, box[:, 2:] * side], 1)


def draw_boxes(images: Tensor, box: Tensor) -> Tensor:
    """Pictures (N, C, H, W) in [-1, 1] with the boxes (N, 4) drawn on them, a pixel wide: red, or
    dark on grey ones.
    """
    height, width = images.shape[-2:]
    colour = torch.tensor(
        [1.0, -1.0, -1.0] if images.shape[1] == 3 else [-1.0], device=images.device
    )[:, None]
    found = images.clone()
    ends = torch.cat([box[:, :2], box[:, :2] + box[:, 2:]], 1) * torch.tensor(
        [width, height] * 2, device=box.device
    )
    for picture, (left, top, right, bottom) in zip(found, ends.round().long().tolist()):
        left, top, right, bottom = (
            max(0, left),
            max(0, top),
            min(width, right) - 1,
            min(height, bottom) - 1,
        )
        picture[:, [top, bottom], left : right + 1] = colour[:, :, None].to(picture.dtype)
        picture[:, top : bottom + 1, [left, right]] = colour[:, :, None].to(picture.dtype)
    return found


def location_maps(keypoints: Tensor, cells: int) -> Tensor:
    """Key points (N, P, 3) as maps (N, P, cells, cells):

    1 in the cell of a part that is seen, else 0.
    """
    place = (keypoints[..., :2] * cells).floor().clamp(0, cells - 1)
    number = torch.arange(cells, device=keypoints.device, dtype=keypoints.dtype)
    columns, rows = (place[..., None] == number).to(keypoints.dtype).unbind(2)  # (N, P, cells) each
    return (
        rows[:, :, :, None] * columns[:, :, None, :] * (keypoints[..., 2] > 0.5)[:, :, None, None]
    )


def draw_keypoints(images: Tensor, keypoints: Tensor) -> Tensor:
    """Pictures (N, C, H, W) in [-1, 1] with key points (N, P, 3) as dots, each part of its own
    colour, or dark on grey ones.
    """
    found = images.clone()
    height, width = images.shape[-2:]
    reach = max(1, width // 48)
    for picture, points in zip(found, keypoints.tolist()):
        for number, (x, y, seen) in enumerate(points):
            if seen > 0.5:
                row, column = min(int(y * height), height - 1), min(int(x * width), width - 1)
                shade = hsv_to_rgb(number / len(points), 1.0, 0.9) if len(picture) == 3 else (0.0,)
                area = picture[
                    :, max(0, row - reach) : row + reach, max(0, column - reach) : column + reach
                ]
                area[:] = (
                    torch.tensor(shade, device=images.device, dtype=images.dtype)[:, None, None] * 2
                    - 1
                )
    return found
