"""Flags that several verbs share."""

import math
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter, Token

from ganvas.errors import UserError
from ganvas.io.lists import split_pairs

if TYPE_CHECKING:
    from ganvas.inference.choice import NoiseChoice
    from ganvas.inference.naming import Naming
    from ganvas.inference.run import Run

__all__ = [
    "AS_DRAWN",
    "AS_IT_IS",
    "AS_NUMBERED",
    "AS_USUAL",
    "CLOSED",
    "Device",
    "Files",
    "Loading",
    "Look",
    "Noise",
    "Number",
    "Pairs",
    "Switch",
    "Walking",
    "Whole",
    "Words",
    "parse_settings",
]


def read_whole(_: Any, tokens: Sequence[Token]) -> int:
    """Read a whole number; cyclopts itself would round 1.7 to 2.

    Raises:
        UserError: it is none, or of more than 15 digits.
    """
    word = tokens[0].value
    if not re.fullmatch(r"[+-]?[0-9]{1,15}", word):
        raise UserError(f"{tokens[0].keyword} {word}: a whole number is needed")
    return int(word)


def read_number(_: Any, tokens: Sequence[Token]) -> float:
    """Read a finite number; Python itself reads "nan" and "inf", too.

    Raises:
        UserError: it is none.
    """
    word = tokens[0].value
    with suppress(ValueError):
        if math.isfinite(number := float(word)):
            return number
    raise UserError(f"{tokens[0].keyword} {word}: a number is needed")


Whole = Annotated[int, Parameter(converter=read_whole)]
Number = Annotated[float, Parameter(converter=read_number)]
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
        Channels, 1 to 16: 1 for grey, 3 for RGB, 4 for RGB with transparency or four bands.
    fit
        How images become square: crop (default), pad, stretch, or tiles: squares cut from large
        images.
    labels
        Classes of a folder or zip: none (default), folders, or a table, as TABLE or TABLE:COLUMN.
    background
        Colour behind transparent pixels and around padded images (default white).
    split
        Part of a set that comes in parts: train (default), test, val or all.
    subset
        Rows to use, START:STOP, counted from 0 and without STOP itself: :1000 for the first
        thousand (default: all).
    transpose
        Exchange of the rows and columns of idx files and arrays, as EMNIST's files need it.
    range
        Values LOW,HIGH of the files that become black and white (default: found for the whole set).
    categories
        Column of images that are label maps (image, a or b): a plane for each category.
    frames
        Frames or pages of files that hold several: first (default), all, or a number N for every
        Nth. With all or N, films are read, too.
    overlap
        Share of its side by which a tile reaches over the next one (default 0).
    tiles
        Limit of the tiles of one image, evenly spread over it (default: all).
    ignore_alpha
        Take transparency that files declare for a band like all others: --channels 3 are the
        colours alone, --channels 4 four bands.
    follow_links
        Follow links to folders wherever they lead, also out of the data set.
    """

    size: Whole | None = None
    channels: Whole | None = None
    fit: str | None = None
    labels: str | None = None
    background: str | None = None
    split: str | None = None
    subset: str | None = None
    transpose: Switch = False
    # a lowest value below 0 is no flag
    range: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None
    categories: str | None = None
    frames: str | None = None
    overlap: float | None = None
    tiles: int | None = None
    ignore_alpha: Switch = False
    follow_links: Switch = False

    def given(self) -> dict[str, Any]:
        """The flags that were given, with their values.

        Raises:
            UserError: the range is not two numbers.
        """
        from ganvas.data.view import collect_look

        return collect_look(**asdict(self))


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


NOISE = Group("Noise", sort_key=1)
FILES = Group("Files", sort_key=2)
WALKS = Group("Walks", sort_key=3)


@Parameter(name="*")
@dataclass(frozen=True)
class Noise:
    """Which noise images are drawn from.

    Parameters
    ----------
    seeds
        Seeds, as 3,17,40-60: of each the image that --seed N --count 1 draws.
    noise
        Files of noise that `ganvas restore` wrote, seeds, and sums of them: "a - b + c", with
        spaces. A file alone stands for all its images, else for its first; FILE:2 for its second.
    near
        Seed or file of noise of an image: it and variations of it are drawn.
    spread
        How far variations may go, from 0 (the same) to 1 (unrelated) (default 0.3).
    truncation
        Factor by which noise is moved towards its mean, from 0 to 2: less makes images more usual
        and more alike.
    direction
        Directions of `ganvas directions`, and how far to move along each: 3:2.5, or several,
        1:2,Eyeglasses:-1.5. For a walk there and back: 3:-3..3.
    directions
        Folder that `ganvas directions` wrote (default: the newest in RUN/directions).
    """

    seeds: Annotated[str | None, Parameter(group=NOISE)] = None
    noise: Annotated[list[str] | None, Parameter(group=NOISE, negative="")] = None
    near: Annotated[str | None, Parameter(group=NOISE)] = None
    spread: Annotated[Number | None, Parameter(group=NOISE)] = None
    truncation: Annotated[Number, Parameter(group=NOISE)] = 1.0
    direction: Annotated[str | None, Parameter(group=NOISE)] = None
    directions: Annotated[Path | None, Parameter(group=NOISE)] = None

    def choice(self) -> "NoiseChoice":
        """As the engine has it."""
        from ganvas.inference.choice import NoiseChoice

        return NoiseChoice(**asdict(self))


AS_DRAWN = Noise()


@Parameter(name="*")
@dataclass(frozen=True)
class Files:
    """What files are called, and how large images are.

    Parameters
    ----------
    names
        Names of the files, such as {n}.jpg or face-{n:04}.png; {n} is the number of the image.
    start
        Number of the first image in the names of the files.
    scale
        Whole number by which images are enlarged, each pixel repeated; 8 suits pixel art.
    """

    names: Annotated[str | None, Parameter(group=FILES)] = None
    start: Annotated[Whole, Parameter(group=FILES)] = 0
    scale: Annotated[Whole | None, Parameter(group=FILES)] = None

    def naming(self) -> "Naming":
        """As the engine has it."""
        from ganvas.inference.naming import Naming

        return Naming(self.names, self.start)


AS_NUMBERED = Files()


@Parameter(name="*")
@dataclass(frozen=True)
class Walking:
    """How a walk is drawn.

    Parameters
    ----------
    frames
        Frames of the walk (default 96).
    fps
        Frames per second (default 16).
    loop
        Return to the first image, and repeat. --no-loop: end at the last one.
    walks
        Number of walks side by side, each through other noise.
    """

    frames: Annotated[Whole | None, Parameter(group=WALKS)] = None
    fps: Annotated[Number | None, Parameter(group=WALKS)] = None
    loop: Annotated[bool, Parameter(group=WALKS)] = True
    walks: Annotated[Whole | None, Parameter(group=WALKS)] = None


CLOSED = Walking()


def parse_settings(pairs: list[str]) -> dict[str, Any]:
    """`["batch=64", "seed=1,flip=true"]` as `{"batch": 64, "seed": 1, "flip": True}`.

    Raises:
        UserError: a pair has no value, or a setting is given twice.
    """
    from ganvas.recipes.recipe import parse_value

    settings = {}
    for pair in split_pairs(pairs):
        # At the first =, since a value may contain more of them.
        key, equals, value = pair.partition("=")
        if not equals:
            raise UserError(f"--set {pair} has no value; write --set {pair}=VALUE")
        if key in settings:
            raise UserError(f"--set {key}= is given twice; give it once")
        settings[key] = parse_value(value)
    return settings
