"""Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks" (SNGAN).

A discriminator whose every layer is divided by its largest singular value cannot change its mind
faster than the picture changes: its slope is bounded, whatever it learns, and the generator always
gets a gradient that it can use. It costs one product of a matrix and a vector a layer, where a
gradient penalty costs a second backward pass.

With classes, both players are told them; Miyato and Koyama 2018, "cGANs with Projection
Discriminator".
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import GAN, Batch, Clock, Update, Updates, choose_columns
from ganvas.gans.nn.losses import hinge_d, hinge_g
from ganvas.gans.nn.networks import (
    add_spectral_norm,
    downsample,
    initialise_weights,
    stage_sizes,
    stage_widths,
    upsample,
)
from ganvas.rng import Rng
from ganvas.schema import Schema

SLOPE = 0.1  # of LeakyReLU


class Grower(nn.Module):
    """Noise, and perhaps a label, to a picture; table 3a.

    Args:
        classes: how many; 0: it is told none.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the picture's size.
        channels: of the picture.
        noise_size: numbers of noise, and of a class.
    """

    def __init__(self, classes: int, start: int, widths: list[int], channels: int, noise_size: int):
        super().__init__()
        self.embedding = nn.Embedding(classes, noise_size) if classes else None
        modules: list[nn.Module] = [
            nn.Linear((2 if classes else 1) * noise_size, widths[0] * start**2)
        ]
        modules.append(nn.Unflatten(1, (widths[0], start, start)))
        for inputs, outputs in pairwise(widths):
            modules += [
                upsample(inputs, outputs, 4, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]
        self.layers = nn.Sequential(
            *modules, nn.Conv2d(widths[-1], channels, 3, padding=1), nn.Tanh()
        )
        initialise_weights(self, std=0.02)

    def forward(self, noise: Tensor, label: Tensor | None) -> Tensor:
        """(N, noise_size) and int64 (N,) to (N, C, H, W) in [-1, 1]."""
        return self.layers(
            noise if self.embedding is None else torch.cat([noise, self.embedding(label)], 1)
        )


class BoundedDiscriminator(nn.Module):
    """A picture to a score, with classes its summed features times the label's too; table 3b, all
    layers spectrally normalised.

    Args:
        classes: how many; 0: it is told none.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the picture's size.
        channels: of the picture.
    """

    def __init__(self, classes: int, start: int, widths: list[int], channels: int):
        super().__init__()
        modules: list[nn.Module] = []
        for inputs, outputs in pairwise([channels, *reversed(widths)]):
            if modules:
                modules += [downsample(inputs, inputs, 4), nn.LeakyReLU(SLOPE, inplace=True)]
            modules += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.LeakyReLU(SLOPE, inplace=True)]
        self.layers = nn.Sequential(*modules)
        self.plain = nn.Linear(widths[0] * start**2, 1)
        self.embedding = nn.Embedding(classes, widths[0]) if classes else None
        add_spectral_norm(self)

    def forward(self, image: Tensor, label: Tensor | None) -> Tensor:
        """(N, C, H, W) and int64 (N,) to scores (N,)."""
        maps = self.layers(image)
        score = self.plain(maps.flatten(1))[:, 0]
        return (
            score
            if self.embedding is None
            else score + (maps.sum((2, 3)) * self.embedding(label)).sum(1)
        )


class SNGAN(GAN):
    """A discriminator with a bounded slope, and the hinge loss.

    Players: generator noise, and the label's embedding, → linear → doublings by 4x4 kernels, batch
    norm, ReLU → convolution 3x3, tanh; discriminator pairs of a 3x3 convolution and a halving by
    4x4 kernels, and a last 3x3 one, LeakyReLU 0.1, spectral norm everywhere → a score; with classes
    plus the product of the last map, summed over positions, and the label's embedding.
    Losses: discriminator mean max(0, 1 - D(x, y)) + mean max(0, 1 + D(G(z, y), y)), with y the
    label of the real picture x; generator -mean D(G(z, y), y), every `n_critic`-th round, on the
    fakes that the discriminator just saw.
    Where we differ: the first move of the generator comes after one of the discriminator, not after
    five. The generator is told its class beside the noise, where Miyato and Koyama give each class
    batch norms of its own. Pictures of other sizes than 32 have more stages or fewer, or start from
    a map of another size.
    Recipe: `sngan`.

    Args:
        width: channels of the map of the picture's size; doubled at every halving, up to 8 x.
        noise_size: numbers of noise, standard normal, and of the label's embedding.
        conditional: whether it is told the classes, where the data has some.
        n_critic: discriminator moves for one of the generator.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        width: PositiveInt = 64,
        noise_size: PositiveInt = 128,
        conditional: bool = True,
        n_critic: PositiveInt = 5,
    ):
        self.requires = choose_columns(schema, conditional)
        super().__init__(schema)
        self.noise_size, self.n_critic = noise_size, n_critic
        start, *larger = stage_sizes(self.size)
        widths = stage_widths(width, 1 + len(larger))
        classes = len(self.classes) if "label" in self.requires else 0
        self.generator = Grower(classes, start, widths, self.channels, noise_size)
        self.discriminator = BoundedDiscriminator(classes, start, widths, self.channels)

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real, label = batch["image"], batch.get("label")
        moves = clock.every(self.n_critic)
        with torch.set_grad_enabled(moves):  # in the other rounds the fakes are only judged
            fake = self.imagine(label, len(real), rng)
        scores = self.discriminator(real, label), self.discriminator(fake.detach(), label)
        yield Update("discriminator", {"adversarial": hinge_d(*scores)}, scores=scores)
        if moves:
            yield Update("generator", {"adversarial": hinge_g(self.discriminator(fake, label))})

    def imagine(self, label: Tensor | None, count: int, rng: Rng) -> Tensor:
        """Pictures (count, C, H, W), of these classes if there are any."""
        return self.generator(rng.normal(count, self.noise_size), label)

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(batch["image"], batch.get("label"))

    def sample(self, count: int, rng: Rng, *, label: Tensor | None = None) -> Tensor:
        return self.imagine(label, count, rng)
