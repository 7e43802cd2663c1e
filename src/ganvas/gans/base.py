"""What every GAN is: players, a `step` that yields their updates, and `sample`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from torch import Tensor, nn

from ganvas.gans.requirements import check_schema
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = [
    "GAN",
    "AttributesInput",
    "Batch",
    "BoxInput",
    "ChoiceInput",
    "Clock",
    "FeaturesInput",
    "ImageInput",
    "Input",
    "KeyPointsInput",
    "MaskInput",
    "TextInput",
    "Update",
    "Updates",
    "choose_columns",
    "count_classes",
]


@dataclass
class Update:
    """One gradient step of one player, on the sum of `losses`."""

    player: str  # the name of a child of the GAN
    losses: dict[str, Tensor]  # scalars, already weighted; minimised as a sum, logged one by one
    stats: dict[str, Tensor] = field(default_factory=dict)  # scalars that are only logged
    # of real and of fake images, where a discriminator scored both: the doctor reads them
    scores: tuple[Tensor, Tensor] | None = None


# Several updates at once are simultaneous: all gradients first, then all steps.
Updates = Update | tuple[Update, ...]
Batch = Mapping[str, Tensor]  # rows of data; `Schema` describes the columns


class Clock(Protocol):
    """How far training has come, as much as a GAN may know of it."""

    @property
    def images(self) -> int:
        """Real images shown before this training step."""
        ...

    @property
    def steps(self) -> int:
        """Training steps before this one."""
        ...

    def every(self, period: int) -> bool:
        """Whether this training step is the first, or a multiple of `period` steps after it."""
        ...

    def ramp(self, start: float, end: float, over: int) -> float | Tensor:
        """A number that changes from `start` at 0 images to `end` at `over` images and later.

        It follows half a cosine. Where training steps are captured and replayed, it is a scalar on
        the device, which is updated before each replay.
        """
        ...


# Inputs of `sample`, by which the command line and the page know what to ask a user for


@dataclass(frozen=True)
class ChoiceInput:
    """One of several names: int64 (N,), an index into `names`."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class ImageInput:
    """An image: float32 (N, channels, H, W) in [-1, 1].

    Attributes:
        channels: as those of its column of the data.
        multiple: height and width must be multiples of it.
        own_size: whether images of any size work well; if not, the size of the training images
            works best.
    """

    channels: int
    multiple: int
    own_size: bool = True


@dataclass(frozen=True)
class MaskInput:
    """Where an image has a hole: float32 (N, 1, H, W), 1 in the hole and 0 around it."""


@dataclass(frozen=True)
class AttributesInput:
    """Which attributes an image shall have: float32 (N, A) in {0, 1}.

    Attributes:
        names: of the attributes.
        exclusive: groups of names of which an image has one at a time, such as hair colours.
    """

    names: tuple[str, ...]
    exclusive: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class TextInput:
    """A text: uint8 (N, 1, length), bytes of UTF-8, padded with zeros."""

    length: int


@dataclass(frozen=True)
class FeaturesInput:
    """A text as numbers of a sentence encoder: float32 (N, 1, length)."""

    length: int


@dataclass(frozen=True)
class BoxInput:
    """A box: float32 (N, 4), left, top, width and height in shares of the image's side."""


