"""How training wants to see the images: size, channels, fit, background, labels, values, frames."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from ganvas.errors import UserError, describe_validation
from ganvas.io.numbers import Fraction, Integer
from ganvas.io.resizing import Fit

__all__ = ["PinnedView", "View", "collect_look", "make_view", "parse_range"]


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
    size: Annotated[Integer, Field(ge=1, le=4096)] | None = None
    # 1: grey; 3: rgb; 4: rgb and opacity, or four bands; others: bands; 2 and size 1: points in the
    # plane; None: grey or rgb, as the data is
    channels: Annotated[Integer, Field(ge=1, le=16)] | None = None
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
    # The values in files that become black and white; None: 0..255 of 8 bits, and of more bits one
    # range that is found for the whole set.
    range: tuple[float, float] | None = None
    categories: str | None = None  # the image column that holds label maps: one plane a category
    # The rows that are used, as "START:STOP", counted from 0; either may be left out. None: all.
    subset: str | None = None
    # Whether what files declare to be transparency counts as a band like all others.
    ignore_alpha: bool = False
    # Whether links to folders are followed wherever they lead, also out of the set.
    follow_links: bool = False
    # Of files with several frames or pages: "first", "all", or 2 for every second one, ...
    frames: Frames = "first"
    # With fit "tiles": the share of its side by which a square reaches over the next one, and how
    # many squares are cut from one image at most, evenly spread over it; None: all.
    overlap: Fraction = Field(default=0.0, ge=0, le=0.9)
    tiles: Annotated[Integer, Field(ge=1)] | None = None

    @field_validator("range")
    @classmethod
    def check_range(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        """Refuse a range without width."""
        if value is not None and not (-1e300 < value[0] < value[1] < 1e300):
            raise ValueError("write LOW,HIGH, the values that become black and white")
        return value

    @field_validator("subset")
    @classmethod
    def check_subset(cls, value: str | None) -> str | None:
        """Refuse what is no START:STOP."""
        if value is not None and not re.fullmatch(r"\d+:|\d*:\d+", value, re.ASCII):
            raise ValueError(
                "write START:STOP, counted from 0 and without STOP itself, such as 5000:60000 or "
                ":1000"
            )
        return value

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

    def pinned(
        self,
        ranges: Mapping[str, tuple[float, float, bool]],
        categories: Mapping[str, tuple[str, ...]],
    ) -> "View":
        """This view for another set, whose values mean what those of a first set do.

        Args:
            ranges: of the first set, by column, as in `DataReport`.
            categories: of its label maps, by column.
        """
        if not ranges and not categories:
            return self
        values = {name: getattr(self, name) for name in View.model_fields}
        return PinnedView(**values | {"ranges": ranges, "names": categories})

    @property
    def every(self) -> int:
        """The step from one frame of a file to the next that is used; 0: only the first is."""
        if isinstance(self.frames, int):
            return self.frames
        return 1 if self.frames == "all" else 0

    def key(self) -> dict[str, Any]:
        """What decides the pixels of packed images, as JSON."""
        # what labels say and which images a split has are parts of a key of their own; attributes
        # and rows are chosen after packing
        return self.model_dump(exclude={"labels", "attributes", "split", "subset"})


class PinnedView(View):
    """A view of a set whose values mean what those of another one do, such as its training set.

    Attributes:
        ranges: by column; where there is none, files of more than 8 bits are looked at.
        names: of the categories, by column.
    """

    ranges: dict[str, tuple[float, float, bool]] = {}
    names: dict[str, tuple[str, ...]] = {}


def make_view(**values: Any) -> View:
    """Build a view of data from its settings.

    Raises:
        UserError: a value is not allowed.
    """
    try:
        return View(**values)
    except ValidationError as error:
        raise UserError(describe_validation(error)) from None


def collect_look(**given: Any) -> dict[str, Any]:
    """How images shall be prepared, as far as it was given: settings of a view by name.

    Args:
        given: settings by name, None where they were not given. A switch that is off was not given
            either; `labels` may be a path, and `range` a text.

    Raises:
        UserError: the range is not two numbers.
    """
    values = {
        key: value for key, value in given.items() if value is not None and value is not False
    }
    if "labels" in values:
        values["labels"] = str(values["labels"])
    if isinstance(values.get("range"), str):
        values["range"] = parse_range(values["range"])
    return values


def parse_range(text: str) -> tuple[float, float]:
    """`"0,4095"` as (0, 4095).

    Raises:
        UserError: it is not two numbers.
    """
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise UserError(
            f"--range {text}: write LOW,HIGH, the values that become black and white, "
            "for instance --range 0,4095"
        ) from None
    return low, high
