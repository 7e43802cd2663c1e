"""R3GAN: Huang et al. 2024, "The GAN is dead; long live the GAN! A Modern Baseline GAN".

Relativistic pairing, so that dropping a mode always costs something, and zero-centred penalties on
real images (R1) and generated ones (R2) in every training step, with which the game converges. With
these the networks need no tricks: residual blocks with grouped convolutions, no normalisation, and
initial weights that keep the variance of what passes through.
"""

import math
from collections.abc import Iterator
from itertools import count, pairwise

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu

from ganvas.errors import UserError
from ganvas.gans.base import GAN, Batch, Clock, Update, Updates, choose_columns, count_classes
from ganvas.gans.nn.augment import AUGMENT_NUMBERS, augment
from ganvas.gans.nn.labels import concat_label, project_label
from ganvas.gans.nn.losses import relativistic, squared_gradient
from ganvas.gans.nn.networks import stage_sizes
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = [
    "R3GAN",
    "BiasedActivation",
    "Block",
    "Double",
    "Halve",
    "R3Discriminator",
    "R3Generator",
]

SLOPE = 0.2  # of LeakyReLU
WIDE_STAGES = 4  # smallest maps of the whole width; each larger map has half of the one before
BLOCKS = 2  # of a stage
GROUP = 16  # channels of one group of a grouped convolution
EMBEDDING = 64  # numbers of a class's embedding


def _scale_layer(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> nn.Conv2d | nn.Linear:
    """Draw the layer's weights from N(0, gain / sqrt(fan in)).

    Its output then has gain² times the mean square of its input.
    """
    nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.weight[0].numel()))
    return layer


def _pointwise(inputs: int, outputs: int, gain: float = 1.0) -> nn.Conv2d | nn.Linear:
    """A 1x1 convolution without bias."""
    return _scale_layer(nn.Conv2d(inputs, outputs, 1, bias=False), gain)


class BiasedActivation(nn.Module):
    """A bias for each channel, then LeakyReLU."""

    def __init__(self, width: int):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, maps: Tensor) -> Tensor:
        """(N, width, h, w) to the same shape."""
        # A float32 bias would turn maps of half precision into float32.
        return leaky_relu(maps + self.bias.to(maps.dtype)[:, None, None], SLOPE)


