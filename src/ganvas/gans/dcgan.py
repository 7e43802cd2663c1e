"""Radford et al. 2016, "Unsupervised Representation Learning with Deep Convolutional GANs", and the
avatar makers' variant.

The paper's rules: strided convolutions instead of pooling, no fully connected hidden layers, batch
norm everywhere but at the generator's output and the discriminator's input, ReLU in the generator,
LeakyReLU 0.2 in the discriminator.
"""

from collections.abc import Iterator
from itertools import pairwise

from pydantic import PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import GAN, Batch, Clock, Update, Updates
from ganvas.gans.nn.losses import cross_entropy, non_saturating_g
from ganvas.gans.nn.networks import (
    downsample,
    initialise_weights,
    stage_sizes,
    stage_widths,
    upsample,
)
from ganvas.rng import Rng
from ganvas.schema import Schema


def downsampling_layers(channels: int, widths: list[int], kernel: int) -> list[nn.Module]:
    """The discriminator's halvings: batch norm everywhere but after the first, LeakyReLU 0.2.

    Args:
        channels: the picture's.
        widths: channels of the maps, from the smallest map's to the largest's.
    """
    outward = [channels, *reversed(widths)]
    modules: list[nn.Module] = []
    for depth, (inputs, outputs) in enumerate(pairwise(outward)):
        modules.append(downsample(inputs, outputs, kernel, bias=depth == 0))
        if depth > 0:
            modules.append(nn.BatchNorm2d(outputs))
        modules.append(nn.LeakyReLU(0.2, inplace=True))
    return modules


class DCGAN(GAN):
    """A picture grows from noise by transposed convolutions, and shrinks to a score by
    convolutions.

    Players: generator noise → 4x4 map (as the size asks: 28 starts at 7x7) → doublings, batch norm,
    ReLU → tanh; discriminator halvings, batch norm (not the first), LeakyReLU 0.2 → a score.
    Losses: discriminator -mean log D(x) - mean log(1 - D(G(z))), real and fake as separate batches;
    generator -mean log D(G(z)) on the fakes that the discriminator just saw.
    Where we differ: no biases before a batch norm, where they have no effect. Kernels and widths
    are those of the authors' code; the paper's figure has twice the width (`width=128`).
    Recipe: `dcgan-64`.

    Args:
        width: channels of the map nearest to the picture; doubled at every halving, up to 8 x.
        kernel: side of the kernels.
        noise_size: numbers of noise, uniform in [-1, 1].
    """

    def __init__(
        self,
        schema: Schema,
        *,
        width: PositiveInt = 64,
        kernel: PositiveInt = 4,
        noise_size: PositiveInt = 100,
    ):
        super().__init__(schema)
        self.noise_size = noise_size
        start, *larger = stage_sizes(self.size)
        widths = stage_widths(width, len(larger))
        modules: list[nn.Module] = [nn.Unflatten(1, (noise_size, 1, 1))]
        modules.append(nn.ConvTranspose2d(noise_size, widths[0], start, bias=False))
        modules += [nn.BatchNorm2d(widths[0]), nn.ReLU(True)]
        for inputs, outputs in pairwise(widths):
            modules += [
                upsample(inputs, outputs, kernel, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(True),
            ]
        self.generator = nn.Sequential(
            *modules, upsample(widths[-1], self.channels, kernel), nn.Tanh()
        )
        score = [nn.Conv2d(widths[0], 1, start), nn.Flatten(0)]
        self.discriminator = nn.Sequential(
            *downsampling_layers(self.channels, widths, kernel), *score
        )
        initialise_weights(self, std=0.02, scale_std=0.02)

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = batch["image"]
        fake = self.generator(rng.uniform(len(real), self.noise_size))
        yield discriminator_update(self.discriminator(real), self.discriminator(fake.detach()))
        yield Update("generator", {"adversarial": non_saturating_g(self.discriminator(fake))})

    def sample(self, count: int, rng: Rng) -> Tensor:
        return self.generator(rng.uniform(count, self.noise_size))


class AvatarDCGAN(GAN):
    """The DCGAN of the anime-avatar tutorials (48x48 from a folder of faces), descended from the
    first TensorFlow port.

    Players: generator noise → linear to a 3x3 map, batch norm, ReLU → doublings by 5x5 kernels,
    batch norm (not the last before the picture), ReLU → tanh; discriminator halvings by 5x5 kernels
    as in `DCGAN` → linear → a score.
    Losses: those of `DCGAN`; one discriminator move, then two generator moves on the same noise.
    Where we differ: no biases before a batch norm; our padding is a pixel more at the left and top,
    where TensorFlow's "same" has it at the right and bottom.
    Recipe: `avatars-dcgan`.

    Args:
        width: channels of the map nearest to the picture; doubled at every halving, up to 8 x.
        kernel: side of the kernels.
        noise_size: numbers of noise, uniform in [-1, 1].
        generator_updates: generator moves a round, all on the same noise.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        width: PositiveInt = 64,
        kernel: PositiveInt = 5,
        noise_size: PositiveInt = 100,
        generator_updates: PositiveInt = 2,
    ):
        super().__init__(schema)
        self.noise_size, self.generator_updates = noise_size, generator_updates
        start, *larger = stage_sizes(self.size)
        widths = stage_widths(width, len(larger))
        modules: list[nn.Module] = [nn.Linear(noise_size, widths[0] * start**2, bias=False)]
        modules += [
            nn.Unflatten(1, (widths[0], start, start)),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(True),
        ]
        for inputs, outputs in pairwise(widths[:-1]):
            modules += [
                upsample(inputs, outputs, kernel, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(True),
            ]
        if len(widths) > 1:
            modules += [upsample(widths[-2], widths[-1], kernel), nn.ReLU(True)]
        self.generator = nn.Sequential(
            *modules, upsample(widths[-1], self.channels, kernel), nn.Tanh()
        )
        score = [nn.Flatten(), nn.Linear(widths[0] * start**2, 1), nn.Flatten(0)]
        self.discriminator = nn.Sequential(
            *downsampling_layers(self.channels, widths, kernel), *score
        )
        initialise_weights(self, std=0.02)

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = batch["image"]
        noise = rng.uniform(len(real), self.noise_size)
        fake = self.generator(noise)
        yield discriminator_update(self.discriminator(real), self.discriminator(fake.detach()))
        for move in range(self.generator_updates):
            if move > 0:  # the generator has moved, so the same noise makes other pictures now
                fake = self.generator(noise)
            yield Update("generator", {"adversarial": non_saturating_g(self.discriminator(fake))})

    def sample(self, count: int, rng: Rng) -> Tensor:
        return self.generator(rng.uniform(count, self.noise_size))


def discriminator_update(real_score: Tensor, fake_score: Tensor) -> Update:
    """The discriminator's move, its two terms logged apart."""
    losses = {"real": cross_entropy(real_score, 1), "fake": cross_entropy(fake_score, 0)}
    return Update("discriminator", losses, scores=(real_score, fake_score))
