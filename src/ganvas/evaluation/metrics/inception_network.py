"""The network of the FID: Inception v3 as TensorFlow published it on 2015-12-05.

Szegedy et al. 2016. Every published FID rests on it. Where it differs from networks of that name in
other libraries, which give other numbers:

- 3x3 average pooling leaves out what lies beyond the border (blocks A, C and the first E);
- the pooling branch of the last block takes the maximum, where all others average;
- it has 1008 classes (ImageNet's 1000, and eight that were never used), and batch norm adds 0.001
  to the variance.

Names of layers are those of the published file.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SIZE", "Convolution", "FrozenNorm", "InceptionNetwork", "Layer", "Mixed"]

SIZE = 299  # side of its input in pixels
FEATURES = 2048
CLASSES = 1008

Kernel = int | tuple[int, int]


class FrozenNorm(nn.Module):
    """Batch norm with fixed statistics: it has no training mode to be left on by mistake."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        for name in ("weight", "bias", "running_mean", "running_var"):
            self.register_buffer(name, torch.zeros(channels))  # of no use until weights are loaded

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        mean, variance = self.get_buffer("running_mean"), self.get_buffer("running_var")
        weight, bias = self.get_buffer("weight"), self.get_buffer("bias")
        # 0.001 as TensorFlow has it; the default of PyTorch's layers is 1e-5
        return functional.batch_norm(maps, mean, variance, weight, bias, training=False, eps=0.001)


class Convolution(nn.Module):
    """Convolution without bias, norm, ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: Kernel, stride: int = 1, padding: int | str = 0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = FrozenNorm(outputs)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H', W')."""
        # In place on the output of the norm, which nobody else reads.
        return functional.relu(self.bn(self.conv(maps)), inplace=True)


class Layer(NamedTuple):
    """One convolution of a block; it keeps the size of the map, or halves it with stride 2."""

    name: str  # of the published file
    channels: int  # of its output
    kernel: Kernel  # side, or (height, width)
    stride: int = 1


Step = Layer | list[Layer] | Callable[[Tensor], Tensor]


