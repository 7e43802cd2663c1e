"""Where things are in a picture: what a box or a key point means on a map of features, and blocks
of players that are told it.

A box is (left, top, width, height) and a key point (x, y, seen), all in shares of the picture's
side.
"""

from colorsys import hsv_to_rgb
from itertools import pairwise

import torch
from torch import Tensor, nn

from ganvas.gans.nn.networks import initialise, stage_sizes


def into_box(maps: Tensor, box: Tensor) -> Tensor:
    """Lay whole maps (N, C, M, M) into boxes (N, 4) of empty ones: zero outside.

    Jaderberg et al. 2015, "Spatial Transformer Networks". Bilinear, and smoothed where the box is
    smaller than the map, as an antialiased resizing does.
    """
    left, top, width, height = at_least_a_cell(box, maps.shape[-1]).unbind(1)
    return resampled(maps, -top / height, 1 / height, -left / width, 1 / width)


def out_of_box(maps: Tensor, box: Tensor) -> Tensor:
    """Cut boxes (N, 4) out of maps (N, C, M, M) and enlarge them to (N, C, M, M): the way back from
    `into_box`.
    """
    left, top, width, height = at_least_a_cell(box, maps.shape[-1]).unbind(1)
    return resampled(maps, top, height, left, width)


def resampled(maps: Tensor, top: Tensor, height: Tensor, left: Tensor, width: Tensor) -> Tensor:
    """Maps (N, C, M, M) seen through a window, each (N,) in shares of the map; zero where the
    window looks beyond it.
    """
    rows = weights(top, height, maps.shape[-2]).to(maps.dtype)
    columns = weights(left, width, maps.shape[-1]).to(maps.dtype)
    # Two products of matrices: on a CPU faster than sampling point by point, and on a GPU the same
    # in every run.
    return rows[:, None] @ maps @ columns[:, None].mT


def weights(start: Tensor, length: Tensor, cells: int) -> Tensor:
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


def at_least_a_cell(box: Tensor, cells: int) -> Tensor:
    """Boxes (N, 4); those smaller than a cell are widened around their middle, so that they are not
    lost between two.
    """
    sides = box[:, 2:].clamp(min=1 / cells)
    return torch.cat([box[:, :2] + (box[:, 2:] - sides) / 2, sides], 1)


def box_mask(box: Tensor, cells: int) -> Tensor:
    """Boxes (N, 4) as maps (N, 1, cells, cells) of 1 inside and 0 outside, softly where the edge
    crosses a cell.
    """
    return into_box(torch.ones(len(box), 1, cells, cells, device=box.device, dtype=box.dtype), box)


def shrunk(images: Tensor, box: Tensor, smallest: float, shares: Tensor) -> tuple[Tensor, Tensor]:
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
    small = into_box(images - ground, torch.cat([corner, side, side], 1)) + ground
    return small, torch.cat([corner + box[:, :2] * side, box[:, 2:] * side], 1)


def with_frames(images: Tensor, box: Tensor) -> Tensor:
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


def with_points(images: Tensor, keypoints: Tensor) -> Tensor:
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


def grid_stages(size: int, cells: int = 16) -> tuple[list[int], int]:
    """Map sizes from the smallest to the picture's, and which of them tells places: at most
    `cells`, and not the picture itself.

    The papers' grid is 16 x 16. 128 gives [4, 8, 16, 32, 64, 128] and 2.

    Raises:
        UserError: the size cannot be made by doubling.
    """
    sizes = stage_sizes(size)
    return sizes, max(
        [number for number, side in enumerate(sizes[:-1]) if side <= cells], default=0
    )


