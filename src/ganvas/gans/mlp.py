"""GANs with fully connected players: Goodfellow et al. 2014, "Generative Adversarial Nets".

Start reading here. The generator turns noise into a flat image; the discriminator scores flat
images. Three versions, each of one classic tutorial.
"""

import math
from collections.abc import Callable, Generator, Iterator
from itertools import pairwise
from typing import Annotated

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import GAN, Batch, Clock, Update, Updates
from ganvas.gans.nn.losses import cross_entropy, non_saturating_d, non_saturating_g
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["MLP", "DeepMLP", "TanhMLP"]

Steps = Generator[Updates, None, dict[str, Tensor]]  # updates, and what is logged after them


class MLP(GAN):
    """One hidden layer in each player; both players are updated at once.

    Goodfellow et al. 2014, "Generative Adversarial Nets".

    Players:

    - generator: noise → hidden layer, ReLU → sigmoid.
    - discriminator: pixels in [0, 1] → hidden layer, ReLU → a score.

    Losses, both from the same forward pass on the same noise:

    - discriminator: -mean log D(x) - mean log(1 - D(G(z)))
    - generator: -mean log D(G(z))

    Where we differ from the tutorial: losses are computed from scores, not from probabilities, so
    they stay finite where D is sure.

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
            *_linear_layers([noise_size, hidden, pixels], nn.ReLU), nn.Sigmoid()
        )
        self.discriminator = _linear_layers([pixels, hidden, 1], nn.ReLU)
        # the tutorial's "Xavier": standard deviation 1 / sqrt(fan in / 2)
        _initialise_linear(
            self, lambda weight: nn.init.normal_(weight, std=1 / math.sqrt(weight.shape[1] / 2))
        )

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = _to_unit_range(batch["image"])  # (N, pixels)
        fake = self.generator(rng.uniform(len(real), self.noise_size))
        # Not detached: both updates differentiate this one pass.
        real_score, fake_score = self.discriminator(real), self.discriminator(fake)

        d_losses = {"adversarial": non_saturating_d(real_score, fake_score)}
        g_losses = {"adversarial": non_saturating_g(fake_score)}
        # A tuple: the generator's gradient is taken before D's weights change.
        yield (
            Update("discriminator", d_losses, scores=(real_score, fake_score)),
            Update("generator", g_losses),
        )

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(_to_unit_range(batch["image"]))

    def sample(self, count: int, rng: Rng) -> Tensor:
        flat = self.generator(rng.uniform(count, self.noise_size))
        return flat.reshape(count, self.channels, self.size, self.size) * 2 - 1  # [0, 1] to [-1, 1]


class DeepMLP(GAN):
    """Three hidden layers with LeakyReLU, dropout and one-sided label smoothing.

    Goodfellow et al. 2014, "Generative Adversarial Nets".

    Players:

    - generator: noise → hidden layers, LeakyReLU 0.2 each → tanh.
    - discriminator: the same widths in reverse, LeakyReLU 0.2 and dropout each → a score.

    Losses:

    - discriminator, on real and fake images as one joined batch: cross-entropy with `real_target`
      and 0, mean over both halves
    - generator: -mean log D(G(z)) on fresh noise

    Where we differ from the tutorial: scores instead of probabilities, as in `MLP`.

    Recipe: `mnist-mlp-deep`.

    Args:
        hidden: units of the generator's hidden layers; the discriminator's in reverse.
        noise_size: numbers of noise, standard normal.
        dropout: share of the discriminator's hidden units that are dropped.
        real_target: probability towards which real images are trained.
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
        self.noise_size = noise_size
        self.real_target = real_target
        pixels = self.channels * self.size * self.size
        self.generator = nn.Sequential(
            *_linear_layers([noise_size, *hidden, pixels], _leaky_relu), nn.Tanh()
        )
        self.discriminator = _linear_layers([pixels, *reversed(hidden), 1], _leaky_relu, dropout)

        # as in the tutorial, the first layer of each player differs from the others
        _initialise_linear(self, nn.init.xavier_uniform_)
        for player in (self.generator, self.discriminator):
            nn.init.normal_(next(player.parameters()), std=0.02)  # the first weight

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = batch["image"].flatten(1)  # (N, pixels)
        with torch.no_grad():
            fake = self.generator(rng.normal(len(real), self.noise_size))
        # (2 N, pixels) to (2 N, 1), cut into (N, 1) each
        real_score, fake_score = self.discriminator(torch.cat([real, fake])).chunk(2)
        real_loss = cross_entropy(real_score, self.real_target)
        losses = {"adversarial": (real_loss + cross_entropy(fake_score, 0)) / 2}  # mean of 2 N
        yield Update("discriminator", losses, scores=(real_score, fake_score))

        fake = self.generator(rng.normal(len(real), self.noise_size))
        yield Update("generator", {"adversarial": non_saturating_g(self.discriminator(fake))})

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(batch["image"].flatten(1))

    def sample(self, count: int, rng: Rng) -> Tensor:
        flat = self.generator(rng.normal(count, self.noise_size))
        return flat.reshape(count, self.channels, self.size, self.size)


