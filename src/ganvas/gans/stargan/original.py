"""StarGAN: Choi et al. 2018, "StarGAN: Unified Generative Adversarial Networks for Multi-Domain
Image-to-Image Translation".

One generator changes any of many attributes of an image: the wanted attributes are an input. The
discriminator separates real from generated images and recognises their attributes. Changed back, an
image must be the one that it was generated from.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import Batch, Clock, Update, Updates
from ganvas.gans.nn.losses import gradient_penalty, wasserstein_d, wasserstein_g
from ganvas.gans.nn.networks import ResidualGenerator, check_multiple_of_4, downsample
from ganvas.gans.stargan.attributes import (
    LEVELS,
    AttributeTranslator,
    attribute_cross_entropy,
    share_right,
)
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["AttributeDiscriminator", "LabelledTranslator", "StarGAN"]

SLOPE = 0.01  # of the discriminator's LeakyReLU


class LabelledTranslator(nn.Module):
    """An image and the wanted attributes to an image.

    Args:
        channels: of the image.
        planes: constant planes beside it.
        width: channels of the first map.
        blocks: residual blocks.
    """

    def __init__(self, channels: int, planes: int, width: int, blocks: int):
        super().__init__()
        self.layers = ResidualGenerator(
            channels + planes, channels, width=width, blocks=blocks, kernel=4, affine=True
        )

    def forward(self, image: Tensor, labels: Tensor) -> Tensor:
        """(N, C, H, W) and (N, planes) to (N, C, H, W) in [-1, 1]."""
        # (N, planes, H, W), without a copy
        planes = labels.to(image.dtype)[:, :, None, None].expand(-1, -1, *image.shape[2:])
        return self.layers(torch.cat([image, planes], 1))


class AttributeDiscriminator(nn.Module):
    """An image to scores of its patches and to its attributes.

    Halvings to a small map (2x2 at 128 pixels), and two heads on it.

    Args:
        channels: of the image.
        attributes: number of attributes.
        size: side of the image.
        width: channels of the first map; doubled at every halving.
    """

    def __init__(self, channels: int, attributes: int, size: int, width: int):
        super().__init__()
        sides = [size]
        while sides[-1] >= 4 and len(sides) < 7:  # 6 halvings at most, as in the paper
            sides.append(sides[-1] // 2)
        widths = [width * 2**depth for depth in range(len(sides) - 1)]

        modules: list[nn.Module] = []
        for inputs, outputs in pairwise([channels, *widths]):
            modules += [downsample(inputs, outputs, 4), nn.LeakyReLU(SLOPE, inplace=True)]
        self.trunk = nn.Sequential(*modules)
        self.patches = nn.Conv2d(widths[-1], 1, 3, padding=1, bias=False)
        # the kernel covers the smallest map: (N, A, 1, 1)
        self.attributes = nn.Conv2d(widths[-1], attributes, sides[-1], bias=False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) to scores (N, 1, h, w) and the logits of the attributes (N, A)."""
        maps = self.trunk(image)  # (N, 32 x width, 2, 2) at 128 pixels
        return self.patches(maps), self.attributes(maps)[:, :, 0, 0]


