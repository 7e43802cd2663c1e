"""CycleGAN: Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent
Adversarial Networks".

Two generators translate between two domains, of which no pairs are known. Each result must look
like its new domain, and translated back it must be the image that it was generated from.
"""

from collections.abc import Iterator, Mapping

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt
from torch import Tensor, nn

from ganvas.errors import UserError
from ganvas.gans.base import GAN, Batch, ChoiceInput, Clock, ImageInput, Input, Update, Updates
from ganvas.gans.nn.losses import least_squares_d, least_squares_g
from ganvas.gans.nn.networks import (
    PatchDiscriminator,
    ResidualGenerator,
    check_multiple_of_4,
    initialise_weights,
    patch_halvings,
)
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["CycleGAN", "Translators", "swap_with_pool"]

LEVELS = 127.5  # of 0..255 in one unit of [-1, 1]


class Translators(nn.Module):
    """Both generators, which are updated together."""

    def __init__(self, channels: int, width: int, blocks: int):
        super().__init__()
        self.a_to_b, self.b_to_a = (
            ResidualGenerator(
                channels, channels, width=width, blocks=blocks, padding="reflect", bias=True
            )
            for _ in range(2)
        )

    def forward(self, image: Tensor, to: Tensor | int) -> Tensor:
        """(N, C, H, W) and int64 (N,), 0 for domain a and 1 for b, to (N, C, H, W) in [-1, 1].

        A number instead of (N,) is the domain of all images.
        """
        networks = self.b_to_a, self.a_to_b  # in the order of `to`
        if isinstance(to, int):
            return networks[to](image)

        translated = torch.empty_like(image)  # every row is written below
        for number, network in enumerate(networks):
            rows = (to == number).nonzero()[:, 0]  # waits for the device; not used in training
            if len(rows):
                # Under autocast the result has half precision.
                translated[rows] = network(image[rows]).to(translated.dtype)
        return translated


