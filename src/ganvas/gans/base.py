"""What every GAN is: players, a `step` that tells whose turn it is, and a `sample` that makes
pictures.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from torch import Tensor, nn

from ganvas.errors import UserError
from ganvas.rng import Rng
from ganvas.schema import Schema


@dataclass
class Update:
    """One player's move: the player named takes one gradient step on the sum of `losses`."""

    player: str  # the name of a child of the GAN
    losses: dict[str, Tensor]  # scalars, already weighted; minimised as a sum, logged one by one
    stats: dict[str, Tensor] = field(default_factory=dict)  # only logged
    # of real and of fake pictures, where a discriminator judged both: for the doctor
    scores: tuple[Tensor, Tensor] | None = None


# several turns at once are simultaneous: all gradients first, then all steps
Updates = Update | tuple[Update, ...]
Batch = Mapping[str, Tensor]  # rows of data; the entries are told in `Schema`


class Clock(Protocol):
    """How far training has come, as much as a GAN may know of it."""

    @property
    def images(self) -> int:
        """Real images shown before this round."""
        ...

    @property
    def steps(self) -> int:
        """Rounds played before this one."""
        ...

    def every(self, period: int) -> bool:
        """Whether this round is the first, or a multiple of `period` rounds after it."""
        ...

    def ramp(self, start: float, end: float, over: int) -> float | Tensor:
        """A number that goes from `start` at 0 images to `end` at `over` images and after, along
        half a cosine.

        Where rounds are recorded and played again, it is a scalar on the device, filled anew for
        each round.
        """
        ...


