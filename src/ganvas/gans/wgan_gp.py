"""WGAN-GP: Gulrajani et al. 2017, "Improved Training of Wasserstein GANs".

The discriminator, here called a critic, estimates the Wasserstein distance between generated and
real images (Arjovsky et al. 2017). The estimate holds as long as no score changes faster than its
image; a penalty at random points between real and generated images enforces this. The estimate
falls while images improve, which no other loss here does.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import GAN, Batch, Clock, Update, Updates
from ganvas.gans.nn.losses import gradient_penalty, wasserstein_d, wasserstein_g
from ganvas.gans.nn.networks import add_norm, downsample, stage_sizes, stage_widths, upsample
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["WGANGP"]


class WGANGP(GAN):
    """A critic with slope 1, updated five times for each generator update.

    Gulrajani et al. 2017, "Improved Training of Wasserstein GANs".

    Players:

    - generator: noise → linear, batch norm, ReLU → doublings by 5x5 kernels, batch norm, ReLU →
      tanh.
    - discriminator: halvings by 5x5 kernels, LeakyReLU 0.2 → a score. It has no norm, since the
      penalty is on each image by itself.

    Losses, with x̂ at random between x and G(z):

    - discriminator: mean D(G(z)) - mean D(x) + penalty_weight mean (|∇ D(x̂)| - 1)²
    - generator: -mean D(G(z)), in every `n_critic`-th training step, on the fakes that the critic
      just saw

    Stats: `distance`, the critic's estimate of the Wasserstein distance.

    Where we differ from the paper: the generator's first update comes after one of the critic, not
    after five. The score has no bias, since only differences of scores count. The networks are the
    plain convolutional ones of the authors' code, not the paper's residual ones.

    Recipe: `wgan-gp`.

    Args:
        width: channels of the map nearest to the image; doubled at every halving, up to 8 x.
        noise_size: numbers of noise, standard normal.
        penalty_weight: the paper's lambda.
        n_critic: discriminator updates for each generator update.
    """

    double_backward = True
    decision_threshold = None

    def __init__(
        self,
        schema: Schema,
        *,
        width: PositiveInt = 64,
        noise_size: PositiveInt = 128,
        penalty_weight: NonNegativeFloat = 10.0,
        n_critic: PositiveInt = 5,
    ):
        super().__init__(schema)
        self.noise_size = noise_size
        self.penalty_weight = penalty_weight
        self.n_critic = n_critic
        start, *larger = stage_sizes(self.size)  # 64 pixels: 4, [8, 16, 32, 64]
        widths = stage_widths(width, len(larger))
        self.generator = _build_generator(start, widths, self.channels, noise_size)
        self.discriminator = _build_critic(start, widths, self.channels)

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = batch["image"]  # (N, C, H, W)
        updates_generator = clock.every(self.n_critic)

        # in the other training steps the fakes need no gradient
        with torch.set_grad_enabled(updates_generator):
            fake = self.sample(len(real), rng)
        scores = self.discriminator(real), self.discriminator(fake.detach())
        adversarial = wasserstein_d(*scores)  # minus the estimate of the distance
        penalty = gradient_penalty(self.discriminator, real, fake, rng.rand(len(real)))
        losses = {"adversarial": adversarial, "penalty": self.penalty_weight * penalty}
        yield Update("discriminator", losses, {"distance": -adversarial}, scores)

        if updates_generator:
            yield Update("generator", {"adversarial": wasserstein_g(self.discriminator(fake))})

    def sample(self, count: int, rng: Rng) -> Tensor:
        return self.generator(rng.normal(count, self.noise_size))


def _build_generator(start: int, widths: list[int], channels: int, noise_size: int) -> nn.Module:
    """Noise (N, noise_size) to images (N, channels, H, W) in [-1, 1].

    Args:
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the image's half.
        channels: of the image.
        noise_size: numbers of noise.
    """
    modules: list[nn.Module] = [nn.Linear(noise_size, widths[0] * start**2, bias=False)]
    modules.append(nn.Unflatten(1, (widths[0], start, start)))  # 4x4 from 64 pixels
    modules += [nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)]
    for inputs, outputs in pairwise(widths):
        modules += add_norm(upsample(inputs, outputs, 5, bias=False), nn.ReLU(inplace=True))
    return nn.Sequential(*modules, upsample(widths[-1], channels, 5), nn.Tanh())


def _build_critic(start: int, widths: list[int], channels: int) -> nn.Module:
    """Images (N, channels, H, W) to scores (N,); arguments as of `_build_generator`."""
    modules: list[nn.Module] = []
    for inputs, outputs in pairwise([channels, *reversed(widths)]):
        modules += [downsample(inputs, outputs, 5), nn.LeakyReLU(0.2, inplace=True)]
    score = nn.Linear(widths[0] * start**2, 1, bias=False)
    # (N, widths[0], start, start) to (N, 1) to (N,)
    return nn.Sequential(*modules, nn.Flatten(), score, nn.Flatten(0))
