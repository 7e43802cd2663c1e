"""How training wants to see the images: size, channels, fit, background, labels, frames, tiles."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from ganvas.errors import UserError, describe_validation
from ganvas.io.resizing import Fit

__all__ = ["View", "collect_look", "make_view"]


def _read_frames(value: Any) -> Any:
    """The setting `frames`; one message for all that it may not be."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if value in ("first", "all") or (type(value) is int and value >= 1):
        return value
    raise ValueError("input should be 'first', 'all', or a number N for every Nth")


Frames = Annotated[Literal["first", "all"] | int, BeforeValidator(_read_frames)]


class View(BaseModel):
    """How training wants to see the images. Part of a recipe, and of the packed store's key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Side in pixels; None: the pictures' own, where they share one.
    size: int | None = Field(default=None, ge=1, le=4096)
    # 1: grey; 3: rgb; 2: points in the plane, of size 1; None: the data's own
    channels: Literal[1, 2, 3] | None = None
    fit: Fit = "crop"
    background: str = "white"  # behind transparent pixels, and around padded pictures
    # for folders and zips: "none", "folders", or a CSV file; idx sets carry their own
    labels: str = "none"
    # Pictures are kept so much larger than `size`,
    # and each training step cuts a random square out of them.
    load_scale: float = Field(default=1.0, ge=1, le=2)
    attributes: tuple[str, ...] = ()  # which of the data's attributes count; empty: all
    # Of files with several frames or pages: "first", "all", or 2 for every second one, ...
    frames: Frames = "first"
    # With fit "tiles": the share of its side by which a square reaches over the next one, and how
    # many squares are cut from one image at most, evenly spread over it; None: all.
    overlap: float = Field(default=0.0, ge=0, le=0.9)
    tiles: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _check_tiles(self) -> "View":
        """Settings of tiles without tiles would have no effect."""
        if self.fit != "tiles" and (self.overlap or self.tiles is not None):
            name = "overlap" if self.overlap else "tiles"
            raise ValueError(f"{name} is for fit=tiles, and fit is {self.fit}")
        return self

    def load_size(self) -> int:
        """The side at which pictures are kept."""
        assert self.size is not None
        return round(self.size * self.load_scale)

    @property
    def every(self) -> int:
        """The step from one frame of a file to the next that is used; 0: only the first is."""
        if isinstance(self.frames, int):
            return self.frames
        return 1 if self.frames == "all" else 0

    def key(self) -> dict[str, Any]:
        """What decides the pixels of packed images, as JSON."""
        # what labels say is part of a key of its own; attributes are chosen after packing
        return self.model_dump(exclude={"labels", "attributes"})


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
    **more: Any,
) -> dict[str, Any]:
    """How images shall be prepared, as far as it was given: settings of a view by name.

    `more` holds settings that need no other form, such as frames, overlap and tiles.
    """
    values = {
        "size": size,
        "channels": channels,
        "fit": fit,
        "labels": None if labels is None else str(labels),
        "background": background,
        **more,
    }
    return {name: value for name, value in values.items() if value is not None}
