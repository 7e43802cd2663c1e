"""Goodfellow et al. 2014, "Generative Adversarial Nets", with fully connected players: three
classic tutorials' versions.

Start reading here. The generator turns noise into a flat picture; the discriminator scores flat
pictures.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Annotated

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import GAN, Batch, Clock, Update, Updates
from ganvas.gans.nn.losses import cross_entropy, non_saturating_d, non_saturating_g
from ganvas.rng import Rng
from ganvas.schema import Schema


def linear_layers(
    sizes: list[int], activation: Callable[[], nn.Module], dropout: float = 0.0
) -> nn.Sequential:
    """Linear layers from sizes[0] to sizes[-1], each but the last followed by the activation and
    dropout.
    """
    modules: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes[:-1]):
        modules += [nn.Linear(inputs, outputs), activation()]
        if dropout:
            modules.append(nn.Dropout(dropout))
    return nn.Sequential(*modules, nn.Linear(sizes[-2], sizes[-1]))


def initialise_linear(network: nn.Module, weight: Callable[[Tensor], object]) -> None:
    """Fill every linear layer's weight, (out, in), by `weight`; biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            weight(module.weight)
            nn.init.zeros_(module.bias)


def leaky_relu() -> nn.Module:
    return nn.LeakyReLU(0.2)


def to_unit_range(images: Tensor) -> Tensor:
    """(N, C, H, W) in [-1, 1] to (N, C * H * W) in [0, 1], what a sigmoid can make."""
    return (images.flatten(1) + 1) / 2


class MLP(GAN):
    """One hidden layer in each player, both moving at once.

    Players: generator noise → hidden ReLU → sigmoid; discriminator pixels in [0, 1] → hidden ReLU →
    a score.
    Losses: discriminator -mean log D(x) - mean log(1 - D(G(z))); generator -mean log D(G(z)). Both
    come from the same forward pass on the same noise, and both players then move together.
    Where we differ: the loss is taken from scores instead of probabilities, so it stays finite when
    D is sure.
    Recipe: `mnist-mlp`.

    Args:
        hidden: units of the hidden layer of either player.
        noise_size: numbers of noise, uniform in [-1, 1].
    """

    def __init__(self, schema: Schema, *, hidden: PositiveInt = 256, noise_size: PositiveInt = 100):
        super().__init__(schema)
        self.noise_size = noise_size
        pixels = self.channels * self.size * self.size
        self.generator = nn.Sequential(
            *linear_layers([noise_size, hidden, pixels], nn.ReLU), nn.Sigmoid()
        )
        self.discriminator = linear_layers([pixels, hidden, 1], nn.ReLU)
        initialise_linear(
            self, lambda weight: nn.init.normal_(weight, std=1 / math.sqrt(weight.shape[1] / 2))
        )

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = to_unit_range(batch["image"])
        fake = self.generator(rng.uniform(len(real), self.noise_size))
        real_score, fake_score = self.discriminator(real), self.discriminator(fake)
        yield (
            Update(
                "discriminator",
                {"adversarial": non_saturating_d(real_score, fake_score)},
                scores=(real_score, fake_score),
            ),
            Update("generator", {"adversarial": non_saturating_g(fake_score)}),
        )

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(to_unit_range(batch["image"]))

    def sample(self, count: int, rng: Rng) -> Tensor:
        flat = self.generator(rng.uniform(count, self.noise_size))
        return flat.reshape(count, self.channels, self.size, self.size) * 2 - 1


