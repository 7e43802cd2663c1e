"""Huang, Gokaslan, Kuleshov and Tompkin 2024, "The GAN is dead; long live the GAN! A Modern
Baseline GAN" (R3GAN).

Relativistic pairing, so that no mode can be dropped for free, and a zero-centred penalty on real
(R1) and generated pictures (R2) in every round, with which the game converges. On that ground the
networks need no tricks: residual blocks with grouped convolutions, no normalisation anywhere, and
first weights that keep the variance of what passes through.
"""

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu

from ganvas.errors import UserError
from ganvas.gans.base import GAN, Batch, Clock, Update, Updates, choose_columns
from ganvas.gans.nn.augment import AUGMENT_NUMBERS, augment
from ganvas.gans.nn.losses import relativistic, squared_gradient
from ganvas.gans.nn.networks import stage_sizes
from ganvas.rng import Rng
from ganvas.schema import Schema

SLOPE = 0.2  # of LeakyReLU
WIDE_STAGES = 4  # the smallest maps have the whole width, each larger one half of the one before
BLOCKS = 2  # of a stage
GROUP = 16  # channels that a grouped convolution sees together
EMBEDDING = 64  # numbers of a class


def scaled(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> nn.Conv2d | nn.Linear:
    """The layer with weights N(0, gain / sqrt(fan in)), so that what leaves it has gain² times the
    mean square of what enters.
    """
    nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.weight[0].numel()))
    return layer


def pointwise(inputs: int, outputs: int, gain: float = 1.0) -> nn.Conv2d | nn.Linear:
    """A 1x1 convolution without bias."""
    return scaled(nn.Conv2d(inputs, outputs, 1, bias=False), gain)


class BiasedActivation(nn.Module):
    """A bias for each channel, then LeakyReLU."""

    def __init__(self, width: int):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, maps: Tensor) -> Tensor:
        """(N, width, h, w) to the same shape."""
        return leaky_relu(maps + self.bias.to(maps.dtype)[:, None, None], SLOPE)


