"""StarGAN: Choi et al. 2018, "StarGAN: Unified Generative Adversarial Networks for Multi-Domain
Image-to-Image Translation".

One generator changes any of many attributes of a picture: it is told the attributes that the result
shall have. The discriminator tells real from generated, and which attributes it sees. Changed back,
the picture must be the one that it was made from.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ganvas.errors import UserError, nearest
from ganvas.gans.base import GAN, AttributesInput, Batch, Clock, ImageInput, Input, Update, Updates
from ganvas.gans.nn.losses import gradient_penalty, precise, wasserstein_d, wasserstein_g
from ganvas.gans.nn.networks import ResidualGenerator, check_quarters
from ganvas.io.images import to_float, to_square, to_uint8
from ganvas.rng import Rng
from ganvas.schema import Schema

UNKNOWN = 0.5  # in the place of an attribute that a picture's set does not know
SLOPE = 0.01  # of the discriminator's LeakyReLU
LEVELS = 127.5  # of 0..255 in one unit of [-1, 1]


class LabelledTranslator(nn.Module):
    """A picture and the attributes that it shall have to a picture."""

    def __init__(self, channels: int, planes: int, width: int, blocks: int):
        super().__init__()
        self.layers = ResidualGenerator(
            channels + planes, channels, width=width, blocks=blocks, kernel=4, affine=True
        )

    def forward(self, image: Tensor, labels: Tensor) -> Tensor:
        """(N, C, H, W) and (N, planes) to (N, C, H, W) in [-1, 1]."""
        planes = labels.to(image.dtype)[:, :, None, None].expand(-1, -1, *image.shape[2:])
        return self.layers(torch.cat([image, planes], 1))


class TwoHeads(nn.Module):
    """A picture to scores of its patches and to its attributes: halvings to 2x2 or 3x3, and two
    heads on the last map.
    """

    def __init__(self, channels: int, attributes: int, size: int, width: int):
        super().__init__()
        sides = [size]
        while sides[-1] >= 4 and len(sides) < 7:
            sides.append(sides[-1] // 2)
        widths = [width * 2**depth for depth in range(len(sides) - 1)]
        modules: list[nn.Module] = []
        for inputs, outputs in pairwise([channels, *widths]):
            modules += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(SLOPE, inplace=True)]
        self.trunk = nn.Sequential(*modules)
        self.patches = nn.Conv2d(widths[-1], 1, 3, padding=1, bias=False)
        self.attributes = nn.Conv2d(widths[-1], attributes, sides[-1], bias=False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) to scores (N, 1, h, w) and the logits of its attributes (N, A)."""
        maps = self.trunk(image)
        return self.patches(maps), self.attributes(maps)[:, :, 0, 0]


