"""CUT: Park et al. 2020, "Contrastive Learning for Unpaired Image-to-Image Translation".

A translation between two domains without pairs and without a cycle. What is at a place of the
result must resemble what was at that place of the image more than what was elsewhere in it.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from ganvas.errors import UserError
from ganvas.gans.base import (
    GAN,
    Batch,
    ChoiceInput,
    Clock,
    ImageInput,
    Input,
    Update,
    Updates,
)
from ganvas.gans.cut.networks import Translator, patch_nce
from ganvas.gans.nn.augment import shift_images
from ganvas.gans.nn.folded import FoldedPatchDiscriminator, check_folds, folded_sizes
from ganvas.gans.nn.losses import relativistic, squared_gradient
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["CUT"]

Direction = Literal["both", "a-to-b", "b-to-a"]
Images = Mapping[str, Tensor]  # by domain, (N, C, H, W) each
Moves = tuple[Tensor, Tensor]  # random numbers by which real and fake images move, (N, 2) each
OTHER = {"a": "b", "b": "a"}  # the domain that images of a domain are translated from
MAPS = 3  # sizes of the generator's maps, the smallest an eighth of the image
LEVELS = 127.5  # of 0..255 in one unit of [-1, 1]


class CUT(GAN):
    """Translates images of one domain to another, trained without pairs and without a cycle.

    Park et al. 2020, "Contrastive Learning for Unpaired Image-to-Image Translation".

    Players:

    - generator: image, and the wanted domain → U-Net of folded maps → a change, which is added
      to the image. Two-layer networks project places of the U-Net's maps to features.
    - discriminator: for each domain that is generated, scores of patches of folded images.

    Losses, with x an image, G(x) its translation and y a real image of the wanted domain:

    - discriminator: mean softplus(D(G(x)) - D(y)) + gamma / (2 P) mean |∇ Σ D(y)|²,
      with P the number of patches, over which Σ sums, and D the discriminator of that domain
    - generator: mean softplus(D(y) - D(G(x))) + nce_weight PatchNCE(x, G(x))
      + identity_weight mean |G(y) - y|

    PatchNCE: of each map on the way down, `places` places are drawn in each image. The features of
    a place of G(x) must be found among those of the same places of x: mean cross-entropy of their
    cosines divided by `temperature`.

    The fakes are generated once in a training step and serve both updates.

    The discriminators see all images moved by a few pixels, so that the grid of their strides has
    no place of its own, at which the generator could draw it.

    Stats: `change`, the mean difference of an image and its translation, in levels of 0..255.

    Where we differ from the paper: one network learns both directions at once, with the wanted
    domain as a plane of one number; the paper trains one direction. The output is a change of
    the image, which keeps it sharp from the beginning. Scores of patches compete in pairs
    (Jolicoeur-Martineau 2018), with R1 (Mescheder et al. 2018) in every `penalty_every`-th training
    step at that many times its weight, instead of least squares. The networks are small, folded and
    without norms. Images that are of the domain already are to stay as they are, pixel by pixel,
    where the paper compares them by PatchNCE. The maps that are compared are those before the
    skip connections, without the pixels themselves.

    Recipe: `cyclegan-fast`.

    Args:
        direction: "both", "a-to-b" or "b-to-a".
        width: channels of the generator's largest map; doubled at every halving.
        blocks: residual blocks at the generator's smallest map.
        discriminator_width: channels of a discriminator's first map; doubled at every halving.
        halvings: of a discriminator after folding; with 1 a score sees 28x28 pixels, with 2 56x56.
        nce_weight: weight of keeping each place recognisable, the paper's lambda.
        temperature: by which cosines of features are divided.
        places: of an image that are compared with one another, in each map.
        features: numbers by which a place is compared.
        identity_weight: weight of not changing images that are in the wanted domain already.
        gamma: the penalty's weight.
        penalty_every: training steps from one penalty to the next.
    """

    requires = ("a", "b")
    double_backward = True
    decision_threshold = None

    def __init__(
        self,
        schema: Schema,
        *,
        direction: Direction = "both",
        width: PositiveInt = 24,
        blocks: PositiveInt = 2,
        discriminator_width: PositiveInt = 32,
        halvings: PositiveInt = 1,
        nce_weight: NonNegativeFloat = 1.0,
        temperature: PositiveFloat = 0.07,
        places: PositiveInt = 64,
        features: PositiveInt = 64,
        identity_weight: NonNegativeFloat = 0.5,
        gamma: NonNegativeFloat = 0.05,
        penalty_every: PositiveInt = 8,
    ):
        super().__init__(schema, target="a" if direction == "b-to-a" else "b")
        if schema.channels["a"] != schema.channels["b"]:
            raise UserError(
                "cut needs two domains of the same channels; "
                f"a has {schema.channels['a']} and b {schema.channels['b']}: use --channels 3"
            )
        check_folds(self.size)
        # the domains that images are translated to, by column
        self.domains = ("a", "b") if direction == "both" else (self.target,)
        self.nce_weight = nce_weight
        self.temperature = temperature
        self.places = places
        self.identity_weight = identity_weight
        self.gamma = gamma
        self.penalty_every = penalty_every

        sizes = folded_sizes(self.size, 2)[:MAPS]
        self.generator = Translator(
            self.channels,
            sizes,
            width=width,
            blocks=blocks,
            features=features,
            directions=len(self.domains),
        )
        most = len(sizes) - 1
        if halvings > most:
            raise UserError(
                f"halvings={halvings}: cut can have {most} at most for images of {self.size} pixels"
            )
        # one for each domain that is generated, updated together
        discriminators = {
            domain: FoldedPatchDiscriminator(self.channels, discriminator_width, halvings)
            for domain in self.domains
        }
        self.reach = discriminators[self.domains[0]].reach
        self.discriminator = nn.ModuleDict(discriminators)

    @property
    def inputs(self) -> dict[str, Input]:
        image: dict[str, Input] = {
            "image": ImageInput(self.channels, multiple=self.generator.network.multiple)
        }
        if len(self.domains) == 1:
            return image
        return image | {"to": ChoiceInput(tuple(map(self.schema.domain, self.domains)))}

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = {domain: batch[domain] for domain in self.domains}  # (N, C, H, W) each
        count = len(batch["a"])

        # All directions at once, in the order of the domains that they lead to.
        given = torch.cat([batch[OTHER[domain]] for domain in self.domains])
        to = torch.arange(len(self.domains), device=given.device).repeat_interleave(count)
        fake, maps = self.generator.translate(given, to)
        fakes = dict(zip(self.domains, fake.chunk(len(self.domains))))
        # both players see the same images moved by the same pixels
        moves = {domain: self.draw_moves(count, rng) for domain in self.domains}

        yield self.discriminator_update(real, fakes, moves, clock.every(self.penalty_every))

        losses = {
            "adversarial": self.compare_with_real(fakes, real, moves),
            "nce": self.nce_weight * self.compare_places(fake, maps, to, rng),
        }
        if self.identity_weight:
            own = torch.cat([real[domain] for domain in self.domains])
            identity = (self.generator(own, to) - own).abs().mean()
            losses["identity"] = self.identity_weight * identity
        change = LEVELS * (fake.detach() - given).abs().mean()
        yield Update("generator", losses, {"change": change})

    def discriminator_update(
        self, real: Images, fakes: Images, moves: Mapping[str, Moves], with_penalty: bool
    ) -> Update:
        """The update of all domains' discriminators: means of the directions."""
        adversarial, penalties, real_scores, fake_scores = [], [], [], []
        for domain in self.domains:
            discriminator, (of_real, of_fake) = self.discriminator[domain], moves[domain]
            image = real[domain]
            image.requires_grad_(with_penalty)
            seen_real = shift_images(image, of_real, self.reach)
            seen_fake = shift_images(fakes[domain].detach(), of_fake, self.reach)
            if with_penalty:
                # two passes, so that gradients of gradients do not go through the fakes as well
                real_score, fake_score = discriminator(seen_real), discriminator(seen_fake)
                # of the sum of all patches, which is more for large images
                penalty = squared_gradient(real_score, image).mean() / real_score[0].numel()
                penalties.append(self.penalty_every * self.gamma / 2 * penalty)
                image.requires_grad_(False)  # from here on only the generator learns
            else:
                both = torch.cat([seen_real, seen_fake])
                real_score, fake_score = discriminator(both).chunk(2)

            adversarial.append(relativistic(real_score, fake_score))
            real_scores.append(real_score)
            fake_scores.append(fake_score)

        loss = torch.stack(adversarial).mean()
        penalty = torch.stack(penalties).mean() if with_penalty else torch.zeros_like(loss)
        scores = torch.cat(real_scores), torch.cat(fake_scores)
        return Update("discriminator", {"adversarial": loss, "penalty": penalty}, scores=scores)

    def compare_with_real(self, fakes: Images, real: Images, moves: Mapping[str, Moves]) -> Tensor:
        """The generator's adversarial loss: the mean of all directions."""
        losses = []
        for domain in self.domains:
            discriminator, (of_real, of_fake) = self.discriminator[domain], moves[domain]
            # The discriminator has changed, so the opponents are scored again.
            with torch.no_grad():
                opponent = discriminator(shift_images(real[domain], of_real, self.reach))
            score = discriminator(shift_images(fakes[domain], of_fake, self.reach))
            losses.append(relativistic(score, opponent))
        return torch.stack(losses).mean()

    def compare_places(self, fake: Tensor, maps: list[Tensor], to: Tensor, rng: Rng) -> Tensor:
        """PatchNCE: the mean over the encoder's maps; eq. 4.

        Args:
            fake: generated images, (N, C, H, W).
            maps: of the given images, from the translation.
            to: int64 (N,).
            rng: random numbers of the training step.
        """
        places = [self.draw_places(each, rng) for each in maps]
        with torch.no_grad():
            keys = self.generator.project(maps, places)
        queries = self.generator.project(self.generator.encode(fake, to), places)
        losses = [patch_nce(*pair, self.temperature) for pair in zip(queries, keys)]
        return torch.stack(losses).mean()

    def draw_places(self, maps: Tensor, rng: Rng) -> Tensor:
        """Different random places of maps (N, C', h, w), int64 (N, P) in [0, h * w)."""
        count = maps.shape[2] * maps.shape[3]
        # For one direction after the other, so that each process draws for its own images.
        parts = [rng.rand(len(maps) // len(self.domains), count) for _ in self.domains]
        return torch.cat(parts).argsort(1)[:, : self.places]

    def draw_moves(self, count: int, rng: Rng) -> Moves:
        """Random numbers by which real and fake images are moved for the discriminators."""
        return rng.rand(count, 2), rng.rand(count, 2)

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator[self.target](batch[self.target])

    def sample(
        self, count: int, rng: Rng, *, image: Tensor, to: Tensor | int | None = None
    ) -> Tensor:
        """`image` as domain `to`, int64 (N,) or one number for all: 0 is a and 1 is b; with one
        direction as the target.
        """
        del rng
        if isinstance(to, int):
            to = torch.full((count,), to, device=image.device)
        return self.generator(image, to).clamp(-1, 1)

    def ways(self, image: Tensor, changes: Mapping[str, bool]) -> dict[str, dict[str, Tensor]]:
        if len(self.domains) == 1:
            return super().ways(image, changes)
        numbers = torch.arange(2, device=image.device)
        names = map(self.schema.domain, self.domains)
        return {name: {"to": numbers[row : row + 1]} for row, name in enumerate(names)}

    def make_inputs(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        return self.inputs_towards(self.target, batch)

    def inputs_towards(self, domain: str, batch: Batch) -> dict[str, Tensor]:
        """Inputs of `sample` that translate the rows of a batch to a domain."""
        image = batch[OTHER[domain]]
        if len(self.domains) == 1:
            return {"image": image}
        to = torch.full((len(image),), self.domains.index(domain), device=image.device)
        return {"image": image, "to": to}

    def make_preview(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        shown: dict[str, Tensor] = {}
        for domain in sorted(self.domains, reverse=True):  # a to b first
            inputs = self.inputs_towards(domain, batch)
            name, other = self.schema.domain(domain), self.schema.domain(OTHER[domain])
            shown |= {other: inputs["image"]}
            shown |= {f"to {name}": self.sample(len(inputs["image"]), rng, **inputs)}
        return shown
