"""A quick pix2pix: folded images and relativistic patches; after Isola et al. 2017.

Every translation competes with the true image of the same input, patch by patch. A gradient penalty
keeps the discriminator from winning.
"""

from collections.abc import Iterator

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor

from ganvas.gans.base import Batch, Clock, ImageInput, Input, Update, Updates
from ganvas.gans.nn.augment import shift_images
from ganvas.gans.nn.folded import (
    REACH,
    FoldedPatchDiscriminator,
    FoldedUNet,
    check_folds,
    compare_maps,
    folded_sizes,
)
from ganvas.gans.nn.losses import relativistic, squared_gradient
from ganvas.gans.nn.networks import leaky_tanh
from ganvas.gans.pix2pix.pairs import Direction, PairTranslator
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["RelativisticPix2Pix"]


class RelativisticPix2Pix(PairTranslator):
    """Translates images of one kind to another kind, trained on pairs, in minutes on a CPU.

    After Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks";
    Jolicoeur-Martineau 2018, "The relativistic discriminator"; Wang et al. 2018, "High-Resolution
    Image Synthesis and Semantic Manipulation with Conditional GANs" (matching of features).

    Players:

    - generator: image → U-Net of the folded image, group norm in its residual blocks →
      tanh(x) + x / 10, cut to [-1, 1] after training.
    - discriminator: both images together, folded → halvings, LeakyReLU 0.2 → scores of 56x56
      patches.

    Losses, with y the true image of x:

    - discriminator: mean softplus(D(x, G(x)) - D(x, y)) + gamma / 2 mean |∇ D(x, y)|²
    - generator: mean softplus(D(x, y) - D(x, G(x))) + reconstruction_weight mean |y - G(x)|
      + feature_weight mean |maps of D(x, G(x)) - maps of D(x, y)|

    Stats: `distance`, the mean distance from the true image, in [0, 2].

    Where we differ from pix2pix: patches are compared with the true ones at their place; there is
    no dropout, so one input has one result; images are folded, and the discriminator sees both
    moved by up to two pixels, so that no lattice pays. The penalty is with respect to y, in every
    `penalty_every`-th training step at that many times its weight (Karras et al. 2020).

    Recipe: `pix2pix-fast`.

    Args:
        direction: which way to translate.
        width: channels of the generator's largest map; doubled at every halving, up to 4 x.
        blocks: residual blocks at the generator's smallest map.
        discriminator_width: channels of the discriminator's largest map; doubled at every halving,
            up to 4 x.
        reconstruction_weight: of the mean distance from the true image, in units of [-1, 1].
        feature_weight: of the mean absolute difference of the discriminator's maps.
        gamma: the penalty's weight.
        penalty_every: training steps from one penalty to the next.
    """

    double_backward = True
    decision_threshold = None

    def __init__(
        self,
        schema: Schema,
        *,
        direction: Direction = "a-to-b",
        width: PositiveInt = 32,
        blocks: PositiveInt = 2,
        discriminator_width: PositiveInt = 32,
        reconstruction_weight: NonNegativeFloat = 10.0,
        feature_weight: NonNegativeFloat = 10.0,
        gamma: NonNegativeFloat = 0.02,
        penalty_every: PositiveInt = 8,
    ):
        super().__init__(schema, direction)
        check_folds(self.size)
        self.reconstruction_weight = reconstruction_weight
        self.feature_weight = feature_weight
        self.gamma = gamma
        self.penalty_every = penalty_every

        channels = schema.channels[self.given]
        self.generator = FoldedUNet(
            channels,
            self.channels,
            folded_sizes(self.size),
            width=width,
            blocks=blocks,
            norms=True,
        )
        self.discriminator = FoldedPatchDiscriminator(channels + self.channels, discriminator_width)

    @property
    def inputs(self) -> dict[str, Input]:
        channels = self.schema.channels[self.given]
        return {"image": ImageInput(channels, self.generator.multiple, own_size=False)}

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        given, real = batch[self.given], batch[self.target]
        fake = leaky_tanh(self.generator(given))
        moves = rng.rand(len(real), 2)

        with_penalty = clock.every(self.penalty_every)
        real.requires_grad_(with_penalty)
        seen_given = shift_images(given, moves, REACH)
        seen_real = shift_images(real, moves, REACH)
        real_score = self.score_pair(seen_given, seen_real)
        fake_score = self.score_pair(seen_given, shift_images(fake.detach(), moves, REACH))
        adversarial = relativistic(real_score, fake_score)
        penalty = torch.zeros_like(adversarial)
        if with_penalty:
            penalty = squared_gradient(real_score, real).mean()
            penalty = self.penalty_every * self.gamma / 2 * penalty  # the same on average
            real.requires_grad_(False)
        losses = {"adversarial": adversarial, "penalty": penalty}
        yield Update("discriminator", losses, scores=(real_score, fake_score))

        with torch.no_grad():
            real_maps, opponent = self.compute_features(seen_given, seen_real.detach())
        fake_maps, score = self.compute_features(seen_given, shift_images(fake, moves, REACH))
        distance = (real - fake).abs().mean()
        losses = {
            "adversarial": relativistic(score, opponent),
            "reconstruction": self.reconstruction_weight * distance,
            "features": self.feature_weight * compare_maps(fake_maps, real_maps),
        }
        yield Update("generator", losses, {"distance": distance})

    def translate(self, given: Tensor) -> Tensor:
        """Images (N, C, H, W) to images of the other kind, in [-1, 1]."""
        return leaky_tanh(self.generator(given)).clamp(-1, 1)

    def compute_features(self, given: Tensor, image: Tensor) -> tuple[list[Tensor], Tensor]:
        """The discriminator's maps of pairs, and their scores (N, 1, h, w)."""
        return self.discriminator.compute_features(torch.cat([given, image], 1))

    def score_pair(self, given: Tensor, image: Tensor) -> Tensor:
        return self.discriminator(torch.cat([given, image], 1))

    def sample(self, count: int, rng: Rng, *, image: Tensor) -> Tensor:
        del count, rng
        return self.translate(image)