class Block(nn.Module):
    """What three convolutions add to a map: 1x1 to twice the width, grouped 3x3, 1x1 back, the last
    beginning at zero.

    Args:
        width: channels; a multiple of GROUP / 2, or below it.
        blocks: residual blocks of the whole network. As in Fixup (Zhang et al. 2019) the first
            weights are smaller the more there are, so that all blocks together change the map as
            much as one would.
    """

    def __init__(self, width: int, blocks: int):
        super().__init__()
        gain = math.sqrt(2 / (1 + SLOPE**2)) * blocks**-0.25
        groups = max(1, 2 * width // GROUP)
        last = nn.Conv2d(2 * width, width, 1, bias=False)
        nn.init.zeros_(last.weight)
        self.layers = nn.Sequential(
            pointwise(width, 2 * width, gain),
            BiasedActivation(2 * width),
            scaled(nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=groups, bias=False), gain),
            BiasedActivation(2 * width),
            last,
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(N, width, h, w) to the same shape."""
        return maps + self.layers(maps)


def tent(maps: Tensor, total: float) -> Tensor:
    """The filter [1, 2, 1] in both directions for each channel of `maps` (N, C, h, w), (C, 1, 3,
    3), its weights summing to `total`.
    """
    # made there, not sent
    line = (2 - (torch.arange(3, device=maps.device) - 1).abs()).to(maps.dtype)
    kernel = line[:, None] * line * (total / 16)
    return kernel.expand(maps.shape[1], 1, 3, 3)


class Double(nn.Module):
    """Twice the side, by linear interpolation: (N, C, h, w) to (N, C, 2h, 2w)."""

    def forward(self, maps: Tensor) -> Tensor:
        return conv_transpose2d(
            maps, tent(maps, 4.0), stride=2, padding=1, output_padding=1, groups=maps.shape[1]
        )


class Halve(nn.Module):
    """Half the side, smoothed first: (N, C, 2h, 2w) to (N, C, h, w)."""

    def forward(self, maps: Tensor) -> Tensor:
        return conv2d(maps, tent(maps, 1.0), stride=2, padding=1, groups=maps.shape[1])


class R3Generator(nn.Module):
    """Noise, and perhaps a label, to a picture.

    Args:
        classes: how many; 0: it is told none.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the picture's size.
        channels: of the picture.
        noise_size: numbers of noise.
    """

    def __init__(self, classes: int, start: int, widths: list[int], channels: int, noise_size: int):
        super().__init__()
        self.embedding = class_embedding(classes)
        self.start = nn.Parameter(torch.randn(widths[0], start, start))
        self.linear = scaled(
            nn.Linear(noise_size + (EMBEDDING if classes else 0), widths[0], bias=False)
        )
        count = BLOCKS * len(widths)
        modules: list[nn.Module] = [Block(widths[0], count) for _ in range(BLOCKS)]
        for inputs, outputs in pairwise(widths):
            if inputs != outputs:
                modules.append(pointwise(inputs, outputs))
            modules += [Double(), *(Block(outputs, count) for _ in range(BLOCKS))]
        self.layers = nn.Sequential(*modules, pointwise(widths[-1], channels))

    def forward(self, noise: Tensor, label: Tensor | None) -> Tensor:
        """(N, noise_size) and int64 (N,) to (N, C, H, W), about in [-1, 1]."""
        if self.embedding is not None:
            noise = torch.cat([noise, self.embedding(label)], 1)
        return self.layers(self.start * self.linear(noise)[:, :, None, None])


class R3Discriminator(nn.Module):
    """A picture, and perhaps a label, to a score; the generator backwards.

    Args:
        classes: how many; 0: it is told none.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the picture's size.
        channels: of the picture.
    """

    def __init__(self, classes: int, start: int, widths: list[int], channels: int):
        super().__init__()
        count = BLOCKS * len(widths)
        modules: list[nn.Module] = [pointwise(channels, widths[-1])]
        for inputs, outputs in pairwise(reversed(widths)):
            modules += [*(Block(inputs, count) for _ in range(BLOCKS)), Halve()]
            if inputs != outputs:
                modules.append(pointwise(inputs, outputs))
        modules += [Block(widths[0], count) for _ in range(BLOCKS)]
        modules.append(scaled(nn.Conv2d(widths[0], widths[0], start, groups=widths[0], bias=False)))
        features = EMBEDDING if classes else 1
        self.layers = nn.Sequential(
            *modules, nn.Flatten(), scaled(nn.Linear(widths[0], features, bias=False))
        )
        self.embedding = class_embedding(classes, 1 / math.sqrt(EMBEDDING))

    def forward(self, image: Tensor, label: Tensor | None) -> Tensor:
        """(N, C, H, W) and int64 (N,) to scores (N,)."""
        features = self.layers(image)
        return (
            features[:, 0] if self.embedding is None else (features * self.embedding(label)).sum(1)
        )


def class_embedding(classes: int, gain: float = 1.0) -> nn.Embedding | None:
    """EMBEDDING numbers a class, as a linear map of one-hot labels would begin;

    None without classes.
    """
    if not classes:
        return None
    embedding = nn.Embedding(classes, EMBEDDING)
    nn.init.normal_(embedding.weight, std=gain / math.sqrt(classes))
    return embedding


class R3GAN(GAN):
    """The modern baseline: a regularised relativistic loss, and networks without tricks.

    Players: generator learned 4x4 map (as the size asks: 28 starts at 7x7) scaled by a linear map
    of the noise → two residual blocks at every size, doubled in between by [1, 2, 1] → 1x1 to the
    picture, no tanh; discriminator the same backwards → a depthwise convolution of the whole
    smallest map → a score, or with classes a product with the class's embedding.
    Losses: discriminator mean softplus(D(G(z)) - D(x)) + gamma / 2 mean(|∇ D(x)|² + |∇ D(G(z))|²),
    the gradients with respect to the pictures before they are augmented; generator mean
    softplus(D(x) - D(G(z))).
    Where we differ from the paper: both players see the same real pictures in a round, the
    generator with fakes of its own; real and fake pictures pass through our own augmentations, with
    the same transforms; the discriminator sums up a picture with a class in 64 numbers, where
    public configurations of the paper's have as many as its widest map has channels (which adds
    half a million parameters); half precision, where asked for, is that of whole turns, not of the
    largest maps alone. Recipes: `stacked-mnist-r3gan`, `cifar10-r3gan`, `ffhq-64-r3gan`.

    Args:
        width: channels of the four smallest maps; larger ones have half of the one before.
        noise_size: numbers of noise, standard normal.
        conditional: whether it is told the classes, where the data has some.
        gamma: the penalty's weight at the beginning and after the burn-in.
        augmentation: probability of each augmentation after the burn-in; it begins at 0, and with 0
            there is none.
        burn_in: images over which these two change, along half a cosine.
    """

    double_backward = True
    decision_threshold = None

    def __init__(
        self,
        schema: Schema,
        *,
        width: PositiveInt = 768,
        noise_size: PositiveInt = 64,
        conditional: bool = True,
        gamma: tuple[NonNegativeFloat, NonNegativeFloat] = (2.0, 0.2),
        augmentation: NonNegativeFloat = 0.0,
        burn_in: NonNegativeInt = 20_000_000,
    ):
        self.requires = choose_columns(schema, conditional)
        super().__init__(schema)
        self.noise_size, self.gamma, self.augmentation, self.burn_in = (
            noise_size,
            gamma,
            augmentation,
            burn_in,
        )
        start, *larger = stage_sizes(self.size)
        widths = [
            max(1, width >> max(0, stage - WIDE_STAGES + 1)) for stage in range(len(larger) + 1)
        ]
        if any(2 * each % max(1, 2 * each // GROUP) for each in widths):
            step = GROUP // 2 * width // min(widths)
            better = f"a multiple of {step}, such as {max(1, round(width / step)) * step}"
            raise UserError(
                f"options.width={width}: maps of {widths} channels do not fall into groups of {GROUP}; use {better}"
            )
        classes = len(self.classes) if "label" in self.requires else 0
        self.generator = R3Generator(classes, start, widths, self.channels, noise_size)
        self.discriminator = R3Discriminator(classes, start, widths, self.channels)

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real, label = batch["image"].clone().requires_grad_(), batch.get("label")
        probability = clock.ramp(0.0, self.augmentation, self.burn_in)
        transforms = rng.rand(len(real), AUGMENT_NUMBERS) if self.augmentation else None

        def score(images: Tensor) -> Tensor:
            seen = images if transforms is None else augment(images, transforms, probability)
            return self.discriminator(seen, label)

        with torch.no_grad():
            fake = self.imagine(label, len(real), rng)
        fake.requires_grad_()
        real_score, fake_score = score(real), score(fake)
        penalty = squared_gradient(real_score, real) + squared_gradient(fake_score, fake)
        gamma = clock.ramp(*self.gamma, self.burn_in)
        losses = {
            "adversarial": relativistic(real_score, fake_score),
            "penalty": gamma / 2 * penalty.mean(),
        }
        yield Update("discriminator", losses, scores=(real_score, fake_score))
        with torch.no_grad():
            real_score = score(real)
        fake_score = score(self.imagine(label, len(real), rng))
        yield Update("generator", {"adversarial": relativistic(fake_score, real_score)})

    def imagine(self, label: Tensor | None, count: int, rng: Rng) -> Tensor:
        """Pictures (count, C, H, W), of these classes if there are any."""
        return self.generator(rng.normal(count, self.noise_size), label)

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(batch["image"], batch.get("label"))

    def sample(self, count: int, rng: Rng, *, label: Tensor | None = None) -> Tensor:
        return self.imagine(label, count, rng).clamp(-1, 1)
