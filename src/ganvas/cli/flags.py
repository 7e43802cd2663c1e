"""Flags that several verbs share."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ganvas.errors import UserError

if TYPE_CHECKING:
    from ganvas.inference.run import Run

__all__ = ["AS_IT_IS", "AS_USUAL", "Device", "Loading", "Look", "Pairs", "Switch", "parse_settings"]

Device = Literal["auto", "cpu", "cuda", "mps"]
Switch = Annotated[bool, Parameter(negative="")]  # no --no-...
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
        How images become square: crop (default), pad, stretch, or tiles: squares cut from large
        images.
    labels
        Classes of a folder or zip: none (default), folders, or a CSV file (file,label).
    background
        Colour behind transparent pixels and around padded images (default white).
    frames
        Frames or pages of files that hold several: first (default), all, or a number N for every
        Nth. With all or N, films are read, too.
    overlap
        Share of its side by which a tile reaches over the next one (default 0).
    tiles
        Limit of the tiles of one image, evenly spread over it (default: all).
    """

    size: int | None = None
    channels: int | None = None
    fit: str | None = None
    labels: str | None = None
    background: str | None = None
    frames: str | None = None
    overlap: float | None = None
    tiles: int | None = None

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
    """`["batch=64"]` as `{"batch": 64}`.

    Raises:
        UserError: a pair has no value.
    """
    from ganvas.recipes.recipe import parse_value

    settings = {}
    for pair in pairs:
        # At the first =, since a value may contain more of them.
        key, equals, value = pair.partition("=")
        if not equals:
            raise UserError(f"--set {pair} has no value; write --set {pair}=VALUE")
        settings[key] = parse_value(value)
    return settings
