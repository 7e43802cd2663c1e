"""Reading checkpoints: folders of safetensors and JSON, whole or absent.

Nothing is ever unpickled. Every number and name is checked before it is used, since a checkpoint
may come from a stranger.
"""

import json
import platform
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError
from torch import Tensor

from ganvas.errors import UserError, describe_validation
from ganvas.gans import GANS
from ganvas.gans.base import GAN
from ganvas.gans.options import build_gan
from ganvas.io.files import hash_file
from ganvas.io.reading import DamagedFileError, check_values, read_json
from ganvas.io.tensors import read_tensor_file
from ganvas.recipes.recipe import Recipe, build_recipe
from ganvas.runs.kept import Kept
from ganvas.schema import Schema

__all__ = [
    "FORMAT",
    "About",
    "CheckpointError",
    "Description",
    "Length",
    "Position",
    "Source",
    "load_gan",
    "load_weights",
    "read_about",
    "read_checkpoint_recipe",
    "read_position",
    "read_tensors",
    "suggest_removal",
    "versions",
]

FORMAT = 3  # of the folder; a checkpoint of another one is refused, not converted
MOST_IMAGES = 10**12  # the first number that does not fit the name of a checkpoint
LARGEST = torch.finfo(torch.float32).max  # a sum beyond it is infinite on the device
Images = Annotated[int, Field(ge=0, lt=MOST_IMAGES)]


class CheckpointError(UserError):
    """A checkpoint is damaged or foreign; the message names the file and the reason."""


