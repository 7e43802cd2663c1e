"""Checkpoints: folders of safetensors and JSON, whole or absent, with all that a run needs. Nothing is ever unpickled."""

import hashlib
import json
import platform
import re
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ganvas.data.dataset import Dataset
from ganvas.errors import UserError, describe_validation
from ganvas.gans import GANS
from ganvas.gans.base import GAN
from ganvas.gans.options import build
from ganvas.io.files import DamagedFileError, atomic_path, find_leftovers, partial_path, read_json, remove
from ganvas.recipes.recipe import Recipe
from ganvas.schema import Schema
from ganvas.training.ema import MovingAverage
from ganvas.training.progress import Means, RunClock

FORMAT = 2
NAME = "[0-9]{12}"  # of a checkpoint's folder: the images shown
MOST_IMAGES = 10**12  # which no longer fit such a name
LARGEST = torch.finfo(torch.float32).max
MeansState = dict[str, tuple[float, int]]
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
Mean = tuple[Annotated[float, Field(ge=-LARGEST, le=LARGEST)], Annotated[int, Field(ge=1, lt=MOST_IMAGES)]]


class Position(BaseModel):
    """What must stand in `training.json`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    images: Images
    means: dict[str, Annotated[Mean, Field(strict=False)]]  # JSON has lists, not tuples
    stopped: str


@dataclass
class TrainingState:
    """All that changes while training. Random numbers and the order of the data follow from the seed and `clock.images`."""

    gan: GAN
    average: MovingAverage | None
    optimizers: dict[str, torch.optim.Adam]
    clock: RunClock
    means: Means = field(default_factory=Means)
    stopped: str = ""  # why the run ended before its length, if it did
    seen: Tensor | None = None  # features of the samples at the doctor's last checkup


def describe_gan(recipe: Recipe, gan: GAN) -> dict[str, Any]:
    """What `build` needs to make the same GAN again."""
    return {
        "name": recipe.gan,
        "data": gan.schema.model_dump(mode="json"),
        "options": recipe.options,
    }


def save(
    folder: Path, state: TrainingState, means: MeansState, recipe: Recipe, dataset: Dataset, best: int | None = None
) -> Path:
    """Write a checkpoint under `folder`, named by the images shown, and remove all but the newest `recipe.keep` and the best.

    Nothing is removed through a link, whether `folder` is one or a checkpoint in it.

    Args:
        best: the images shown of the best checkpoint, if there is one.

    Raises:
        CheckpointError: a weight is not finite; the older checkpoints stay.
        UserError: the disk is full or read-only.
    """
    weights = state.gan.state_dict()
    broken = [name for name, tensor in weights.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if broken:
        raise CheckpointError(f"{broken[0]} holds NaN or infinity; no checkpoint was written")
    path = folder / f"{state.clock.images:012d}"
    with atomic_path(path) as partial:
        partial.mkdir()
        write_tensors(partial / "gan.safetensors", weights)
        if state.average:
            write_tensors(partial / "average.safetensors", state.average.state_dict())
        write_tensors(partial / "training.safetensors", optimizer_tensors(state.optimizers))
        if state.seen is not None:
            write_tensors(partial / "checkup.safetensors", {"features": state.seen})
        training = {"images": state.clock.images, "means": means, "stopped": state.stopped}
        (partial / "training.json").write_text(json.dumps(training, indent=2), encoding="utf-8")
        about = {
            "format": FORMAT,
            "gan": describe_gan(recipe, state.gan),
            "recipe": recipe.model_dump(),
            "images": state.clock.images,
            "rounds": state.clock.rounds,
            "data": {"spec": dataset.report.spec, "pictures": len(dataset), "fingerprint": dataset.fingerprint},
            "versions": versions(),
            "files": {file.name: digest(file) for file in sorted(partial.iterdir())},
        }
        text = json.dumps(about, indent=2, ensure_ascii=False)
        (partial / "about.json").write_text(text, encoding="utf-8", errors="backslashreplace")
    own = [] if folder.is_symlink() else [old for old in checkpoints(folder) if not old.is_symlink()]
    for old in own[: -recipe.keep]:
        if int(old.name) == best:
            continue
        grave = partial_path(old)  # a half-removed checkpoint must not look like one
        old.rename(grave)
        remove(grave)
    return path


def resume(folder: Path, state: TrainingState, seen: tuple[int, int] | None = None) -> Path | None:
    """Bring `state` to the newest checkpoint under `folder`; None where there is none. Leftovers of a crash are removed.

    Args:
        seen: the shape of `state.seen`, if a checkpoint may have it.

    Raises:
        CheckpointError: the newest checkpoint is damaged or does not fit the GAN.
    """
    for leftover in find_leftovers(folder, NAME):
        remove(leftover)
    found = checkpoints(folder)
    if not found:
        return None
    path = found[-1]
    about = read_about(path)
    position = read_position(path, about)
    usable = {"gan.safetensors", "training.safetensors", "training.json"}
    usable |= {"average.safetensors"} if state.average else set()
    usable |= {"checkup.safetensors"} if seen else set()
    if unknown := sorted(about["files"].keys() - usable):
        raise CheckpointError(f"{path / unknown[0]} is of another run: this one has no use for it; {advice(path)}")

    load_weights(path, about, state.gan, "gan.safetensors")
    if state.average:
        load_weights(path, about, state.average.gan, "average.safetensors")
    restore_optimizers(state.optimizers, path, about)
    if seen and "checkup.safetensors" in about["files"]:
        wanted = {"features": torch.empty(seen, dtype=torch.float32, device="meta")}
        state.seen = read_tensors(path / "checkup.safetensors", about, wanted)["features"]
    state.clock.images = position.images
    state.means.restore(position.means, next(state.gan.parameters()).device)
    # A run that stopped early goes on when it is asked for more than when it stopped.
    state.stopped = position.stopped if state.clock.total <= about["recipe"]["images"] else ""
    return path


def read_position(path: Path, about: dict[str, Any]) -> Position:
    """Read how far a checkpoint's run had come.

    Raises:
        CheckpointError: `training.json` is damaged, or contradicts `about.json` or the folder's name.
    """
    file = checked(path / "training.json", about)
    try:
        position = Position.model_validate(read_json(file))
    except DamagedFileError as error:
        raise CheckpointError(f"{error}; {advice(path)}") from None
    except ValidationError as error:
        raise CheckpointError(f"{file} is damaged: {describe_validation(error)}; {advice(path)}") from None
    if not position.images == about["images"] == int(path.name):
        told = f"{position.images:,} images, about.json of {about['images']:,}"
        raise CheckpointError(f"{file} is damaged: it tells of {told}, and the folder's name is {path.name}; {advice(path)}")
    return position


def checkpoints(folder: Path) -> list[Path]:
    """The whole checkpoints under a folder, oldest first. All that is named otherwise is somebody else's."""
    return sorted(path for path in folder.glob("[0-9]*") if re.fullmatch(NAME, path.name) and path.is_dir())


