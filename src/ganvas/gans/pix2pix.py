"""pix2pix: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks".

The generator redraws a picture of one kind as one of another, the discriminator judges both
together, patch by patch. The distance to the true picture keeps the drawing in place, the
discriminator keeps it sharp.
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from ganvas.errors import UserError
from ganvas.gans.base import GAN, Batch, Clock, ImageInput, Input, Update, Updates
from ganvas.gans.nn.losses import non_saturating_d, non_saturating_g
from ganvas.gans.nn.networks import PatchDiscriminator, initialise_weights
from ganvas.rng import Rng
from ganvas.schema import Schema

Dropout = Callable[[Tensor], Tensor]
DROPPED = 3  # levels above the smallest map where half of all numbers are dropped


class UNet(nn.Module):
    """A picture to a picture: halved until one pixel is left, doubled again, with a skip at every
    level.

    Args:
        inputs: channels of the picture given.
        outputs: channels of the picture made.
        widths: channels of the maps, from the largest's to the smallest's.
    """

    def __init__(self, inputs: int, outputs: int, widths: list[int]):
        super().__init__()
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        self.down_norms, self.up_norms = nn.ModuleList(), nn.ModuleList()
        for level, width in enumerate(widths):
            # the first map, and the last of one pixel, have no norm
            plain = level in (0, len(widths) - 1)
            before = widths[level - 1] if level else inputs
            self.downs.append(nn.Conv2d(before, width, 4, 2, 1, bias=False))
            self.down_norms.append(
                nn.Identity() if plain else nn.InstanceNorm2d(width, affine=True)
            )
            skip = 1 if level == len(widths) - 1 else 2
            self.ups.append(
                nn.ConvTranspose2d(
                    width * skip, before if level else outputs, 4, 2, 1, bias=not level
                )
            )
            self.up_norms.append(nn.InstanceNorm2d(before, affine=True) if level else nn.Identity())

    def forward(self, image: Tensor, dropout: Dropout) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W) in [-1, 1]; `dropout` drops numbers of a map."""
        skips, x = [], image
        for level, (down, norm) in enumerate(zip(self.downs, self.down_norms)):
            x = norm(down(leaky_relu(x, 0.2) if level else x))
            skips.append(x)
        x, depth = relu(skips.pop()), len(self.ups)
        for level in reversed(range(depth)):
            x = self.up_norms[level](self.ups[level](x))
            if level:
                if depth - 1 - DROPPED <= level < depth - 1:
                    x = dropout(x)
                x = relu(torch.cat([leaky_relu(skips.pop(), 0.2), x], 1))
        return x.tanh()


class Pix2Pix(GAN):
    """A picture of one kind from one of another, learnt from pairs.

    Players: generator U-Net, halvings by 4x4 kernels to one pixel, LeakyReLU 0.2, doublings, ReLU,
    half of the numbers dropped in three maps, tanh; discriminator of input and output together,
    scores of 70x70 patches (34x34 below 128 pixels).
    Losses: discriminator half of -mean log D(x, y) - mean log(1 - D(x, G(x))); generator -mean log
    D(x, G(x)) + reconstruction_weight mean |y - G(x)|.
    Where we differ: the paper's batch norm takes the statistics of the batch, which is one picture,
    while training and after: that is instance norm, which we use by that name, so that neither the
    batch nor a mode changes a picture. Dropout, the only noise, is on after training too, as in the
    paper; its numbers belong to the picture's seed. Patches of 34x34 at small sizes, where 70x70
    would be the whole picture.
    Recipe: `pix2pix`.

    Args:
        direction: which way to translate.
        width: channels of the largest map; doubled up to 8 x.
        discriminator_width: the same of the discriminator; None: `width`.
        halvings: of the discriminator: 3 for patches of 70x70, 2 for 34x34, 1 for 16x16, 0 for 1x1;
            None: as the size asks.
        reconstruction_weight: the paper's lambda.
        adversarial_weight: 0 is the paper's comparison, the distance alone; the discriminator then
            learns and is not heard.
    """

    requires = ("a", "b")
    has_ground_truth = True

    def __init__(
        self,
        schema: Schema,
        *,
        direction: Literal["a-to-b", "b-to-a"] = "a-to-b",
        width: PositiveInt = 64,
        discriminator_width: PositiveInt | None = None,
        halvings: Annotated[int, Field(ge=0, le=3)] | None = None,
        reconstruction_weight: NonNegativeFloat = 100.0,
        adversarial_weight: NonNegativeFloat = 1.0,
    ):
        self.given, made = direction.split("-to-")
        super().__init__(schema, made)
        if schema.unpaired:
            raise UserError(
                "pix2pix learns from pairs, and these pictures are none; use cyclegan, or --data pairs:FOLDER"
            )
        self.reconstruction_weight, self.adversarial_weight = (
            reconstruction_weight,
            adversarial_weight,
        )
        given_channels = schema.channels[self.given]
        self.generator = UNet(
            given_channels,
            self.channels,
            [width * min(8, 2**level) for level in range(count_halvings(self.size))],
        )
        together = given_channels + self.channels
        if halvings is None:
            halvings = 3 if self.size >= 128 else 2 if self.size >= 32 else 1
        self.discriminator = PatchDiscriminator(together, discriminator_width or width, halvings)
        initialise_weights(self, std=0.02)

    @property
    def inputs(self) -> dict[str, Input]:
        return {
            "image": ImageInput(
                self.schema.channels[self.given], 2 ** len(self.generator.downs), own_size=False
            )
        }

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        given, real = batch[self.given], batch[self.target]
        fake = self.generator(given, half_dropout(rng))
        real_score, fake_score = self.judge(given, real), self.judge(given, fake.detach())
        adversarial = 0.5 * non_saturating_d(real_score, fake_score)
        yield Update("discriminator", {"adversarial": adversarial}, scores=(real_score, fake_score))
        distance = (real - fake).abs().mean()
        losses = {"reconstruction": self.reconstruction_weight * distance}
        if self.adversarial_weight:
            losses["adversarial"] = self.adversarial_weight * non_saturating_g(
                self.judge(given, fake)
            )
        yield Update("generator", losses, {"distance": distance})

    def judge(self, given: Tensor, image: Tensor) -> Tensor:
        """Scores (N, 1, h, w) of a picture as the translation of another."""
        return self.discriminator(torch.cat([given, image], 1))

    def score(self, batch: Batch) -> Tensor:
        return self.judge(batch[self.given], batch[self.target])

    def sample(self, count: int, rng: Rng, *, image: Tensor) -> Tensor:
        del count
        return self.generator(image, half_dropout(rng))

    def make_inputs(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        return {"image": batch[self.given]}

    def make_preview(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        given = batch[self.given]
        return {
            "given": given,
            "made": self.sample(len(given), rng, image=given),
            "real": batch[self.target],
        }


def count_halvings(size: int) -> int:
    """Halvings of a picture until one pixel is left, or as often as its side is even.

    Raises:
        UserError: fewer than two.
    """
    count = (size & -size).bit_length() - 1
    if count < 2:
        raise UserError(
            f"size {size} cannot be halved twice; use a multiple of 4, best a power of 2 such as 64, 128 or 256"
        )
    return count


def half_dropout(rng: Rng) -> Dropout:
    """Dropout of a half with the numbers of a draw."""
    return lambda x: x * (rng.rand(*x.shape) < 0.5) * 2
