"""Reading checkpoints: folders of safetensors and JSON, whole or absent.

Nothing is ever unpickled.
"""

import hashlib
import json
import platform
import re
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ganvas.errors import UserError, describe_validation
from ganvas.gans import GANS
from ganvas.gans.base import GAN
from ganvas.gans.options import build_gan
from ganvas.io.files import DamagedFileError, read_json
from ganvas.recipes.recipe import Recipe
from ganvas.schema import Schema

FORMAT = 3
NAME = "[0-9]{12}"  # of a checkpoint's folder: the images shown
MOST_IMAGES = 10**12  # which no longer fit such a name
LARGEST = torch.finfo(torch.float32).max
Images = Annotated[int, Field(ge=0, lt=MOST_IMAGES)]


class CheckpointError(UserError):
    """A checkpoint is damaged or not ours; the message names the file and the reason."""


class Description(BaseModel):
    """What `build` needs to make a GAN again."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    data: Schema
    options: dict[str, Any]


class Length(BaseModel):
    """What must stand in the recipe of a checkpoint, which may be of another version."""

    model_config = ConfigDict(strict=True)

    images: PositiveInt


class Source(BaseModel):
    """What must be told of the data of a checkpoint."""

    model_config = ConfigDict(strict=True)

    fingerprint: str


class About(BaseModel):
    """What must stand in `about.json`; there is more, for people."""

    model_config = ConfigDict(strict=True)

    gan: Description
    recipe: Length
    images: Images
    data: Source
    versions: dict[str, str] = {}
    files: dict[str, str]


# The sum of finite float32 numbers, and how many they were.
Mean = tuple[
    Annotated[float, Field(ge=-LARGEST, le=LARGEST)], Annotated[int, Field(ge=1, lt=MOST_IMAGES)]
]


class Position(BaseModel):
    """What must stand in `training.json`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    images: Images
    means: dict[str, Annotated[Mean, Field(strict=False)]]  # JSON has lists, not tuples
    stopped: str


def read_position(path: Path, about: dict[str, Any]) -> Position:
    """Read how far a checkpoint's run had come.

    Raises:
        CheckpointError: `training.json` is damaged, or contradicts `about.json` or the folder's
            name.
    """
    file = checked(path / "training.json", about)
    try:
        position = Position.model_validate(read_json(file))
    except DamagedFileError as error:
        raise CheckpointError(f"{error}; {advice(path)}") from None
    except ValidationError as error:
        raise CheckpointError(
            f"{file} is damaged: {describe_validation(error)}; {advice(path)}"
        ) from None
    if not position.images == about["images"] == int(path.name):
        told = f"{position.images:,} images, about.json of {about['images']:,}"
        raise CheckpointError(
            f"{file} is damaged: it tells of {told}, and the folder's name is {path.name}; {advice(path)}"
        )
    return position


def find_checkpoints(folder: Path) -> list[Path]:
    """The whole checkpoints under a folder, oldest first.

    All that is named otherwise is somebody else's.
    """
    return sorted(
        path for path in folder.glob("[0-9]*") if re.fullmatch(NAME, path.name) and path.is_dir()
    )


def load_gan(path: Path, ema: bool = True) -> tuple[GAN, dict[str, Any]]:
    """The GAN of a checkpoint in evaluation mode, with its moving average if it has one and
    `average`; and its `about.json`.

    Raises:
        CheckpointError: the checkpoint is damaged or not ours.
    """
    about = read_about(path)
    description = about["gan"]
    if description["name"] not in GANS:
        raise CheckpointError(
            f"{path / 'about.json'}: GAN {description['name']!r} is unknown to this version of ganvas"
        )
    try:
        gan = build_gan(**description).eval()
    except Exception as error:  # there is no end to the numbers that a stranger's file may hold, such as sizes beyond all memory
        reason = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path / 'about.json'} describes a GAN that cannot be built: {reason}"
        ) from error
    load_weights(path, about, gan, "gan.safetensors")
    if ema and "ema.safetensors" in about["files"]:
        load_weights(path, about, gan, "ema.safetensors")
    return gan, about


