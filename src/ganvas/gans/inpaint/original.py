"""Inpainting, after Pathak et al. 2016, "Context Encoders: Feature Learning by Inpainting".

The generator sees what surrounds a hole, and where the hole is. It is compared with the true
pixels, and scored by a discriminator that looks for unrealistic patches. Holes are boxes and, as in
Yu et al. 2019, "Free-Form Image Inpainting with Gated Convolution", strokes of any form.
"""

import math
from collections.abc import Iterator

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, pad, softplus

from ganvas.gans.base import Batch, Clock, Update, Updates
from ganvas.gans.inpaint.holes import COARSEST, OUTSIDE, HoleFiller, Share, mean_inside
from ganvas.gans.nn.folded import compare_maps
from ganvas.gans.nn.losses import in_float32, squared_gradient
from ganvas.gans.nn.networks import downsample, initialise_weights, upsample
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["DilatedBlock", "FillGenerator", "Inpainter", "PatchCritic"]


class DilatedBlock(nn.Module):
    """What a dilated 3x3 convolution adds to a map; it sees far at full resolution."""

    def __init__(self, width: int, dilation: int):
        super().__init__()
        convolution = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        self.layers = nn.Sequential(nn.LeakyReLU(0.2), convolution)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, width, h, w) to the same shape."""
        return maps + self.layers(maps)


class FillGenerator(nn.Module):
    """An image with a hole, and where the hole is, to an image of the same size, of any size.

    There are no norms: their statistics would mix holes and images.

    Args:
        channels: of the image.
        width: channels of the first map.
        blocks: dilated blocks at the smallest map.
        size: of the images in training, in pixels; no block looks further than these can teach.
    """

    def __init__(self, channels: int, width: int, blocks: int, size: int):
        super().__init__()
        self.first = _scale_weights(downsample(channels + 1, width, 4))  # image and mask
        self.second = _scale_weights(downsample(width, 2 * width, 4))
        self.third = _scale_weights(downsample(2 * width, 4 * width, 4))

        # dilations 1, 2, 4, ... up to half of the smallest map in training, then again
        furthest = 1
        if size > COARSEST:
            furthest = 1 + max(0, int(math.log2(size / COARSEST / 2)))
        dilations = [2 ** (number % furthest) for number in range(blocks)]  # 64 pixels: 1, 2, 4, 1
        self.blocks = nn.Sequential(*(DilatedBlock(4 * width, each) for each in dilations))

        self.to_second = _scale_weights(upsample(4 * width, 2 * width, 4))
        self.to_first = _scale_weights(upsample(4 * width, width, 4))  # half of them from the skip
        self.to_image = upsample(2 * width, channels, 4)
        initialise_weights(self.to_image, std=0.02)  # grey at first, instead of noise
        self.activation = nn.LeakyReLU(0.2)

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """(N, C, H, W) and (N, 1, H, W), 1 in the hole, to (N, C, H, W) in [-1, 1].

        The content of the hole has no effect.
        """
        height, width = image.shape[2:]
        seen = torch.cat([image.masked_fill(mask > 0, 0), mask], 1)  # (N, C + 1, H, W)
        # three halvings need multiples of 8
        seen = pad(seen, (0, -width % COARSEST, 0, -height % COARSEST), mode="reflect")

        first = self.activation(self.first(seen))  # (N, width, H/2, W/2)
        second = self.activation(self.second(first))  # (N, 2 x width, H/4, W/4)
        maps = self.activation(self.blocks(self.third(second)))  # (N, 4 x width, H/8, W/8)

        # (N, 4 x width, H/4, W/4), then (N, 2 x width, H/2, W/2)
        maps = torch.cat([self.activation(self.to_second(maps)), second], 1)
        maps = torch.cat([self.activation(self.to_first(maps)), first], 1)
        return self.to_image(maps)[:, :, :height, :width].tanh()


class PatchCritic(nn.Module):
    """Scores of overlapping patches of 70x70 pixels, one for every 8x8.

    Args:
        channels: of the image.
        width: channels of the first map; doubled at each of the three halvings.
    """

    def __init__(self, channels: int, width: int):
        super().__init__()
        layers = [
            downsample(channels, width, 4),
            downsample(width, 2 * width, 4),
            downsample(2 * width, 4 * width, 4),
            nn.Conv2d(4 * width, 2 * width, 3, padding=2, dilation=2),  # sees 54x54 pixels
        ]
        self.layers = nn.ModuleList([_scale_weights(layer) for layer in layers])
        self.score = nn.Conv2d(2 * width, 1, 3, padding=1)  # sees 70x70
        self.activation = nn.LeakyReLU(0.2)

    def forward(self, image: Tensor) -> Tensor:
        """(N, C, H, W) to (N, 1, H // 8, W // 8)."""
        return self.compute_features(image)[1]

    def compute_features(self, image: Tensor) -> tuple[list[Tensor], Tensor]:
        """The maps of all layers, (N, C', h, w) each, and the scores."""
        maps = [image]
        for layer in self.layers:
            maps.append(self.activation(layer(maps[-1])))
        return maps[1:], self.score(maps[-1])


class Inpainter(HoleFiller):
    """Fills holes of images with what could have been there.

    Pathak et al. 2016, "Context Encoders: Feature Learning by Inpainting".

    Players:

    - generator: image with a hole, and mask → three halvings → dilated blocks → three doublings,
      each joined with the map of its size on the way down → tanh; used in the hole only.
    - discriminator: image → scores of patches. The hole is not an input.

    Losses, with x̂ the image x filled:

    - discriminator: mean softplus(-D(x)) + mean in the hole of softplus(D(x̂))
      + gamma / 2 mean |∇ D(x)|²
    - generator: mean in the hole of softplus(-D(x̂)) + reconstruction_weight |x̂ - x|₁
      + feature_weight |maps of D(x̂) - maps of D(x)|₁

    Where we differ from the paper: Pathak et al. have a bottleneck without skip connections,
    squared errors of weight 0.999, and a discriminator that sees the content of the hole alone.
    Patches weighted by the share of the hole in them, the penalty and the matching of maps are
    those of Suvorov et al. 2022, "Resolution-robust Large Mask Inpainting with Fourier
    Convolutions". The penalty is computed in every `penalty_every`-th training step at that many
    times its weight (Karras et al. 2020).

    Recipe: `inpaint`.

    Args:
        width: channels of both players' first maps; four times that many in the smallest.
        blocks: dilated blocks of the generator.
        reconstruction_weight: of the mean absolute error in the hole, in units of [-1, 1].
        feature_weight: of the mean absolute difference of the discriminator's maps.
        gamma: the penalty's weight.
        penalty_every: training steps from one penalty to the next.
        least: smallest share of the image that a hole in training covers.
        most: largest share of the image that a hole in training covers.
    """

    double_backward = True

    def __init__(
        self,
        schema: Schema,
        *,
        width: PositiveInt = 32,
        blocks: PositiveInt = 4,
        reconstruction_weight: NonNegativeFloat = 200.0,
        feature_weight: NonNegativeFloat = 5.0,
        gamma: NonNegativeFloat = 0.001,
        penalty_every: PositiveInt = 8,
        least: Share = 0.1,
        most: Share = 0.4,
    ):
        super().__init__(schema, least, most)
        self.reconstruction_weight = reconstruction_weight
        self.feature_weight = feature_weight
        self.gamma = gamma
        self.penalty_every = penalty_every
        self.generator = FillGenerator(self.channels, width, blocks, self.size)
        self.discriminator = PatchCritic(self.channels, width)

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = batch["image"]  # (N, C, H, W)
        mask = self.draw_masks(real, rng)  # (N, 1, H, W), 1 in the hole
        generated = self.generator(real, mask)
        # Outside the hole the true pixels stay, so D can find fault inside it alone.
        fake = torch.where(mask > 0, generated, real)

        with_penalty = clock.every(self.penalty_every)
        # Before the pass, whose scores R1 differentiates with respect to these pixels.
        real.requires_grad_(with_penalty)
        real_score, fake_score = self.discriminator(real), self.discriminator(fake.detach())
        # (N, 1, h, w): share of the hole in the middle of each patch
        share = adaptive_avg_pool2d(mask, fake_score.shape[2:])
        penalty = torch.zeros((), device=real.device)
        if with_penalty:
            penalty = squared_gradient(real_score, real).mean()
            penalty = self.penalty_every * self.gamma / 2 * penalty  # the same on average
            real.requires_grad_(False)  # the batch stays as it came
        losses = {
            "real": _non_saturating_in_hole(real_score, torch.ones_like(share)),  # everywhere
            "fake": _non_saturating_in_hole(-fake_score, share),  # -log(1 - D), by the sign
            "penalty": penalty,
        }
        scores = real_score.mean((1, 2, 3)), mean_inside(fake_score, share)  # (N,) each
        yield Update("discriminator", losses, scores=scores)

        # The discriminator has changed; its maps of the true image are a target, without a graph.
        with torch.no_grad():
            real_maps, _ = self.discriminator.compute_features(real)
        fake_maps, fake_score = self.discriminator.compute_features(fake)
        error = (generated - real).abs()  # not of `fake`, whose error outside is 0
        inside, outside = mean_inside(error, mask).mean(), mean_inside(error, 1 - mask).mean()
        losses = {
            "adversarial": _non_saturating_in_hole(fake_score, share),
            "reconstruction": self.reconstruction_weight * (inside + OUTSIDE * outside),
            "features": self.feature_weight * compare_maps(fake_maps, real_maps),
        }
        yield Update("generator", losses)

    def generate(self, image: Tensor, mask: Tensor) -> Tensor:
        return self.generator(image, mask)

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(batch["image"]).mean((1, 2, 3))


@in_float32
def _non_saturating_in_hole(score: Tensor, share: Tensor) -> Tensor:
    """-mean log sigmoid(score) of patches (N, 1, h, w), weighted by (N, 1, h, w) in each image."""
    return mean_inside(softplus(-score), share).mean()


def _scale_weights(layer: nn.Conv2d | nn.ConvTranspose2d) -> nn.Module:
    """Draw weights that keep the variance of what passes on to LeakyReLU 0.2.

    He et al. 2015, eq. 15.
    """
    taps = math.prod(layer.kernel_size) * layer.in_channels
    if isinstance(layer, nn.ConvTranspose2d):
        taps //= math.prod(layer.stride)  # those that reach one pixel
    nn.init.normal_(layer.weight, std=math.sqrt(2 / (1 + 0.2**2) / taps))
    return layer
