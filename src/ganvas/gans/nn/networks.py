"""Networks, blocks and sizes that several papers share."""

import math
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm
from torch.nn.utils.parametrizations import spectral_norm

from ganvas.errors import UserError

__all__ = [
    "FOLDED_SIZE",
    "PatchDiscriminator",
    "ResidualBlock",
    "ResidualGenerator",
    "VectorNorm",
    "add_norm",
    "add_spectral_norm",
    "check_multiple_of_4",
    "downsample",
    "initialise_weights",
    "leaky_tanh",
    "pack_images",
    "patch_halvings",
    "resize_upsample",
    "stage_sizes",
    "stage_widths",
    "unfold",
    "upsample",
]

FOLDED_SIZE = 48  # side in pixels from which the small GANs fold images
LEAK = 0.1  # slope at the ends of `leaky_tanh`
# the layers that `add_spectral_norm` changes
SPECTRAL = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)


def stage_sizes(size: int) -> list[int]:
    """Sizes of the maps, from the smallest to the image: halved while even and at least 6.

    28 gives [7, 14, 28].

    Raises:
        UserError: the size is not a number from 3 to 8, doubled at least once.
    """
    sizes = [size]
    while sizes[0] % 2 == 0 and sizes[0] >= 6:  # so that no map is below 3x3
        sizes.insert(0, sizes[0] // 2)

    if len(sizes) < 2 or sizes[0] > 8:
        step = 2 ** max(1, math.ceil(math.log2(max(size, 1) / 8)))  # so that 8 or less are left
        raise UserError(
            f"size {size} cannot be made by doubling a small map; "
            f"the nearest sizes that can: {_nearest_multiples(size, step, least=6)}"
        )
    return sizes


def _nearest_multiples(size: int, step: int, least: int) -> str:
    """The multiples of `step` around a size, in words; `least` instead of smaller ones."""
    # -(-a // b) rounds up.
    below, above = max(least, size // step * step), max(least, -(-size // step) * step)
    return " and ".join(str(side) for side in sorted({below, above}))


def stage_widths(width: int, stages: int, most: int = 8) -> list[int]:
    """Channels of the maps, from the smallest to the one before the image.

    They double at every halving, up to `most` x width.
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
        output_padding=kernel % 2,  # an odd kernel gives one pixel less
        bias=bias,
    )


def add_norm(convolution: nn.Conv2d | nn.ConvTranspose2d, *after: nn.Module) -> list[nn.Module]:
    """A convolution, its batch norm, and the modules that follow.

    Give it a convolution without bias, which would have no effect before the norm.
    """
    # `after` may work in place: the backward pass of a norm needs its input, not its output.
    return [convolution, nn.BatchNorm2d(convolution.out_channels), *after]


def resize_upsample(inputs: int, outputs: int) -> nn.Sequential:
    """Double a map by repeating its pixels, then convolve 3x3.

    Odena et al. 2016, "Deconvolution and Checkerboard Artifacts": kernels of a transposed
    convolution overlap unevenly at first and leave a pattern; this one begins without.
    """
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1))


def unfold(inputs: int, channels: int, fold: int) -> nn.Conv2d:
    """A 3x3 convolution whose outputs a pixel shuffle makes squares of `fold` x `fold` pixels.

    The pixels of a square begin equal (Aitken et al. 2017): with first weights of their own they
    would begin as a lattice, of which a trace would stay.
    """
    layer = nn.Conv2d(inputs, channels * fold**2, 3, padding=1)
    assert layer.bias is not None
    with torch.no_grad():
        for values in (layer.weight, layer.bias):
            # The pixels of a square are neighbours among the channels.
            values.copy_(values[:: fold**2].repeat_interleave(fold**2, 0))
    return layer


def leaky_tanh(values: Tensor) -> Tensor:
    """tanh(x) + x / 10, which is nowhere flat.

    Where most pixels are pure white, such as around sprites, the first training steps can drive all
    pixels to the end of a tanh, and a generator without gradients never comes back from there.
    """
    return values.tanh() + LEAK * values


def initialise_weights(
    network: nn.Module, std: float, truncated: bool = False, scale_std: float = 0.0
) -> None:
    """Draw weights from N(0, std) and scales of norms from N(1, scale_std); set biases to 0.

    Args:
        network: changed in place.
        std: standard deviation of weights.
        truncated: cut the weights at two standard deviations.
        scale_std: standard deviation of the scales of norms.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if truncated:
                # PyTorch's limits are absolute, not in standard deviations.
                nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)
            else:
                nn.init.normal_(module.weight, std=std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d | nn.InstanceNorm2d) and module.affine:
            nn.init.normal_(module.weight, 1.0, scale_std)


def add_spectral_norm(network: nn.Module) -> nn.Module:
    """Divide all weights by their largest singular value; Miyato et al. 2018, algorithm 1.

    This changes convolutions, linear layers and embeddings in place; kernels count as matrices
    (outputs, inputs k k). Each forward pass in training mode takes one step of the power iteration.
    Its vectors are buffers, so a network that was saved and loaded continues bit for bit.
    """
    # a list, since the loop adds modules
    for layer in [module for module in network.modules() if isinstance(module, SPECTRAL)]:
        spectral_norm(layer)
    return network


class VectorNorm(nn.BatchNorm1d):
    """Batch norm of vectors (N, C), which takes a batch of one too.

    The statistics of one vector would leave nothing of it: it is normalised by the running ones.
    """

    def forward(self, input: Tensor) -> Tensor:  # `input` is PyTorch's name
        # not len(), which an export would turn into a constant
        if input.shape[0] > 1:
            return super().forward(input)
        # Not in training mode, so the running statistics are used and stay as they are.
        return batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
        )


