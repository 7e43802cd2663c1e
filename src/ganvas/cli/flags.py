"""Flags that several verbs share."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ganvas.errors import UserError
from ganvas.io.lists import split_pairs

if TYPE_CHECKING:
    from ganvas.inference.run import Run

__all__ = [
    "AS_IT_IS",
    "AS_USUAL",
    "Device",
    "Loading",
    "Look",
    "Pairs",
    "Switch",
    "Words",
    "parse_settings",
]

Device = Literal["auto", "cpu", "cuda", "mps"]
Switch = Annotated[bool, Parameter(negative="")]  # no --no-...
Words = Annotated[list[str] | None, Parameter(negative="")]  # a list: A,B or the flag again
Pairs = Annotated[list[str] | None, Parameter(name="--set", negative="")]


@Parameter(name="*")
@dataclass(frozen=True)
class Look:
    """How images are prepared.

    Parameters
    ----------
    size
        Side in pixels to which images are resized.
    channels
        Colour channels: 1 for grey, 3 for RGB.
    fit
        How images become square: crop (default), pad or stretch.
    labels
        Classes of a folder or zip: none (default), folders, or a CSV file (file,label).
    background
        Colour behind transparent pixels and around padded images (default white).
    """

    size: int | None = None
    channels: int | None = None
    fit: str | None = None
    labels: str | None = None
    background: str | None = None

    def given(self) -> dict[str, Any]:
        """The flags that were given, with their values."""
        return {key: value for key, value in asdict(self).items() if value is not None}


AS_IT_IS = Look()  # frozen, so one object may be the default of all verbs


@Parameter(name="*")
@dataclass(frozen=True)
class Loading:
    """How a trained GAN is loaded.

    Parameters
    ----------
    ema
        Use the moving average (EMA) of the weights if the run has one; its images are usually
        better. --no-ema: the weights as they were last trained.
    device
        Device that generates the images.
    """

    ema: bool = True
    device: Device = "auto"

    def load(self, folder: Path) -> "Run":
        """Load a run folder or a checkpoint."""
        from ganvas.inference.run import load

        return load(folder, device=self.device, ema=self.ema)


AS_USUAL = Loading()


def parse_settings(pairs: list[str]) -> dict[str, Any]:
    """`["batch=64", "seed=1,flip=true"]` as `{"batch": 64, "seed": 1, "flip": True}`.

    Raises:
        UserError: a pair has no value.
    """
    from ganvas.recipes.recipe import parse_value

    settings = {}
    for pair in split_pairs(pairs):
        # At the first =, since a value may contain more of them.
        key, equals, value = pair.partition("=")
        if not equals:
            raise UserError(f"--set {pair} has no value; write --set {pair}=VALUE")
        settings[key] = parse_value(value)
    return settings
