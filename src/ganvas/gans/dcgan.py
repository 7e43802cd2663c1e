"""DCGAN, and its variant from the tutorials on anime avatars.

Radford et al. 2016, "Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks". The paper's rules: strided convolutions instead of pooling; no fully
connected hidden layers; batch norm except at the generator's output and the discriminator's input;
ReLU in the generator; LeakyReLU 0.2 in the discriminator.
"""

from collections.abc import Iterator
from itertools import pairwise

from pydantic import PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import GAN, Batch, Clock, Update, Updates
from ganvas.gans.nn.losses import cross_entropy, non_saturating_g
from ganvas.gans.nn.networks import (
    add_norm,
    downsample,
    initialise_weights,
    stage_sizes,
    stage_widths,
    upsample,
)
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["DCGAN", "AvatarDCGAN"]


class DCGAN(GAN):
    """Transposed convolutions grow an image from noise; convolutions shrink it to a score.

    Radford et al. 2016, "Unsupervised Representation Learning with Deep Convolutional Generative
    Adversarial Networks".

    Players:

    - generator: noise → 4x4 map (a size of 28 starts at 7x7) → doublings, batch norm, ReLU → tanh.
    - discriminator: halvings, batch norm (not after the first), LeakyReLU 0.2 → a score.

    Losses:

    - discriminator: -mean log D(x) - mean log(1 - D(G(z))), real and fake as separate batches
    - generator: -mean log D(G(z)), on the fakes that the discriminator just saw

    Where we differ from the paper: there are no biases before a batch norm, where they have no
    effect. Kernels and widths are those of the authors' code; the paper's figure has twice the
    width (`width=128`).

    Recipe: `dcgan-64`.

    Args:
        width: channels of the map nearest to the image; doubled at every halving, up to 8 x.
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
        start, *larger = stage_sizes(self.size)  # 64 pixels: 4, [8, 16, 32, 64]
        widths = stage_widths(width, len(larger))  # 64 pixels: [512, 256, 128, 64]

        first = nn.ConvTranspose2d(noise_size, widths[0], start, bias=False)  # 1x1 to start x start
        modules = [nn.Unflatten(1, (noise_size, 1, 1)), *add_norm(first, nn.ReLU(True))]
        for inputs, outputs in pairwise(widths):
            modules += add_norm(upsample(inputs, outputs, kernel, bias=False), nn.ReLU(True))
        modules.append(upsample(widths[-1], self.channels, kernel))
        self.generator = nn.Sequential(*modules, nn.Tanh())

        score = [nn.Conv2d(widths[0], 1, start), nn.Flatten(0)]  # (N, 1, 1, 1) to (N,)
        self.discriminator = nn.Sequential(
            *_discriminator_halvings(self.channels, widths, kernel), *score
        )
        initialise_weights(self, std=0.02, scale_std=0.02)  # section 4; norms: the authors' code

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = batch["image"]  # (N, C, H, W)
        fake = self.generator(rng.uniform(len(real), self.noise_size))
        # Two passes: in a joined batch the norms would mix real and fake statistics.
        yield _discriminator_update(self.discriminator(real), self.discriminator(fake.detach()))

        # D's weights have changed since; the graph of `fake` has none of them and is still valid.
        yield Update("generator", {"adversarial": non_saturating_g(self.discriminator(fake))})

    def sample(self, count: int, rng: Rng) -> Tensor:
        return self.generator(rng.uniform(count, self.noise_size))


class AvatarDCGAN(GAN):
    """The DCGAN of the anime-avatar tutorials: 48x48, from a folder of faces.

    Radford et al. 2016, as in the first TensorFlow port, from which the tutorials descend.

    Players:

    - generator: noise → linear to a 3x3 map, batch norm, ReLU → doublings by 5x5 kernels, batch
      norm (not after the last before the image), ReLU → tanh.
    - discriminator: halvings by 5x5 kernels as in `DCGAN` → linear → a score.

    Losses: those of `DCGAN`. After one discriminator update the generator is updated twice, both
    times on the same noise.

    Where we differ from the tutorials: there are no biases before a batch norm. Our padding has one
    pixel more at the left and top, where TensorFlow's "same" has it at the right and bottom.

    Recipe: `avatars-dcgan`.

    Args:
        width: channels of the map nearest to the image; doubled at every halving, up to 8 x.
        kernel: side of the kernels.
        noise_size: numbers of noise, uniform in [-1, 1].
        generator_updates: generator updates in a training step, all on the same noise.
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
        self.noise_size = noise_size
        self.generator_updates = generator_updates
        start, *larger = stage_sizes(self.size)
        widths = stage_widths(width, len(larger))

        modules: list[nn.Module] = [nn.Linear(noise_size, widths[0] * start**2, bias=False)]
        modules.append(nn.Unflatten(1, (widths[0], start, start)))  # 3x3 from 48 pixels
        modules += [nn.BatchNorm2d(widths[0]), nn.ReLU(True)]  # by channel, over all positions
        for inputs, outputs in pairwise(widths[:-1]):
            modules += add_norm(upsample(inputs, outputs, kernel, bias=False), nn.ReLU(True))
        if len(widths) > 1:  # the last before the image has no norm
            modules += [upsample(widths[-2], widths[-1], kernel), nn.ReLU(True)]
        modules.append(upsample(widths[-1], self.channels, kernel))
        self.generator = nn.Sequential(*modules, nn.Tanh())

        score = [nn.Flatten(), nn.Linear(widths[0] * start**2, 1), nn.Flatten(0)]
        self.discriminator = nn.Sequential(
            *_discriminator_halvings(self.channels, widths, kernel), *score
        )
        initialise_weights(self, std=0.02)

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = batch["image"]
        noise = rng.uniform(len(real), self.noise_size)
        fake = self.generator(noise)
        yield _discriminator_update(self.discriminator(real), self.discriminator(fake.detach()))

        for number in range(self.generator_updates):
            if number > 0:  # the weights have changed, so the same noise gives other images now
                fake = self.generator(noise)
            yield Update("generator", {"adversarial": non_saturating_g(self.discriminator(fake))})

    def sample(self, count: int, rng: Rng) -> Tensor:
        return self.generator(rng.uniform(count, self.noise_size))


def _discriminator_update(real_score: Tensor, fake_score: Tensor) -> Update:
    """The discriminator's update, its two terms logged separately."""
    losses = {"real": cross_entropy(real_score, 1), "fake": cross_entropy(fake_score, 0)}
    return Update("discriminator", losses, scores=(real_score, fake_score))


def _discriminator_halvings(channels: int, widths: list[int], kernel: int) -> list[nn.Module]:
    """The discriminator's halvings: batch norm after all but the first, LeakyReLU 0.2.

    Args:
        channels: of the image.
        widths: channels of the maps, from the smallest map's to the largest's.
        kernel: side of the kernels.
    """
    outward = list(reversed(widths))  # channels grow while maps shrink
    # A norm at the input makes samples oscillate; section 3.
    modules: list[nn.Module] = [downsample(channels, outward[0], kernel)]
    modules.append(nn.LeakyReLU(0.2, inplace=True))
    for inputs, outputs in pairwise(outward):
        halving = downsample(inputs, outputs, kernel, bias=False)
        modules += add_norm(halving, nn.LeakyReLU(0.2, inplace=True))
    return modules
