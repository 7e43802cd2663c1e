"""A quick StarGAN: it draws what is to be changed; after Choi et al. 2018.

The attributes are an input of the discriminator. It learns to prefer an image with its own
attributes to the changed image, and to the same image with the attributes of another.
"""

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import Batch, Clock, Update, Updates
from ganvas.gans.nn.augment import shift_images
from ganvas.gans.nn.folded import (
    FOLD,
    REACH,
    FoldedUNet,
    activation,
    check_folds,
    folded_sizes,
)
from ganvas.gans.nn.losses import relativistic, squared_gradient
from ganvas.gans.nn.networks import downsample
from ganvas.gans.stargan.attributes import (
    LEVELS,
    AttributeTranslator,
    attribute_cross_entropy,
    share_right,
)
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["RelativisticStarGAN"]


class AttributeCritic(nn.Module):
    """An image to features, which are scored given attributes, and to logits of its attributes.

    Args:
        channels: of the image.
        sizes: of the maps, from the largest to the smallest.
        attributes: number of attributes.
        conditions: numbers that say which attributes are wanted.
        width: channels of the largest map; doubled at every halving, up to 4 x.
        features: numbers that summarise an image.
    """

    def __init__(
        self,
        channels: int,
        sizes: list[int],
        attributes: int,
        conditions: int,
        width: int,
        features: int,
    ):
        super().__init__()
        widths = [width * min(4, 2**depth) for depth in range(len(sizes))]
        modules: list[nn.Module] = [nn.PixelUnshuffle(FOLD)]
        modules += [nn.Conv2d(channels * FOLD**2, width, 3, padding=1), activation()]
        for before, after in pairwise(widths):
            modules += [downsample(before, after, 4), activation()]
        modules += [nn.Flatten(), nn.Linear(widths[-1] * sizes[-1] ** 2, features), activation()]
        self.layers = nn.Sequential(*modules)
        self.plain = nn.Linear(features, 1, bias=False)  # a constant cancels in pairs
        self.condition = nn.Linear(conditions, features, bias=False)
        self.attributes = nn.Linear(features, attributes)

    def forward(self, image: Tensor) -> Tensor:
        """(N, C, H, W) to features (N, F)."""
        return self.layers(image)

    def score(self, features: Tensor, conditions: Tensor) -> Tensor:
        """How real images with features (N, F) are, given conditions (N, K): (N,)."""
        product = (features * self.condition(conditions.to(features.dtype))).mean(1)
        return self.plain(features)[:, 0] + product * math.sqrt(features.shape[1])


