"""SNGAN: Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks".

Every layer of the discriminator is divided by its largest singular value. This bounds the slope of
its scores, whatever it learns, so the generator always gets a useful gradient. It costs one product
of a matrix and a vector for each layer, where a gradient penalty costs a second backward pass.

With classes, both players use them; Miyato and Koyama 2018, "cGANs with Projection Discriminator".
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import GAN, Batch, Clock, Update, Updates, choose_columns, count_classes
from ganvas.gans.nn.labels import concat_label, project_label
from ganvas.gans.nn.losses import hinge_d, hinge_g
from ganvas.gans.nn.networks import (
    add_norm,
    add_spectral_norm,
    downsample,
    initialise_weights,
    stage_sizes,
    stage_widths,
    upsample,
)
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["SNGAN", "BoundedDiscriminator", "ConvolutionalGenerator"]

SLOPE = 0.1  # of LeakyReLU


class ConvolutionalGenerator(nn.Module):
    """Noise, and perhaps a label, to an image; table 3a.

    Args:
        classes: number of classes; 0: unconditional.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the image's size.
        channels: of the image.
        noise_size: numbers of noise, and of a class's embedding.
    """

    def __init__(self, classes: int, start: int, widths: list[int], channels: int, noise_size: int):
        super().__init__()
        self.embedding = nn.Embedding(classes, noise_size) if classes else None
        inputs = 2 * noise_size if classes else noise_size
        modules: list[nn.Module] = [nn.Linear(inputs, widths[0] * start**2)]
        modules.append(nn.Unflatten(1, (widths[0], start, start)))  # no norm after it; table 3a
        for inputs, outputs in pairwise(widths):
            modules += add_norm(upsample(inputs, outputs, 4, bias=False), nn.ReLU(inplace=True))
        modules.append(nn.Conv2d(widths[-1], channels, 3, padding=1))
        self.layers = nn.Sequential(*modules, nn.Tanh())
        initialise_weights(self, std=0.02)

    def forward(self, noise: Tensor, label: Tensor | None) -> Tensor:
        """(N, noise_size) and int64 (N,) to (N, C, H, W) in [-1, 1]."""
        return self.layers(concat_label(noise, label, self.embedding))


class BoundedDiscriminator(nn.Module):
    """An image to a score, all layers spectrally normalised; table 3b.

    With classes, the product of the features, summed over positions, and the label's embedding is
    added.

    Args:
        classes: number of classes; 0: unconditional.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the image's size.
        channels: of the image.
    """

    def __init__(self, classes: int, start: int, widths: list[int], channels: int):
        super().__init__()
        modules: list[nn.Module] = []
        for inputs, outputs in pairwise([channels, *reversed(widths)]):
            if modules:  # the first map has the image's size
                modules += [downsample(inputs, inputs, 4), nn.LeakyReLU(SLOPE, inplace=True)]
            modules += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.LeakyReLU(SLOPE, inplace=True)]
        self.layers = nn.Sequential(*modules)
        self.plain = nn.Linear(widths[0] * start**2, 1)
        self.embedding = nn.Embedding(classes, widths[0]) if classes else None
        add_spectral_norm(self)  # last, when all layers are there

    def forward(self, image: Tensor, label: Tensor | None) -> Tensor:
        """(N, C, H, W) and int64 (N,) to scores (N,)."""
        maps = self.layers(image)  # (N, widths[0], start, start)
        score = self.plain(maps.flatten(1))[:, 0]  # (N,)
        if self.embedding is None:
            return score
        return score + project_label(maps.sum((2, 3)), label, self.embedding)


class SNGAN(GAN):
    """A discriminator with a bounded slope, and the hinge loss.

    Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks".

    Players:

    - generator: noise, and the label's embedding → linear → doublings by 4x4 kernels, batch norm,
      ReLU → convolution 3x3, tanh.
    - discriminator: pairs of a 3x3 convolution and a halving by 4x4 kernels, a last 3x3
      convolution, LeakyReLU 0.1, spectral norm everywhere → a score. With classes, plus the product
      of the last map, summed over positions, and the label's embedding.

    Losses, with y the label of the real image x:

    - discriminator: mean max(0, 1 - D(x, y)) + mean max(0, 1 + D(G(z, y), y))
    - generator: -mean D(G(z, y), y), in every `n_critic`-th training step, on the fakes that the
      discriminator just saw

    Where we differ from the paper: the generator's first update comes after one of the
    discriminator, not after five. The generator's class is an input beside the noise, where Miyato
    and Koyama give each class its own batch norms. Images of other sizes than 32 have more or fewer
    stages, or start from a map of another size.

    Recipe: `sngan`.

    Args:
        width: channels of the map of the image's size; doubled at every halving, up to 8 x.
        noise_size: numbers of noise, standard normal, and of the label's embedding.
        conditional: whether to use the classes of the data, if there are any.
        n_critic: discriminator updates for each generator update.
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
        self.requires = choose_columns(schema, conditional)  # set before `GAN` checks the data
        super().__init__(schema)
        self.noise_size = noise_size
        self.n_critic = n_critic
        start, *larger = stage_sizes(self.size)
        widths = stage_widths(width, 1 + len(larger))  # 32 pixels: [512, 256, 128, 64]
        classes = count_classes(self)
        self.generator = ConvolutionalGenerator(classes, start, widths, self.channels, noise_size)
        self.discriminator = BoundedDiscriminator(classes, start, widths, self.channels)

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real, label = batch["image"], batch.get("label")
        updates_generator = clock.every(self.n_critic)

        # in the other training steps the fakes need no gradient
        with torch.set_grad_enabled(updates_generator):
            fake = self.sample(len(real), rng, label=label)
        # Each pass takes a step of the power iteration: a joined one would give other numbers.
        scores = self.discriminator(real, label), self.discriminator(fake.detach(), label)
        yield Update("discriminator", {"adversarial": hinge_d(*scores)}, scores=scores)

        if updates_generator:
            yield Update("generator", {"adversarial": hinge_g(self.discriminator(fake, label))})

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(batch["image"], batch.get("label"))

    def sample(self, count: int, rng: Rng, *, label: Tensor | None = None) -> Tensor:
        return self.generator(rng.normal(count, self.noise_size), label)