class StarGAN(AttributeTranslator):
    """Changes attributes of images, such as hair colour.

    Choi et al. 2018, "StarGAN: Unified Generative Adversarial Networks for Multi-Domain
    Image-to-Image Translation".

    Players:

    - generator: image and one constant plane for each attribute → convolution 7x7, two halvings by
      4x4 kernels, 6 residual blocks, two doublings, convolution 7x7, tanh; instance norm with scale
      and shift, ReLU. Padding is by zeros: a norm removes what is constant, so the planes have an
      effect at the border alone.
    - discriminator: halvings by 4x4 kernels, LeakyReLU 0.01, no norm → scores of patches, and the
      image's attributes.

    Losses, with c the attributes of the real image x and c' the wanted ones, those of another image
    of the batch; CE is the binary cross-entropy, summed over attributes and averaged over images:

    - discriminator: mean D(G(x, c')) - mean D(x) + penalty_weight mean (|∇ D| - 1)²
      + classification_weight CE(D_attributes(x), c)
    - generator: -mean D(G(x, c')) + classification_weight CE(D_attributes(G(x, c')), c')
      + reconstruction_weight mean |x - G(G(x, c'), c)|, in every `n_critic`-th training step

    Two data sets may know different attributes. What a set does not know is 0 in the planes and not
    in the loss. One more plane for each attribute says whether it is known (the paper's mask has
    one bit for each set).

    Stats: `attributes_right`, the share of the real images' attributes that the discriminator
    recognises; `distance`, its estimate of the Wasserstein distance; `cycle_error`, the mean
    distance of an image from its reconstruction, in levels of 0..255.

    Where we differ from the paper:

    - The generator's first update comes after one of the discriminator, not after five.
    - Norms keep no running statistics, which the paper's code keeps and never uses.
    - Below 128 pixels the discriminator halves less often, to a map of 2x2 or 3x3.
    - Two data sets are mixed in a batch, where the paper's code alternates between them.

    Recipe: `stargan`.

    Args:
        width: channels of both players' first map.
        blocks: residual blocks.
        exclusive: groups of attributes of which an image has one at a time, such as hair colours:
            one that is set removes the others of its group. Training does not need them, since the
            wanted attributes are those of real images.
        classification_weight: the paper's lambda_cls.
        reconstruction_weight: the paper's lambda_rec.
        penalty_weight: the paper's lambda_gp.
        n_critic: discriminator updates for each generator update.
    """

    double_backward = True

    def __init__(
        self,
        schema: Schema,
        *,
        width: PositiveInt = 64,
        blocks: PositiveInt = 6,
        exclusive: tuple[tuple[str, ...], ...] = (),
        classification_weight: NonNegativeFloat = 1.0,
        reconstruction_weight: NonNegativeFloat = 10.0,
        penalty_weight: NonNegativeFloat = 10.0,
        n_critic: PositiveInt = 5,
    ):
        super().__init__(schema, exclusive)
        check_multiple_of_4(self.size)
        self.classification_weight = classification_weight
        self.reconstruction_weight = reconstruction_weight
        self.penalty_weight = penalty_weight
        self.n_critic = n_critic

        self.generator = LabelledTranslator(self.channels, self.conditions, width, blocks)
        self.discriminator = AttributeDiscriminator(
            self.channels, len(self.names), self.size, width
        )

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real, own = batch["image"], self.read_attributes(batch)
        wanted = rng.permute(own)  # (N, A), those of other images
        updates_generator = clock.every(self.n_critic)

        # in the other training steps the fakes need no gradient
        with torch.set_grad_enabled(updates_generator):
            fake = self.translate(real, wanted)

        score, logits = self.discriminator(real)
        fake_score, _ = self.discriminator(fake.detach())
        adversarial = wasserstein_d(score, fake_score)
        # Of the score alone, summed over an image's patches, as in the authors' code.
        penalty = gradient_penalty(
            lambda between: self.discriminator(between)[0], real, fake, rng.rand(len(real))
        )
        losses = {
            "adversarial": adversarial,
            "penalty": self.penalty_weight * penalty,
            "attributes": self.classification_weight * attribute_cross_entropy(logits, own),
        }
        stats = {"distance": -adversarial, "attributes_right": share_right(logits, own)}
        yield Update("discriminator", losses, stats, (score, fake_score))

        if not updates_generator:
            return
        score, logits = self.discriminator(fake)  # by the updated discriminator
        cycle = (self.translate(fake, own) - real).abs().mean()  # eq. 4
        losses = {
            "adversarial": wasserstein_g(score),
            "attributes": self.classification_weight * attribute_cross_entropy(logits, wanted),
            "reconstruction": self.reconstruction_weight * cycle,
        }
        yield Update("generator", losses, {"cycle_error": LEVELS * cycle})

    def translate(self, image: Tensor, attributes: Tensor) -> Tensor:
        return self.generator(image, self.make_conditions(attributes))

    def recognise(self, image: Tensor) -> Tensor:
        return self.discriminator(image)[1]

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(batch["image"])[0]