def load_gan(path: Path, average: bool = True) -> tuple[GAN, dict[str, Any]]:
    """The GAN of a checkpoint in evaluation mode, with its moving average if it has one and `average`; and its `about.json`.

    Raises:
        CheckpointError: the checkpoint is damaged or not ours.
    """
    about = read_about(path)
    description = about["gan"]
    if description["name"] not in GANS:
        raise CheckpointError(f"{path / 'about.json'}: GAN {description['name']!r} is unknown to this version of ganvas")
    try:
        gan = build(**description).eval()
    except Exception as error:  # there is no end to the numbers that a stranger's file may hold, such as sizes beyond all memory
        reason = str(error).partition("\n")[0]
        raise CheckpointError(f"{path / 'about.json'} describes a GAN that cannot be built: {reason}") from error
    load_weights(path, about, gan, "gan.safetensors")
    if average and "average.safetensors" in about["files"]:
        load_weights(path, about, gan, "average.safetensors")
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
        raise CheckpointError(f"{file} has format {given!r}; this version of ganvas reads format {FORMAT}")
    try:
        About.model_validate_json(json.dumps(about))  # as JSON, where a strict tuple may be a list
    except ValidationError as error:
        raise CheckpointError(f"{file} is damaged: {describe_validation(error)}; {advice(path)}") from None
    return about


def recipe_of(path: Path, about: dict[str, Any]) -> Recipe:
    """The recipe by which a checkpoint was made.

    Raises:
        CheckpointError: it is damaged, or of another version.
    """
    try:
        return Recipe.model_validate(about["recipe"])
    except ValidationError as error:
        raise CheckpointError(f"{path / 'about.json'}: the recipe is damaged or of another version: {describe_validation(error)}") from None
    except UserError as error:  # of the GAN and its options
        raise CheckpointError(f"{path / 'about.json'}: the recipe is damaged or of another version: {error}") from None


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
        raise CheckpointError(f"{file} cannot be read: {error.strerror}; {advice(file.parent)}") from None
    if found != about["files"].get(file.name):
        raise CheckpointError(f"{file} is damaged: its content is not what was saved; {advice(file.parent)}")
    return file


