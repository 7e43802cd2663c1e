"""Blocks and rules that two papers share."""

import math
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm
from torch.nn.utils.parametrizations import spectral_norm

from ganvas.errors import UserError

# the layers that `spectral` changes
SPECTRAL = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)


def stage_sizes(size: int) -> list[int]:
    """Map sizes from the smallest to the picture's: halved while even and at least 3 remain. 28
    gives [7, 14, 28].

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
        raise UserError(
            f"size {size} cannot be made by doubling a small map; the nearest sizes that can: {better}"
        )
    return sizes


def stage_widths(width: int, stages: int, most: int = 8) -> list[int]:
    """Channels of the maps, from the smallest to the one before the picture: doubled at every
    halving, up to `most` x width.
    """
    return [width * min(most, 2**depth) for depth in reversed(range(stages))]


def downsample(inputs: int, outputs: int, kernel: int, bias: bool = True) -> nn.Conv2d:
    """A convolution that halves an even map."""
    return nn.Conv2d(inputs, outputs, kernel, stride=2, padding=(kernel - 1) // 2, bias=bias)


def upsample(inputs: int, outputs: int, kernel: int, bias: bool = True) -> nn.ConvTranspose2d:
    """A transposed convolution that doubles a map."""
    return nn.ConvTranspose2d(
        inputs,
        outputs,
        kernel,
        stride=2,
        padding=(kernel - 1) // 2,
        output_padding=kernel % 2,
        bias=bias,
    )


def initialise_weights(
    network: nn.Module, std: float, truncated: bool = False, scale_std: float = 0.0
) -> None:
    """Weights N(0, std), cut at two standard deviations if `truncated`; scales of norms N(1,
    scale_std); biases 0.
    """
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


def add_spectral_norm(network: nn.Module) -> nn.Module:
    """The network, its weights divided by their largest singular value; Miyato et al. 2018, section
    2.1 and algorithm 1.

    All convolutions, linear layers and embeddings; kernels count as matrices (outputs, inputs k k).
    Each forward in training mode takes one step of the power iteration, whose vectors are buffers:
    what is saved and loaded goes on bit for bit.
    """
    for layer in [module for module in network.modules() if isinstance(module, SPECTRAL)]:
        spectral_norm(layer)
    return network


class VectorNorm(nn.BatchNorm1d):
    """Batch norm of vectors (N, C).

    Of one alone nothing would be left: it is brought to the running statistics instead.
    """

    def forward(self, input: Tensor) -> Tensor:  # the name that PyTorch gives it
        if len(input) > 1:
            return super().forward(input)
        return batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
        )


class MinibatchStd(nn.Module):
    """Tells a discriminator how much pictures differ: one more channel; Karras et al. 2018, section
    3.

    In groups of pictures, the standard deviation of each feature at each place, averaged over both:
    a generator that makes the same few again and again gives itself away. Pictures of a group are
    `len(batch) / size` apart; a batch that groups of 4 do not divide has groups of the largest size
    below that does. The square root has 1e-8 inside, since its slope at 0 is infinite.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, h, w) to (N, C + 1, h, w)."""
        count, _, height, width = maps.shape
        size = next(size for size in (4, 3, 2, 1) if count % size == 0)
        variance = maps.unflatten(0, (size, -1)).var(0, correction=0)  # (N / size, C, h, w)
        deviation = (variance + 1e-8).sqrt().mean((1, 2, 3)).repeat(size)
        return torch.cat(
            [maps, deviation[:, None, None, None].expand(-1, 1, height, width).to(maps.dtype)], 1
        )


def pack_images(images: Tensor, packing: int) -> Tensor:
    """Each picture with the `packing` - 1 before it, beginning again at the end: (N, C, H, W) to
    (N, packing * C, H, W).

    A discriminator that judges packs, all real or all fake, sees when the same few are made again
    and again (Lin et al. 2018, PacGAN, whose packs do not overlap).
    """
    return torch.cat([images.roll(shift, 0) for shift in range(packing)], 1)


class PatchDiscriminator(nn.Sequential):
    """Scores of overlapping patches of a picture, (N, 1, h, w); Isola et al. 2017, section 3.2.2
    and appendix 6.1.2.

    Convolutions 4x4, halving `halvings` times and then twice not, LeakyReLU 0.2, norms after all
    but the first and last: with three halvings each score sees 70x70 pixels, with none one pixel
    (1x1 convolutions).

    The norm is that of one picture by itself: the papers' batch norm sees batches of one, where it
    is the same.

    Args:
        channels: of all that is judged together.
        width: channels of the first map; doubled up to 8 x.
        halvings: 3 for patches of 70x70, 1 for 16x16, 0 for 1x1.
        affine: whether norms have a scale and a shift.
    """

    def __init__(self, channels: int, width: int = 64, halvings: int = 3, affine: bool = True):
        kernel, padding = (4, 1) if halvings else (1, 0)
        modules: list[nn.Module] = [
            nn.Conv2d(channels, width, kernel, 2 if halvings else 1, padding),
            nn.LeakyReLU(0.2, True),
        ]
        widths = [width * min(8, 2**level) for level in range(max(1, halvings) + 1)]
        for depth, (inputs, outputs) in enumerate(pairwise(widths), 1):
            stride = 2 if depth < halvings else 1
            modules += [nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=not affine)]
            modules += [nn.InstanceNorm2d(outputs, affine=affine), nn.LeakyReLU(0.2, True)]
        super().__init__(*modules, nn.Conv2d(widths[-1], 1, kernel, 1, padding))


class ResidualBlock(nn.Module):
    """What two 3x3 convolutions with norms add to a map;

    He et al. 2016, without the last ReLU (Johnson et al. 2016).
    """

    def __init__(self, width: int, padding: Literal["reflect", "zeros"], affine: bool, bias: bool):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, padding_mode=padding, bias=bias),
            nn.InstanceNorm2d(width, affine=affine),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1, padding_mode=padding, bias=bias),
            nn.InstanceNorm2d(width, affine=affine),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(N, width, h, w) to the same shape."""
        return maps + self.layers(maps)