class StarGAN(GAN):
    """A picture with other attributes.

    Players: generator picture and one constant plane an attribute → convolution 7x7, two halvings
    by 4x4 kernels, 6 residual blocks, two doublings, convolution 7x7, tanh, instance norm with
    scale and shift, ReLU, zero padding: a norm takes away what is constant, so only the border lets
    the planes through; discriminator halvings by 4x4 kernels, LeakyReLU 0.01, no norm → patch
    scores, and the picture's attributes.
    Losses, with c the attributes of the real picture x and c' wanted ones, those of another picture
    of the batch: discriminator mean D(G(x, c')) - mean D(x) + penalty_weight mean (|∇ D| - 1)² +
    classification_weight CE(D_attributes(x), c); generator -mean D(G(x, c')) +
    classification_weight CE(D_attributes(G(x, c')), c') + reconstruction_weight mean |x - G(G(x,
    c'), c)|, every `n_critic`-th round. CE is the binary cross-entropy, summed over the attributes
    and averaged over pictures. Two sets that know different attributes: what a set does not know is
    0 in the planes and not in the loss, and a plane an attribute more tells the generator what is
    known (the paper's mask has one bit a set).
    Stats: `attributes_right`, the share of the real pictures' attributes that the discriminator
    tells; `distance`, its estimate of the Wasserstein distance; `cycle_error`, the mean distance
    between a picture and its way there and back, in levels of 0..255.
    Where we differ: the first move of the generator comes after one of the discriminator, not after
    five. Norms keep no running statistics, which the paper's code keeps and never uses. Below 128
    pixels the discriminator halves less often, to a map of 2x2 or 3x3. Two sets are mixed in a
    batch, where the paper's code takes them in turn.
    Recipe: `stargan`.

    Args:
        width: channels of both players' first map.
        blocks: residual ones.
        exclusive: groups of attributes of which a picture has one at a time, such as hair colours:
            one that is set takes the others of its group away. Training does not need it, since it
            wants attributes that real pictures have.
        classification_weight: the paper's lambda_cls.
        reconstruction_weight: the paper's lambda_rec.
        penalty_weight: the paper's lambda_gp.
        n_critic: discriminator moves for one of the generator.
    """

    double_backward = True
    requires = ("image", "attributes")
    decision_threshold = None  # only differences of scores count

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
        super().__init__(schema)
        check_quarters(self.size)
        self.names, self.exclusive = schema.names["attributes"], exclusive
        check_groups(exclusive, self.names)
        self.classification_weight, self.reconstruction_weight = (
            classification_weight,
            reconstruction_weight,
        )
        self.penalty_weight, self.n_critic = penalty_weight, n_critic
        self.mixed = "known" in schema.names
        planes = len(self.names) * (2 if self.mixed else 1)
        self.generator = LabelledTranslator(self.channels, planes, width, blocks)
        self.discriminator = TwoHeads(self.channels, len(self.names), self.size, width)

    @property
    def inputs(self) -> dict[str, Input]:
        return {
            "image": ImageInput(self.channels, multiple=4),
            "attributes": AttributesInput(self.names, self.exclusive),
        }

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real, own = batch["image"], self.labels(batch)
        wanted = rng.permute(own)
        moves = clock.every(self.n_critic)
        with torch.set_grad_enabled(moves):  # in the other rounds the fakes are only judged
            fake = self.translate(real, wanted)
        score, logits = self.discriminator(real)
        fake_score, _ = self.discriminator(fake.detach())
        adversarial = wasserstein_d(score, fake_score)
        penalty = gradient_penalty(
            lambda between: self.discriminator(between)[0], real, fake, rng.rand(len(real))
        )
        losses = {
            "adversarial": adversarial,
            "penalty": self.penalty_weight * penalty,
            "attributes": self.classification_weight * cross_entropy(logits, own),
        }
        known = own != UNKNOWN
        right = (((logits > 0) == (own == 1)) & known).sum().float() / known.sum()
        yield Update(
            "discriminator",
            losses,
            {"distance": -adversarial, "attributes_right": right},
            (score, fake_score),
        )
        if not moves:
            return
        score, logits = self.discriminator(fake)
        cycle = (self.translate(fake, own) - real).abs().mean()
        losses = {
            "adversarial": wasserstein_g(score),
            "attributes": self.classification_weight * cross_entropy(logits, wanted),
            "reconstruction": self.reconstruction_weight * cycle,
        }
        yield Update("generator", losses, {"cycle_error": LEVELS * cycle})

    def labels(self, batch: Batch) -> Tensor:
        """Attributes of rows of data, (N, A): 0, 1, or UNKNOWN."""
        own = batch["attributes"]
        return torch.where(batch["known"] > 0, own, UNKNOWN) if self.mixed else own

    def translate(self, image: Tensor, attributes: Tensor) -> Tensor:
        """A picture (N, C, H, W) with these attributes (N, A): 0, 1, or UNKNOWN."""
        labels = attributes
        if self.mixed:
            known = (attributes != UNKNOWN).to(attributes.dtype)
            labels = torch.cat([attributes * known, known], 1)
        return self.generator(image, labels)

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(batch["image"])[0]

    def sample(self, count: int, rng: Rng, *, image: Tensor, attributes: Tensor) -> Tensor:
        """`image` with `attributes`; where two sets were mixed, 0.5 leaves open what the set that
        is asked does not know.
        """
        del count, rng
        return self.translate(image, attributes)

    def make_inputs(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        return {"image": batch["image"], "attributes": rng.permute(self.labels(batch))}

    def make_preview(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        """The picture; each attribute turned round, or set where it excludes others; and the last
        of these changed back.
        """
        image, own = batch["image"], self.labels(batch)
        shown = {"real": image}
        for number, name in enumerate(self.names):
            alone = any(name in group for group in self.exclusive)
            # A picture whose set does not know the attribute takes all attributes of the first that
            # does.
            knows = own[:, number] != UNKNOWN
            start = (
                torch.where(knows[:, None], own, own[knows.nonzero()[:1, 0]])
                if knows.any()
                else own
            )
            off, on = self.change(start, name, False), self.change(start, name, True)
            turned = on if alone else torch.where(start[:, number, None] == 1, off, on)
            shown[heading(name, alone)] = self.translate(image, turned)
        return shown | {"back": self.translate(next(reversed(shown.values())), own)}

    def ways(self, image: Tensor, changes: Mapping[str, bool]) -> dict[str, dict[str, Tensor]]:
        # The discriminator sees squares of the size trained on.
        square = to_square(to_uint8(image.cpu()), self.size, "crop", "white", enlarge=True)
        with torch.no_grad():
            own = self.guess(to_float(square).to(image.device))

        if changes:
            for name, value in changes.items():
                own = self.change(own, name, value)
            return {", ".join(changes): {"attributes": own}}

        ways = {}
        for number, name in enumerate(self.names):
            alone = any(name in group for group in self.exclusive)
            turned = self.change(own, name, alone or not own[0, number])
            ways[name] = {"attributes": turned}
        return ways

    def guess(self, image: Tensor) -> Tensor:
        """The attributes that the discriminator sees in pictures (N, C, H, W), of the size trained
        on: (N, A) in {0, 1}.
        """
        return (self.discriminator(image)[1] > 0).to(image.dtype)

    def change(self, attributes: Tensor, name: str, value: bool) -> Tensor:
        """Attributes (N, A) with one set or taken away; one that is set takes away those that
        exclude it.

        Raises:
            UserError: there is no such attribute.
        """
        if name not in self.names:
            raise UserError(f"there is no attribute {name!r}; {nearest(name, self.names)}")
        changed = attributes.clone()
        if value:
            for group in self.exclusive:
                if name in group:
                    changed[:, [self.names.index(other) for other in group]] = 0
        changed[:, self.names.index(name)] = float(value)
        return changed


def heading(name: str, alone: bool) -> str:
    """The heading of an attribute's column: "+ " where it is set, "± " where it is turned round."""
    return f"{'+' if alone else '±'} {name.replace('_', ' ')}"


def check_groups(groups: tuple[tuple[str, ...], ...], names: tuple[str, ...]) -> None:
    """Refuse groups of attributes that the data has not, or that exclude nothing.

    Raises:
        UserError: tells which.
    """
    for group in groups:
        for name in group:
            if name not in names:
                raise UserError(
                    f"options.exclusive: the data has no attribute {name!r}; {nearest(name, names)}"
                )
        if len(set(group)) < 2:
            raise UserError(
                f"options.exclusive: the group {list(group)} has one attribute; a group has two or more"
            )


@precise
def cross_entropy(logits: Tensor, attributes: Tensor) -> Tensor:
    """Binary cross-entropy summed over the attributes that are known and averaged over pictures;
    eq. 2 and 3.

    Args:
        logits: (N, A).
        attributes: (N, A): 0, 1, or UNKNOWN.
    """
    each = binary_cross_entropy_with_logits(logits, attributes.to(logits.dtype), reduction="none")
    return (each * (attributes != UNKNOWN)).sum() / len(logits)