class Description(BaseModel):
    """What `build` needs to build a GAN again."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    data: Schema
    options: dict[str, Any]


class Length(BaseModel):
    """What the recipe of a checkpoint must have, even one of another version of ganvas."""

    model_config = ConfigDict(strict=True)

    images: PositiveInt


class Source(BaseModel):
    """What a checkpoint must say about its data."""

    model_config = ConfigDict(strict=True)

    fingerprint: str


class About(BaseModel):
    """What `about.json` must have; it has more, for people."""

    model_config = ConfigDict(strict=True)

    gan: Description
    recipe: Length
    images: Images
    data: Source
    versions: dict[str, str] = {}
    kept: Kept | None = None  # None: all of the GAN
    files: dict[str, str]


# The sum of finite float32 numbers, and their count.
Mean = tuple[
    Annotated[float, Field(ge=-LARGEST, le=LARGEST)], Annotated[int, Field(ge=1, lt=MOST_IMAGES)]
]


class Position(BaseModel):
    """What `training.json` must have."""

    model_config = ConfigDict(extra="forbid", strict=True)

    images: Images
    means: dict[str, Annotated[Mean, Field(strict=False)]]  # JSON has lists, not tuples
    stopped: str


def read_position(path: Path, about: dict[str, Any]) -> Position:
    """Read the position of a checkpoint in its run.

    Raises:
        CheckpointError: `training.json` is damaged, or contradicts `about.json` or the folder's
            name.
    """
    # First the digest, so that a file cut short is named as damaged and not as strange.
    file = _verify_file(path / "training.json", about)

    try:
        position = check_values(Position, read_json(file), file)
    except DamagedFileError as error:
        raise CheckpointError(f"{error}; {suggest_removal(path)}") from None
    # All three say how many images were shown.
    if not position.images == about["images"] == int(path.name):
        raise CheckpointError(
            f"{file} is damaged: it says {position.images:,} images, about.json says "
            f"{about['images']:,}, and the folder's name is {path.name}; {suggest_removal(path)}"
        )
    return position


def load_gan(path: Path, ema: bool = True) -> tuple[GAN, dict[str, Any]]:
    """Load the GAN of a checkpoint in evaluation mode, and its `about.json`.

    Players that the checkpoint does not keep are not in the GAN.

    Args:
        ema: use the averaged weights if the checkpoint has them.

    Raises:
        CheckpointError: the checkpoint is damaged or foreign, or has nothing but averages where the
            last weights are asked for.
    """
    about = read_about(path)
    kept = _read_kept(about)
    if kept and kept.weights == "ema" and not ema:
        raise CheckpointError(
            f"{path} has averaged weights alone: leave out --no-ema, ema=False and "
            "origin.weights=last"
        )
    description = about["gan"]
    if description["name"] not in GANS:
        raise CheckpointError(
            f"{path / 'about.json'}: GAN {description['name']!r} is unknown to this version of "
            "ganvas"
        )

    # A stranger's file may hold any number, such as a size that no memory has room for.
    try:
        gan = build_gan(**description).eval()
        if kept:
            kept.drop_players(gan)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path / 'about.json'} describes a GAN that cannot be built: {reason}"
        ) from error

    # The last weights of all players; the averages then replace those of their networks.
    load_weights(path, about, gan, "gan.safetensors")
    if ema and "ema.safetensors" in about["files"]:
        load_weights(path, about, gan, "ema.safetensors")
    return gan, about


def _read_kept(about: Mapping[str, Any]) -> Kept | None:
    """What a checkpoint keeps of its GAN; None: everything. `read_about` has checked it."""
    kept = about.get("kept")
    return Kept.model_validate(kept, strict=False) if kept else None


def read_about(path: Path) -> dict[str, Any]:
    """Read the description of a checkpoint, `about.json`.

    Raises:
        CheckpointError: it is missing, unreadable, or of another format.
    """
    file = path / "about.json"
    if not file.exists():
        raise CheckpointError(f"{file} is missing: {path} is not a checkpoint of ganvas")

    try:
        about = read_json(file)
    except DamagedFileError as error:
        raise CheckpointError(f"{error}; {suggest_removal(path)}") from None
    # The format first: another one may have other keys.
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        given = about.get("format") if isinstance(about, dict) else None
        raise CheckpointError(
            f"{file} has format {given!r}; this version of ganvas reads format {FORMAT}: train the "
            "GAN again"
        )

    try:
        # As JSON, where a strict tuple may be a list; of names that are not UTF-8 without the bytes
        # that no JSON for others may hold.
        text = json.dumps(about, ensure_ascii=False).encode("utf-8", "replace")
        About.model_validate_json(text)
    except ValidationError as error:
        raise CheckpointError(
            f"{file} is damaged: {describe_validation(error)}; {suggest_removal(path)}"
        ) from None
    return about


def read_checkpoint_recipe(path: Path, about: dict[str, Any]) -> Recipe:
    """Read the recipe of a checkpoint.

    Raises:
        CheckpointError: it is damaged, or of another version of ganvas.
    """
    try:
        return build_recipe(about["recipe"])
    except UserError as error:
        raise CheckpointError(
            f"{path / 'about.json'}: the recipe is damaged or of another version of ganvas: {error}"
        ) from None


def _verify_file(file: Path, about: dict[str, Any]) -> Path:
    """Check that the content of a file is what was saved, and return its path.

    Raises:
        CheckpointError: it is missing or was changed.
    """
    if not file.is_file():
        raise CheckpointError(f"{file} is missing; {suggest_removal(file.parent)}")

    try:
        found = hash_file(file)
    except OSError as error:
        raise CheckpointError(
            f"{file} cannot be read: {error.strerror}; {suggest_removal(file.parent)}"
        ) from None

    # Digests find damage. A stranger can write fitting ones, so names, shapes and types are
    # checked all the same.
    if found != about["files"].get(file.name):
        raise CheckpointError(
            f"{file} is damaged: its content is not what was saved; {suggest_removal(file.parent)}"
        )
    return file


def suggest_removal(path: Path) -> str:
    """Say what to do about a damaged checkpoint."""
    return f"remove the folder {path} to resume from the checkpoint before it"


def read_tensors(
    file: Path, about: dict[str, Any], wanted: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Read the tensors of a file of a checkpoint, on the CPU.

    Args:
        wanted: tensors by name; the file must have the same names, shapes and types.

    Raises:
        CheckpointError: a tensor is missing, unknown, or of another shape or type; names the first.
    """
    try:
        # Read as bytes and shapes: unlike a pickle, such a file cannot run code.
        values = read_tensor_file(_verify_file(file, about))
    except CheckpointError:
        raise
    except DamagedFileError as error:
        raise CheckpointError(f"{error}; {suggest_removal(file.parent)}") from None

    # Sorted, so that the first name in the message is the same in every process.
    for name in sorted(values.keys() | wanted.keys()):
        if name not in values:
            raise CheckpointError(f"{file} belongs to another GAN: {name} is missing")
        if name not in wanted:
            raise CheckpointError(
                f"{file} belongs to another GAN: it has {name}, which this one does not have"
            )
        given, right = _describe_tensor(values[name]), _describe_tensor(wanted[name])
        if given != right:
            raise CheckpointError(f"{file} belongs to another GAN: {name} is {given}, not {right}")
    return values


def _describe_tensor(tensor: Tensor) -> str:
    """Shape and type of a tensor: "(3, 4) of torch.float32"."""
    return f"{tuple(tensor.shape)} of {tensor.dtype}"


def load_weights(path: Path, about: dict[str, Any], gan: GAN, name: str) -> None:
    """Copy the weights of a file into a GAN; the EMA's file has only the averaged networks."""
    own = gan.state_dict()
    if name == "gan.safetensors" and (kept := _read_kept(about)):
        own = kept.outline(own)
    # Its keys begin with the name of the network.
    if name == "ema.safetensors":
        own = {key: value for key, value in own.items() if key.split(".")[0] in gan.ema_players}
    # Not strict, since the EMA's file lacks the other players; all names are checked by then.
    gan.load_state_dict(read_tensors(path / name, about, own), strict=False)


@cache
def versions() -> dict[str, str]:
    """The versions of the software that writes a checkpoint, and the commit of a checkout."""
    found = {
        "ganvas": version("ganvas"),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }

    # An installation has no commit.
    checkout = Path(__file__).parents[3]
    if (checkout / ".git").exists():
        command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
        # There may be no git here, or the checkout may belong to another user.
        with suppress(OSError, subprocess.CalledProcessError):
            found["commit"] = subprocess.run(
                command, capture_output=True, text=True, check=True
            ).stdout.strip()
    return found
