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
        Channels, 1 to 16: 1 for grey, 3 for RGB, 4 for RGB with transparency or four bands.
    fit
        How images become square: crop (default), pad or stretch.
    labels
        Classes of a folder or zip: none (default), folders, or a CSV file (file,label).
    background
        Colour behind transparent pixels and around padded images (default white).
    range
        Values LOW,HIGH of the files that become black and white (default: found for the whole set).
    categories
        Column of images that are label maps (image, a or b): a plane for each category.
    """

    size: int | None = None
    channels: int | None = None
    fit: str | None = None
    labels: str | None = None
    background: str | None = None
    # a lowest value below 0 is no flag
    range: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None
    categories: str | None = None

    def given(self) -> dict[str, Any]:
        """The flags that were given, with their values.

        Raises:
            UserError: the range is not two numbers.
        """
        from ganvas.data.view import parse_range

        values = {key: value for key, value in asdict(self).items() if value is not None}
        if "range" in values:
            values["range"] = parse_range(values["range"])
        return values


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
