"""Convolutions of small maps by large kernels as one matrix product for the whole batch.

Where a map has a few pixels and a kernel a million weights, PyTorch's CPU convolutions are far from
the rate of matrix products, most of all for the weights' gradients: there is little to do for each
weight that is read. Cutting the patches out first costs little there, and leaves one large product.
With larger maps it would cost more than it brings.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

PIXELS = 16  # of the smaller of a layer's two maps: the most that gain
WEIGHTS = 2**19  # of a kernel: the fewest that gain

Pair = tuple[int, ...]  # two numbers: for rows and for columns


class Patches(torch.autograd.Function):
    """What a convolution's kernel sees at each place, (N, C, H, W) to (N, h, w, C k k); transposed:

    `Overlap`.
    """

    @staticmethod
    def forward(
        ctx: Any, maps: Tensor, kernel: Pair, stride: Pair, padding: Pair, last: bool
    ) -> Tensor:
        """Args: last: whether a patch has the channels last, like a kernel laid out so."""
        ctx.arguments = (maps.shape[2], maps.shape[3]), kernel, stride, padding, last
        padded = pad(
            maps.permute(0, 2, 3, 1), (0, 0, padding[1], padding[1], padding[0], padding[0])
        )
        # (N, h, w, C, k, k)
        patches = padded.unfold(1, kernel[0], stride[0]).unfold(2, kernel[1], stride[1])
        return (patches.permute(0, 1, 2, 4, 5, 3) if last else patches).flatten(3)

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        """Their gradients overlap."""
        return Overlap.apply(slopes[0], *ctx.arguments), None, None, None, None


class Overlap(torch.autograd.Function):
    """Patches laid over one another and summed, (N, h, w, C k k) to (N, C, H, W)."""

    @staticmethod
    def forward(
        ctx: Any, patches: Tensor, size: Pair, kernel: Pair, stride: Pair, padding: Pair, last: bool
    ) -> Tensor:
        """Args: size: H and W; last: see `Patches`."""
        ctx.arguments = kernel, stride, padding, last
        count, height, width = patches.shape[:3]
        pixels = (
            patches.unflatten(3, (*kernel, -1))
            if last
            else patches.unflatten(3, (-1, *kernel)).movedim(3, 5)
        )
        precise = torch.promote_types(patches.dtype, torch.float32)
        whole = count, size[0] + 2 * padding[0], size[1] + 2 * padding[1], pixels.shape[-1]
        maps = torch.zeros(whole, dtype=precise, device=patches.device)
        for row in range(kernel[0]):
            rows = slice(row, row + stride[0] * (height - 1) + 1, stride[0])
            for column in range(kernel[1]):
                maps[:, rows, column : column + stride[1] * (width - 1) + 1 : stride[1]] += pixels[
                    :, :, :, row, column
                ]
        inner = maps[:, padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]]
        return inner.permute(0, 3, 1, 2).to(patches.dtype)

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        """The gradients of what is summed are patches."""
        return Patches.apply(slopes[0], *ctx.arguments), None, None, None, None, None


def as_matrix(weight: Tensor) -> tuple[Tensor, bool]:
    """A kernel (A, B, k, k) as (A, B k k) without moving it, and whether it has the channels last
    in that.
    """
    last = weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()
    return (weight.permute(0, 2, 3, 1) if last else weight).flatten(1), last


class Im2colConv2d(nn.Conv2d):
    """A convolution that is one matrix product where its output is small."""

    def forward(self, input: Tensor) -> Tensor:  # the name that PyTorch gives it
        kernel, stride, padding = measures(self)
        height, width = (
            (input.shape[2 + i] + 2 * padding[i] - kernel[i]) // stride[i] + 1 for i in range(2)
        )
        if height * width > PIXELS:
            return super().forward(input)
        weight, last = as_matrix(self.weight)
        return nn.functional.linear(
            Patches.apply(input, kernel, stride, padding, last), weight, self.bias
        ).permute(0, 3, 1, 2)


class Im2colConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution that is one matrix product where its input is small."""

    # the names that PyTorch gives them
    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        if input.shape[2] * input.shape[3] > PIXELS or output_size is not None:
            return super().forward(input, output_size)
        kernel, stride, padding = measures(self)
        more = self.output_padding
        size = tuple(
            (input.shape[2 + i] - 1) * stride[i] - 2 * padding[i] + kernel[i] + more[i]
            for i in range(2)
        )
        weight, last = as_matrix(self.weight)
        maps = Overlap.apply(
            input.permute(0, 2, 3, 1) @ weight, size, kernel, stride, padding, last
        )
        return maps if self.bias is None else maps + self.bias[:, None, None]


def measures(layer: nn.Conv2d | nn.ConvTranspose2d) -> tuple[Pair, Pair, Pair]:
    """Its kernel, stride and padding."""
    assert not isinstance(layer.padding, str)  # see `may_gain`
    return layer.kernel_size, layer.stride, layer.padding


BY_PRODUCTS: dict[type[nn.Module], type[nn.Module]] = {
    nn.Conv2d: Im2colConv2d,
    nn.ConvTranspose2d: Im2colConvTranspose2d,
}


def has_im2col_layers(network: nn.Module) -> bool:
    """Whether any layer may gain."""
    return any(may_gain(layer) for layer in network.modules())


def may_gain(layer: nn.Module) -> bool:
    """Whether a layer has a kernel large enough, and nothing unusual: no groups, no dilation, no
    padding but so many zeros.
    """
    if type(layer) not in {*BY_PRODUCTS, *BY_PRODUCTS.values()}:
        return False
    assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    zeros = layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    return (
        zeros
        and layer.groups == 1
        and set(layer.dilation) == {1}
        and layer.weight.numel() >= WEIGHTS
    )


def use_im2col(network: nn.Module) -> None:
    """Let the layers of a network that may gain be matrix products from now on, where their maps
    are small.
    """
    for layer in network.modules():
        if may_gain(layer):
            layer.__class__ = BY_PRODUCTS.get(type(layer), type(layer))
