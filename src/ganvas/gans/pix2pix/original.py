"""pix2pix: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks".

The generator translates an image of one kind into one of another kind. The discriminator scores the
two together, patch by patch. The distance from the true image keeps the result in place, the
discriminator keeps it sharp.
"""

from collections.abc import Callable, Iterator
from typing import Annotated

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from ganvas.errors import UserError
from ganvas.gans.base import Batch, Clock, ImageInput, Input, Update, Updates
from ganvas.gans.nn.losses import non_saturating_d, non_saturating_g
from ganvas.gans.nn.networks import PatchDiscriminator, downsample, initialise_weights, upsample
from ganvas.gans.pix2pix.pairs import Direction, PairTranslator
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["Pix2Pix", "UNet"]

Dropout = Callable[[Tensor], Tensor]
DROPPED = 3  # levels above the smallest map where half of all numbers are dropped


class UNet(nn.Module):
    """An image to an image: halved until one pixel is left, doubled again, with skip connections.

    Args:
        inputs: channels of the input image.
        outputs: channels of the output image.
        widths: channels of the maps, from the largest to the smallest.
    """

    def __init__(self, inputs: int, outputs: int, widths: list[int]):
        super().__init__()
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        self.down_norms, self.up_norms = nn.ModuleList(), nn.ModuleList()
        last = len(widths) - 1
        for level, width in enumerate(widths):
            before = widths[level - 1] if level > 0 else inputs
            self.downs.append(downsample(before, width, 4, bias=False))
            # the first map has no norm, and neither has the last, of one pixel
            if level in (0, last):
                self.down_norms.append(nn.Identity())  # of one pixel a norm leaves nothing
            else:
                self.down_norms.append(nn.InstanceNorm2d(width, affine=True))

            # all but the smallest map come with a skip connection beside them
            width_up = width if level == last else 2 * width
            if level > 0:
                self.ups.append(upsample(width_up, before, 4, bias=False))
                self.up_norms.append(nn.InstanceNorm2d(before, affine=True))
            else:
                self.ups.append(upsample(width_up, outputs, 4))
                self.up_norms.append(nn.Identity())

    def forward(self, image: Tensor, dropout: Dropout) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W) in [-1, 1]; `dropout` drops numbers of a map."""
        skips: list[Tensor] = []
        x = image
        for level, (down, norm) in enumerate(zip(self.downs, self.down_norms)):
            # (N, widths[level], H / 2^(level + 1), W / 2^(level + 1))
            x = norm(down(leaky_relu(x, 0.2) if level > 0 else x))
            skips.append(x)

        x = relu(skips.pop())  # the smallest map, one pixel for powers of 2
        smallest = len(self.ups) - 1
        for level in reversed(range(smallest + 1)):
            x = self.up_norms[level](self.ups[level](x))  # twice the side
            if level == 0:
                break
            # As in the authors' PyTorch code, the smallest map's own doubling has no dropout.
            if smallest - DROPPED <= level < smallest:
                x = dropout(x)
            x = relu(torch.cat([skips.pop(), x], 1))  # twice the channels
        return x.tanh()


class Pix2Pix(PairTranslator):
    """Translates images of one kind to another kind, trained on pairs.

    Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks".

    Players:

    - generator: U-Net, halvings by 4x4 kernels to one pixel, LeakyReLU 0.2, doublings, ReLU, half
      of the numbers dropped in three maps, tanh.
    - discriminator: input and output together → scores of 70x70 patches (34x34 below 128 pixels).

    Losses:

    - discriminator: half of -mean log D(x, y) - mean log(1 - D(x, G(x)))
    - generator: -mean log D(x, G(x)) + reconstruction_weight mean |y - G(x)|

    Where we differ from the paper:

    - Its batch norm uses the statistics of the batch, which is one image, in training and after it.
      That is instance norm, and we call it so: neither the batch nor a mode changes an image.
    - Dropout, the only noise, is on after training too, as in the paper; its numbers belong to the
      image's seed.
    - Patches are 34x34 at small sizes, where 70x70 would be the whole image.

    Recipe: `pix2pix`.

    Args:
        direction: which way to translate.
        width: channels of the largest map; doubled at every halving, up to 8 x.
        discriminator_width: channels of the discriminator's first map; None: `width`.
        halvings: of the discriminator: 3 for patches of 70x70, 2 for 34x34, 1 for 16x16, 0 for 1x1;
            None: by the size.
        reconstruction_weight: the paper's lambda.
        adversarial_weight: 0 is the paper's comparison, the distance alone; the discriminator is
            then trained, but has no effect.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        direction: Direction = "a-to-b",
        width: PositiveInt = 64,
        discriminator_width: PositiveInt | None = None,
        halvings: Annotated[int, Field(ge=0, le=3)] | None = None,
        reconstruction_weight: NonNegativeFloat = 100.0,
        adversarial_weight: NonNegativeFloat = 1.0,
    ):
        super().__init__(schema, direction)
        self.reconstruction_weight = reconstruction_weight
        self.adversarial_weight = adversarial_weight

        given_channels = schema.channels[self.given]
        # 256 pixels: 64, 128, 256, and 512 five times
        widths = [width * min(8, 2**level) for level in range(_count_halvings(self.size))]
        self.generator = UNet(given_channels, self.channels, widths)
        if halvings is None:
            halvings = _default_halvings(self.size)
        self.discriminator = PatchDiscriminator(
            given_channels + self.channels, discriminator_width or width, halvings
        )
        initialise_weights(self, std=0.02)

    @property
    def inputs(self) -> dict[str, Input]:
        channels = self.schema.channels[self.given]
        multiple = 2 ** len(self.generator.downs)  # each halving needs an even side
        return {"image": ImageInput(channels, multiple, own_size=False)}

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        given, real = batch[self.given], batch[self.target]
        fake = self.generator(given, _half_dropout(rng))
        scores = self.score_pair(given, real), self.score_pair(given, fake.detach())
        losses = {"adversarial": 0.5 * non_saturating_d(*scores)}  # slows D down; section 3.3
        yield Update("discriminator", losses, scores=scores)

        distance = (real - fake).abs().mean()
        losses = {"reconstruction": self.reconstruction_weight * distance}
        if self.adversarial_weight:
            adversarial = non_saturating_g(self.score_pair(given, fake))
            losses["adversarial"] = self.adversarial_weight * adversarial
        yield Update("generator", losses, {"distance": distance})

    def score_pair(self, given: Tensor, image: Tensor) -> Tensor:
        """Scores (N, 1, h, w) of images as the translations of others, (N, C, H, W) each."""
        return self.discriminator(torch.cat([given, image], 1))

    def sample(self, count: int, rng: Rng, *, image: Tensor) -> Tensor:
        del count
        return self.generator(image, _half_dropout(rng))


def _count_halvings(size: int) -> int:
    """Halvings of an image until one pixel is left, or as often as its side is even.

    Raises:
        UserError: fewer than two.
    """
    count = (size & -size).bit_length() - 1  # the power of 2 in the size
    if count < 2:
        raise UserError(
            f"size {size} cannot be halved twice; "
            "use a multiple of 4, best a power of 2 such as 64, 128 or 256"
        )
    return count


def _default_halvings(size: int) -> int:
    """Halvings of the discriminator for images of a size."""
    if size >= 128:
        return 3
    return 2 if size >= 32 else 1


def _half_dropout(rng: Rng) -> Dropout:
    """Dropout of one half, with the training step's or the image's own random numbers."""
    return lambda x: x * (rng.rand(*x.shape) < 0.5) * 2  # doubled, to keep the mean