def pack_images(images: Tensor, packing: int) -> Tensor:
    """Join each image with the `packing` - 1 before it in the batch, cyclically.

    A discriminator of packs, all real or all fake, notices when the same few images are generated
    again and again; Lin et al. 2018, PacGAN, whose packs do not overlap.

    Returns:
        (N, packing * C, H, W) from (N, C, H, W).
    """
    return torch.cat([images.roll(shift, 0) for shift in range(packing)], 1)


class PatchDiscriminator(nn.Sequential):
    """Scores of overlapping patches; Isola et al. 2017, section 3.2.2 and appendix 6.1.2.

    (N, channels, H, W) to (N, 1, h, w). Convolutions 4x4, of which the first `halvings` halve the
    map, and two more that do not; LeakyReLU 0.2; norms after all but the first and the last. With
    three halvings each score sees 70x70 pixels, with none one pixel (1x1 convolutions).

    Norms are of one image by itself: the papers' batch norm sees batches of one, which is equal.

    Args:
        channels: of everything that is scored together.
        width: channels of the first map; doubled at every halving, up to 8 x.
        halvings: 3 for patches of 70x70, 2 for 34x34, 1 for 16x16, 0 for 1x1.
        affine: whether norms have a scale and a shift.
    """

    def __init__(self, channels: int, width: int = 64, halvings: int = 3, affine: bool = True):
        kernel, padding = (4, 1) if halvings else (1, 0)
        # 3 halvings: 1, 2, 4 and 8 x width channels, the last two at the same size
        widths = [width * min(8, 2**level) for level in range(max(1, halvings) + 1)]

        stride = 2 if halvings else 1
        modules: list[nn.Module] = [nn.Conv2d(channels, width, kernel, stride, padding)]
        modules.append(nn.LeakyReLU(0.2, True))
        for depth, (inputs, outputs) in enumerate(pairwise(widths), 1):
            stride = 2 if depth < halvings else 1  # the layer before the loop halves too
            # the shift of an affine norm replaces the bias
            modules.append(nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=not affine))
            modules += [nn.InstanceNorm2d(outputs, affine=affine), nn.LeakyReLU(0.2, True)]
        super().__init__(*modules, nn.Conv2d(widths[-1], 1, kernel, 1, padding))


class ResidualBlock(nn.Module):
    """What two 3x3 convolutions with norms add to a map.

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
    """An image to an image; Johnson et al. 2016, Zhu et al. 2017, appendix 7.2.

    Convolution 7x7 – two halvings – residual blocks – two doublings – convolution 7x7, tanh. Norms
    of one image by itself and ReLU follow all convolutions but the last.

    (N, inputs, H, W) to (N, outputs, H, W) in [-1, 1]; H and W are multiples of 4 and at least 8.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        width: channels of the first map; 4 x after the halvings.
        blocks: number of residual blocks.
        kernel: side of the kernels that halve and double.
        padding: at the border of the blocks and of the 7x7 convolutions. A norm of one image
            removes what is constant over it: with "reflect" constant input planes would have no
            effect, with "zeros" they have one at the border.
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
        def with_norm(layer: nn.Module, channels: int) -> list[nn.Module]:
            return [layer, nn.InstanceNorm2d(channels, affine=affine), nn.ReLU(inplace=True)]

        def wide(inputs: int, outputs: int) -> nn.Conv2d:
            return nn.Conv2d(inputs, outputs, 7, padding=3, padding_mode=padding, bias=bias)

        modules = with_norm(wide(inputs, width), width)  # (N, width, H, W)
        modules += with_norm(downsample(width, 2 * width, kernel, bias), 2 * width)  # H/2, W/2
        modules += with_norm(downsample(2 * width, 4 * width, kernel, bias), 4 * width)  # H/4, W/4
        modules += [ResidualBlock(4 * width, padding, affine, bias) for _ in range(blocks)]
        modules += with_norm(upsample(4 * width, 2 * width, kernel, bias), 2 * width)  # H/2, W/2
        modules += with_norm(upsample(2 * width, width, kernel, bias), width)  # H, W
        super().__init__(*modules, wide(width, outputs), nn.Tanh())


def check_multiple_of_4(size: int) -> None:
    """Refuse a size that cannot be halved twice.

    Raises:
        UserError: the size is no multiple of 4, or below 8.
    """
    if size % 4 or size < 8:
        raise UserError(
            f"size {size} cannot be made by halving and doubling twice; "
            f"the nearest sizes that can: {_nearest_multiples(size, 4, least=8)}"
        )


def patch_halvings(size: int) -> int:
    """Halvings of a `PatchDiscriminator`: 3, as in the papers, or as many as leave a 3x3 map."""
    # Each of the two convolutions after the halvings takes a pixel: 3x3, 2x2, one score.
    return max(halvings for halvings in (1, 2, 3) if halvings == 1 or size >> halvings >= 3)