def advice(path: Path) -> str:
    """What to do about a damaged checkpoint."""
    return f"remove the folder {path} to go on from the checkpoint before it"


def write_tensors(file: Path, values: dict[str, Tensor]) -> None:
    """Write tensors to a safetensors file.

    Raises:
        OSError: the disk is full or read-only.
    """
    try:
        save_file({name: tensor.detach().contiguous().cpu() for name, tensor in values.items()}, file)
    except SafetensorError as error:
        raise OSError(str(error)) from error


def read_tensors(file: Path, about: dict[str, Any], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read the tensors of a file of a checkpoint, on the CPU.

    Args:
        wanted: whose names, shapes and types it must hold, no more and no less.

    Raises:
        CheckpointError: names the first tensor that is missing, too much, or of another shape or type.
    """
    try:
        values = load_file(checked(file, about))
    except SafetensorError as error:
        raise CheckpointError(f"{file} is damaged: {error}; {advice(file.parent)}") from None
    for name in sorted(values.keys() | wanted.keys()):
        if name not in values:
            raise CheckpointError(f"{file} is of another GAN: {name} is missing")
        if name not in wanted:
            raise CheckpointError(f"{file} is of another GAN: it has {name}, which this one has not")
        given, right = (f"{tuple(tensor.shape)} of {tensor.dtype}" for tensor in (values[name], wanted[name]))
        if given != right:
            raise CheckpointError(f"{file} is of another GAN: {name} is {given}, not {right}")
    return values


def load_weights(path: Path, about: dict[str, Any], gan: GAN, name: str) -> None:
    """Copy the weights of a file into a GAN; the average's file holds only the averaged players."""
    own = gan.state_dict()
    if name == "average.safetensors":
        own = {key: value for key, value in own.items() if key.split(".")[0] in gan.averaged}
    gan.load_state_dict(read_tensors(path / name, about, own), strict=False)


def optimizer_tensors(optimizers: Mapping[str, torch.optim.Adam]) -> dict[str, Tensor]:
    """Adam's state as tensors named player/parameter/quantity.

    A parameter that was never updated has no state. Its tensors are those that Adam begins with, so that what is missing from a
    checkpoint was lost.
    """
    return {
        f"{player}/{index}/{quantity}": value
        for player, optimizer in optimizers.items()
        for index, parameter in enumerate(optimizer.param_groups[0]["params"])
        for quantity, value in (optimizer.state.get(parameter) or first_state(parameter)).items()
    }


def first_state(parameter: Tensor) -> dict[str, Tensor]:
    """What fused Adam keeps of a parameter before its first update."""
    zeros = torch.zeros_like(parameter)
    return {"step": torch.zeros((), dtype=torch.float32), "exp_avg": zeros, "exp_avg_sq": zeros.clone()}


def restore_optimizers(optimizers: Mapping[str, torch.optim.Adam], path: Path, about: dict[str, Any]) -> None:
    """The inverse of `optimizer_tensors`. Rates and betas come from the recipe, not from here."""
    wanted = {
        f"{player}/{index}/{quantity}": value
        for player, optimizer in optimizers.items()
        for index, parameter in enumerate(optimizer.param_groups[0]["params"])
        for quantity, value in first_state(parameter.detach().to("meta")).items()
    }
    states: dict[str, dict[int, dict[str, Tensor]]] = {player: {} for player in optimizers}
    for name, value in read_tensors(path / "training.safetensors", about, wanted).items():
        player, index, quantity = name.split("/")
        states[player].setdefault(int(index), {})[quantity] = value
    for player, optimizer in optimizers.items():
        optimizer.load_state_dict({"state": states[player], "param_groups": optimizer.state_dict()["param_groups"]})


def digest(file: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@cache
def versions() -> dict[str, str]:
    """What software made a checkpoint."""
    found = {"ganvas": version("ganvas"), "torch": torch.__version__, "python": platform.python_version()}
    checkout = Path(__file__).parents[2]
    if (checkout / ".git").exists():
        command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
        with suppress(OSError, subprocess.CalledProcessError):  # a machine without git, or somebody else's checkout
            found["commit"] = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return found
