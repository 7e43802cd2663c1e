"""How training wants to see the images: size, channels, fit, background, labels, split."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganvas.errors import UserError, describe_validation
from ganvas.io.numbers import Fraction, Integer
from ganvas.io.resizing import Fit

__all__ = ["View", "collect_look", "make_view"]


class View(BaseModel):
    """How training wants to see the images. Part of a recipe, and of the packed store's key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Side in pixels; None: the pictures' own, where they share one.
    size: Annotated[Integer, Field(ge=1, le=4096)] | None = None
    # 1: grey; 3: rgb; 2: points in the plane, of size 1; None: the data's own
    channels: Literal[1, 2, 3] | None = None
    fit: Fit = "crop"
    background: str = "white"  # behind transparent pixels, and around padded pictures
    # for folders and zips: "none", "folders", TABLE or TABLE:COLUMN; idx sets carry their own
    labels: str = "none"
    # idx files and arrays: whether rows and columns are exchanged, as in EMNIST's files
    transpose: bool = False
    # Pictures are kept so much larger than `size`,
    # and each training step cuts a random square out of them.
    load_scale: Fraction = Field(default=1.0, ge=1, le=2)
    attributes: tuple[str, ...] = ()  # which of the data's attributes count; empty: all
    # which part of a set that comes in parts; None: as its name says, else "train"
    split: Literal["train", "test", "val", "all"] | None = None

    def load_size(self) -> int:
        """The side at which pictures are kept."""
        assert self.size is not None
        return round(self.size * self.load_scale)

    def key(self) -> dict[str, Any]:
        """What decides the pixels of packed images, as JSON."""
        # what labels say and which images a split has are parts of a key of their own; attributes
        # are chosen after packing
        return self.model_dump(exclude={"labels", "attributes", "split"})


def make_view(**values: Any) -> View:
    """Build a view of data from its settings.

    Raises:
        UserError: a value is not allowed.
    """
    try:
        return View(**values)
    except ValidationError as error:
        raise UserError(describe_validation(error)) from None


def collect_look(
    size: int | None,
    channels: int | None,
    fit: str | None,
    labels: str | Path | None,
    background: str | None,
    split: str | None = None,
    transpose: bool | None = None,
) -> dict[str, Any]:
    """How images shall be prepared, as far as it was given: settings of a view by name."""
    values = {
        "size": size,
        "channels": channels,
        "fit": fit,
        "labels": None if labels is None else str(labels),
        "background": background,
        "split": split,
        "transpose": transpose or None,  # given only where it is wanted
    }
    return {name: value for name, value in values.items() if value is not None}
