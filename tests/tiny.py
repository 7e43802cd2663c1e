"""Every GAN of the table, so small that a training step takes milliseconds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from ganvas.errors import UserError
from ganvas.gans import GAN, GANS, Update
from ganvas.gans.options import build_gan
from ganvas.recipes.schedule import cosine
from ganvas.rng import RowRng, StepRng
from ganvas.schema import Schema
from ganvas.training.engine import Engine
from ganvas.training.guard import Guard
from ganvas.training.step import StepContext, take_step

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
    "cut": {"width": 2, "blocks": 1, "discriminator_width": 2, "features": 4, "penalty_every": 2},
    "stargan": {"width": 2, "blocks": 1},
    "stargan-relativistic": {"width": 2, "blocks": 1, "features": 8, "penalty_every": 2},
    "inpaint": {"width": 2, "blocks": 1, "penalty_every": 2},
    "inpaint-relativistic": {
        "width": 2,
        "discriminator_width": 8,
        "blocks": 1,
        "penalty_every": 2,
        "least": 0.4,
        "most": 0.9,
    },
    "pix2pix": {"width": 2, "halvings": 1},
    "pix2pix-relativistic": {"width": 2, "blocks": 1, "penalty_every": 2},
    "gawwn-box": {"width": 2, "noise_size": 5, "text_size": 6, "letters": 4},
    "gawwn-keypoints": {"width": 2, "noise_size": 5, "text_size": 6, "letters": 4, "kept": 0.5},
    "gawwn-relativistic": {
        "width": 2,
        "noise_size": 5,
        "text_size": 6,
        "letters": 4,
        "features": 8,
    },
}


@dataclass
class FixedClock:
    """A clock that stands still."""

    images: int = 0
    steps: int = 0

    def every(self, period: int) -> bool:
        return self.steps % period == 0

    def ramp(self, start: float, end: float, over: int) -> float:
        return cosine(start, end, self.images, over)


def make_gan(name: str, size: int = 8, channels: int = 1, classes: int = 2, **options) -> GAN:
    """The GAN of that name, always with the same first weights.

    A GAN that generates points has their size and channels.
    """
    if GANS[name].kind == "point":
        size, channels = 1, 2
    torch.manual_seed(0)
    return build_gan(name, make_schema(size, channels, classes), OPTIONS[name] | options)


@cache
def list_labelled() -> list[str]:
    """The GANs that use the classes of the data."""
    return [name for name in GANS if "label" in make_gan(name).requires]


@cache
def list_unconditional() -> list[str]:
    """The GANs that generate from noise alone, perhaps with a class."""
    return [name for name in GANS if make_gan(name).unconditional]


def make_schema(size: int, channels: int, classes: int = 2) -> Schema:
    """Data with every column that a GAN may require.

    It has as many attributes as classes, three parts and captions of 16 bytes.
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
    """Random rows, (count, ...), with the columns that the GAN requires."""
    random = torch.Generator().manual_seed(seed)
    names = gan.schema.names

    def draw(name: str) -> Tensor:
        if name == "label":
            return torch.randint(len(gan.classes), (count,), generator=random)
        if name == "attributes":
            return torch.randint(2, (count, len(names["attributes"])), generator=random).float()
        if name == "caption":
            # two captions of 16 small letters
            return torch.randint(97, 123, (count, 2, 16), generator=random, dtype=torch.uint8)
        if name == "caption_features":
            return torch.randn(count, 2, 6, generator=random)
        if name == "box":
            # inside the image: left, top, width and height from 0.1 to 0.5 of its side
            return torch.rand(count, 4, generator=random) * 0.4 + 0.1
        if name == "keypoints":
            places = torch.rand(count, 3, 2, generator=random)
            return torch.cat([places, torch.ones(count, 3, 1)], 2)
        channels = gan.schema.channels[name]
        return torch.rand(count, channels, gan.size, gan.size, generator=random) * 2 - 1

    return {name: draw(name) for name in gan.requires}


def make_engine(precision: str) -> Engine:
    """A CPU engine that computes its updates in that precision."""
    engine = Engine("cpu")
    engine.precision = precision
    return engine


def make_context(
    gan: GAN, deferred: bool = False, engine: Engine | None = None, **adam
) -> StepContext:
    """What a training step on a CPU needs, its optimizers with those arguments.

    A deferred guard raises flags, as on a GPU, instead of errors.
    """
    engine = engine or make_engine("fp32")
    optimizers = {
        player: torch.optim.Adam(values, fused=True, **adam)
        for player, values in gan.players().items()
    }
    return StepContext(gan, optimizers, Guard(optimizers, deferred, engine.device), engine)


def take_first_step(context: GAN | StepContext, batch: dict[str, Tensor]):
    """One training step; a GAN alone gets optimizers of its own."""
    if isinstance(context, GAN):
        context = make_context(context, lr=1e-2)
    return take_step(context, batch, FixedClock(), StepRng(0, 0))


def list_updates(
    gan: GAN, batch: dict[str, Tensor], steps: int = 0
) -> list[Update | tuple[Update, ...]]:
    """The updates of a training step whose weights all stay as they are."""
    return list(gan.step(batch, FixedClock(steps=steps), StepRng(0, 0)))


def updates_by_player(gan: GAN, batch: dict[str, Tensor], steps: int = 0) -> dict[str, Update]:
    """The updates of a training step whose weights all stay as they are, by player."""
    return {
        update.player: update
        for update in gan.step(batch, FixedClock(steps=steps), StepRng(0, steps))
    }


def count_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def copy_weights(gan: GAN) -> dict[str, Tensor]:
    """The parameters by name, as they are now."""
    return {name: value.detach().clone() for name, value in gan.named_parameters()}


def equal_tensors(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def generate_images(gan: GAN, count: int = 3, seed: int = 0, label: int = 1) -> Tensor:
    """Samples of the GAN, all of one class where it takes classes."""
    rng = RowRng(seed, range(count))
    inputs = {"label": torch.full((count,), label)} if "label" in gan.inputs else {}
    with torch.no_grad():
        if not gan.unconditional:
            inputs = gan.make_inputs(make_batch(gan, count), rng)
        return gan.sample(count, rng, **inputs)


def refused_in_one_line(call: Callable[[], object], message: str) -> None:
    """The call must raise a `UserError` of one line that matches `message`."""
    import pytest  # only here: benchmarks use this module where there is no pytest

    with pytest.raises(UserError, match=message) as raised:
        call()
    assert "\n" not in str(raised.value)
