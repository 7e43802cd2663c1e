"""Gulrajani et al. 2017, "Improved Training of Wasserstein GANs" (WGAN-GP).

The discriminator, here a critic, estimates how far the generator's pictures are from the real ones
(Arjovsky et al. 2017): the Wasserstein distance, as long as no score changes faster than its
picture. The penalty asks for that, at random points between real and generated pictures. The
estimate falls while pictures get better, which no other loss here does.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import GAN, Batch, Clock, Update, Updates
from ganvas.gans.nn.losses import gradient_penalty, wasserstein_d, wasserstein_g
from ganvas.gans.nn.networks import downsample, stage_sizes, stage_widths, upsample
from ganvas.rng import Rng
from ganvas.schema import Schema


class WGANGP(GAN):
    """A critic whose slope is asked to be 1, five moves ahead of the generator.

    Players: generator noise → linear, batch norm, ReLU → doublings by 5x5 kernels, batch norm, ReLU
    → tanh; discriminator halvings by 5x5 kernels, LeakyReLU 0.2, no norm, since the penalty is on
    each picture by itself → a score.
    Losses: discriminator mean D(G(z)) - mean D(x) + penalty_weight mean (|∇ D(x̂)| - 1)², x̂ at
    random between x and G(z); generator -mean D(G(z)), every `n_critic`-th round, on the fakes that
    the critic just saw.
    Stats: `distance`, the critic's estimate of the Wasserstein distance.
    Where we differ: the first move of the generator comes after one of the critic, not after five.
    The score has no bias: only differences of scores count. Networks are the plain convolutional
    ones of the authors' code, not the paper's residual ones.
    Recipe: `wgan-gp`.

    Args:
        width: channels of the map nearest to the picture; doubled at every halving, up to 8 x.
        noise_size: numbers of noise, standard normal.
        penalty_weight: the paper's lambda.
        n_critic: the paper's n_critic.
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
        self.noise_size, self.penalty_weight, self.n_critic = noise_size, penalty_weight, n_critic
        start, *larger = stage_sizes(self.size)
        widths = stage_widths(width, len(larger))
        self.generator = build_generator(start, widths, self.channels, noise_size)
        self.discriminator = build_critic(start, widths, self.channels)

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = batch["image"]
        moves = clock.every(self.n_critic)
        with torch.set_grad_enabled(moves):  # in the other rounds the fakes are only judged
            fake = self.sample(len(real), rng)
        scores = self.discriminator(real), self.discriminator(fake.detach())
        adversarial = wasserstein_d(*scores)
        penalty = self.penalty_weight * gradient_penalty(
            self.discriminator, real, fake, rng.rand(len(real))
        )
        losses = {"adversarial": adversarial, "penalty": penalty}
        yield Update("discriminator", losses, {"distance": -adversarial}, scores)
        if moves:
            yield Update("generator", {"adversarial": wasserstein_g(self.discriminator(fake))})

    def sample(self, count: int, rng: Rng) -> Tensor:
        return self.generator(rng.normal(count, self.noise_size))


def build_generator(start: int, widths: list[int], channels: int, noise_size: int) -> nn.Module:
    """Noise (N, noise_size) to pictures (N, channels, H, W) in [-1, 1];

    `widths` from the smallest map to the picture's half.
    """
    modules: list[nn.Module] = [nn.Linear(noise_size, widths[0] * start**2, bias=False)]
    modules += [
        nn.Unflatten(1, (widths[0], start, start)),
        nn.BatchNorm2d(widths[0]),
        nn.ReLU(inplace=True),
    ]
    for inputs, outputs in pairwise(widths):
        modules += [
            upsample(inputs, outputs, 5, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*modules, upsample(widths[-1], channels, 5), nn.Tanh())


def build_critic(start: int, widths: list[int], channels: int) -> nn.Module:
    """Pictures (N, channels, H, W) to scores (N,)."""
    modules: list[nn.Module] = []
    for inputs, outputs in pairwise([channels, *reversed(widths)]):
        modules += [downsample(inputs, outputs, 5), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(
        *modules, nn.Flatten(), nn.Linear(widths[0] * start**2, 1, bias=False), nn.Flatten(0)
    )