class RelativisticStarGAN(AttributeTranslator):
    """Changes attributes of images, such as hair colour; it learns it in minutes on a CPU.

    After Choi et al. 2018, "StarGAN: Unified Generative Adversarial Networks for Multi-Domain
    Image-to-Image Translation"; Jolicoeur-Martineau 2018, "The relativistic discriminator"; Miyato
    and Koyama 2018, "cGANs with Projection Discriminator".

    Players:

    - generator: image and one constant plane for each attribute → U-Net of the folded image → what
      is added to the image.
    - discriminator: folded image → halvings, LeakyReLU 0.2 → features, which are scored by
      themselves and against the attributes; beside it the attributes that it recognises.

    Losses, with c the attributes of the real image x, c' the wanted ones, those of another image of
    the batch, and x̂ = x + G(x, c'); CE is the binary cross-entropy, summed over attributes and
    averaged over images:

    - discriminator: mean softplus(D(x̂, c') - D(x, c))
      + matching_weight mean softplus(D(x, c') - D(x, c)) + gamma / 2 mean |∇ D(x, c)|²
      + CE(D_attributes(x), c)
    - generator: mean softplus(D(x, c) - D(x̂, c'))
      + matching_weight mean softplus(D(x̂, c) - D(x̂, c'))
      + classification_weight CE(D_attributes(x̂), c') + reconstruction_weight mean |x̂ - x|

    Stats: `attributes_right`, the share of the real images' attributes that the discriminator
    recognises; `distance`, the mean change in levels of 0..255.

    Where we differ from StarGAN:

    - The generator draws a change, so what need not change stays as it is, and no second pass has
      to bring the image back.
    - It learns attributes from the comparisons. The recognition of attributes has little weight for
      it: trained by that, it draws faint patterns which the discriminator takes for glasses.
    - One update of each player in a training step; the penalty is on real images, in every
      `penalty_every`-th step at that many times its weight (the lazy form of Karras et al. 2020).
    - Images are folded, and the discriminator sees them moved by up to two pixels: it would
      otherwise treat places of its grid differently, and the generator answer with a lattice.

    Recipe: `stargan-fast`.

    Args:
        width: channels of the generator's largest map; doubled at every halving, up to 4 x.
        blocks: residual blocks at the generator's smallest map.
        discriminator_width: channels of the discriminator's largest map; doubled at every halving,
            up to 4 x.
        features: numbers by which the discriminator summarises an image.
        exclusive: groups of attributes of which an image has one at a time, such as hair colours:
            one that is set removes the others of its group. Training does not need them.
        classification_weight: of the recognised attributes, for the generator.
        matching_weight: of the comparisons between own attributes and those of others.
        reconstruction_weight: of the mean change, in units of [-1, 1].
        gamma: the penalty's weight.
        penalty_every: training steps from one penalty to the next.
    """

    double_backward = True
    own_size = False  # the smallest map sees the whole image, as large as in training

    def __init__(
        self,
        schema: Schema,
        *,
        width: PositiveInt = 24,
        blocks: PositiveInt = 2,
        discriminator_width: PositiveInt = 32,
        features: PositiveInt = 128,
        exclusive: tuple[tuple[str, ...], ...] = (),
        classification_weight: NonNegativeFloat = 0.1,
        matching_weight: NonNegativeFloat = 1.0,
        reconstruction_weight: NonNegativeFloat = 2.0,
        gamma: NonNegativeFloat = 0.5,
        penalty_every: PositiveInt = 8,
    ):
        super().__init__(schema, exclusive)
        check_folds(self.size)
        self.matching_weight = matching_weight
        self.classification_weight = classification_weight
        self.reconstruction_weight = reconstruction_weight
        self.gamma = gamma
        self.penalty_every = penalty_every
        self.generator = FoldedUNet(
            self.channels,
            self.channels,
            folded_sizes(self.size),
            width=width,
            blocks=blocks,
            conditions=self.conditions,
        )
        self.multiple = self.generator.multiple
        self.discriminator = AttributeCritic(
            self.channels,
            folded_sizes(self.size),
            len(self.names),
            self.conditions,
            discriminator_width,
            features,
        )

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real, own = batch["image"], self.read_attributes(batch)
        wanted = rng.permute(own)  # (N, A), those of other images
        change = self.compute_change(real, wanted)
        fake = real + change  # may leave [-1, 1], where a clamp would have no gradient
        own_conditions, wanted_conditions = map(self.make_conditions, (own, wanted))
        # both players see the same moves of the same images
        moves = rng.rand(len(real), 2)

        with_penalty = clock.every(self.penalty_every)
        real.requires_grad_(with_penalty)
        features = self.discriminator(shift_images(real, moves, REACH))
        score = self.discriminator.score(features, own_conditions)
        fake_features = self.discriminator(shift_images(fake.detach(), moves, REACH))
        fake_score = self.discriminator.score(fake_features, wanted_conditions)
        mismatch = self.discriminator.score(features, wanted_conditions)
        logits = self.discriminator.attributes(features)

        adversarial = relativistic(score, fake_score)
        penalty = torch.zeros_like(adversarial)
        if with_penalty:
            penalty = squared_gradient(score, real).mean()
            penalty = self.penalty_every * self.gamma / 2 * penalty  # the same on average
            real.requires_grad_(False)  # from here on only the generator learns
        losses = {
            "adversarial": adversarial,
            "matching": self.matching_weight * relativistic(score, mismatch),
            "penalty": penalty,
            "attributes": attribute_cross_entropy(logits, own),
        }
        stats = {"attributes_right": share_right(logits, own)}
        yield Update("discriminator", losses, stats, (score, fake_score))

        # The discriminator has changed, so the opponents are scored again.
        with torch.no_grad():
            features = self.discriminator(shift_images(real, moves, REACH))
            opponent = self.discriminator.score(features, own_conditions)
        features = self.discriminator(shift_images(fake, moves, REACH))
        score = self.discriminator.score(features, wanted_conditions)
        mismatch = self.discriminator.score(features, own_conditions)
        logits = self.discriminator.attributes(features)
        distance = change.abs().mean()
        recognised = attribute_cross_entropy(logits, wanted)
        losses = {
            "adversarial": relativistic(score, opponent),
            "matching": self.matching_weight * relativistic(score, mismatch),
            "attributes": self.classification_weight * recognised,
            "reconstruction": self.reconstruction_weight * distance,
        }
        yield Update("generator", losses, {"distance": LEVELS * distance})

    def translate(self, image: Tensor, attributes: Tensor) -> Tensor:
        return (image + self.compute_change(image, attributes)).clamp(-1, 1)

    def compute_change(self, image: Tensor, attributes: Tensor) -> Tensor:
        """What is to be added to images (N, C, H, W) for attributes (N, A), in [-2, 2]."""
        # Steepest at 0: that nothing changes is where it begins, and no dead end.
        return 2 * self.generator(image, self.make_conditions(attributes)).tanh()

    def recognise(self, image: Tensor) -> Tensor:
        return self.discriminator.attributes(self.discriminator(image))

    def score(self, batch: Batch) -> Tensor:
        own = self.make_conditions(self.read_attributes(batch))
        return self.discriminator.score(self.discriminator(batch["image"]), own)
