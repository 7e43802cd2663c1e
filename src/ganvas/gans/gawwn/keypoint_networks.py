"""The four networks of GAWWN with key points, beside the reader of captions."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from ganvas.gans.gawwn.blocks import (
    Bottleneck,
    ScoreHead,
    Stages,
    doubling_layers,
    halving_layers,
    image_encoder,
    region_encoder,
    tile_vector,
)
from ganvas.gans.nn.networks import VectorNorm, add_norm, upsample

__all__ = [
    "KeyPointDiscriminator",
    "KeyPointGenerator",
    "KeyPointImageDiscriminator",
    "KeyPointImageGenerator",
]


class KeyPointImageGenerator(nn.Module):
    """Noise, text and location maps to an image.

    Args:
        noise_size: numbers of noise.
        text_size: numbers of an embedded caption.
        parts: number of key points.
        width: the paper's ngf.
        stages: sizes of the maps.
        channels: of the image.
    """

    def __init__(
        self,
        noise_size: int,
        text_size: int,
        parts: int,
        width: int,
        stages: Stages,
        channels: int,
    ):
        super().__init__()
        self.cells = stages.cells
        self.noise = nn.Linear(noise_size, 4 * width)
        self.text = nn.Linear(text_size, 4 * width)
        self.to_whole = nn.Sequential(*_dense_layers(8 * width, 4 * width))
        self.to_parts = nn.Sequential(*_dense_layers(8 * width, 4 * width))

        # where the parts are: (N, P, cells, cells) to (N, 4 x width)
        # a grid of 16 over a map of 4: P, then 1 and 2 x width channels
        widths = [parts, *(width * 2 ** min(depth, 1) for depth in range(stages.grid))]
        where: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            where += halving_layers(inputs, outputs, leaky=False)
        where.append(nn.Conv2d(widths[-1], 4 * width, stages.start, bias=False))
        self.where = nn.Sequential(*where, nn.Flatten(), VectorNorm(4 * width), nn.ReLU(True))

        # (N, 8 x width, 1, 1) to (N, width, cells, cells), with 4, 2 and 1 x width channels
        widths = [width * 2 ** min(depth, 2) for depth in reversed(range(stages.grid + 1))]
        whole = add_norm(
            nn.ConvTranspose2d(8 * width, widths[0], stages.start, bias=False), nn.ReLU(True)
        )
        for inputs, outputs in pairwise(widths):
            whole += doubling_layers(inputs, outputs)
        self.whole = nn.Sequential(*whole)
        self.parts = nn.Sequential(
            *add_norm(nn.Conv2d(4 * width, 4 * width, 3, padding=1, bias=False), nn.ReLU(True))
        )

        # all maps together, doubled from the grid to the image
        # 128 pixels (3 doublings): 4, 2 and 1 x width channels
        outward = [max(1, 4 * width // 2**depth) for depth in range(stages.doublings)]
        # whole: width channels, parts: 4 x width, location maps: P
        merge = [
            *add_norm(
                nn.Conv2d(5 * width + parts, 4 * width, 3, padding=1, bias=False), nn.ReLU(True)
            ),
            *add_norm(nn.Conv2d(4 * width, 4 * width, 3, padding=1, bias=False)),
            Bottleneck(4 * width, width),
        ]
        for inputs, outputs in pairwise(outward):
            merge += doubling_layers(inputs, outputs)
        merge.append(upsample(outward[-1], channels, 4))
        self.merge = nn.Sequential(*merge, nn.Tanh())

    def forward(self, noise: Tensor, text: Tensor, maps: Tensor) -> Tensor:
        """(N, noise_size), (N, text_size) and (N, P, cells, cells) to (N, C, H, W) in [-1, 1]."""
        what = torch.cat([self.noise(noise), self.text(text)], 1).relu()  # (N, 8 x width)
        scene = torch.cat([self.to_whole(what), self.where(maps)], 1)  # (N, 8 x width)
        whole = self.whole(scene[:, :, None, None])  # (N, width, cells, cells)
        # Masked before the 3x3 convolution, which reaches one cell beyond a part.
        parts = self.parts(tile_vector(self.to_parts(what), self.cells) * _attention_mask(maps))
        return self.merge(torch.cat([whole, parts, maps], 1))


class KeyPointImageDiscriminator(nn.Module):
    """An image, text and location maps to a score.

    Args:
        text_size: numbers of an embedded caption.
        parts: number of key points.
        width: the paper's ndf.
        stages: sizes of the maps.
        channels: of the image.
    """

    def __init__(self, text_size: int, parts: int, width: int, stages: Stages, channels: int):
        super().__init__()
        self.cells, self.start = stages.cells, stages.start
        leaky = nn.LeakyReLU(0.2, True)

        self.text = nn.Sequential(nn.Linear(text_size, width), leaky)
        self.encoder = image_encoder(channels, width, stages.doublings)
        self.join = nn.Sequential(
            *add_norm(nn.Conv2d(3 * width, 2 * width, 3, padding=1, bias=False), leaky)
        )
        self.parts = region_encoder(2 * width + parts, width)
        self.head = ScoreHead(width, stages)

    def forward(self, image: Tensor, text: Tensor, maps: Tensor) -> Tensor:
        """(N, C, H, W), (N, text_size) and (N, P, cells, cells) to scores (N,)."""
        return self.score(self.encoder(image), text, maps)

    def score(self, features: Tensor, text: Tensor, place: Tensor) -> Tensor:
        """Scores (N,) of encoded images (N, 2 x width, cells, cells) with texts and location maps
        (N, P, cells, cells).
        """
        embedded = self.text(text)  # (N, width)
        # 3 x width channels to 2 x width, on the grid
        joined = self.join(torch.cat([features, tile_vector(embedded, self.cells)], 1))
        # (N, 2 x width + P, cells, cells) to (N, width)
        parts = self.parts(torch.cat([joined * _attention_mask(place), place], 1))
        return self.head(features, tile_vector(embedded, self.start), parts)


class KeyPointGenerator(nn.Module):
    """Noise, text and some key points to all of them.

    k' = s k + (1 - s) f(z, t, k, s), with s = 1 where a part of k is given.

    Args:
        noise_size: numbers of noise.
        text_size: numbers of an embedded caption.
        parts: number of key points.
        width: the paper's ngf.
    """

    def __init__(self, noise_size: int, text_size: int, parts: int, width: int):
        super().__init__()
        self.noise = nn.Sequential(nn.Linear(noise_size, 4 * width), nn.ReLU(True))
        self.text = nn.Sequential(nn.Linear(text_size, 4 * width), nn.ReLU(True))
        self.given = nn.Sequential(
            nn.Flatten(),
            *_dense_layers(3 * parts, 4 * width),
            *_dense_layers(4 * width, 2 * width),
        )
        self.all = nn.Sequential(
            *_dense_layers(10 * width, 8 * width),  # noise 4, text 4, given points 2 x width
            *_dense_layers(8 * width, 4 * width),
            *_dense_layers(4 * width, 2 * width),
            nn.Linear(2 * width, 3 * parts),
            nn.Unflatten(1, (parts, 3)),
            nn.Sigmoid(),  # x, y and the probability of being seen are all in [0, 1]
        )

    def forward(self, noise: Tensor, text: Tensor, keypoints: Tensor) -> Tensor:
        """(N, noise_size), (N, text_size) and (N, P, 3) to (N, P, 3).

        The last number of a key point is 1 where it is given; in the result it is the probability
        that the part is seen.
        """
        given = keypoints[..., 2:]  # (N, P, 1), the paper's s
        # what stands in the place of a part that is not given must have no effect
        keypoints = keypoints * given
        inputs = torch.cat([self.noise(noise), self.text(text), self.given(keypoints)], 1)
        return keypoints + (1 - given) * self.all(inputs)


class KeyPointDiscriminator(nn.Module):
    """Key points and text to a score, without batch norms; `ScoreHead` explains why.

    Args:
        text_size: numbers of an embedded caption.
        parts: number of key points.
        width: the paper's ndf.
    """

    def __init__(self, text_size: int, parts: int, width: int):
        super().__init__()
        leaky = nn.LeakyReLU(0.2, True)

        def encoder(inputs: int) -> nn.Sequential:
            first, second = nn.Linear(inputs, 4 * width), nn.Linear(4 * width, 2 * width)
            return nn.Sequential(nn.Flatten(), first, leaky, second, leaky)

        self.places = encoder(3 * parts)
        self.text = encoder(text_size)
        self.both = nn.Sequential(
            nn.Linear(4 * width, 2 * width), leaky, nn.Linear(2 * width, 1), nn.Flatten(0)
        )

    def forward(self, keypoints: Tensor, text: Tensor) -> Tensor:
        """(N, P, 3) and (N, text_size) to scores (N,)."""
        return self.both(torch.cat([self.places(keypoints), self.text(text)], 1))


def _attention_mask(maps: Tensor) -> Tensor:
    """Location maps (N, P, M, M) as one mask (N, 1, M, M): 1 where any part is."""
    return maps.sum(1, keepdim=True).clamp(0, 1)


def _dense_layers(inputs: int, outputs: int) -> list[nn.Module]:
    """A linear layer, batch norm, ReLU."""
    return [nn.Linear(inputs, outputs, bias=False), VectorNorm(outputs), nn.ReLU(True)]
