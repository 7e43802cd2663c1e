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

__all__ = [
    "IM2COL",
    "WEIGHTS",
    "Im2colConv2d",
    "Im2colConvTranspose2d",
    "Overlap",
    "Patches",
    "has_im2col_layers",
    "use_im2col",
]

PIXELS = 16  # of the smaller of a layer's two maps: the most that gain
WEIGHTS = 2**19  # of a kernel: the fewest that gain

Pair = tuple[int, ...]  # two numbers: for rows and for columns


class Patches(torch.autograd.Function):
    """What a convolution's kernel sees at each place: (N, C, H, W) to (N, h, w, C k k).

    Its transpose is `Overlap`; both can be differentiated twice.
    """

    @staticmethod
    def forward(
        ctx: Any, maps: Tensor, kernel: Pair, stride: Pair, padding: Pair, last: bool
    ) -> Tensor:
        """Args: last: whether a patch has the channels last, like a kernel laid out so."""
        ctx.arguments = (maps.shape[2], maps.shape[3]), kernel, stride, padding, last
        borders = (0, 0, padding[1], padding[1], padding[0], padding[0])
        padded = pad(maps.permute(0, 2, 3, 1), borders)  # (N, H + 2 p, W + 2 p, C)

        # Views so far, in which pixels overlap; `flatten` makes the copy.
        patches = padded.unfold(1, kernel[0], stride[0]).unfold(2, kernel[1], stride[1])
        # (N, h, w, C, k, k); the last three axes in the order in which the kernel has them.
        return (patches.permute(0, 1, 2, 4, 5, 3) if last else patches).flatten(3)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """The gradients of patches are laid over one another."""
        return Overlap.apply(gradients[0], *ctx.arguments), None, None, None, None


class Overlap(torch.autograd.Function):
    """Patches laid over one another and summed: (N, h, w, C k k) to (N, C, H, W)."""

    @staticmethod
    def forward(
        ctx: Any, patches: Tensor, size: Pair, kernel: Pair, stride: Pair, padding: Pair, last: bool
    ) -> Tensor:
        """Args: size: H and W; last: see `Patches`."""
        ctx.arguments = kernel, stride, padding, last
        count, height, width = patches.shape[:3]
        if last:
            pixels = patches.unflatten(3, (*kernel, -1))
        else:
            pixels = patches.unflatten(3, (-1, *kernel)).movedim(3, 5)  # (N, h, w, k, k, C)

        # Many numbers of half precision are summed, so the sums have single precision.
        precise = torch.promote_types(patches.dtype, torch.float32)
        whole = (count, size[0] + 2 * padding[0], size[1] + 2 * padding[1], pixels.shape[-1])
        maps = torch.zeros(whole, dtype=precise, device=patches.device)
        # k x k strided additions, each of one number a patch and channel. In place is safe: inside
        # the forward of a Function nothing is recorded.
        for row in range(kernel[0]):
            rows = slice(row, row + stride[0] * (height - 1) + 1, stride[0])
            for column in range(kernel[1]):
                columns = slice(column, column + stride[1] * (width - 1) + 1, stride[1])
                maps[:, rows, columns] += pixels[:, :, :, row, column]

        inner = maps[:, padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]]
        return inner.permute(0, 3, 1, 2).to(patches.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """The gradients of what is summed are patches."""
        return Patches.apply(gradients[0], *ctx.arguments), None, None, None, None, None


def _flatten_kernel(weight: Tensor) -> tuple[Tensor, bool]:
    """A kernel (A, B, k, k) as a matrix (A, B k k), without moving it in memory.

    Returns:
        The matrix, and whether its rows have the channels last.
    """
    last = weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()
    return (weight.permute(0, 2, 3, 1) if last else weight).flatten(1), last


class Im2colConv2d(nn.Conv2d):
    """A convolution that is one matrix product where its output is small."""

    def forward(self, input: Tensor) -> Tensor:  # the name that PyTorch gives it
        kernel, stride, padding = _read_geometry(self)
        # Of the output, as PyTorch computes it.
        height, width = (
            (input.shape[2 + axis] + 2 * padding[axis] - kernel[axis]) // stride[axis] + 1
            for axis in range(2)
        )
        if height * width > PIXELS:
            return super().forward(input)

        weight, last = _flatten_kernel(self.weight)
        patches = Patches.apply(input, kernel, stride, padding, last)  # (N, h, w, C k k)
        return nn.functional.linear(patches, weight, self.bias).permute(0, 3, 1, 2)


class Im2colConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution that is one matrix product where its input is small."""

    # The names are those that PyTorch gives them.
    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        if input.shape[2] * input.shape[3] > PIXELS or output_size is not None:
            return super().forward(input, output_size)

        kernel, stride, padding = _read_geometry(self)
        # Of the output, as PyTorch computes it: dilation is 1, see `_may_gain`.
        size = tuple(
            (input.shape[2 + axis] - 1) * stride[axis]
            - 2 * padding[axis]
            + kernel[axis]
            + self.output_padding[axis]
            for axis in range(2)
        )
        weight, last = _flatten_kernel(self.weight)
        patches = input.permute(0, 2, 3, 1) @ weight  # (N, h, w, C k k)
        maps = Overlap.apply(patches, size, kernel, stride, padding, last)
        return maps if self.bias is None else maps + self.bias[:, None, None]


def _read_geometry(layer: nn.Conv2d | nn.ConvTranspose2d) -> tuple[Pair, Pair, Pair]:
    """Kernel, stride and padding of a layer."""
    assert not isinstance(layer.padding, str)  # see `_may_gain`
    return layer.kernel_size, layer.stride, layer.padding


IM2COL: dict[type[nn.Module], type[nn.Module]] = {
    nn.Conv2d: Im2colConv2d,
    nn.ConvTranspose2d: Im2colConvTranspose2d,
}


def has_im2col_layers(network: nn.Module) -> bool:
    """Whether any layer of a network may gain."""
    return any(_may_gain(layer) for layer in network.modules())


def _may_gain(layer: nn.Module) -> bool:
    """Whether a layer has a kernel large enough, and nothing unusual.

    Unusual are groups, dilation, and any padding but a number of zeros.
    """
    if type(layer) not in {*IM2COL, *IM2COL.values()}:
        return False
    assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    zeros = layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    plain = zeros and layer.groups == 1 and set(layer.dilation) == {1}
    return plain and layer.weight.numel() >= WEIGHTS


def use_im2col(network: nn.Module) -> None:
    """Make the layers that may gain matrix products from now on, where their maps are small."""
    for layer in network.modules():
        if _may_gain(layer):
            # The class alone changes: weights, hooks and names stay.
            layer.__class__ = IM2COL.get(type(layer), type(layer))