def read_about(path: Path) -> dict[str, Any]:
    """The description of a checkpoint.

    Raises:
        CheckpointError: it is missing, unreadable, or of another format.
    """
    file = path / "about.json"
    if not file.exists():
        raise CheckpointError(f"{file} is missing: {path} is not a checkpoint of ganvas")
    try:
        about = read_json(file)
    except DamagedFileError as error:
        raise CheckpointError(f"{error}; {advice(path)}") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        given = about.get("format") if isinstance(about, dict) else None
        raise CheckpointError(
            f"{file} has format {given!r}; this version of ganvas reads format {FORMAT}: train it anew"
        )
    try:
        About.model_validate_json(json.dumps(about))  # as JSON, where a strict tuple may be a list
    except ValidationError as error:
        raise CheckpointError(
            f"{file} is damaged: {describe_validation(error)}; {advice(path)}"
        ) from None
    return about


def recipe_of(path: Path, about: dict[str, Any]) -> Recipe:
    """The recipe by which a checkpoint was made.

    Raises:
        CheckpointError: it is damaged, or of another version.
    """
    try:
        return Recipe.model_validate(about["recipe"])
    except ValidationError as error:
        raise CheckpointError(
            f"{path / 'about.json'}: the recipe is damaged or of another version: {describe_validation(error)}"
        ) from None
    except UserError as error:  # of the GAN and its options
        raise CheckpointError(
            f"{path / 'about.json'}: the recipe is damaged or of another version: {error}"
        ) from None


def checked(file: Path, about: dict[str, Any]) -> Path:
    """The file, when its content is what was saved.

    Raises:
        CheckpointError: it is missing or was changed.
    """
    if not file.is_file():
        raise CheckpointError(f"{file} is missing; {advice(file.parent)}")
    try:
        found = digest(file)
    except OSError as error:
        raise CheckpointError(
            f"{file} cannot be read: {error.strerror}; {advice(file.parent)}"
        ) from None
    if found != about["files"].get(file.name):
        raise CheckpointError(
            f"{file} is damaged: its content is not what was saved; {advice(file.parent)}"
        )
    return file


def advice(path: Path) -> str:
    """What to do about a damaged checkpoint."""
    return f"remove the folder {path} to go on from the checkpoint before it"


def read_tensors(
    file: Path, about: dict[str, Any], wanted: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Read the tensors of a file of a checkpoint, on the CPU.

    Args:
        wanted: whose names, shapes and types it must hold, no more and no less.

    Raises:
        CheckpointError: names the first tensor that is missing, too much, or of another shape or
            type.
    """
    try:
        values = load_file(checked(file, about))
    except SafetensorError as error:
        raise CheckpointError(f"{file} is damaged: {error}; {advice(file.parent)}") from None
    for name in sorted(values.keys() | wanted.keys()):
        if name not in values:
            raise CheckpointError(f"{file} is of another GAN: {name} is missing")
        if name not in wanted:
            raise CheckpointError(
                f"{file} is of another GAN: it has {name}, which this one has not"
            )
        given, right = (
            f"{tuple(tensor.shape)} of {tensor.dtype}" for tensor in (values[name], wanted[name])
        )
        if given != right:
            raise CheckpointError(f"{file} is of another GAN: {name} is {given}, not {right}")
    return values


def load_weights(path: Path, about: dict[str, Any], gan: GAN, name: str) -> None:
    """Copy the weights of a file into a GAN; the average's file holds only the averaged players."""
    own = gan.state_dict()
    if name == "ema.safetensors":
        own = {key: value for key, value in own.items() if key.split(".")[0] in gan.ema_players}
    gan.load_state_dict(read_tensors(path / name, about, own), strict=False)


def digest(file: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@cache
def versions() -> dict[str, str]:
    """What software made a checkpoint."""
    found = {
        "ganvas": version("ganvas"),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    checkout = Path(__file__).parents[3]
    if (checkout / ".git").exists():
        command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
        # a machine without git, or somebody else's checkout
        with suppress(OSError, subprocess.CalledProcessError):
            found["commit"] = subprocess.run(
                command, capture_output=True, text=True, check=True
            ).stdout.strip()
    return found