class Block(nn.Module):
    """What three convolutions add to a map: 1x1 to twice the width, grouped 3x3, 1x1 back.

    The last convolution is zero at first.

    Args:
        width: channels; a multiple of GROUP / 2, or below it.
        blocks: residual blocks of the whole network. As in Fixup (Zhang et al. 2019) the initial
            weights are smaller the more there are, so that all blocks together change the map as
            much as one would.
    """

    def __init__(self, width: int, blocks: int):
        super().__init__()
        # He et al. 2015, eq. 15, times L^(-1 / (2 m - 2)) of Fixup for m = 3 convolutions
        gain = math.sqrt(2 / (1 + SLOPE**2)) * blocks**-0.25
        groups = max(1, 2 * width // GROUP)
        last = nn.Conv2d(2 * width, width, 1, bias=False)
        nn.init.zeros_(last.weight)  # the block is the identity at first

        first = _pointwise(width, 2 * width, gain)
        grouped = nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=groups, bias=False)
        self.layers = nn.Sequential(
            first,
            BiasedActivation(2 * width),
            _scale_layer(grouped, gain),
            BiasedActivation(2 * width),
            last,
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(N, width, h, w) to the same shape."""
        return maps + self.layers(maps)


def _tent_filter(maps: Tensor, total: float) -> Tensor:
    """The filter [1, 2, 1] in both directions, for each channel of `maps` (N, C, h, w).

    Returns:
        (C, 1, 3, 3), whose weights sum to `total` in each channel.
    """
    # computed on the device, so that nothing is sent there
    line = (2 - (torch.arange(3, device=maps.device) - 1).abs()).to(maps.dtype)  # [1, 2, 1]
    kernel = line[:, None] * line * (total / 16)  # (3, 3); 16 is the sum before
    return kernel.expand(maps.shape[1], 1, 3, 3)


class Double(nn.Module):
    """Twice the side, by linear interpolation: (N, C, h, w) to (N, C, 2h, 2w)."""

    def forward(self, maps: Tensor) -> Tensor:
        kernel = _tent_filter(maps, 4.0)  # each value is spread over four pixels
        groups = maps.shape[1]
        return conv_transpose2d(maps, kernel, stride=2, padding=1, output_padding=1, groups=groups)


class Halve(nn.Module):
    """Half the side, smoothed first: (N, C, 2h, 2w) to (N, C, h, w)."""

    def forward(self, maps: Tensor) -> Tensor:
        return conv2d(maps, _tent_filter(maps, 1.0), stride=2, padding=1, groups=maps.shape[1])


class R3Generator(nn.Module):
    """Noise, and perhaps a label, to an image.

    Args:
        classes: number of classes; 0: unconditional.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the image's size.
        channels: of the image.
        noise_size: numbers of noise.
    """

    def __init__(self, classes: int, start: int, widths: list[int], channels: int, noise_size: int):
        super().__init__()
        self.embedding = _class_embedding(classes)
        # a learned smallest map, scaled by a linear map of the noise
        self.start = nn.Parameter(torch.randn(widths[0], start, start))  # of variance 1
        inputs = noise_size + EMBEDDING if classes else noise_size
        self.linear = _scale_layer(nn.Linear(inputs, widths[0], bias=False))

        count = BLOCKS * len(widths)  # sets the initial scale of every block
        modules: list[nn.Module] = [Block(widths[0], count) for _ in range(BLOCKS)]
        for inputs, outputs in pairwise(widths):
            # Narrowed before the doubling, where there are a quarter of the pixels.
            if inputs != outputs:
                modules.append(_pointwise(inputs, outputs))
            modules.append(Double())
            modules += [Block(outputs, count) for _ in range(BLOCKS)]
        self.layers = nn.Sequential(*modules, _pointwise(widths[-1], channels))

    def forward(self, noise: Tensor, label: Tensor | None) -> Tensor:
        """(N, noise_size) and int64 (N,) to (N, C, H, W), roughly in [-1, 1]."""
        inputs = concat_label(noise, label, self.embedding)
        # (C, start, start) times (N, C, 1, 1)
        return self.layers(self.start * self.linear(inputs)[:, :, None, None])


class R3Discriminator(nn.Module):
    """An image, and perhaps a label, to a score; the generator in reverse.

    Args:
        classes: number of classes; 0: unconditional.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the image's size.
        channels: of the image.
    """

    def __init__(self, classes: int, start: int, widths: list[int], channels: int):
        super().__init__()
        count = BLOCKS * len(widths)
        modules: list[nn.Module] = [_pointwise(channels, widths[-1])]
        for inputs, outputs in pairwise(reversed(widths)):
            modules += [Block(inputs, count) for _ in range(BLOCKS)]
            modules.append(Halve())
            # Widened after the halving, where there are a quarter of the pixels.
            if inputs != outputs:
                modules.append(_pointwise(inputs, outputs))
        modules += [Block(widths[0], count) for _ in range(BLOCKS)]

        # the whole smallest map to one number for each channel, then to features or a score
        depthwise = nn.Conv2d(widths[0], widths[0], start, groups=widths[0], bias=False)
        modules += [_scale_layer(depthwise), nn.Flatten()]
        features = EMBEDDING if classes else 1
        modules.append(_scale_layer(nn.Linear(widths[0], features, bias=False)))
        self.layers = nn.Sequential(*modules)
        # so that the size of a score does not grow with EMBEDDING
        self.embedding = _class_embedding(classes, 1 / math.sqrt(EMBEDDING))

    def forward(self, image: Tensor, label: Tensor | None) -> Tensor:
        """(N, C, H, W) and int64 (N,) to scores (N,)."""
        features = self.layers(image)  # (N, EMBEDDING); without classes (N, 1)
        if self.embedding is None:
            return features[:, 0]
        return project_label(features, label, self.embedding)


def _class_embedding(classes: int, gain: float = 1.0) -> nn.Embedding | None:
    """EMBEDDING numbers for each class; None without classes.

    The initial weights are those of a linear map of one-hot labels.
    """
    if not classes:
        return None
    embedding = nn.Embedding(classes, EMBEDDING)
    nn.init.normal_(embedding.weight, std=gain / math.sqrt(classes))
    return embedding


class R3GAN(GAN):
    """The modern baseline: a regularised relativistic loss, and networks without tricks.

    Huang et al. 2024, "The GAN is dead; long live the GAN! A Modern Baseline GAN".

    Players:

    - generator: a learned 4x4 map (a size of 28 starts at 7x7), scaled by a linear map of the noise
      → two residual blocks at every size, doubled in between by the filter [1, 2, 1] → 1x1 to the
      image, no tanh.
    - discriminator: the generator in reverse → a depthwise convolution of the whole smallest map →
      a score, or with classes a product with the class's embedding.

    Losses, with gradients with respect to the images before they are augmented:

    - discriminator: mean softplus(D(G(z)) - D(x)) + gamma / 2 mean(|∇ D(x)|² + |∇ D(G(z))|²)
    - generator: mean softplus(D(x) - D(G(z)))

    Where we differ from the paper:

    - Both players see the same real images in a training step; the generator generates new fakes.
    - Real and fake images pass through our own augmentations, with the same transforms.
    - The discriminator summarises an image with a class in 64 numbers. The paper's public
      configurations use as many as its widest map has channels, half a million parameters more.
    - Half precision, where requested, covers whole updates, not only the largest maps.

    Recipes: `stacked-mnist-r3gan`, `cifar10-r3gan`, `ffhq-64-r3gan`.

    Args:
        width: channels of the four smallest maps; each larger map has half of the one before.
        noise_size: numbers of noise, standard normal.
        conditional: whether to use the classes of the data, if there are any.
        gamma: the penalty's weight at the beginning and after the burn-in.
        augmentation: probability of each augmentation after the burn-in; it begins at 0. With 0
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
        self.requires = choose_columns(schema, conditional)  # set before `GAN` checks the data
        super().__init__(schema)
        self.noise_size = noise_size
        self.gamma = gamma
        self.augmentation = augmentation
        self.burn_in = burn_in

        start, *larger = stage_sizes(self.size)
        widths = _r3gan_widths(width, 1 + len(larger))  # a map of the image's size too
        classes = count_classes(self)
        self.generator = R3Generator(classes, start, widths, self.channels, noise_size)
        self.discriminator = R3Discriminator(classes, start, widths, self.channels)

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        # A copy, since the loader's batch must not require a gradient.
        real, label = batch["image"].clone().requires_grad_(), batch.get("label")
        gamma = clock.ramp(*self.gamma, self.burn_in)
        probability = clock.ramp(0.0, self.augmentation, self.burn_in)
        # real and fake images are changed alike, in both updates
        changes = rng.rand(len(real), AUGMENT_NUMBERS) if self.augmentation else None

        def score(images: Tensor) -> Tensor:
            seen = images if changes is None else augment(images, changes, probability)
            return self.discriminator(seen, label)

        # R2 needs a gradient at the fakes alone, so the generator's graph is not kept.
        with torch.no_grad():
            fake = self.generator(rng.normal(len(real), self.noise_size), label)
        fake.requires_grad_()
        real_score, fake_score = score(real), score(fake)  # (N,) each
        penalty = squared_gradient(real_score, real) + squared_gradient(fake_score, fake)  # (N,)
        losses = {
            "adversarial": relativistic(real_score, fake_score),
            "penalty": gamma / 2 * penalty.mean(),
        }
        yield Update("discriminator", losses, scores=(real_score, fake_score))

        # The discriminator has changed, so the opponents are scored again, without a graph.
        with torch.no_grad():
            real_score = score(real)
        fake = self.generator(rng.normal(len(real), self.noise_size), label)
        yield Update("generator", {"adversarial": relativistic(score(fake), real_score)})

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(batch["image"], batch.get("label"))

    def sample(self, count: int, rng: Rng, *, label: Tensor | None = None) -> Tensor:
        # There is no tanh. Training sees what lies outside, so that it has a gradient.
        return self.generator(rng.normal(count, self.noise_size), label).clamp(-1, 1)


def _r3gan_widths(width: int, stages: int) -> list[int]:
    """Channels of the maps, from the smallest to the image's size.

    Raises:
        UserError: twice the channels of a map cannot be divided into groups.
    """

    # 256 pixels: 768 four times, then 384, 192, 96
    def halve(width: int) -> list[int]:
        return [max(1, width >> max(0, stage - WIDE_STAGES + 1)) for stage in range(stages)]

    def fits(width: int) -> bool:
        return all(2 * each % max(1, 2 * each // GROUP) == 0 for each in halve(width))

    if not fits(width):
        # every power of 2 from GROUP on fits, so there is one on either side
        below = next(less for less in range(width, 0, -1) if fits(less))
        above = next(more for more in count(width) if fits(more))
        raise UserError(
            f"options.width={width}: maps of {halve(width)} channels do not fall into groups of "
            f"{GROUP}; the nearest widths that do: {below} and {above}"
        )
    return halve(width)
