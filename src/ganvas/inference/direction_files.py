"""Directions in the space of noise: how a user names them, and the files that hold them."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import BaseModel, Field
from safetensors.torch import save_file
from torch import Tensor

from ganvas.errors import UserError, nearest, shorten
from ganvas.io.console import count_noun
from ganvas.io.files import atomic_path, write_text
from ganvas.io.numbers import find_number_fault
from ganvas.io.reading import DamagedFileError, check_values, read_json
from ganvas.io.tensors import read_tensor_file

__all__ = [
    "FOLDER",
    "Direction",
    "Step",
    "Steps",
    "find_direction",
    "read_directions",
    "read_steps",
    "write_directions",
]

FOLDER = "directions"  # of a run
TABLE, TENSORS = "directions.json", "directions.safetensors"
MOST_DIRECTIONS = 10_000
MOST_AMOUNT = 100.0  # standard deviations; far beyond what any GAN has seen
AMOUNT = r"\s*([+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+))\s*"
STEP = re.compile(rf"(.+):{AMOUNT}(?:\.\.{AMOUNT})?")  # 3:2.5 or 3:-3..3
NUMBER = re.compile(r"[0-9]{1,6}")

Kind = Literal["layer", "images", "labels"]


@dataclass(frozen=True, eq=False)
class Direction:
    """A direction in the space of noise.

    Attributes:
        vector: of length 1, float32 (size,): all noise that the GAN draws for an image, in order.
        kind: how it was found: by the first layer, by what changes in images, or by labels.
        name: of what it adds; "" where nobody knows.
        change: how much an image changes for each standard deviation of the noise: the root of the
            mean square over its pixels, in levels of 0 to 255.
        alike: the share of that change which is the same in all images, 0 to 1.
    """

    vector: Tensor
    kind: Kind = "images"
    name: str = ""
    change: float = 0.0
    alike: float = 0.0


class Step(NamedTuple):
    """How far to move along a direction, in standard deviations of the noise; or from where to
    where.
    """

    name: str  # or the number of the direction, from 1
    first: float
    last: float


Steps = str | Mapping[str | int, float] | Sequence[Step]


class _Entry(BaseModel):
    """What the table says of a direction."""

    name: Annotated[str, Field(max_length=1000)]
    kind: Kind
    change: float
    alike: float


class _Table(BaseModel):
    """What the table holds, besides more for people."""

    directions: Annotated[list[_Entry], Field(min_length=1, max_length=MOST_DIRECTIONS)]


def read_steps(given: Steps) -> tuple[Step, ...]:
    """Read "3:2.5", "1:2,Eyeglasses:-1.5" or "3:-3..3", or numbers by name.

    Raises:
        UserError: a part is none of these.
    """
    if isinstance(given, Mapping):
        steps = [Step(str(name), amount, amount) for name, amount in given.items()]
    elif isinstance(given, str):
        steps = list(map(_read_step, given.split(",")))
    else:
        steps = list(given)
    if not steps:
        raise UserError("--direction names no direction; write NUMBER:AMOUNT, as 3:2.5")
    for step in steps:
        for amount in step[1:]:
            if fault := find_number_fault(amount, whole=False):
                raise UserError(f"--direction {step.name}: {fault}")
        if max(abs(step.first), abs(step.last)) > MOST_AMOUNT:
            raise UserError(f"--direction {step.name}: give amounts of at most {MOST_AMOUNT:g}")
    return tuple(steps)


def _read_step(text: str) -> Step:
    """Read one part of what `--direction` names.

    Raises:
        UserError: it is no such part.
    """
    match = STEP.fullmatch(text.strip())
    if not match:
        raise UserError(
            f"--direction {shorten(text)}: write NUMBER:AMOUNT or NAME:AMOUNT, as 3:2.5, and of"
            " several 1:2,3:-1.5"
        )
    first = float(match[2])
    return Step(match[1].strip(), first, first if match[3] is None else float(match[3]))


def find_direction(directions: Sequence[Direction], name: str) -> Direction:
    """The direction of a number, from 1, or of a name.

    Raises:
        UserError: there is none.
    """
    if NUMBER.fullmatch(name):
        if 1 <= int(name) <= len(directions):
            return directions[int(name) - 1]
        raise UserError(f"--direction {name}: there are directions 1 to {len(directions)}")

    named = {direction.name: direction for direction in directions if direction.name}
    if name not in named:
        numbers = f"1 to {len(directions)}"
        hint = f"; {nearest(name, list(named))}" if named else ""
        raise UserError(f"--direction {name}: no direction has that name; give {numbers}{hint}")
    return named[name]


def write_directions(
    folder: Path, directions: Sequence[Direction], about: Mapping[str, object]
) -> Iterator[Path]:
    """Write directions as a file of tensors and a table; yields both.

    Args:
        folder: for the files.
        directions: in the order of their numbers; at least one.
        about: what else the table says.
    """
    with atomic_path(folder / TENSORS) as partial:
        save_file({"directions": torch.stack([one.vector for one in directions])}, partial)
    yield folder / TENSORS

    entries = [
        {"name": one.name, "kind": one.kind, "change": one.change, "alike": one.alike}
        for one in directions
    ]
    text = json.dumps({**about, "directions": entries}, indent=2, ensure_ascii=False)
    write_text(folder / TABLE, text + "\n")
    yield folder / TABLE


def read_directions(place: Path, size: int) -> list[Direction]:
    """Read what `ganvas directions` has written.

    Args:
        place: the folder of one call, or the one with all calls' folders, of which the newest
            counts.
        size: how many numbers of noise the GAN draws for an image.

    Raises:
        UserError: there is nothing, it is damaged, or of another GAN.
    """
    folder = place
    if not (place / TABLE).exists():
        calls = place.iterdir() if place.is_dir() else []
        numbers = [int(path.name) for path in calls if NUMBER.fullmatch(path.name)]
        written = [one for one in sorted(numbers) if (place / str(one) / TABLE).exists()]
        if not written:
            raise UserError(
                f"there are no directions in {place}; find them first",
                command=f"ganvas directions {place.parent}",
            )
        folder = place / str(written[-1])

    entries = check_values(_Table, read_json(folder / TABLE), folder / TABLE).directions
    vectors = read_tensor_file(folder / TENSORS).get("directions", torch.empty(0))
    if vectors.dtype != torch.float32 or vectors.ndim != 2 or len(vectors) != len(entries):
        raise DamagedFileError(
            f"{folder / TENSORS} is damaged: it does not hold the directions of {TABLE}"
        )
    if not vectors.isfinite().all():
        raise DamagedFileError(f"{folder / TENSORS} holds directions that are not finite")
    if vectors.shape[1] != size:
        held = count_noun(vectors.shape[1], "number")
        raise UserError(
            f"{folder} holds directions of {held}, and this GAN draws {size} for an image; the"
            " directions are another run's"
        )
    return [
        Direction(vector, entry.kind, entry.name, entry.change, entry.alike)
        for vector, entry in zip(vectors, entries)
    ]