@dataclass(frozen=True)
class KeyPointsInput:
    """Positions of parts: float32 (N, P, 3), x and y in shares of the side, and 1 where given.

    Attributes:
        parts: their names.
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

    A subclass's constructor takes the data's schema, and the hyper-parameters as keyword arguments
    with the paper's values. It raises a `UserError` for what it cannot generate.

    Attributes:
        ema_players: players whose moving average of weights `sample` uses.
        requires: columns that a batch must have.
        kind: "image", or "point" for points in the plane, of size 1 with 2 channels.
        has_ground_truth: whether `make_inputs` asks for the very image of a row, so that the
            generated image can be compared with it pixel by pixel.
        double_backward: whether a loss contains gradients with respect to images, so that players
            are differentiated twice.
        decision_threshold: the score at which the discriminator is undecided; None where only
            differences of scores have a meaning.
        schema: of the data.
        target: the column of the data that `sample` imitates.
        size: side of the generated images in pixels, unless an input decides it.
        channels: of the generated images.
        classes: names of the classes.
    """

    ema_players: tuple[str, ...] = ("generator",)
    requires: tuple[str, ...] = ("image",)
    kind: Literal["image", "point"] = "image"
    has_ground_truth: bool = False
    double_backward: bool = False
    decision_threshold: float | None = 0.0  # of a logit: D = sigmoid(0) = 1/2

    def __init__(self, schema: Schema, target: str = "image"):
        super().__init__()
        check_schema(schema, self.kind, self.requires)
        self.schema = schema
        self.target = target
        self.size = schema.size
        self.channels = schema.channels[target]
        self.classes = schema.names.get("label", ())  # () without classes

    @property
    def inputs(self) -> dict[str, Input]:
        """What `sample` needs from a user, by argument name."""
        return {"label": ChoiceInput(self.classes)} if "label" in self.requires else {}

    @property
    def unconditional(self) -> bool:
        """Whether it generates images from noise, and a class at most.

        If not, it needs rows of data to show what it can do.
        """
        return all(name == "label" for name in self.inputs)  # also true without inputs

    def players(self) -> dict[str, list[nn.Parameter]]:
        """The parameters that each player learns: all of its network that are not frozen."""
        return {
            name: [parameter for parameter in child.parameters() if parameter.requires_grad]
            for name, child in self.named_children()
        }

    def count_parameters(self) -> dict[str, int]:
        """How many numbers each player's network consists of."""
        return {
            name: sum(parameter.numel() for parameter in child.parameters())
            for name, child in self.named_children()
        }

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        """One training step, as the paper's algorithm has it: yield each player's `Update`.

        The code after a `yield` runs when that player has been updated. A step may return scalars
        that it measured after its last update, by name; they are logged, too.
        """
        raise NotImplementedError

    def score(self, batch: Batch) -> Tensor:
        """The discriminator's scores of a batch's images, (N, ...).

        They serve to compare training images with others. The images in the batch's column `target`
        may be real, or generated from the rest of their rows.
        """
        return self.get_submodule("discriminator")(batch["image"])

    def sample(self, count: int, rng: Rng, *_: Any, **inputs: Any) -> Tensor:
        """Generate images, (count, channels, size, size) in [-1, 1].

        Each of `inputs` is a tensor of `count` rows. A `label` is int64 (count,), or float (count,
        classes): shares of classes that sum to 1, for images on the way from class to class.
        """
        raise NotImplementedError

    def ways(self, image: Tensor, changes: Mapping[str, bool]) -> dict[str, dict[str, Tensor]]:
        """Inputs of `sample` beside an image (1, C, H, W), by the name of what they make of it.

        Args:
            image: of any size, in [-1, 1].
            changes: attributes to set or take away, for GANs with an `AttributesInput`; empty: all
                that the GAN can do, one by one.
        """
        return {self.schema.domain(self.target): {}}

    def make_inputs(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        """Inputs for `sample`, one row for each of the batch's.

        The images generated from them can be compared with the real ones.
        """
        return {name: batch[name] for name in self.inputs}

    def make_preview(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        """What a person should see of these rows, as columns of images by their title.

        For GANs that are not `unconditional`.
        """
        real = batch[self.target]  # (N, C, H, W)
        generated = self.sample(len(real), rng, **self.make_inputs(batch, rng))
        return {"real": real, "generated": generated}

    def column_of(self, title: str) -> str:
        """The column of data whose channels the images under a title of `make_preview` have."""
        return self.target


def choose_columns(schema: Schema, conditional: bool) -> tuple[str, ...]:
    """What a GAN `requires` that uses the classes of the data, if there are any.

    Args:
        schema: of the data.
        conditional: False: ignore the classes.
    """
    return ("image", "label") if conditional and schema.names.get("label") else ("image",)


def count_classes(gan: GAN) -> int:
    """How many classes a GAN uses; 0: it is unconditional."""
    return len(gan.classes) if "label" in gan.requires else 0