class Mixed(nn.Module):
    """A block of branches with the same input (N, inputs, H, W); their outputs are concatenated.

    A branch is a chain of steps. A step is a convolution, a pooling, or a list of convolutions with
    the same input, whose outputs are concatenated.
    """

    def __init__(self, inputs: int, *branches: tuple[Step, ...]) -> None:
        super().__init__()
        self.branches = branches

        # The names of the layers are those of the published file, so they are attributes of the
        # block and not items of a list.
        for branch in branches:
            channels = inputs
            for step in branch:
                if callable(step):
                    continue
                layers = step if isinstance(step, list) else [step]
                for layer in layers:
                    # Stride 2 without padding halves the map: 35 to 17 to 8.
                    padding = "same" if layer.stride == 1 else 0
                    self.add_module(
                        layer.name,
                        Convolution(channels, layer.channels, layer.kernel, layer.stride, padding),
                    )
                channels = sum(layer.channels for layer in layers)  # inputs of the next step

    def forward(self, maps: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, sum of the branches' channels, H', W')."""
        # The order of the branches is the order of channels that the next block's weights expect.
        return torch.cat([self.apply_branch(branch, maps) for branch in self.branches], 1)

    def apply_branch(self, branch: tuple[Step, ...], maps: Tensor) -> Tensor:
        """The output of one branch, (N, its channels, H', W')."""
        for step in branch:
            if callable(step):
                maps = step(maps)
            else:
                layers = step if isinstance(step, list) else [step]
                maps = torch.cat([self.get_submodule(layer.name)(maps) for layer in layers], 1)
        return maps


def _average(maps: Tensor) -> Tensor:
    """Mean over 3x3; at the border, of those pixels that exist."""
    return functional.avg_pool2d(maps, 3, stride=1, padding=1, count_include_pad=False)


def _maximum(maps: Tensor) -> Tensor:
    """Maximum over 3x3."""
    return functional.max_pool2d(maps, 3, stride=1, padding=1)  # the border counts as -inf


def _halve(maps: Tensor) -> Tensor:
    """Maximum over 3x3 with stride 2, (N, C, H, W) to (N, C, (H - 1) // 2, (W - 1) // 2)."""
    return functional.max_pool2d(maps, 3, stride=2)


def _block_a(inputs: int, pooled: int) -> Mixed:
    """35x35 to 35x35; 224 + `pooled` channels."""
    return Mixed(
        inputs,
        (Layer("branch1x1", 64, 1),),
        (Layer("branch5x5_1", 48, 1), Layer("branch5x5_2", 64, 5)),
        (
            Layer("branch3x3dbl_1", 64, 1),
            Layer("branch3x3dbl_2", 96, 3),
            Layer("branch3x3dbl_3", 96, 3),
        ),
        (_average, Layer("branch_pool", pooled, 1)),
    )


def _block_b(inputs: int) -> Mixed:
    """35x35 to 17x17; 480 + `inputs` channels."""
    return Mixed(
        inputs,
        (Layer("branch3x3", 384, 3, stride=2),),
        (
            Layer("branch3x3dbl_1", 64, 1),
            Layer("branch3x3dbl_2", 96, 3),
            Layer("branch3x3dbl_3", 96, 3, stride=2),
        ),
        (_halve,),
    )


def _block_c(inputs: int, width: int) -> Mixed:
    """17x17 to 17x17; 768 channels. 7x7 is seen through rows and columns."""
    return Mixed(
        inputs,
        (Layer("branch1x1", 192, 1),),
        (
            Layer("branch7x7_1", width, 1),
            Layer("branch7x7_2", width, (1, 7)),
            Layer("branch7x7_3", 192, (7, 1)),
        ),
        (
            Layer("branch7x7dbl_1", width, 1),
            Layer("branch7x7dbl_2", width, (7, 1)),
            Layer("branch7x7dbl_3", width, (1, 7)),
            Layer("branch7x7dbl_4", width, (7, 1)),
            Layer("branch7x7dbl_5", 192, (1, 7)),
        ),
        (_average, Layer("branch_pool", 192, 1)),
    )


def _block_d(inputs: int) -> Mixed:
    """17x17 to 8x8; 512 + `inputs` channels."""
    return Mixed(
        inputs,
        (Layer("branch3x3_1", 192, 1), Layer("branch3x3_2", 320, 3, stride=2)),
        (
            Layer("branch7x7x3_1", 192, 1),
            Layer("branch7x7x3_2", 192, (1, 7)),
            Layer("branch7x7x3_3", 192, (7, 1)),
            Layer("branch7x7x3_4", 192, 3, stride=2),
        ),
        (_halve,),
    )


def _block_e(inputs: int, pooling: Callable[[Tensor], Tensor]) -> Mixed:
    """8x8 to 8x8; 2048 channels."""
    return Mixed(
        inputs,
        (Layer("branch1x1", 320, 1),),
        (
            Layer("branch3x3_1", 384, 1),
            [Layer("branch3x3_2a", 384, (1, 3)), Layer("branch3x3_2b", 384, (3, 1))],
        ),
        (
            Layer("branch3x3dbl_1", 448, 1),
            Layer("branch3x3dbl_2", 384, 3),
            [Layer("branch3x3dbl_3a", 384, (1, 3)), Layer("branch3x3dbl_3b", 384, (3, 1))],
        ),
        (pooling, Layer("branch_pool", 192, 1)),
    )


class InceptionNetwork(nn.Module):
    """Inception v3 of 2015-12-05: 23,850,960 weights, and 34,432 statistics of its 94 norms."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Convolution(3, 32, 3, stride=2)  # 149x149
        self.Conv2d_2a_3x3 = Convolution(32, 32, 3)
        self.Conv2d_2b_3x3 = Convolution(32, 64, 3, padding="same")  # 147x147, then pooled to 73x73
        self.Conv2d_3b_1x1 = Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = Convolution(80, 192, 3)  # 71x71, then pooled to 35x35
        self.Mixed_5b = _block_a(192, pooled=32)  # 35x35, 256 channels
        self.Mixed_5c = _block_a(256, pooled=64)
        self.Mixed_5d = _block_a(288, pooled=64)
        self.Mixed_6a = _block_b(288)  # 17x17, 768 channels
        self.Mixed_6b = _block_c(768, width=128)
        self.Mixed_6c = _block_c(768, width=160)
        self.Mixed_6d = _block_c(768, width=160)
        self.Mixed_6e = _block_c(768, width=192)
        self.Mixed_7a = _block_d(768)  # 8x8, 1280 channels
        self.Mixed_7b = _block_e(1280, _average)
        self.Mixed_7c = _block_e(2048, _maximum)
        self.fc = nn.Linear(FEATURES, CLASSES)  # its bias is read but not used; see `forward`
        self.requires_grad_(False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features and logits of images.

        The logits are without the bias of the last layer: so the Inception score was defined by its
        code (Salimans et al. 2016), and so it has been published since.

        Args:
            images: float32 (N, 3, 299, 299) in [-1, 1).

        Returns:
            float32 (N, 2048), the last map averaged, and (N, 1008).
        """
        maps = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(images)))
        maps = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(_halve(maps)))
        # 35x35, then 17x17, then 8x8
        maps = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(_halve(maps))))
        maps = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(maps)))))
        maps = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(maps)))
        features = maps.mean((2, 3))  # global average pooling
        return features, functional.linear(features, self.fc.weight)