class DeepMLP(GAN):
    """Three hidden layers, leaky, with dropout and one-sided label smoothing.

    Players: generator noise → hidden, LeakyReLU 0.2 each → tanh; discriminator the same widths
    backwards, each with dropout → a score.
    Losses: discriminator, on real and fake as one joined batch, cross-entropy towards `real_target`
    and 0, mean over both halves; generator -mean log D(G(z)) on fresh noise.
    Where we differ: scores instead of probabilities, as in `MLP`.
    Recipe: `mnist-mlp-deep`.

    Args:
        hidden: units of the generator's hidden layers; the discriminator's in reverse.
        noise_size: numbers of noise, standard normal.
        dropout: share of the discriminator's hidden units dropped.
        real_target: the probability that real pictures are trained towards.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: tuple[PositiveInt, ...] = (256, 512, 1024),
        noise_size: PositiveInt = 100,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3,
        real_target: Annotated[float, Field(gt=0, le=1)] = 0.9,
    ):
        super().__init__(schema)
        self.noise_size, self.real_target = noise_size, real_target
        pixels = self.channels * self.size * self.size
        self.generator = nn.Sequential(
            *linear_layers([noise_size, *hidden, pixels], leaky_relu), nn.Tanh()
        )
        self.discriminator = linear_layers([pixels, *reversed(hidden), 1], leaky_relu, dropout)
        initialise_linear(self, nn.init.xavier_uniform_)
        for player in (self.generator, self.discriminator):
            nn.init.normal_(next(player.parameters()), std=0.02)

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = batch["image"].flatten(1)
        with torch.no_grad():
            fake = self.generator(rng.normal(len(real), self.noise_size))
        real_score, fake_score = self.discriminator(torch.cat([real, fake])).chunk(2)
        adversarial = (
            cross_entropy(real_score, self.real_target) + cross_entropy(fake_score, 0)
        ) / 2
        yield Update("discriminator", {"adversarial": adversarial}, scores=(real_score, fake_score))
        fake = self.generator(rng.normal(len(real), self.noise_size))
        yield Update("generator", {"adversarial": non_saturating_g(self.discriminator(fake))})

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(batch["image"].flatten(1))

    def sample(self, count: int, rng: Rng) -> Tensor:
        flat = self.generator(rng.normal(count, self.noise_size))
        return flat.reshape(count, self.channels, self.size, self.size)


class TanhMLP(GAN):
    """One hidden tanh layer in each player, two generator moves for each discriminator move.

    Players: generator noise → hidden tanh → sigmoid; discriminator pixels in [0, 1] → hidden tanh →
    a score.
    Losses: discriminator cross-entropy towards `real_target` and 0; generator -mean log D(G(z)),
    twice, each on fresh noise.
    Stats: `largest_pixel`, the brightest generated pixel (0 to 255); `fake_probability`, D's mean
    opinion of a fake.
    Where we differ: the tutorial compares real pixels in [0, 1] with fakes in [0, 255], which the
    discriminator tells apart by brightness alone; here both are in [0, 1].
    Recipe: `mnist-mlp-tanh`.

    Args:
        hidden: units of the hidden layer of either player.
        noise_size: numbers of noise, standard normal.
        real_target: the probability that real pictures are trained towards.
        generator_updates: generator moves a round.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: PositiveInt = 400,
        noise_size: PositiveInt = 100,
        real_target: Annotated[float, Field(gt=0, le=1)] = 0.9,
        generator_updates: PositiveInt = 2,
    ):
        super().__init__(schema)
        self.noise_size, self.real_target, self.generator_updates = (
            noise_size,
            real_target,
            generator_updates,
        )
        pixels = self.channels * self.size * self.size
        self.generator = nn.Sequential(
            *linear_layers([noise_size, hidden, pixels], nn.Tanh), nn.Sigmoid()
        )
        self.discriminator = linear_layers([pixels, hidden, 1], nn.Tanh)
        initialise_linear(self, lambda weight: nn.init.normal_(weight, std=1 / weight.shape[1]))

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = to_unit_range(batch["image"])
        with torch.no_grad():
            fake = self.generator(rng.normal(len(real), self.noise_size))
        # faster than two passes
        real_score, fake_score = self.discriminator(torch.cat([real, fake])).chunk(2)
        adversarial = non_saturating_d(real_score, fake_score, self.real_target)
        yield Update("discriminator", {"adversarial": adversarial}, scores=(real_score, fake_score))
        for _ in range(self.generator_updates):
            fake = self.generator(rng.normal(len(real), self.noise_size))
            score = self.discriminator(fake)
            stats = {
                "largest_pixel": fake.detach().max() * 255,
                "fake_probability": score.detach().sigmoid().mean(),
            }
            yield Update("generator", {"adversarial": non_saturating_g(score)}, stats)

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(to_unit_range(batch["image"]))

    def sample(self, count: int, rng: Rng) -> Tensor:
        flat = self.generator(rng.normal(count, self.noise_size))
        return flat.reshape(count, self.channels, self.size, self.size) * 2 - 1
