"""Quick inpainting: folded images and relativistic patches; after Pathak et al. 2016.

Every patch that overlaps the hole competes with the true patch at its place.
"""

from collections.abc import Iterator

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import (
    adaptive_avg_pool2d,
    avg_pool2d,
    interpolate,
    pad,
    softplus,
)

from ganvas.gans.base import Batch, Clock, Update, Updates
from ganvas.gans.inpaint.holes import OUTSIDE, HoleFiller, Share, mean_inside
from ganvas.gans.nn.augment import shift_images
from ganvas.gans.nn.folded import (
    FoldedPatchDiscriminator,
    FoldedUNet,
    check_folds,
    compare_maps,
    folded_sizes,
)
from ganvas.gans.nn.losses import in_float32, squared_gradient
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["FoldedFillGenerator", "RelativisticInpainter", "flow_in", "soften"]

EXPORTED_HALVINGS = 11  # of images of up to 2,048 pixels
MOST = 5  # times the width: channels of the generator's smallest maps


def flow_in(image: Tensor, mask: Tensor) -> Tensor:
    """Fill holes with the colours around them, the blurrier the further from the rim.

    Pull and push (Gortler et al. 1996, "The Lumigraph"): the known pixels are averaged over larger
    and larger squares, and each pixel takes what it lacks from the next larger squares.

    Args:
        image: (N, C, H, W); what is in the hole has no effect.
        mask: (N, 1, H, W), 1 in the hole.

    Returns:
        (N, C, H, W); around the hole the image itself.
    """
    # by level: the sum of known colours and the share of known pixels, both over squares
    colour, known = image.masked_fill(mask > 0, 0), 1 - mask
    levels = [(colour, known)]
    for _ in range(_count_halvings(*image.shape[2:])):
        colour, known = (avg_pool2d(each, 2, ceil_mode=True) for each in (colour, known))
        levels.append((colour, known))

    colour, known = levels.pop()
    filled = colour / known.clamp(min=1e-6)  # of a hole that is the whole image: grey
    for colour, known in reversed(levels):
        larger = interpolate(filled, colour.shape[2:], mode="bilinear")
        filled = colour + (1 - known) * larger
    return filled


def _count_halvings(height: int, width: int) -> int:
    """How often an image is halved until one pixel is left; a side of 3 is halved to 2.

    While an export records operations for images of any size: as often as large ones need. More
    halvings change nothing.
    """
    if torch.compiler.is_exporting():
        return EXPORTED_HALVINGS
    return (max(height, width) - 1).bit_length()


class FoldedFillGenerator(nn.Module):
    """An image with a hole, and where the hole is, to an image of the same size, of any size.

    It draws what is to be added to the colours that flow into the hole.

    Args:
        channels: of the image.
        sizes: of the maps in training, from the largest to the smallest.
        width: channels of the largest map; doubled at every halving, up to MOST x.
        blocks: residual blocks at the smallest map.
    """

    def __init__(self, channels: int, sizes: list[int], width: int, blocks: int):
        super().__init__()
        self.network = FoldedUNet(
            channels + 1, channels, sizes, width=width, most=MOST, blocks=blocks, lean=True
        )

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """(N, C, H, W) and (N, 1, H, W), 1 in the hole, to (N, C, H, W), without limits.

        The content of the hole has no effect. A tanh would have no gradient at pure white or black,
        and a generator that once draws nothing else would never come back.
        """
        height, width = image.shape[2:]
        base = flow_in(image, mask)
        seen = torch.cat([base, mask], 1)
        multiple = self.network.multiple
        seen = pad(seen, (0, -width % multiple, 0, -height % multiple), mode="replicate")
        return base + soften(self.network(seen))[:, :, :height, :width]


def soften(images: Tensor) -> Tensor:
    """Images (N, C, H, W) without the finest stripes: a pixel counts 1/2, its neighbours 1/4.

    With it, and maps that are doubled smoothly, there is no grid on which the generator could draw
    a weave instead of hair. It would otherwise, since it cannot know where each strand lay.
    """
    images = pad(images, (1, 1, 1, 1), mode="replicate")
    for _ in range(2):  # means over 2x2 pixels, which move by half a pixel there and back
        images = avg_pool2d(images, 2, stride=1)
    return images


