"""EfficientNet-Lite0, as far as its features: a small network that was trained on photographs."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Lite0Network"]

FEATURES = 1280
EPSILON = 1e-3  # of its batch norms; PyTorch's own is 1e-5
# Of each stage: channels, blocks, stride of the first block, side of the kernels. Tan and Le 2019,
# table 1; "Lite" leaves squeeze and excitation out and takes ReLU6.
STAGES = (
    (16, 1, 1, 3),
    (24, 2, 2, 3),
    (40, 2, 2, 5),
    (80, 3, 2, 3),
    (112, 3, 1, 5),
    (192, 4, 2, 5),
    (320, 1, 1, 3),
)
STEM, EXPANSION = 32, 6


class SameConvolution(nn.Conv2d):
    """A convolution padded as TensorFlow's "SAME", which puts the odd pixel at the end."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:  # `input` is PyTorch's name
        """(N, inputs, H, W) to (N, outputs, ceil(H / stride), ceil(W / stride))."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        padding = []
        for side in (input.shape[3], input.shape[2]):  # `pad` wants the last axis first
            missing = max(0, (-(-side // stride) - 1) * stride + kernel - side)
            padding += [missing // 2, missing - missing // 2]
        return super().forward(functional.pad(input, padding))


class InvertedBottleneck(nn.Module):
    """Widen by 1x1, filter each channel by itself, narrow by 1x1; Sandler et al. 2018.

    Args:
        inputs: channels.
        outputs: channels; where they equal `inputs` and the stride is 1, the input is added.
        kernel: side of the filters.
        stride: 1 or 2.
        expansion: how many times wider it is inside; 1: there is no first convolution.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        inside = inputs * expansion
        if expansion > 1:
            self._expand_conv = SameConvolution(inputs, inside, 1)
            self._bn0 = nn.BatchNorm2d(inside, EPSILON)
        self._depthwise_conv = SameConvolution(inside, inside, kernel, stride, groups=inside)
        self._bn1 = nn.BatchNorm2d(inside, EPSILON)
        self._project_conv = SameConvolution(inside, outputs, 1)
        self._bn2 = nn.BatchNorm2d(outputs, EPSILON)
        self.expands = expansion > 1
        self.adds = inputs == outputs and stride == 1

    def forward(self, maps: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, ceil(H / stride), ceil(W / stride))."""
        x = maps
        if self.expands:
            x = functional.relu6(self._bn0(self._expand_conv(x)))
        x = functional.relu6(self._bn1(self._depthwise_conv(x)))
        x = self._bn2(self._project_conv(x))  # no ReLU: a narrow map would lose what is negative
        return x + maps if self.adds else x


class Lite0Network(nn.Module):
    """EfficientNet-Lite0 (Tan and Le 2019, in its variant for small devices), in evaluation mode.

    Its names are those of the published file, which begin with an underscore.
    """

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConvolution(3, STEM, 3, stride=2)
        self._bn0 = nn.BatchNorm2d(STEM, EPSILON)

        blocks = []
        widths = [STEM, *(stage[0] for stage in STAGES)]
        for (inputs, outputs), (_, count, stride, kernel) in zip(pairwise(widths), STAGES):
            expansion = EXPANSION if blocks else 1
            blocks.append(InvertedBottleneck(inputs, outputs, kernel, stride, expansion))
            for _ in range(count - 1):
                blocks.append(InvertedBottleneck(outputs, outputs, kernel, 1, EXPANSION))
        self._blocks = nn.ModuleList(blocks)

        self._conv_head = SameConvolution(widths[-1], FEATURES, 1)
        self._bn1 = nn.BatchNorm2d(FEATURES, EPSILON)
        self._fc = nn.Linear(FEATURES, 1000)  # the classes of ImageNet
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> Tensor:
        """Features (N, 1280) of (N, 3, H, W) in [-1, 1], averaged over the last map."""
        x = functional.relu6(self._bn0(self._conv_stem(images)))  # (N, 32, H / 2, W / 2)
        for block in self._blocks:
            x = block(x)
        x = functional.relu6(self._bn1(self._conv_head(x)))  # (N, 1280, H / 32, W / 32)
        return x.mean((2, 3))

    def classify(self, features: Tensor) -> Tensor:
        """Logits (N, 1000) of features (N, 1280); the tests recognise photographs by them."""
        return self._fc(features)