@dataclass(frozen=True)
class ChoiceInput:
    """An input of `sample` that is one of several names: int64 (N,), an index into `names`."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class ImageInput:
    """An input of `sample` that is a picture: float32 (N, channels, H, W) in [-1, 1].

    Attributes:
        channels: 1 or 3.
        multiple: height and width must be multiples of it.
        own_size: whether pictures of any size are at home here; if not, the size that the GAN
            learnt from suits it best.
    """

    channels: int
    multiple: int
    own_size: bool = True


@dataclass(frozen=True)
class MaskInput:
    """An input of `sample` that tells where a picture has a hole: float32 (N, 1, H, W), 1 in the
    hole and 0 around it.
    """


@dataclass(frozen=True)
class AttributesInput:
    """An input of `sample` that tells which attributes a picture shall have: float32 (N, A) in {0,
    1}.

    Attributes:
        names: of the attributes.
        exclusive: groups of names of which a picture has one at a time, such as hair colours.
    """

    names: tuple[str, ...]
    exclusive: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class TextInput:
    """An input of `sample` that is a text: uint8 (N, 1, length), bytes of UTF-8, padded with zeros."""

    length: int


@dataclass(frozen=True)
class FeaturesInput:
    """An input of `sample` that is a text as numbers from a sentence encoder: float32 (N, 1,
    length).
    """

    length: int


@dataclass(frozen=True)
class BoxInput:
    """An input of `sample` that is a place: float32 (N, 4), left, top, width and height in shares
    of the picture's side.
    """


@dataclass(frozen=True)
class KeyPointsInput:
    """An input of `sample` that is places of parts: float32 (N, P, 3), x and y in shares of the
    side, and 1 where it is given.

    Attributes:
        parts: names.
    """

    parts: tuple[str, ...]


Input = (
    ChoiceInput
    | ImageInput
    | MaskInput
    | AttributesInput
    | TextInput
    | FeaturesInput
    | BoxInput
    | KeyPointsInput
)


class GAN(nn.Module):
    """A game between players, which are the module's children.

    A subclass's constructor takes the data's schema and keyword hyper-parameters with the paper's
    values; what it cannot make it refuses with a `UserError`.

    Attributes:
        averaged: the players whose moving average of weights `sample` uses.
        needs: what a batch must hold.
        kind: what it generates: images, or points in the plane (size 1, 2 channels).
        faithful: whether `make_inputs` asks for the very picture of a row, so that what is made can
            be held against it pixel by pixel.
        double_backward: whether a loss holds gradients with respect to pictures, so that players
            are differentiated twice.
        neutral: the score by which the discriminator says that it cannot tell; None where only
            differences of scores count.
        schema: of the data.
        made: the column of the data whose like `sample` makes.
        size: of the pictures made, in pixels, where no input tells another.
        channels: of the pictures made.
        classes: names of the classes.
    """

    ema_players: tuple[str, ...] = ("generator",)
    requires: tuple[str, ...] = ("image",)
    kind: Literal["image", "point"] = "image"
    has_ground_truth: bool = False
    double_backward: bool = False
    decision_threshold: float | None = 0.0

    def __init__(self, schema: Schema, target: str = "image"):
        super().__init__()
        check_needs(self, schema)
        self.schema, self.target = schema, target
        self.size, self.channels = schema.size, schema.channels[target]
        self.classes = schema.names.get("label", ())
        if self.kind == "point" and (schema.kind, self.size) != ("point", 1):
            raise UserError(
                f"{type(self).__name__} makes points, not pictures of {self.size}x{self.size}: use --data rings or --data grid"
            )
        if self.kind == "image" and schema.kind == "point":
            raise UserError(
                f"{type(self).__name__} makes pictures, not points: use the recipes rings and grid, or gan=points"
            )

    @property
    def inputs(self) -> dict[str, Input]:
        """What `sample` needs from a user, by argument name."""
        return {"label": ChoiceInput(self.classes)} if "label" in self.requires else {}

    @property
    def unconditional(self) -> bool:
        """Whether it makes pictures from noise, and a class at most; if not, it needs rows of data
        to show what it can do.
        """
        return all(name == "label" for name in self.inputs)

    def players(self) -> dict[str, list[nn.Parameter]]:
        """The parameters of each player."""
        return {name: list(child.parameters()) for name, child in self.named_children()}

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        """One round of the game, as the paper's algorithm tells it: yield a `Update` each time a
        player must move.

        The code after a `yield` runs when that player has moved.
        """
        raise NotImplementedError

    def score(self, batch: Batch) -> Tensor:
        """The discriminator's scores of a batch's pictures, (N, ...), to compare pictures that it
        trained on with others.

        The pictures in the batch's column `target` may be real or made from the rest of their rows.
        """
        return self.get_submodule("discriminator")(batch["image"])

    def sample(self, count: int, rng: Rng, *_: Any, **inputs: Any) -> Tensor:
        """Make pictures, (count, channels, size, size) in [-1, 1], given a tensor of `count` rows
        for each of `inputs`.
        """
        raise NotImplementedError

    def make_inputs(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        """Inputs for `sample`, one row for each of the batch's, such that the pictures made can be
        held against the real ones.
        """
        return {name: batch[name] for name in self.inputs}

    def make_preview(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        """What a person should see of these rows, as columns of pictures by their heading; for GANs
        that are not `unconditional`.
        """
        return {
            "real": batch[self.target],
            "made": self.sample(len(batch[self.target]), rng, **self.make_inputs(batch, rng)),
        }


def with_classes(schema: Schema, conditional: bool) -> tuple[str, ...]:
    """What a GAN `requires` that is told the class of its pictures if the data has classes, unless
    it is not `conditional`.
    """
    return ("image", "label") if conditional and schema.names.get("label") else ("image",)


SOURCES = {
    "label": "classes: sub-folders as classes (--labels folders) or a CSV file (--labels labels.csv)",
    "image": "single pictures: a folder or zip",
    "a": "pictures of two domains: --data pairs:FOLDER or --data unpaired:FOLDER",
    "b": "pictures of two domains: --data pairs:FOLDER or --data unpaired:FOLDER",
    "attributes": "pictures with attributes: --data attributes:FOLDER",
    "caption": "pictures with captions: --data captions:FOLDER",
    "caption_features": "captions as numbers: --data captions:FOLDER with a captions.safetensors in it",
    "box": "pictures with boxes: --data captions:FOLDER, whose lines have a bbox",
    "keypoints": "pictures with key points: --data captions:FOLDER, whose lines have keypoints",
}


def check_needs(gan: GAN, schema: Schema) -> None:
    """Refuse data that lacks what a GAN needs.

    Raises:
        UserError: tells what is missing and which data has it.
    """
    there = {*schema.channels, *schema.names, *schema.widths, *(["box"] if schema.boxes else [])}
    for need in gan.requires:
        if need not in there or (
            need in ("label", "attributes", "keypoints") and not schema.names[need]
        ):
            raise UserError(
                f"{type(gan).__name__} needs {SOURCES[need]}; the data has {', '.join(sorted(there))}"
            )
