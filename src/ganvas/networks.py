"""Blocks and rules that two papers share."""

import math

from torch import nn

from ganvas.errors import UserError


def stage_sizes(size: int) -> list[int]:
    """Map sizes from the smallest to the picture's: halved while even and at least 3 remain. 28 gives [7, 14, 28].

    Raises:
        UserError: the size is not a number from 3 to 8, doubled at least once.
    """
    sizes = [size]
    while sizes[0] % 2 == 0 and sizes[0] >= 6:
        sizes.insert(0, sizes[0] // 2)
    if len(sizes) < 2 or sizes[0] > 8:
        step = 2 ** max(1, math.ceil(math.log2(max(size, 1) / 8)))
        below, above = max(6, size // step * step), max(6, -(-size // step) * step)
        better = " and ".join(str(side) for side in sorted({below, above}))
        raise UserError(f"size {size} cannot be made by doubling a small map; the nearest sizes that can: {better}")
    return sizes


def stage_widths(width: int, stages: int, most: int = 8) -> list[int]:
    """Channels of the maps, from the smallest to the one before the picture: doubled at every halving, up to `most` x width."""
    return [width * min(most, 2**depth) for depth in reversed(range(stages))]


def down(inputs: int, outputs: int, kernel: int, bias: bool = True) -> nn.Conv2d:
    """A convolution that halves an even map."""
    return nn.Conv2d(inputs, outputs, kernel, stride=2, padding=(kernel - 1) // 2, bias=bias)


def up(inputs: int, outputs: int, kernel: int, bias: bool = True) -> nn.ConvTranspose2d:
    """A transposed convolution that doubles a map."""
    return nn.ConvTranspose2d(
        inputs, outputs, kernel, stride=2, padding=(kernel - 1) // 2, output_padding=kernel % 2, bias=bias
    )


def initialise(network: nn.Module, std: float, truncated: bool = False, scale_std: float = 0.0) -> None:
    """Weights N(0, std), cut at two standard deviations if `truncated`; scales of norms N(1, scale_std); biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if truncated:
                nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)
            else:
                nn.init.normal_(module.weight, std=std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d | nn.InstanceNorm2d) and module.affine:
            nn.init.normal_(module.weight, 1.0, scale_std)


class PatchDiscriminator(nn.Sequential):
    """Scores of overlapping patches of a picture, (N, 1, h, w); Isola et al. 2017, section 3.2.2 and appendix 6.1.2.

    Convolutions 4x4, halving `halvings` times and then twice not, LeakyReLU 0.2, norms after all but the first and last: with
    three halvings each score sees 70x70 pixels, with none one pixel (1x1 convolutions).

    The norm is that of one picture by itself: the papers' batch norm sees batches of one, where it is the same.

    Args:
        channels: of all that is judged together.
        width: channels of the first map; doubled up to 8 x.
        halvings: 3 for patches of 70x70, 1 for 16x16, 0 for 1x1.
        affine: whether norms have a scale and a shift.
    """

    def __init__(self, channels: int, width: int = 64, halvings: int = 3, affine: bool = True):
        kernel, padding = (4, 1) if halvings else (1, 0)
        modules: list[nn.Module] = [nn.Conv2d(channels, width, kernel, 2 if halvings else 1, padding), nn.LeakyReLU(0.2, True)]
        for depth in range(1, halvings + 1 if halvings else 2):
            inputs, outputs = (width * min(8, 2**level) for level in (depth - 1, depth))
            stride = 2 if depth < halvings else 1
            modules += [nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=not affine)]
            modules += [nn.InstanceNorm2d(outputs, affine=affine), nn.LeakyReLU(0.2, True)]
        super().__init__(*modules, nn.Conv2d(outputs, 1, kernel, 1, padding))
