"""Write checkpoints and resume from them, bit for bit: all that changes while training."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from ganvas.data.dataset import Dataset
from ganvas.gans.base import GAN
from ganvas.io.files import atomic_path, find_leftovers, hash_file, partial_path, remove
from ganvas.recipes.recipe import Recipe
from ganvas.runs.checkpoint import (
    FORMAT,
    CheckpointError,
    load_weights,
    read_about,
    read_position,
    read_tensors,
    suggest_removal,
    versions,
)
from ganvas.runs.locate import NAME, find_checkpoints
from ganvas.runs.log import Log
from ganvas.training.clock import Means, RunClock
from ganvas.training.ema import EMA
from ganvas.training.engine import Engine

__all__ = [
    "RunContext",
    "TrainingState",
    "describe_gan",
    "list_optimizer_tensors",
    "read_moments",
    "resume_checkpoint",
    "save_checkpoint",
    "set_moments",
]

MeansState = dict[str, tuple[float, int]]  # by log key: sum and number of steps
# Adam's tensors by quantity, by the place of the parameter in its player, by player.
Moments = dict[str, dict[int, dict[str, Tensor]]]


@dataclass(frozen=True)
class RunContext:
    """What stays the same through a run, on one process.

    Attributes:
        recipe: what is trained.
        dataset: what it is trained on.
        folder: the run folder.
        engine: device, precision, processes.
        log: `log.jsonl` of the folder.
    """

    recipe: Recipe
    dataset: Dataset
    folder: Path
    engine: Engine
    log: Log


@dataclass
class TrainingState:
    """All that changes while training.

    Random numbers and the order of the data follow from the seed and `clock.images`.
    """

    gan: GAN
    ema: EMA | None
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


def save_checkpoint(
    folder: Path,
    state: TrainingState,
    means: MeansState,
    recipe: Recipe,
    dataset: Dataset,
    best: int | None = None,
) -> Path:
    """Write a checkpoint under `folder`, named by the images shown, and remove older ones.

    The newest `recipe.keep` and the best stay.

    Args:
        folder: of the run's checkpoints.
        state: of the run.
        means: of its losses, over all processes.
        recipe: of the run.
        dataset: that it trains on.
        best: the images shown of the best checkpoint, if there is one.

    Returns:
        The checkpoint's folder.

    Raises:
        CheckpointError: a weight is not finite; the older checkpoints stay.
        UserError: the disk is full or read-only.
    """
    # Before anything is written, so that the newest checkpoint is always one to resume from. A
    # gradient can be infinite though the loss is finite, and the guard looks at losses alone.
    weights = state.gan.state_dict()
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise CheckpointError(f"{name} holds NaN or infinity; no checkpoint was written")

    # Twelve digits, so that the order of the names is the order of training.
    path = folder / f"{state.clock.images:012d}"
    # Renamed when it is complete and on the disk. A kill before that leaves a partial folder,
    # which the next resume removes.
    with atomic_path(path) as partial:
        partial.mkdir()
        _write_tensors(partial / "gan.safetensors", weights)
        if state.ema:
            _write_tensors(partial / "ema.safetensors", state.ema.state_dict())
        _write_tensors(partial / "training.safetensors", list_optimizer_tensors(state.optimizers))
        if state.seen is not None:
            _write_tensors(partial / "checkup.safetensors", {"features": state.seen})
        training = {"images": state.clock.images, "means": means, "stopped": state.stopped}
        (partial / "training.json").write_text(json.dumps(training, indent=2), encoding="utf-8")

        # Last, since it holds the digests of all other files.
        files = {file.name: hash_file(file) for file in sorted(partial.iterdir())}
        about = _describe_checkpoint(state, recipe, dataset) | {"files": files}
        text = json.dumps(about, indent=2, ensure_ascii=False)
        (partial / "about.json").write_text(text, encoding="utf-8", errors="backslashreplace")

    # Only when the new one is in place: at no moment is there none.
    _remove_old_checkpoints(folder, recipe.keep, best)
    return path


def _describe_checkpoint(state: TrainingState, recipe: Recipe, dataset: Dataset) -> dict[str, Any]:
    """What `about.json` says of a checkpoint, but for the digests of its files."""
    return {
        "format": FORMAT,
        "gan": describe_gan(recipe, state.gan),
        "recipe": recipe.model_dump(),
        "images": state.clock.images,
        "steps": state.clock.steps,
        "data": {
            "spec": dataset.report.spec,
            "pictures": len(dataset),
            "fingerprint": dataset.fingerprint,
            "side_by_side": dataset.report.side_by_side,
            "degradation": dataset.report.degradation,
        },
        "versions": versions(),
    }


def _remove_old_checkpoints(folder: Path, keep: int, best: int | None) -> None:
    """Remove all but the newest `keep` checkpoints and the best; nothing through a link."""
    if folder.is_symlink():
        return
    own = [path for path in find_checkpoints(folder) if not path.is_symlink()]
    for old in own[:-keep]:
        if int(old.name) != best:
            grave = partial_path(old)  # a half-removed checkpoint must not look like one
            old.rename(grave)
            remove(grave)


def resume_checkpoint(
    folder: Path, state: TrainingState, seen: tuple[int, int] | None = None
) -> Path | None:
    """Bring `state` to the newest checkpoint under `folder`; leftovers of a crash are removed.

    Args:
        folder: of the run's checkpoints; need not exist.
        state: with first weights; it is changed.
        seen: the shape of `state.seen`, if a checkpoint may have it.

    Returns:
        The checkpoint; None where there is none.

    Raises:
        CheckpointError: the newest checkpoint is damaged, does not fit the GAN, or is one for use
            alone.
    """
    for leftover in find_leftovers(folder, NAME):
        remove(leftover)
    found = find_checkpoints(folder)
    if not found:
        return None

    path = found[-1]
    about = read_about(path)
    if "training.json" not in about["files"]:
        raise CheckpointError(
            f"{path} is for use alone and has nothing to resume from; begin a new run with its "
            f"weights by --from {folder.parent}"
        )
    position = read_position(path, about)
    # Before the first weight is changed.
    _check_files(path, about, state, seen is not None)

    # In place: optimizers and EMA hold these very tensors.
    load_weights(path, about, state.gan, "gan.safetensors")
    if state.ema:
        load_weights(path, about, state.ema.gan, "ema.safetensors")
    _restore_optimizers(state.optimizers, path, about)
    if seen and "checkup.safetensors" in about["files"]:
        # (samples, F); on the meta device a tensor has a shape, but no memory.
        wanted = {"features": torch.empty(seen, dtype=torch.float32, device="meta")}
        state.seen = read_tensors(path / "checkup.safetensors", about, wanted)["features"]

    # Data, noise, rates and dropout follow from this number: there is no random state to load.
    state.clock.images = position.images
    state.means.restore(position.means, next(state.gan.parameters()).device)
    # A run that stopped early resumes when its length is now larger than when it stopped.
    longer = state.clock.total > about["recipe"]["images"]
    state.stopped = "" if longer else position.stopped
    return path


def _check_files(path: Path, about: dict[str, Any], state: TrainingState, has_seen: bool) -> None:
    """Refuse a checkpoint that holds what this run has no use for.

    Raises:
        CheckpointError: names the first such file.
    """
    usable = {"gan.safetensors", "training.safetensors", "training.json"}
    usable |= {"ema.safetensors"} if state.ema else set()
    usable |= {"checkup.safetensors"} if has_seen else set()
    unknown = sorted(about["files"].keys() - usable)
    if unknown:
        raise CheckpointError(
            f"{path / unknown[0]} is of another run: this one has no use for it; "
            f"{suggest_removal(path)}"
        )


def _write_tensors(file: Path, values: dict[str, Tensor]) -> None:
    """Write tensors to a safetensors file.

    Raises:
        OSError: the disk is full or read-only.
    """
    try:
        # Contiguous: a file has the usual layout, also where channels lie last in memory.
        save_file(
            {name: tensor.detach().contiguous().cpu() for name, tensor in values.items()}, file
        )
    except SafetensorError as error:
        raise OSError(str(error)) from error


def list_optimizer_tensors(optimizers: Mapping[str, torch.optim.Adam]) -> dict[str, Tensor]:
    """Adam's state as tensors named player/parameter/quantity.

    A parameter that was never updated has no state. Its tensors are those that Adam begins with, so
    that what is missing from a checkpoint was lost.
    """
    return {
        f"{player}/{index}/{quantity}": value
        for player, optimizer in optimizers.items()
        for index, parameter in enumerate(optimizer.param_groups[0]["params"])
        for quantity, value in (optimizer.state.get(parameter) or _first_state(parameter)).items()
    }


def _first_state(parameter: Tensor) -> dict[str, Tensor]:
    """What fused Adam keeps of a parameter before its first update."""
    zeros = torch.zeros_like(parameter)
    return {
        "step": torch.zeros((), dtype=torch.float32),  # fused Adam's own type: counts up to 2**24
        "exp_avg": zeros,
        "exp_avg_sq": zeros.clone(),  # safetensors refuses tensors that share memory
    }


def _restore_optimizers(
    optimizers: Mapping[str, torch.optim.Adam], path: Path, about: dict[str, Any]
) -> None:
    """The inverse of `list_optimizer_tensors`; rates and betas come from the recipe."""
    players = {
        player: optimizer.param_groups[0]["params"] for player, optimizer in optimizers.items()
    }
    set_moments(optimizers, read_moments(path, about, players))


def read_moments(
    path: Path, about: dict[str, Any], players: Mapping[str, Sequence[Tensor]]
) -> Moments:
    """Read what the Adam of each player keeps, from a checkpoint.

    Args:
        path: of the checkpoint.
        about: its description.
        players: the parameters that each player learns.

    Raises:
        CheckpointError: the file is damaged or does not fit these parameters.
    """
    wanted = {
        f"{player}/{index}/{quantity}": value
        for player, parameters in players.items()
        for index, parameter in enumerate(parameters)
        for quantity, value in _first_state(parameter.detach().to("meta")).items()
    }
    found: Moments = {player: {} for player in players}
    for name, value in read_tensors(path / "training.safetensors", about, wanted).items():
        player, index, quantity = name.split("/")
        found[player].setdefault(int(index), {})[quantity] = value
    return found


def set_moments(optimizers: Mapping[str, torch.optim.Adam], moments: Moments) -> None:
    """Give optimizers their moments, which are copied to the device; rates and betas stay."""
    for player, optimizer in optimizers.items():
        optimizer.load_state_dict(
            {"state": moments[player], "param_groups": optimizer.state_dict()["param_groups"]}
        )