class ResidualGenerator(nn.Sequential):
    """A picture to a picture: two halvings, residual blocks, two doublings; Johnson et al. 2016,
    Zhu et al. 2017, appendix 7.2.

    Convolution 7x7 – two halvings – blocks – two doublings – convolution 7x7, tanh; norms of one
    picture by itself and ReLU after all but the last. (N, inputs, H, W) to (N, outputs, H, W) in
    [-1, 1]; H and W are multiples of 4 and at least 8.

    Args:
        inputs: channels that it is given.
        outputs: channels of the picture made.
        width: channels of the first map; 4 x after the halvings.
        blocks: residual ones.
        kernel: side of the kernels that halve and double.
        padding: at the border of the blocks and 7x7 convolutions. A norm of one picture takes away
            what is constant over it: with "reflect" constant input planes would have no effect,
            with "zeros" the border lets them through.
        affine: whether norms have a scale and a shift.
        bias: whether convolutions have biases; those before a norm have no effect.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        width: int = 64,
        blocks: int = 6,
        kernel: int = 3,
        padding: Literal["reflect", "zeros"] = "zeros",
        affine: bool = False,
        bias: bool = False,
    ):
        def add_norm(layer: nn.Module, channels: int) -> list[nn.Module]:
            return [layer, nn.InstanceNorm2d(channels, affine=affine), nn.ReLU(inplace=True)]

        modules = add_norm(
            nn.Conv2d(inputs, width, 7, padding=3, padding_mode=padding, bias=bias), width
        )
        modules += add_norm(downsample(width, 2 * width, kernel, bias), 2 * width)
        modules += add_norm(downsample(2 * width, 4 * width, kernel, bias), 4 * width)
        modules += [ResidualBlock(4 * width, padding, affine, bias) for _ in range(blocks)]
        modules += add_norm(upsample(4 * width, 2 * width, kernel, bias), 2 * width)
        modules += add_norm(upsample(2 * width, width, kernel, bias), width)
        super().__init__(
            *modules,
            nn.Conv2d(width, outputs, 7, padding=3, padding_mode=padding, bias=bias),
            nn.Tanh(),
        )


def check_multiple_of_4(size: int) -> None:
    """Refuse a size that cannot be halved twice.

    Raises:
        UserError: the size is no multiple of 4, or below 8.
    """
    if size % 4 or size < 8:
        below, above = max(8, size // 4 * 4), max(8, -(-size // 4) * 4)
        better = " and ".join(str(side) for side in sorted({below, above}))
        raise UserError(
            f"size {size} cannot be made by halving and doubling twice; the nearest sizes that can: {better}"
        )


def patch_halvings(size: int) -> int:
    """Halvings of a `PatchDiscriminator`: 3, as in the papers, or as many as leave a map of 3x3."""
    return max(halvings for halvings in (1, 2, 3) if halvings == 1 or size >> halvings >= 3)
