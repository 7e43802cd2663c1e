"""The two networks of the quick GAWWN: planes beside the maps of every size mark a place."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from ganvas.gans.nn.networks import downsample, leaky_tanh, unfold

__all__ = ["PlaceDiscriminator", "PlaceGenerator", "normalise_pixels"]


class PlaceGenerator(nn.Module):
    """Noise, text and planes that mark a place, to an image.

    Args:
        inputs: numbers of noise and text together.
        planes: how many mark a place.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the largest.
        channels: of the image.
        fold: pixels of the image along a side of each cell of the largest map.
    """

    def __init__(
        self, inputs: int, planes: int, start: int, widths: list[int], channels: int, fold: int
    ):
        super().__init__()
        self.start = nn.Sequential(
            nn.Linear(inputs, widths[0] * start**2), nn.Unflatten(1, (widths[0], start, start))
        )
        inwards = [widths[0], *widths[:-1]]
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(inputs + planes, outputs, 3, padding=1)
                for inputs, outputs in zip(inwards, widths)
            ]
        )
        self.scales = nn.ModuleList([nn.Linear(inputs, width) for width in widths])
        self.image = nn.Sequential(unfold(widths[-1], channels, fold), nn.PixelShuffle(fold))

    def forward(self, noise: Tensor, text: Tensor, planes: Sequence[Tensor]) -> Tensor:
        """(N, noise_size), (N, text_size) and planes to (N, C, H, W), a little beyond [-1, 1].

        Args:
            noise: standard normal.
            text: an embedded caption.
            planes: (N, P, M, M) for the side M of every map, from the smallest.
        """
        what = torch.cat([noise, text], 1)  # (N, inputs)
        maps = leaky_relu(self.start(what), 0.2)
        for layer, scale, place in zip(self.layers, self.scales, planes):
            if place.shape[-1] > maps.shape[-1]:
                maps = interpolate(maps, scale_factor=2)  # repeats the pixels
            maps = layer(torch.cat([maps, place], 1))
            maps = normalise_pixels(maps) * (1 + scale(what))[:, :, None, None]
            maps = leaky_relu(maps, 0.2)
        return leaky_tanh(self.image(maps))


def normalise_pixels(maps: Tensor) -> Tensor:
    """Bring the numbers of every cell of (N, C, M, M) to a mean square of 1; Karras et al. 2018.

    Without it the scales of one map multiply those of the next, and the images of some runs turn
    white in the first hundred training steps.
    """
    return maps * (maps.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class PlaceDiscriminator(nn.Module):
    """An image and planes that mark a place to features, which are scored against a text.

    Miyato and Koyama 2018: the score is a linear function of the features plus their product with
    the text. The first convolution is at the size of the largest map, since thin lines such as
    those of glasses are lost where the first one halves.

    Args:
        text_size: numbers of an embedded caption.
        planes: how many mark a place.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the largest.
        channels: of the image.
        features: numbers that summarise an image.
        fold: pixels of the image along a side of each cell of the largest map.
    """

    def __init__(
        self,
        text_size: int,
        planes: int,
        start: int,
        widths: list[int],
        channels: int,
        features: int,
        fold: int,
    ):
        super().__init__()
        self.first = nn.Sequential(
            nn.PixelUnshuffle(fold), nn.Conv2d(channels * fold**2, widths[-1], 3, padding=1)
        )
        self.layers = nn.ModuleList(
            [
                downsample(inputs + planes, outputs, 4)
                for inputs, outputs in pairwise(reversed(widths))
            ]
        )
        self.features = nn.Sequential(
            nn.Flatten(), nn.Linear((widths[0] + planes) * start**2, features), nn.LeakyReLU(0.2)
        )
        # a constant cancels in the relativistic loss
        self.plain = nn.Linear(features, 1, bias=False)
        self.text = nn.Linear(text_size, features, bias=False)

    def forward(self, image: Tensor, text: Tensor, planes: Sequence[Tensor]) -> Tensor:
        """(N, C, H, W), (N, text_size) and planes to scores (N,)."""
        return self.score(self.encode(image, planes), text)

    def encode(self, image: Tensor, planes: Sequence[Tensor]) -> Tensor:
        """Images (N, C, H, W) to features (N, features), which serve several texts.

        Args:
            image: in [-1, 1].
            planes: (N, P, M, M) for the side M of every map, from the smallest.
        """
        maps = leaky_relu(self.first(image), 0.2)
        for layer, place in zip(self.layers, reversed(planes)):
            maps = leaky_relu(layer(torch.cat([maps, place], 1)), 0.2)
        return self.features(torch.cat([maps, planes[0]], 1))

    def score(self, features: Tensor, text: Tensor) -> Tensor:
        """Scores (N,) of features (N, features) with texts (N, text_size)."""
        # A product of n independent terms grows with sqrt(n).
        product = (features * self.text(text)).sum(1) / math.sqrt(features.shape[1])
        return self.plain(features)[:, 0] + product
