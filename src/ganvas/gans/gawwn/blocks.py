"""What both GAWWN models share: stages of maps, blocks of layers, the discriminator's updates."""

from itertools import pairwise
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from ganvas.gans.base import Update
from ganvas.gans.nn.losses import matching_d
from ganvas.gans.nn.networks import add_norm, downsample, initialise_weights, stage_sizes, upsample

__all__ = [
    "Bottleneck",
    "MatchingDiscriminator",
    "ScoreHead",
    "Stages",
    "doubling_layers",
    "grid_stages",
    "halving_layers",
    "image_encoder",
    "initialise_convolutions",
    "matching_updates",
    "region_encoder",
    "tile_vector",
]


CELLS = 16  # a side of the grid, at most


class Stages(NamedTuple):
    """The sizes of a network's maps, and which map is the grid on which places are marked."""

    sizes: list[int]  # from the smallest map to the image
    grid: int  # index of the grid; doublings from the smallest map to it

    @property
    def start(self) -> int:
        """Side of the smallest map."""
        return self.sizes[0]

    @property
    def cells(self) -> int:
        """Side of the grid."""
        return self.sizes[self.grid]

    @property
    def doublings(self) -> int:
        """Doublings from the grid to the image."""
        return len(self.sizes) - 1 - self.grid


def grid_stages(size: int) -> Stages:
    """The stages of images of a size: the grid has at most 16 cells a side, as in the papers.

    A size of 128 gives ([4, 8, 16, 32, 64, 128], 2). The grid is never the image itself.

    Raises:
        UserError: the size cannot be reached by doubling.
    """
    sizes = stage_sizes(size)
    small_enough = [number for number, side in enumerate(sizes[:-1]) if side <= CELLS]
    return Stages(sizes, max(small_enough, default=0))