class CycleGAN(GAN):
    """Translates images of one domain to the other, trained without pairs.

    Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
    Networks".

    Players:

    - generator: two networks, from a to b and from b to a. Convolution 7x7, two halvings, 9
      residual blocks (6 below 256 pixels), two doublings, convolution 7x7, tanh; reflection
      padding, instance norm, ReLU.
    - discriminator_b and discriminator_a: scores of 70x70 patches, instance norm, LeakyReLU 0.2.

    Losses, with F from a to b and G from b to a:

    - generator: mean (D_b(F(a)) - 1)² + mean (D_a(G(b)) - 1)²
      + cycle_weight (mean |G(F(a)) - a| + mean |F(G(b)) - b|)
      + identity_weight (mean |F(b) - b| + mean |G(a) - a|)
    - discriminator_b: half of mean (D_b(b) - 1)² + mean D_b(F(a))²
    - discriminator_a: half of mean (D_a(a) - 1)² + mean D_a(G(b))²

    The fakes are generated once in a training step. The discriminators see them through pools of
    the last 50.

    Stats: `cycle_error`, the mean distance of an image from its reconstruction by both generators,
    in levels of 0..255.

    Where we differ from the paper: below 24 pixels patches are smaller, as they must be. The half
    in the discriminators' losses is the paper's own. Our `least_squares_g` has a half that the
    paper's generators do not have, so it is doubled.

    Recipe: `cyclegan`.

    Args:
        width: channels of the generators' first map.
        blocks: residual blocks of a generator; None: 9 from 256 pixels on, else 6.
        discriminator_width: channels of a discriminator's first map; None: `width`.
        cycle_weight: the paper's lambda.
        identity_weight: weight of not changing images that are in the wanted domain already, which
            keeps colours. Half of lambda, as the paper has it for paintings and its code for all
            data; 0: without.
        pool: images of each generator that are kept to show to its discriminator.
    """

    requires = ("a", "b")
    decision_threshold = 0.5

    def __init__(
        self,
        schema: Schema,
        *,
        width: PositiveInt = 64,
        blocks: PositiveInt | None = None,
        discriminator_width: PositiveInt | None = None,
        cycle_weight: NonNegativeFloat = 10.0,
        identity_weight: NonNegativeFloat = 5.0,
        pool: NonNegativeInt = 50,
    ):
        super().__init__(schema, target="b")
        if schema.channels["a"] != schema.channels["b"]:
            raise UserError(
                "cyclegan needs two domains of the same channels; "
                f"a has {schema.channels['a']} and b {schema.channels['b']}: use --channels 3"
            )
        check_multiple_of_4(self.size)
        self.domains = schema.domain("a"), schema.domain("b")  # their names
        self.cycle_weight = cycle_weight
        self.identity_weight = identity_weight

        self.generator = Translators(self.channels, width, blocks or (9 if self.size >= 256 else 6))
        halvings = patch_halvings(self.size)  # 3 from 24 pixels on: patches of 70x70
        self.discriminator_a = PatchDiscriminator(
            self.channels, discriminator_width or width, halvings, affine=False
        )
        self.discriminator_b = PatchDiscriminator(
            self.channels, discriminator_width or width, halvings, affine=False
        )
        # buffers, so that checkpoints hold the pools
        for name in ("pool_a", "pool_b"):
            self.register_buffer(name, torch.zeros(pool, self.channels, self.size, self.size))
            self.register_buffer(f"{name}_count", torch.zeros((), dtype=torch.int64))
        initialise_weights(self, std=0.02)  # appendix 7.1

    @property
    def inputs(self) -> dict[str, Input]:
        return {"image": ImageInput(self.channels, multiple=4), "to": ChoiceInput(self.domains)}

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        a, b = batch["a"], batch["b"]  # (N, C, H, W) each
        a_to_b, b_to_a = self.generator.a_to_b, self.generator.b_to_a
        fake_b, fake_a = a_to_b(a), b_to_a(b)

        # The generators are updated first, as in the authors' code.
        b_score, a_score = self.discriminator_b(fake_b), self.discriminator_a(fake_a)
        adversarial = 2 * (least_squares_g(b_score) + least_squares_g(a_score))  # undoes the half
        cycle = _l1_distance(b_to_a(fake_b), a) + _l1_distance(a_to_b(fake_a), b)
        losses = {"adversarial": adversarial, "cycle": self.cycle_weight * cycle}
        if self.identity_weight:
            identity = _l1_distance(a_to_b(b), b) + _l1_distance(b_to_a(a), a)
            losses["identity"] = self.identity_weight * identity
        yield Update("generator", losses, {"cycle_error": LEVELS * cycle / 2})  # of two cycles

        # The fakes from before the generators' update: generated once, used twice.
        yield self.discriminator_update("b", b, fake_b, rng)
        yield self.discriminator_update("a", a, fake_a, rng)

    def discriminator_update(self, domain: str, real: Tensor, fake: Tensor, rng: Rng) -> Update:
        """The update of a domain's discriminator, on images (N, C, H, W)."""
        discriminator = self.get_submodule(f"discriminator_{domain}")
        pool, count = self.get_buffer(f"pool_{domain}"), self.get_buffer(f"pool_{domain}_count")

        # Only training may change the pool: a preview or an evaluation leaves it as it is.
        fake = fake.detach()
        if self.training and len(pool):
            fake = swap_with_pool(pool, count, fake, rng)

        scores = discriminator(real), discriminator(fake)
        losses = {"adversarial": least_squares_d(*scores)}
        return Update(f"discriminator_{domain}", losses, scores=scores)

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator_b(batch["b"])

    def sample(self, count: int, rng: Rng, *, image: Tensor, to: Tensor | int) -> Tensor:
        """`image` as domain `to`, int64 (N,) or one number for all: 0 is a and 1 is b."""
        del count, rng
        return self.generator(image, to)

    def ways(self, image: Tensor, changes: Mapping[str, bool]) -> dict[str, dict[str, Tensor]]:
        numbers = torch.arange(2, device=image.device)
        return {name: {"to": numbers[row : row + 1]} for row, name in enumerate(self.domains)}

    def make_inputs(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        a = batch["a"]
        return {"image": a, "to": torch.ones(len(a), dtype=torch.int64, device=a.device)}

    def make_preview(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        a, b = batch["a"], batch["b"]
        a_to_b, b_to_a = self.generator.a_to_b, self.generator.b_to_a
        to_b, to_a = a_to_b(a), b_to_a(b)
        first, second = self.domains
        there = {first: a, f"to {second}": to_b, "back": b_to_a(to_b)}
        # the space makes the second "back" a column of its own
        return there | {second: b, f"to {first}": to_a, "back ": a_to_b(to_a)}


@torch.no_grad()
def swap_with_pool(pool: Tensor, count: Tensor, fakes: Tensor, rng: Rng) -> Tensor:
    """Replace half of the new images by older ones, so that a discriminator does not forget these.

    Section 4 of the paper, after Shrivastava et al. 2017. The pool is filled first. Then each new
    image is, with equal chances, returned as it is, or stored in the place of a random image of the
    pool, which is returned instead.

    Args:
        pool: stored images, (P, C, H, W), P > 0; changed in place, equally in every process.
        count: how many are stored, int64 (); changed in place. No value is read from the device.
        fakes: new images, (N, C, H, W).
        rng: random numbers of the training step.

    Returns:
        (N, C, H, W).
    """
    # The images and numbers of all processes, so that their pools stay equal.
    whole = rng.gather(fakes.detach().contiguous()).to(pool.dtype)
    returned = whole.clone()

    # One by one, since an image may take the place of one from the same batch.
    for row, (chance, place) in enumerate(rng.gather(rng.rand(len(fakes), 2))):
        full = count >= len(pool)  # bool () on the device, so no `if`
        random_index = (place * len(pool)).long().clamp(max=len(pool) - 1)
        # (1,), since a scalar index would be read from the device
        index = torch.where(full, random_index, count).reshape(1)

        old, new = pool[index], whole[row]  # (1, C, H, W) and (C, H, W)
        returned[row] = torch.where(full & (chance < 0.5), old, new)[0]
        pool[index] = torch.where(full & (chance >= 0.5), old, new)
        count += ~full
    return rng.part(returned)


def _l1_distance(images: Tensor, others: Tensor) -> Tensor:
    """Mean absolute difference of images (N, C, H, W), a scalar."""
    return (images - others).abs().mean()
