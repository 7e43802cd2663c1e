"""Features of images: what an extractor is, and the two that need neither weights nor training."""

import math
from collections.abc import Iterable
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from ganvas.errors import UserError
from ganvas.io.images import to_float

__all__ = [
    "CHUNK",
    "Extractor",
    "ImageFeatures",
    "Pixels",
    "RandomEmbedding",
    "exact_convolutions",
    "extract_features",
]

CHUNK = 256  # images given to an extractor at a time
SEED = 0  # of the weights of the random embedding
MOST_PIXELS = 2**20  # of the images in one forward pass of the random embedding; bounds the memory


class ImageFeatures(NamedTuple):
    """What an extractor computes from images.

    Attributes:
        values: float32 (N, F).
        logits: float32 (N, classes), from extractors that classify.
    """

    values: Tensor
    logits: Tensor | None = None


class Extractor(Protocol):
    """A fixed function from images to features.

    Attributes:
        protocol: all that decides its values, as JSON; "extractor" is its name. Values of different
            protocols are not comparable.
    """

    protocol: dict[str, Any]

    def __call__(self, images: Tensor) -> ImageFeatures:
        """Features of uint8 (N, C, H, W); those of an image do not depend on the others."""
        ...


def extract_features(extractor: Extractor, chunks: Iterable[Tensor]) -> ImageFeatures:
    """Extract the features of images that come in chunks, uint8 (n, C, H, W) each.

    Raises:
        UserError: there are no images, or their features are not finite.
    """
    # Chunks are split, never merged, since an extractor rounds differently for other batch sizes.
    found = [extractor(part) for chunk in chunks for part in chunk.split(CHUNK)]
    if not found:
        raise UserError("there are no images to take features of")

    values = torch.cat([features.values for features in found])  # (N, F)
    if not values.isfinite().all():
        raise UserError(
            f"features of {extractor.protocol['extractor']} are not finite: "
            "the images or the weights are broken"
        )
    logits = [features.logits for features in found if features.logits is not None]
    return ImageFeatures(values, torch.cat(logits) if logits else None)


def exact_convolutions() -> AbstractContextManager[None]:
    """Compute convolutions on a GPU always the same way, and in whole float32."""
    # TF32 is the default of convolutions on newer GPUs, and keeps 10 of 23 bits
    return torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)


class Pixels:
    """The pixels themselves, in [-1, 1]: for tiny images, for points, and for tests."""

    protocol: dict[str, Any] = {"extractor": "pixels"}

    def __call__(self, images: Tensor) -> ImageFeatures:
        """uint8 (N, C, H, W) to float32 (N, C x H x W)."""
        return ImageFeatures(to_float(images).flatten(1))


class RandomEmbedding:
    """Features of a fixed convolutional network with seeded random weights.

    After Naeem et al. 2020, section 3.3. Their network is a random VGG16 with 64 outputs; this one
    is smaller, so that it can be used during training: 3x3 convolutions of 32, 64, 128, ...
    channels with ReLU, each followed by 2x2 average pooling, down to maps of 4x4 or less; then
    `features` random projections of the map. It needs no weights and knows nothing of the world;
    use it where no trained network fits the images.

    Args:
        size: side of the images in pixels.
        channels: of the images.
        features: numbers per image.
        device: where the network runs.
    """

    def __init__(
        self,
        size: int,
        channels: int,
        features: int = 64,
        device: torch.device | str = "cpu",
    ) -> None:
        self.device = torch.device(device)
        # Built on the CPU, whose random numbers are the same everywhere. PyTorch draws weights from
        # the global state, which is left as it was; they are replaced.
        with torch.random.fork_rng(devices=[]):
            self.network = _build_random_network(size, channels, features).to(self.device)

        self.protocol: dict[str, Any] = {
            "extractor": "random",
            "size": size,
            "channels": channels,
            "features": features,
            "seed": SEED,
        }

    @torch.no_grad()
    def __call__(self, images: Tensor) -> ImageFeatures:
        """uint8 (N, C, size, size) to float32 (N, features)."""
        size, channels = self.protocol["size"], self.protocol["channels"]
        if images.shape[1:] != (channels, size, size):
            raise UserError(
                f"images of {tuple(images.shape[1:])} do not fit "
                f"an embedding of {(channels, size, size)}"
            )

        with exact_convolutions():
            parts = images.split(max(1, MOST_PIXELS // size**2))
            return ImageFeatures(
                torch.cat([self.network(to_float(part.to(self.device))).cpu() for part in parts])
            )


@torch.no_grad()
def _build_random_network(size: int, channels: int, features: int) -> nn.Sequential:
    """Build the network of `RandomEmbedding`, (N, channels, size, size) to (N, features)."""
    stages = max(0, math.ceil(math.log2(size / 4)))  # halvings down to 4x4 or less
    widths = [channels, *(min(256, 32 * 2**stage) for stage in range(stages + 1))]
    modules: list[nn.Module] = []
    side = size
    for stage, (inputs, outputs) in enumerate(pairwise(widths)):
        modules += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.ReLU(inplace=True)]
        if stage < stages:  # no pooling after the last convolution
            modules.append(nn.AvgPool2d(2, ceil_mode=True))  # odd sides keep their last row
            side = math.ceil(side / 2)
    modules += [nn.Flatten(), nn.Linear(widths[-1] * side**2, features, bias=False)]
    network = nn.Sequential(*modules).requires_grad_(False)

    # He's scale keeps the size of the activations from layer to layer.
    random = torch.Generator().manual_seed(SEED)
    for parameter in network.parameters():  # the order decides which numbers each one gets
        fan = parameter[0].numel()  # inputs of one output
        parameter.copy_(torch.randn(parameter.shape, generator=random) * math.sqrt(2 / fan))
    return network