class Bottleneck(nn.Module):
    """relu(x + f(x)) with a narrower f: 1x1, 3x3, 3x3 convolutions with batch norm."""

    def __init__(self, width: int, inner: int):
        super().__init__()
        self.change = nn.Sequential(
            *add_norm(nn.Conv2d(width, inner, 1, bias=False), nn.ReLU(True)),
            *add_norm(nn.Conv2d(inner, inner, 3, padding=1, bias=False), nn.ReLU(True)),
            *add_norm(nn.Conv2d(inner, width, 3, padding=1, bias=False)),  # ReLU follows the sum
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(N, width, H, W) to the same shape."""
        return (maps + self.change(maps)).relu()


def halving_layers(inputs: int, outputs: int, leaky: bool = True) -> list[nn.Module]:
    """A 4x4 convolution that halves a map, batch norm, LeakyReLU or ReLU."""
    activation = nn.LeakyReLU(0.2, True) if leaky else nn.ReLU(True)
    return add_norm(downsample(inputs, outputs, 4, bias=False), activation)


def doubling_layers(inputs: int, outputs: int) -> list[nn.Module]:
    """A transposed 4x4 convolution that doubles a map, batch norm, ReLU."""
    return add_norm(upsample(inputs, outputs, 4, bias=False), nn.ReLU(True))


def tile_vector(vector: Tensor, cells: int) -> Tensor:
    """A vector (N, C) repeated in every cell of a map (N, C, cells, cells)."""
    return vector[:, :, None, None].expand(-1, -1, cells, cells)


def image_encoder(channels: int, width: int, halvings: int) -> nn.Sequential:
    """A discriminator's first layers: images to maps of 2 x width channels on the grid."""
    leaky = nn.LeakyReLU(0.2, True)
    widths = [*[width] * (halvings - 1), 2 * width]  # 3 halvings: 1, 1 and 2 x width

    modules: list[nn.Module] = [downsample(channels, widths[0], 4), leaky]  # no norm at the image
    for inputs, outputs in pairwise(widths):
        modules += halving_layers(inputs, outputs)
    modules += add_norm(nn.Conv2d(2 * width, 2 * width, 3, padding=1, bias=False), leaky)
    return nn.Sequential(*modules)


def region_encoder(inputs: int, width: int) -> nn.Sequential:
    """Maps (N, inputs, M, M), cell by cell, to the mean over the cells, (N, width)."""
    leaky = nn.LeakyReLU(0.2, True)
    return nn.Sequential(
        *add_norm(nn.Conv2d(inputs, 2 * width, 1, bias=False), leaky),
        nn.Conv2d(2 * width, width, 1),
        nn.AdaptiveAvgPool2d(1),  # (N, width, 1, 1), whatever the side M is
        nn.Flatten(),
        leaky,
    )


class ScoreHead(nn.Module):
    """A score from the whole image with its text, and from the region that was looked at closely.

    The released code has batch norms of vectors here; we leave them out. A batch holds real images
    alone or generated images alone, and a norm of vectors would remove every difference between the
    means of the two.

    Args:
        width: the paper's ndf.
        stages: sizes of the maps.
    """

    def __init__(self, width: int, stages: Stages):
        super().__init__()
        leaky = nn.LeakyReLU(0.2, True)

        # from the grid down to the smallest map: 2, 4, 8, 8, ... x width channels
        widths = [2 * width, *(4 * width * 2 ** min(depth, 1) for depth in range(stages.grid))]
        modules: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            modules += halving_layers(inputs, outputs)
        self.whole = nn.Sequential(*modules)

        self.both = nn.Sequential(
            *add_norm(nn.Conv2d(widths[-1] + width, 4 * width, 1, bias=False), leaky),
            nn.Conv2d(4 * width, width, stages.start),  # the whole map to 1x1
            nn.Flatten(),
            leaky,
        )
        # from the region beside the whole image, (N, width) each
        self.score = nn.Sequential(
            nn.Linear(2 * width, width), leaky, nn.Linear(width, 1), nn.Flatten(0)
        )

    def forward(self, features: Tensor, text: Tensor, region: Tensor) -> Tensor:
        """Scores (N,) from maps (N, 2 x width, M, M), text (N, width, start, start) and a region
        (N, width).
        """
        whole = self.both(torch.cat([self.whole(features), text], 1))  # (N, width)
        return self.score(torch.cat([region, whole], 1))


def initialise_convolutions(network: nn.Module) -> None:
    """Initialise as GAWWN's code does: convolutions N(0, 0.02), scales of norms N(1, 0.02).

    Linear layers keep PyTorch's initial weights.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
            initialise_weights(module, std=0.02, scale_std=0.02)


class MatchingDiscriminator(Protocol):
    """A discriminator that scores an image with a text and a place."""

    @property
    def encoder(self) -> nn.Module:
        """Images (N, C, H, W) to maps (N, C', M, M), which serve several texts."""
        ...

    def score(self, features: Tensor, text: Tensor, place: Tensor) -> Tensor:
        """Scores (N,) of encoded images."""
        ...

    def __call__(self, image: Tensor, text: Tensor, place: Tensor) -> Tensor:
        """Scores (N,) of images."""
        ...


def matching_updates(
    discriminator: MatchingDiscriminator,
    real: Tensor,
    fake: Tensor,
    place: Tensor,
    texts: tuple[Tensor, Tensor],
) -> tuple[Update, Update]:
    """The simultaneous updates of the discriminator and the text reader.

    Args:
        discriminator: scores images.
        real: (N, C, H, W).
        fake: generated from the right texts, (N, C, H, W).
        place: boxes or location maps, (N, ...).
        texts: the right and the wrong texts of the real images, (N, text_size) each.
    """
    text, wrong_text = texts

    # real images are encoded once and scored with two texts
    features = discriminator.encoder(real)
    # Texts are not detached, since the reader learns from the discriminator's loss.
    right = discriminator.score(features, text, place)
    wrong = discriminator.score(features, wrong_text, place)
    generated = discriminator(fake.detach(), text, place)

    # One tuple of updates: both gradients are taken before any weight changes.
    losses = {"adversarial": matching_d(right, wrong, generated)}
    stats = {"wrong_text": wrong.mean()}
    return Update("discriminator", losses, stats, (right, generated)), Update("text", losses)