class RelativisticInpainter(HoleFiller):
    """Fills holes of images with what could have been there; it learns it in minutes on a CPU.

    After Pathak et al. 2016, "Context Encoders: Feature Learning by Inpainting";
    Jolicoeur-Martineau 2018, "The relativistic discriminator".

    Players:

    - generator: image whose hole is filled with the colours around it, and mask → U-Net of the
      folded image → what is to be added to these colours; used in the hole only.
    - discriminator: folded image and mask → halvings, LeakyReLU 0.2 → scores of 56x56 patches.

    Losses, with x̂ the image x filled where the mask m is 1:

    - discriminator: mean in the hole of softplus(D(x̂, m) - D(x, m)) + gamma / 2 mean |∇ D(x, m)|²
    - generator: mean in the hole of softplus(D(x, m) - D(x̂, m))
      + reconstruction_weight (|x̂ - x|₁ in the hole + 0.1 outside)
      + feature_weight |maps of D(x̂, m) - maps of D(x, m)|₁

    Stats: `distance`, the mean error in the hole, in [0, 2].

    Where we differ from the paper, and from our `inpaint`: patches are compared with the true ones
    at their place and know where the hole is; images are folded, and the discriminator sees them
    moved by up to four pixels, so that no lattice pays. The penalty is computed in every
    `penalty_every`-th training step at that many times its weight (Karras et al. 2020).

    Recipe: `inpaint-fast`.

    Args:
        width: channels of the generator's largest map; doubled at every halving, up to 5 x.
        discriminator_width: channels of the discriminator's largest map; doubled, up to 4 x.
        blocks: residual blocks at the generator's smallest map.
        reconstruction_weight: of the mean absolute error in the hole, in units of [-1, 1].
        feature_weight: of the mean absolute difference of the discriminator's maps.
        gamma: the penalty's weight.
        penalty_every: training steps from one penalty to the next.
        least: smallest share of the image that a hole in training covers.
        most: largest share of the image that a hole in training covers.
    """

    double_backward = True
    decision_threshold = None

    def __init__(
        self,
        schema: Schema,
        *,
        width: PositiveInt = 24,
        discriminator_width: PositiveInt = 32,
        blocks: PositiveInt = 2,
        reconstruction_weight: NonNegativeFloat = 50.0,
        feature_weight: NonNegativeFloat = 40.0,
        gamma: NonNegativeFloat = 0.1,
        penalty_every: PositiveInt = 8,
        least: Share = 0.1,
        most: Share = 0.4,
    ):
        super().__init__(schema, least, most)
        check_folds(self.size)
        self.reconstruction_weight = reconstruction_weight
        self.feature_weight = feature_weight
        self.gamma = gamma
        self.penalty_every = penalty_every
        self.generator = FoldedFillGenerator(self.channels, folded_sizes(self.size), width, blocks)
        self.discriminator = FoldedPatchDiscriminator(self.channels + 1, discriminator_width)
        self.reach = min(self.discriminator.reach, self.size // 8)  # tiny images would lose holes

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = batch["image"]  # (N, C, H, W)
        mask = self.draw_masks(real, rng)  # (N, 1, H, W), 1 in the hole
        generated = self.generator(real, mask)
        fake = torch.where(mask > 0, generated, real)
        moves = rng.rand(len(real), 2)

        with_penalty = clock.every(self.penalty_every)
        real.requires_grad_(with_penalty)
        seen_mask = shift_images(mask, moves, self.reach)
        seen_real = shift_images(real, moves, self.reach)
        real_score = self.score_filled(seen_real, seen_mask)
        fake_score = self.score_filled(shift_images(fake.detach(), moves, self.reach), seen_mask)
        # (N, 1, h, w): share of the hole in the middle of each patch
        height, width = fake_score.shape[2:]
        share = adaptive_avg_pool2d(seen_mask, (height, width))
        adversarial = _relativistic_in_hole(real_score, fake_score, share)
        penalty = torch.zeros_like(adversarial)
        if with_penalty:
            penalty = squared_gradient(real_score, real).mean()
            penalty = self.penalty_every * self.gamma / 2 * penalty  # the same on average
            real.requires_grad_(False)  # the batch stays as it came
        losses = {"adversarial": adversarial, "penalty": penalty}
        scores = mean_inside(real_score, share), mean_inside(fake_score, share)  # (N,) each
        yield Update("discriminator", losses, scores=scores)

        with torch.no_grad():
            real_maps, opponent = self.compute_features(seen_real.detach(), seen_mask)
        fake_maps, score = self.compute_features(shift_images(fake, moves, self.reach), seen_mask)
        error = (generated - real).abs()  # not of `fake`, whose error outside is 0
        inside, outside = mean_inside(error, mask).mean(), mean_inside(error, 1 - mask).mean()
        losses = {
            "adversarial": _relativistic_in_hole(score, opponent, share),
            "reconstruction": self.reconstruction_weight * (inside + OUTSIDE * outside),
            "features": self.feature_weight * compare_maps(fake_maps, real_maps),
        }
        yield Update("generator", losses, {"distance": inside})

    def generate(self, image: Tensor, mask: Tensor) -> Tensor:
        return self.generator(image, mask).clamp(-1, 1)

    def compute_features(self, image: Tensor, mask: Tensor) -> tuple[list[Tensor], Tensor]:
        """The discriminator's maps of images and masks, and their scores (N, 1, h, w)."""
        return self.discriminator.compute_features(torch.cat([image, mask], 1))

    def score_filled(self, image: Tensor, mask: Tensor) -> Tensor:
        """Scores (N, 1, h, w) of patches of whole or filled images, and where their hole is."""
        return self.discriminator(torch.cat([image, mask], 1))

    def score(self, batch: Batch) -> Tensor:
        image = batch["image"]
        return self.score_filled(image, torch.zeros_like(image[:, :1])).mean((1, 2, 3))


@in_float32
def _relativistic_in_hole(winner: Tensor, loser: Tensor, share: Tensor) -> Tensor:
    """-mean log sigmoid(winner - loser) of patches, weighted by (N, 1, h, w) in each image."""
    return mean_inside(softplus(loser - winner), share).mean()
