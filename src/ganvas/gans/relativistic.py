"""A small class-conditional GAN without normalisation that trains well in minutes on a CPU.

Relativistic pairing (Jolicoeur-Martineau 2018) with a gradient penalty on real pictures (Mescheder et al. 2018): the
discriminator only has to say which of two pictures is more real, so every mode that the generator forgets costs it; the
penalty keeps it from winning the game outright.
"""

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from ganvas.draws import Draw
from ganvas.gans.base import GAN, Batch, Clock, Move, Turn
from ganvas.losses import relativistic, squared_gradient
from ganvas.networks import down, stage_sizes, stage_widths, up
from ganvas.schema import Schema


class LabelledGenerator(nn.Module):
    """Noise and a label to a picture."""

    def __init__(self, classes: int, start: int, widths: list[int], channels: int, noise_size: int):
        super().__init__()
        self.embedding = nn.Embedding(classes, noise_size)
        modules: list[nn.Module] = [nn.Linear(2 * noise_size, widths[0] * start**2)]
        modules += [nn.Unflatten(1, (widths[0], start, start)), nn.LeakyReLU(0.2, inplace=True)]
        for inputs, outputs in zip(widths, [*widths[1:], widths[-1]]):
            modules += [up(inputs, outputs, 4), nn.LeakyReLU(0.2, inplace=True)]
        self.layers = nn.Sequential(*modules, nn.Conv2d(widths[-1], channels, 3, padding=1), nn.Tanh())

    def forward(self, noise: Tensor, label: Tensor) -> Tensor:
        """(N, noise_size) and int64 (N,) to (N, C, H, W) in [-1, 1]."""
        return self.layers(torch.cat([noise, self.embedding(label)], 1))


class ProjectionDiscriminator(nn.Module):
    """A picture and a label to a score: the picture's features times the label's; Miyato and Koyama 2018."""

    def __init__(self, classes: int, start: int, widths: list[int], channels: int, features: int):
        super().__init__()
        outward = [channels, *reversed(widths)]
        modules: list[nn.Module] = []
        for inputs, outputs in pairwise(outward):
            modules += [down(inputs, outputs, 4), nn.LeakyReLU(0.2, inplace=True)]
        modules += [nn.Flatten(), nn.Linear(widths[0] * start**2, features), nn.LeakyReLU(0.2, inplace=True)]
        self.layers = nn.Sequential(*modules)
        self.plain = nn.Linear(features, 1, bias=False)  # a constant cancels in the relativistic loss
        self.embedding = nn.Embedding(classes, features)

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """(N, C, H, W) and int64 (N,) to scores (N,)."""
        features = self.layers(image)
        matching = (features * self.embedding(label)).sum(1) / math.sqrt(features.shape[1])
        return self.plain(features)[:, 0] + matching


class RelativisticGAN(GAN):
    """Every generated picture competes with a real one of the same class.

    Players: generator noise and label embedding → linear → doublings, LeakyReLU 0.2 → tanh; discriminator halvings,
    LeakyReLU 0.2 → features, scored alone and against the label's embedding.
    Losses: discriminator mean softplus(D(G(z, y), y) - D(x, y)) + gamma / 2 mean |∇ D(x, y)|²; generator
    mean softplus(D(x, y) - D(G(z, y), y)), with x a real picture of class y. The fakes are made once a round and serve both
    moves.
    Where we differ from the papers: the penalty is on real pictures only and is computed every `penalty_every` rounds at
    that many times its weight (the lazy form of Karras et al. 2020), since it costs as much as the rest of the round.
    Recipe: `digits`.

    Args:
        width: channels of the map nearest to the picture; doubled at every halving, up to 4 x.
        noise_size: numbers of noise, standard normal, and of the label's embedding.
        features: numbers in which the discriminator sums up a picture.
        gamma: the penalty's weight.
        penalty_every: rounds from one penalty to the next.
    """

    needs = ("image", "label")
    neutral = None

    def __init__(
        self,
        schema: Schema,
        *,
        width: PositiveInt = 64,
        noise_size: PositiveInt = 64,
        features: PositiveInt = 128,
        gamma: NonNegativeFloat = 0.5,
        penalty_every: PositiveInt = 8,
    ):
        super().__init__(schema)
        self.noise_size, self.gamma, self.penalty_every = noise_size, gamma, penalty_every
        start, *larger = stage_sizes(self.size)
        widths = stage_widths(width, len(larger), most=4)
        self.generator = LabelledGenerator(len(self.classes), start, widths, self.channels, noise_size)
        self.discriminator = ProjectionDiscriminator(len(self.classes), start, widths, self.channels, features)

    def step(self, batch: Batch, clock: Clock, draw: Draw) -> Iterator[Move]:
        real, label = batch["image"], batch["label"]
        fake = self.generator(draw.normal(len(real), self.noise_size), label)
        punished = clock.rounds % self.penalty_every == 0
        real.requires_grad_(punished)
        real_score = self.discriminator(real, label)
        fake_score = self.discriminator(fake.detach(), label)
        adversarial = relativistic(real_score, fake_score)
        penalty = torch.zeros_like(adversarial)
        if punished:
            penalty = self.penalty_every * self.gamma / 2 * squared_gradient(real_score, real).mean()
            real.requires_grad_(False)
        losses = {"adversarial": adversarial, "penalty": penalty}
        yield Turn("discriminator", losses, scores=(real_score, fake_score))
        with torch.no_grad():
            real_score = self.discriminator(real, label)
        yield Turn("generator", {"adversarial": relativistic(self.discriminator(fake, label), real_score)})

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(batch["image"], batch["label"])

    def sample(self, count: int, draw: Draw, *, label: Tensor) -> Tensor:
        return self.generator(draw.normal(count, self.noise_size), label)