class TanhMLP(GAN):
    """One hidden tanh layer in each player; two generator updates for each of the discriminator.

    Goodfellow et al. 2014, "Generative Adversarial Nets".

    Players:

    - generator: noise → hidden layer, tanh → sigmoid.
    - discriminator: pixels in [0, 1] → hidden layer, tanh → a score.

    Losses:

    - discriminator: cross-entropy with `real_target` and 0
    - generator: -mean log D(G(z)), twice, each on fresh noise

    What is logged is measured after the updates of a step, on fresh noise: both losses, and of one
    fake `largest_pixel` (0 to 255) and `fake_probability`, the probability that D gives it.

    Where we differ from the tutorial: it compares real pixels in [0, 1] with fakes in [0, 255],
    which the discriminator can separate by brightness alone; here both are in [0, 1].

    Recipe: `mnist-mlp-tanh`.

    Args:
        hidden: units of the hidden layer of either player.
        noise_size: numbers of noise, standard normal.
        real_target: probability towards which real images are trained.
        generator_updates: generator updates in a training step.
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
        self.noise_size = noise_size
        self.real_target = real_target
        self.generator_updates = generator_updates
        pixels = self.channels * self.size * self.size
        self.generator = nn.Sequential(
            *_linear_layers([noise_size, hidden, pixels], nn.Tanh), nn.Sigmoid()
        )
        self.discriminator = _linear_layers([pixels, hidden, 1], nn.Tanh)
        # 1 / fan in: smaller than 1 / sqrt(fan in), which would keep the variance
        _initialise_linear(self, lambda weight: nn.init.normal_(weight, std=1 / weight.shape[1]))

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Steps:
        real = _to_unit_range(batch["image"])
        with torch.no_grad():
            fake = self.generator(rng.normal(len(real), self.noise_size))
        # one pass over both is faster than two
        real_score, fake_score = self.discriminator(torch.cat([real, fake])).chunk(2)
        losses = {"adversarial": non_saturating_d(real_score, fake_score, self.real_target)}
        yield Update("discriminator", losses, scores=(real_score, fake_score))

        for _ in range(self.generator_updates):
            fake = self.generator(rng.normal(len(real), self.noise_size))
            yield Update("generator", {"adversarial": non_saturating_g(self.discriminator(fake))})

        return self._measure(real, rng)

    @torch.no_grad()
    def _measure(self, real: Tensor, rng: Rng) -> dict[str, Tensor]:
        """What the tutorial prints after each step: both losses, and two numbers of one fake."""
        fake = self.generator(rng.normal(len(real), self.noise_size))
        real_score, fake_score = self.discriminator(torch.cat([real, fake])).chunk(2)
        return {
            "generator": non_saturating_g(fake_score),
            "discriminator": non_saturating_d(real_score, fake_score, self.real_target),
            "largest_pixel": fake[0].max() * 255,  # in levels of 0..255
            "fake_probability": fake_score[0].sigmoid().squeeze(),
        }

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(_to_unit_range(batch["image"]))

    def sample(self, count: int, rng: Rng) -> Tensor:
        flat = self.generator(rng.normal(count, self.noise_size))
        return flat.reshape(count, self.channels, self.size, self.size) * 2 - 1  # [0, 1] to [-1, 1]


def _linear_layers(
    sizes: list[int], activation: Callable[[], nn.Module], dropout: float = 0.0
) -> nn.Sequential:
    """Linear layers from sizes[0] to sizes[-1], (N, sizes[0]) to (N, sizes[-1]).

    The activation and dropout follow each layer but the last.
    """
    modules: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes[:-1]):
        modules += [nn.Linear(inputs, outputs), activation()]
        if dropout:
            modules.append(nn.Dropout(dropout))
    return nn.Sequential(*modules, nn.Linear(sizes[-2], sizes[-1]))  # a score is linear


def _initialise_linear(network: nn.Module, weight: Callable[[Tensor], object]) -> None:
    """Fill every linear layer's weight, (out, in), by `weight`; set biases to 0."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            weight(module.weight)
            nn.init.zeros_(module.bias)


def _leaky_relu() -> nn.Module:
    """LeakyReLU with slope 0.2."""
    return nn.LeakyReLU(0.2)


def _to_unit_range(images: Tensor) -> Tensor:
    """(N, C, H, W) in [-1, 1] to (N, C * H * W) in [0, 1], the range of a sigmoid."""
    return (images.flatten(1) + 1) / 2
