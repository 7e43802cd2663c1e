"""Every GAN of the table, so small that a round takes milliseconds."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from ganvas.checkpoint import build
from ganvas.engine import Engine
from ganvas.errors import UserError
from ganvas.gans import GAN, GANS

OPTIONS = {
    "mlp": {"hidden": 8, "noise_size": 5},
    "mlp-deep": {"hidden": (8, 9), "noise_size": 5},
    "mlp-tanh": {"hidden": 8, "noise_size": 5},
    "dcgan": {"width": 2, "noise_size": 5},
    "avatar-dcgan": {"width": 2, "noise_size": 5},
    "cdcgan": {"width": 2, "noise_size": 5},
    "relativistic": {"width": 2, "noise_size": 5, "features": 8},
    "points": {"hidden": 8, "noise_size": 5},
}
LABELLED = [name for name in GANS if "label" in GANS[name].needs]


@dataclass
class Position:
    """A clock that stands still."""

    images: int = 0
    rounds: int = 0


def make(name: str, size: int = 8, channels: int = 1, classes: int = 2, **options) -> GAN:
    """The GAN of that name, always with the same first weights; one that makes points has their size and channels."""
    if GANS[name].points:
        size, channels = 1, 2
    torch.manual_seed(0)
    return build(name, size, channels, [str(number) for number in range(classes)], OPTIONS[name] | options)


def make_batch(gan: GAN, count: int, seed: int = 1) -> dict[str, Tensor]:
    """Random pictures, and labels for those that ask for them."""
    random = torch.Generator().manual_seed(seed)
    batch = {"image": torch.rand(count, gan.channels, gan.size, gan.size, generator=random) * 2 - 1}
    if "label" in gan.needs:
        batch["label"] = torch.randint(len(gan.classes), (count,), generator=random)
    return batch


def make_engine(precision: str) -> Engine:
    """A CPU engine that plays its turns in that precision."""
    engine = Engine("cpu")
    engine.half = precision == "bf16"
    return engine


def refused_in_one_line(call: Callable[[], object], told: str) -> None:
    """The call must be refused as the user's mistake, in one line that matches `told`."""
    with pytest.raises(UserError, match=told) as raised:
        call()
    assert "\n" not in str(raised.value)
