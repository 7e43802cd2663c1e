"""Pictures with holes, filled: after Pathak et al. 2016, "Context Encoders: Feature Learning by
Inpainting".

The generator sees what is around the hole and where the hole is; it is judged by the true pixels
and by a discriminator that looks for patches that no real picture has. Holes are boxes and, as in
Yu et al. 2019, "Free-Form Image Inpainting with Gated Convolution", strokes of any form.
"""

import math
from collections.abc import Iterator
from typing import Annotated

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, pad, softplus

from ganvas.errors import UserError
from ganvas.gans.base import GAN, Batch, Clock, ImageInput, Input, MaskInput, Update, Updates
from ganvas.gans.nn.losses import in_float32, squared_gradient
from ganvas.gans.nn.masks import draw_holes
from ganvas.gans.nn.networks import downsample, initialise_weights, upsample
from ganvas.rng import Rng
from ganvas.schema import Schema

COARSEST = 8  # pixels to a side of one cell of the generator's smallest map
OUTSIDE = 0.1  # weight of an error outside the hole, where nobody will see it, against one inside

Share = Annotated[float, Field(gt=0, lt=1)]


class DilatedBlock(nn.Module):
    """What a 3x3 convolution with holes between its taps adds to a map, to look far without making
    the map smaller.
    """

    def __init__(self, width: int, dilation: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.LeakyReLU(0.2), nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(N, width, h, w) to the same shape."""
        return maps + self.layers(maps)


class Filler(nn.Module):
    """A picture with a hole, and where the hole is, to a picture of the same size, whatever that
    is.

    No norms: their means would be those of holes as much as of pictures.

    Args:
        channels: of the picture.
        width: channels of the first map.
        blocks: dilated ones at the smallest map.
        size: of the pictures in training, in pixels; no tap of a block lies further away than these
            allow to learn.
    """

    def __init__(self, channels: int, width: int, blocks: int, size: int):
        super().__init__()
        self.first = scale_weights(downsample(channels + 1, width, 4))
        self.second = scale_weights(downsample(width, 2 * width, 4))
        self.third = scale_weights(downsample(2 * width, 4 * width, 4))
        furthest = 1 + max(0, int(math.log2(size / COARSEST / 2))) if size > COARSEST else 1
        self.blocks = nn.Sequential(
            *(DilatedBlock(4 * width, 2 ** (number % furthest)) for number in range(blocks))
        )
        self.to_second = scale_weights(upsample(4 * width, 2 * width, 4))
        self.to_first = scale_weights(upsample(4 * width, width, 4))
        self.to_picture = upsample(2 * width, channels, 4)
        initialise_weights(self.to_picture, std=0.02)  # to begin with grey instead of noise
        self.bend = nn.LeakyReLU(0.2)

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """(N, C, H, W) with (N, 1, H, W), 1 in the hole, to (N, C, H, W) in [-1, 1]; what is in the
        hole has no effect.
        """
        height, width = image.shape[2:]
        seen = torch.cat([image.masked_fill(mask > 0, 0), mask], 1)
        seen = pad(seen, (0, -width % COARSEST, 0, -height % COARSEST), mode="reflect")
        first = self.bend(self.first(seen))
        second = self.bend(self.second(first))
        maps = self.bend(self.blocks(self.third(second)))
        maps = torch.cat([self.bend(self.to_second(maps)), second], 1)
        maps = torch.cat([self.bend(self.to_first(maps)), first], 1)
        return self.to_picture(maps)[:, :, :height, :width].tanh()


class Critic(nn.Module):
    """Scores of overlapping patches of 70x70 pixels, one for every 8x8.

    Args:
        channels: of the picture.
        width: channels of the first map; doubled at each of the three halvings.
    """

    def __init__(self, channels: int, width: int):
        super().__init__()
        halvings = [
            downsample(channels, width, 4),
            downsample(width, 2 * width, 4),
            downsample(2 * width, 4 * width, 4),
        ]
        far = nn.Conv2d(4 * width, 2 * width, 3, padding=2, dilation=2)
        self.layers = nn.ModuleList([scale_weights(layer) for layer in (*halvings, far)])
        self.score = nn.Conv2d(2 * width, 1, 3, padding=1)
        self.bend = nn.LeakyReLU(0.2)

    def forward(self, image: Tensor) -> Tensor:
        """(N, C, H, W) to (N, 1, H // 8, W // 8)."""
        return self.look(image)[1]

    def look(self, image: Tensor) -> tuple[list[Tensor], Tensor]:
        """The maps on the way to the scores, and the scores."""
        maps = [image]
        for layer in self.layers:
            maps.append(self.bend(layer(maps[-1])))
        return maps[1:], self.score(maps[-1])


class Inpainter(GAN):
    """Pictures with holes, filled with what could have been there.

    Players: generator picture with a hole and mask → three halvings → dilated blocks → three
    doublings, each beside the map of its size on the way down → tanh, in the hole only;
    discriminator picture → scores of patches. It is not told where the hole is.
    Losses, with x̂ the picture x filled: discriminator mean softplus(-D(x)) + mean in the hole of
    softplus(D(x̂)) + gamma / 2 mean |∇ D(x)|²; generator mean in the hole of softplus(-D(x̂)) +
    reconstruction_weight |x̂ - x|₁ + feature_weight |maps of D(x̂) - maps of D(x)|₁.
    Where we differ: Pathak et al. have a bottleneck without a way around it, squared errors of
    weight 0.999 and a discriminator that sees the hole's content alone; patches that count by the
    share of the hole in them, the penalty and the matching of maps are those of Suvorov et al.
    2022, "Resolution-robust Large Mask Inpainting with Fourier Convolutions". The penalty is
    computed every `penalty_every` rounds at that many times its weight (Karras et al. 2020).
    Recipe: `inpaint`.

    Args:
        width: channels of both players' first maps; four times that many in the smallest.
        blocks: of the generator's smallest map.
        reconstruction_weight: of the mean absolute error in the hole, in units of [-1, 1].
        feature_weight: of the mean absolute difference of the discriminator's maps.
        gamma: the penalty's weight.
        penalty_every: rounds from one penalty to the next.
        least: share of the picture that a hole in training covers at least.
        most: the same at most.
    """

    has_ground_truth = True
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
        super().__init__(schema)
        if self.size < COARSEST:
            raise UserError(
                f"size {self.size} is too small to have a hole; use --size {COARSEST} or more"
            )
        if least > most:
            raise UserError(
                f"holes of at least {least:g} and at most {most:g} of a picture: options.least is above options.most"
            )
        self.reconstruction_weight, self.feature_weight = reconstruction_weight, feature_weight
        self.gamma, self.penalty_every, self.least, self.most = gamma, penalty_every, least, most
        self.generator = Filler(self.channels, width, blocks, self.size)
        self.discriminator = Critic(self.channels, width)

    @property
    def inputs(self) -> dict[str, Input]:
        return {"image": ImageInput(self.channels, multiple=1), "mask": MaskInput()}

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = batch["image"]
        mask = self.holes(real, rng)
        made = self.generator(real, mask)
        fake = torch.where(mask > 0, made, real)
        punished = clock.every(self.penalty_every)
        real.requires_grad_(punished)
        real_score, fake_score = self.discriminator(real), self.discriminator(fake.detach())
        # of the hole in each patch's middle
        share = adaptive_avg_pool2d(mask, fake_score.shape[2:])
        penalty = torch.zeros((), device=real.device)
        if punished:
            penalty = (
                self.penalty_every * self.gamma / 2 * squared_gradient(real_score, real).mean()
            )
            real.requires_grad_(False)
        losses = {
            "real": non_saturating_in_hole(real_score, torch.ones_like(share)),
            "fake": non_saturating_in_hole(-fake_score, share),
        }
        scores = real_score.mean((1, 2, 3)), mean_inside(fake_score, share)
        yield Update("discriminator", losses | {"penalty": penalty}, scores=scores)
        with torch.no_grad():
            real_maps, _ = self.discriminator.look(real)
        fake_maps, fake_score = self.discriminator.look(fake)
        difference = torch.stack(
            [(one - other).abs().mean() for one, other in zip(fake_maps, real_maps)]
        ).mean()
        error = (made - real).abs()
        reconstruction = (
            mean_inside(error, mask).mean() + OUTSIDE * mean_inside(error, 1 - mask).mean()
        )
        losses = {
            "adversarial": non_saturating_in_hole(fake_score, share),
            "reconstruction": self.reconstruction_weight * reconstruction,
        }
        yield Update("generator", losses | {"features": self.feature_weight * difference})

    def holes(self, image: Tensor, rng: Rng) -> Tensor:
        """Random masks for pictures (N, C, H, W): (N, 1, H, W), 1 in the hole."""
        height, width = image.shape[2:]
        masks = rng.on_device(
            len(image),
            lambda random, n: draw_holes(random, n, height, width, self.least, self.most),
        )
        return masks.to(image)

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(batch["image"]).mean((1, 2, 3))

    def sample(self, count: int, rng: Rng, *, image: Tensor, mask: Tensor) -> Tensor:
        return torch.where(mask > 0, self.generator(image, mask), image)

    def make_inputs(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        return {"image": batch["image"], "mask": self.holes(batch["image"], rng)}

    def make_preview(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        asked = self.make_inputs(batch, rng)
        filled = self.sample(len(asked["mask"]), rng, **asked)
        return {
            "hole": asked["image"] * (1 - asked["mask"]),
            "filled": filled,
            "real": batch["image"],
        }


def mean_inside(values: Tensor, share: Tensor) -> Tensor:
    """The mean of (N, C, h, w) in each picture, weighted by (N, 1, h, w): (N,)."""
    return (values * share).sum((1, 2, 3)) / (share.sum((1, 2, 3)) * values.shape[1])


@in_float32
def non_saturating_in_hole(score: Tensor, share: Tensor) -> Tensor:
    """-mean log sigmoid(score) of patches (N, 1, h, w), weighted by (N, 1, h, w) within each
    picture.
    """
    return mean_inside(softplus(-score), share).mean()


def scale_weights(layer: nn.Conv2d | nn.ConvTranspose2d) -> nn.Module:
    """The layer, with first weights that keep the spread of what goes on to LeakyReLU 0.2;

    He et al. 2015, eq. 15.
    """
    taps = math.prod(layer.kernel_size) * layer.in_channels
    if isinstance(layer, nn.ConvTranspose2d):
        taps //= math.prod(layer.stride)  # those that reach one pixel
    nn.init.normal_(layer.weight, std=math.sqrt(2 / (1 + 0.2**2) / taps))
    return layer
