"""Every GAN of the table, so small that a round takes milliseconds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pytest
import torch
from torch import Tensor

from ganvas.errors import UserError
from ganvas.gans import GAN, GANS, Update
from ganvas.gans.options import build
from ganvas.recipes.schedule import cosine
from ganvas.rng import RowRng, StepRng
from ganvas.schema import Schema
from ganvas.training.engine import Engine
from ganvas.training.step import Guard, StepContext, take_step

OPTIONS = {
    "mlp": {"hidden": 8, "noise_size": 5},
    "mlp-deep": {"hidden": (8, 9), "noise_size": 5},
    "mlp-tanh": {"hidden": 8, "noise_size": 5},
    "dcgan": {"width": 2, "noise_size": 5},
    "avatar-dcgan": {"width": 2, "noise_size": 5},
    "cdcgan": {"width": 2, "noise_size": 5},
    "relativistic": {"width": 2, "noise_size": 5, "features": 8},
    "r3gan": {"width": 4, "noise_size": 5, "burn_in": 24},
    "sngan": {"width": 2, "noise_size": 5},
    "wgan-gp": {"width": 2, "noise_size": 5},
    "points": {"hidden": 8, "noise_size": 5},
    "points-relativistic": {"hidden": (8, 12), "noise_size": 5},
    "cyclegan": {"width": 2, "blocks": 1, "pool": 3},
    "stargan": {"width": 2, "blocks": 1},
    "inpaint": {"width": 2, "blocks": 1, "penalty_every": 2},
    "pix2pix": {"width": 2, "halvings": 1},
    "gawwn-box": {"width": 2, "noise_size": 5, "text_size": 6, "letters": 4},
    "gawwn-keypoints": {"width": 2, "noise_size": 5, "text_size": 6, "letters": 4, "kept": 0.5},
}


@dataclass
class Position:
    """A clock that stands still."""

    images: int = 0
    steps: int = 0

    def every(self, period: int) -> bool:
        return self.steps % period == 0

    def ramp(self, start: float, end: float, over: int) -> float:
        return cosine(start, end, self.images, over)


def make(name: str, size: int = 8, channels: int = 1, classes: int = 2, **options) -> GAN:
    """The GAN of that name, always with the same first weights; one that makes points has their
    size and channels.
    """
    if GANS[name].kind == "point":
        size, channels = 1, 2
    torch.manual_seed(0)
    return build(name, schema(size, channels, classes), OPTIONS[name] | options)


@cache
def labelled() -> list[str]:
    """The GANs that are told classes where the data has some."""
    return [name for name in GANS if "label" in make(name).requires]


def schema(size: int, channels: int, classes: int = 2) -> Schema:
    """Data with all that any GAN may want: as many attributes as classes, three parts, captions of
    16 bytes.
    """
    names = tuple(str(number) for number in range(classes))
    return Schema(
        size=size,
        channels={"image": channels, "a": channels, "b": channels},
        names={"label": names, "attributes": names, "keypoints": ("beak", "left eye", "right eye")},
        widths={"caption": 16, "caption_features": 6},
        boxes=True,
    )


def make_batch(gan: GAN, count: int, seed: int = 1) -> dict[str, Tensor]:
    """Random rows with what the GAN asks for."""
    random = torch.Generator().manual_seed(seed)
    size, names = gan.size, gan.schema.names
    make = {
        "label": lambda: torch.randint(len(gan.classes), (count,), generator=random),
        "attributes": lambda: torch.randint(
            2, (count, len(names["attributes"])), generator=random
        ).float(),
        "caption": lambda: torch.randint(
            97, 123, (count, 2, 16), generator=random, dtype=torch.uint8
        ),
        "caption_features": lambda: torch.randn(count, 2, 6, generator=random),
        "box": lambda: torch.rand(count, 4, generator=random) * 0.4 + 0.1,
        "keypoints": lambda: torch.cat(
            [torch.rand(count, 3, 2, generator=random), torch.ones(count, 3, 1)], 2
        ),
    }
    for name, channels in gan.schema.channels.items():
        make[name] = lambda channels=channels: (
            torch.rand(count, channels, size, size, generator=random) * 2 - 1
        )
    return {name: make[name]() for name in gan.requires}


def make_engine(precision: str) -> Engine:
    """A CPU engine that plays its turns in that precision."""
    engine = Engine("cpu")
    engine.half = precision == "bf16"
    return engine


def make_game(
    gan: GAN, deferred: bool = False, engine: Engine | None = None, **adam
) -> StepContext:
    """A game on a CPU, its optimizers with those arguments; a deferred guard raises flags, as on a
    GPU, instead of errors.
    """
    engine = engine or make_engine("fp32")
    optimizers = {
        player: torch.optim.Adam(values, fused=True, **adam)
        for player, values in gan.players().items()
    }
    return StepContext(gan, optimizers, Guard(optimizers, deferred, engine.device), engine)


def play(context: GAN | StepContext, batch: dict[str, Tensor]):
    """One round as training plays it; of a GAN alone as if it were its first."""
    context = make_game(context, lr=1e-2) if isinstance(context, GAN) else context
    return take_step(context, batch, Position(), StepRng(0, 0))


def moves(gan: GAN, batch: dict[str, Tensor], steps: int = 0) -> list[Update | tuple[Update, ...]]:
    """The moves of a round in which nobody moves."""
    return list(gan.step(batch, Position(steps=steps), StepRng(0, 0)))


def weights(gan: GAN) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in gan.named_parameters()}


def pictures(gan: GAN, count: int = 3, seed: int = 0, label: int = 1) -> Tensor:
    rng = RowRng(seed, range(count))
    inputs = {"label": torch.full((count,), label)} if "label" in gan.inputs else {}
    with torch.no_grad():
        return gan.sample(
            count,
            rng,
            **(inputs if gan.unconditional else gan.make_inputs(make_batch(gan, count), rng)),
        )


def refused_in_one_line(call: Callable[[], object], told: str) -> None:
    """The call must be refused as the user's mistake, in one line that matches `told`."""
    with pytest.raises(UserError, match=told) as raised:
        call()
    assert "\n" not in str(raised.value)
