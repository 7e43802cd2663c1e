"""Checkpoints: folders of safetensors and JSON, whole or absent, with all that a run needs. Nothing is ever unpickled."""

import hashlib
import json
import platform
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ganvas.averaging import MovingAverage
from ganvas.data.dataset import Dataset
from ganvas.errors import UserError
from ganvas.files import PARTIAL, atomic_path, remove
from ganvas.gans import GANS
from ganvas.gans.base import GAN
from ganvas.progress import Means, RunClock
from ganvas.recipe import Recipe, check_options, readable
from ganvas.schema import Schema, read_schema

FORMAT = 2
MeansState = dict[str, tuple[float, int]]


class CheckpointError(UserError):
    """A checkpoint is damaged or not ours; the message names the file and the reason."""


class Description(BaseModel):
    """What `build` needs to make a GAN again."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    data: dict[str, Any]  # a `Schema`
    options: dict[str, Any]


class About(BaseModel):
    """What must stand in `about.json`; there is more, for people."""

    gan: Description
    recipe: dict[str, Any]
    images: NonNegativeInt
    data: dict[str, Any]
    files: dict[str, str]


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


def build(name: str, data: Schema | dict[str, Any], options: dict[str, Any]) -> GAN:
    """Make a GAN from its description.

    Raises:
        UserError: the data is not described as it should be or lacks what the GAN needs, the GAN cannot make that size, or an
            option is unknown or not allowed.
    """
    values = check_options(name, options)
    if not isinstance(data, Schema):
        try:
            data = read_schema(data)
        except ValidationError as error:
            raise UserError(readable(error)) from None
    return GANS[name](data, **values)


def save(
    folder: Path, state: TrainingState, means: MeansState, recipe: Recipe, dataset: Dataset, best: int | None = None
) -> Path:
    """Write a checkpoint under `folder`, named by the images shown, and remove all but the newest `recipe.keep` and the best.

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
    for old in checkpoints(folder)[: -recipe.keep]:
        if int(old.name) == best:
            continue
        grave = old.with_name(PARTIAL + old.name)  # a half-removed checkpoint must not look like one
        old.rename(grave)
        remove(grave)
    return path


def resume(folder: Path, state: TrainingState) -> Path | None:
    """Bring `state` to the newest checkpoint under `folder`; None where there is none. Leftovers of a crash are removed.

    Raises:
        CheckpointError: the newest checkpoint is damaged or does not fit the GAN.
    """
    for leftover in folder.glob(PARTIAL + "*"):
        remove(leftover)
    found = checkpoints(folder)
    if not found:
        return None
    path = found[-1]
    about = read_about(path)
    length = about["recipe"]["images"]
    load_weights(path, about, state.gan, "gan.safetensors")
    if state.average:
        load_weights(path, about, state.average.gan, "average.safetensors")
    restore_optimizers(state.optimizers, read_tensors(path / "training.safetensors", about), path)
    if "checkup.safetensors" in about["files"]:
        state.seen = read_tensors(path / "checkup.safetensors", about)["features"]
    training = json.loads(checked(path / "training.json", about).read_text(encoding="utf-8"))
    state.clock.images = training["images"]
    state.means.restore(training["means"], next(state.gan.parameters()).device)
    # A run that stopped early goes on when it is asked for more than when it stopped.
    state.stopped = training["stopped"] if state.clock.total <= length else ""
    return path


def checkpoints(folder: Path) -> list[Path]:
    """The whole checkpoints under a folder, oldest first."""
    return sorted(path for path in folder.glob("[0-9]*") if path.is_dir())


def load_gan(path: Path, average: bool = True) -> tuple[GAN, dict[str, Any]]:
    """The GAN of a checkpoint in evaluation mode, with its moving average if it has one and `average`; and its `about.json`.

    Raises:
        CheckpointError: the checkpoint is damaged or not ours.
    """
    about = read_about(path)
    description = about["gan"]
    if description["name"] not in GANS:
        raise CheckpointError(f"{path / 'about.json'}: GAN {description['name']!r} is unknown to this version of ganvas")
    gan = build(**description).eval()
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
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{file} is missing: {path} is not a checkpoint of ganvas") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{file} cannot be read: {error}; {advice(path)}") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        given = about.get("format") if isinstance(about, dict) else None
        raise CheckpointError(f"{file} has format {given!r}; this version of ganvas reads format {FORMAT}")
    try:
        About.model_validate(about)
    except ValidationError as error:
        raise CheckpointError(f"{file} is damaged: {readable(error)}; {advice(path)}") from None
    return about


def checked(file: Path, about: dict[str, Any]) -> Path:
    """The file, when its content is what was saved.

    Raises:
        CheckpointError: it is missing or was changed.
    """
    if not file.is_file():
        raise CheckpointError(f"{file} is missing; {advice(file.parent)}")
    if digest(file) != about["files"].get(file.name):
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


def read_tensors(file: Path, about: dict[str, Any]) -> dict[str, Tensor]:
    """The tensors of a file of a checkpoint, on the CPU."""
    return load_file(checked(file, about))


def load_weights(path: Path, about: dict[str, Any], gan: GAN, name: str) -> None:
    """Copy the weights of a file into a GAN; the average's file holds only the averaged players."""
    values = read_tensors(path / name, about)
    own = gan.state_dict()
    if name == "average.safetensors":
        own = {key: value for key, value in own.items() if key.split(".")[0] in gan.averaged}
    if {key: value.shape for key, value in values.items()} != {key: value.shape for key, value in own.items()}:
        wrong = sorted(set(values) ^ set(own)) or [key for key in own if own[key].shape != values[key].shape]
        raise CheckpointError(f"{path / name} is of another GAN: {wrong[0]} does not fit")
    gan.load_state_dict(values, strict=False)


def optimizer_tensors(optimizers: dict[str, torch.optim.Adam]) -> dict[str, Tensor]:
    """Adam's state as tensors named player/parameter/quantity."""
    return {
        f"{player}/{index}/{quantity}": value
        for player, optimizer in optimizers.items()
        for index, values in optimizer.state_dict()["state"].items()
        for quantity, value in values.items()
    }


def restore_optimizers(optimizers: dict[str, torch.optim.Adam], values: dict[str, Tensor], path: Path) -> None:
    """The inverse of `optimizer_tensors`. Rates and betas come from the recipe, not from here."""
    states: dict[str, dict[int, dict[str, Tensor]]] = {player: {} for player in optimizers}
    for name, value in values.items():
        player, index, quantity = name.split("/")
        if player not in states:
            raise CheckpointError(f"{path / 'training.safetensors'} is of another GAN: it has no player {player!r}")
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
