"""What every GAN is: players, a `step` that tells whose turn it is, and a `sample` that makes pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor, nn

from ganvas.draws import Draw
from ganvas.errors import UserError


@dataclass
class Turn:
    """One player's move: the player named takes one gradient step on the sum of `losses`."""

    player: str  # the name of a child of the GAN
    losses: dict[str, Tensor]  # scalars, already weighted; minimised as a sum, logged one by one
    stats: dict[str, Tensor] = field(default_factory=dict)  # only logged
    scores: tuple[Tensor, Tensor] | None = None  # of real and of fake pictures, where a discriminator judged both: for the doctor


Move = Turn | tuple[Turn, ...]  # several turns at once are simultaneous: all gradients first, then all steps
Batch = Mapping[str, Tensor]  # "image": float32 (N, C, H, W) in [-1, 1]; "label": int64 (N,)


class Clock(Protocol):
    """How far training has come, as much as a GAN may know of it."""

    @property
    def images(self) -> int:
        """Real images shown before this round."""
        ...

    @property
    def rounds(self) -> int:
        """Rounds played before this one."""
        ...


@dataclass(frozen=True)
class Choice:
    """An input of `sample` that is one of several names: int64 (N,), an index into `names`."""

    names: tuple[str, ...]


class GAN(nn.Module):
    """A game between players, which are the module's children.

    A subclass's constructor takes `size`, `channels` and `classes` from the data and keyword hyper-parameters with the paper's
    values; what it cannot make it refuses with a `UserError`.

    Attributes:
        averaged: the players whose moving average of weights `sample` uses.
        needs: what a batch must hold.
        points: whether it makes points in the plane, of size 1 with 2 channels, instead of pictures.
        neutral: the score by which the discriminator says that it cannot tell; None where only differences of scores count.
    """

    averaged: tuple[str, ...] = ("generator",)
    needs: tuple[str, ...] = ("image",)
    points: bool = False
    neutral: float | None = 0.0

    def __init__(self, size: int, channels: int, classes: tuple[str, ...] = ()):
        super().__init__()
        if self.points and (size, channels) != (1, 2):
            raise UserError(f"{type(self).__name__} makes points, not pictures of {size}x{size}: use --data rings or --data grid")
        if channels == 2 and not self.points:
            raise UserError(f"{type(self).__name__} makes pictures, not points: use the recipes rings and grid, or gan=points")
        self.size, self.channels, self.classes = size, channels, tuple(classes)

    @property
    def inputs(self) -> dict[str, Choice]:
        """What `sample` needs from a user, by argument name."""
        return {"label": Choice(self.classes)} if "label" in self.needs else {}

    def players(self) -> dict[str, list[nn.Parameter]]:
        """The parameters of each player."""
        return {name: list(child.parameters()) for name, child in self.named_children()}

    def step(self, batch: Batch, clock: Clock, draw: Draw) -> Iterator[Move]:
        """One round of the game, as the paper's algorithm tells it: yield a `Turn` each time a player must move.

        The code after a `yield` runs when that player has moved.
        """
        raise NotImplementedError

    def score(self, batch: Batch) -> Tensor:
        """The discriminator's scores of a batch's pictures, (N, ...), to compare pictures that it trained on with others."""
        return self.get_submodule("discriminator")(batch["image"])

    def sample(self, count: int, draw: Draw, *_: Any, **inputs: Any) -> Tensor:
        """Make pictures, (count, channels, size, size) in [-1, 1], given a tensor of `count` rows for each of `inputs`."""
        raise NotImplementedError