class Residual(nn.Module):
    """relu(x + f(x)) with a narrower f: 1x1, 3x3, 3x3 convolutions with batch norm."""

    def __init__(self, width: int, inner: int):
        super().__init__()
        self.change = nn.Sequential(
            *normed(nn.Conv2d(width, inner, 1, bias=False), nn.ReLU(True)),
            *normed(nn.Conv2d(inner, inner, 3, padding=1, bias=False), nn.ReLU(True)),
            *normed(nn.Conv2d(inner, width, 3, padding=1, bias=False)),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(N, width, H, W) to the same."""
        return (maps + self.change(maps)).relu()


def normed(convolution: nn.Conv2d | nn.ConvTranspose2d, *after: nn.Module) -> list[nn.Module]:
    """A convolution, its batch norm, and what follows."""
    return [convolution, nn.BatchNorm2d(convolution.out_channels), *after]


def halving(inputs: int, outputs: int, leaky: bool = True) -> list[nn.Module]:
    """A convolution 4x4 that halves a map, batch norm, LeakyReLU or ReLU."""
    return normed(
        nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, True) if leaky else nn.ReLU(True),
    )


def doubling(inputs: int, outputs: int) -> list[nn.Module]:
    """A transposed convolution 4x4 that doubles a map, batch norm, ReLU."""
    return normed(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), nn.ReLU(True))


def tiled(vector: Tensor, cells: int) -> Tensor:
    """A vector (N, C) in every cell of a map (N, C, cells, cells)."""
    return vector[:, :, None, None].expand(-1, -1, cells, cells)


def looking(channels: int, width: int, halvings: int) -> nn.Sequential:
    """The first look of a discriminator at a picture: down to the grid, with 2 x width channels."""
    leaky = nn.LeakyReLU(0.2, True)
    widths = [*[width] * (halvings - 1), 2 * width]
    layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, 2, 1), leaky]
    layers += [
        module for inputs, outputs in pairwise(widths) for module in halving(inputs, outputs)
    ]
    return nn.Sequential(
        *layers, *normed(nn.Conv2d(2 * width, 2 * width, 3, padding=1, bias=False), leaky)
    )


class Verdict(nn.Module):
    """A score from the whole picture, with the text beside it, and from what was looked at closely.

    Without the released code's batch norms of vectors: these would take away from a batch of real
    pictures alone, and from one of generated pictures alone, all in which their means differ.

    Args:
        width: the paper's ndf.
        grid: halvings from the grid to the smallest map.
        start: side of the smallest map.
    """

    def __init__(self, width: int, grid: int, start: int):
        super().__init__()
        leaky = nn.LeakyReLU(0.2, True)
        deeper = [2 * width, *(4 * width * 2 ** min(depth, 1) for depth in range(grid))]
        self.whole = nn.Sequential(
            *(module for pair in pairwise(deeper) for module in halving(*pair))
        )
        self.both = nn.Sequential(
            *normed(nn.Conv2d(deeper[-1] + width, 4 * width, 1, bias=False), leaky),
            nn.Conv2d(4 * width, width, start),
            nn.Flatten(),
            leaky,
        )
        self.opinion = nn.Sequential(
            nn.Linear(2 * width, width), leaky, nn.Linear(width, 1), nn.Flatten(0)
        )

    def forward(self, seen: Tensor, told: Tensor, close: Tensor) -> Tensor:
        """Maps (N, 2 x width, M, M), text (N, width, start, start) and (N, width) to scores (N,)."""
        return self.opinion(
            torch.cat([close, self.both(torch.cat([self.whole(seen), told], 1))], 1)
        )


def looking_closely(inputs: int, width: int) -> nn.Sequential:
    """Maps (N, inputs, M, M) place by place, and their mean: (N, width)."""
    leaky = nn.LeakyReLU(0.2, True)
    first = normed(nn.Conv2d(inputs, 2 * width, 1, bias=False), leaky)
    return nn.Sequential(
        *first, nn.Conv2d(2 * width, width, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), leaky
    )


def initialise_convolutions(network: nn.Module) -> None:
    """Convolutions N(0, 0.02) and scales of norms N(1, 0.02), as in GAWWN's code; linear layers
    stay as PyTorch makes them.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
            initialise(module, std=0.02, scale_std=0.02)
