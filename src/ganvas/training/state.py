"""All that changes while training, and how it is saved and resumed, bit for bit."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from ganvas.data.dataset import Dataset
from ganvas.gans.base import GAN
from ganvas.io.files import atomic_path, find_leftovers, partial_path, remove
from ganvas.recipes.recipe import Recipe
from ganvas.recipes.schedule import cosine
from ganvas.runs.checkpoint import (
    FORMAT,
    NAME,
    CheckpointError,
    find_checkpoints,
    hash_file,
    load_weights,
    read_about,
    read_position,
    read_tensors,
    suggest_removal,
    versions,
)
from ganvas.training.ema import EMA
from ganvas.training.engine import Engine

MeansState = dict[str, tuple[float, int]]


@dataclass
class RunClock:
    """The position of a run, in images shown.

    Attributes:
        batch: images in a round, over all processes.
        total: images after which the run is over.
        images: images shown so far.
    """

    batch: int
    total: int
    images: int = 0

    @property
    def steps(self) -> int:
        """Rounds played."""
        return self.images // self.batch

    @property
    def finished(self) -> bool:
        """Whether the run has its length."""
        return self.images >= self.total

    def every(self, period: int) -> bool:
        """Whether the coming round is the first, or a multiple of `period` rounds after it."""
        return self.steps % period == 0

    def ramp(self, start: float, end: float, over: int) -> float:
        """A number that goes from `start` at 0 images to `end` at `over` images and after, along
        half a cosine.
        """
        return cosine(start, end, self.images, over)

    def advance(self) -> None:
        """Count one round."""
        self.images += self.batch

    def coming(self, every: int) -> bool:
        """Whether something of that period will be due after the next round."""
        after = self.images + self.batch
        return after >= self.total or after // every != self.images // every

    def due(self, every: int) -> bool:
        """Whether the last round passed a multiple of `every` images, or was the last of the run."""
        return self.finished or self.images // every != (self.images - self.batch) // every


class Means:
    """Running means of what rounds report, kept on the device until they are read."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Add one round's scalars; a key may be missing from some rounds."""
        for key, value in values.items():
            self.sums[key] = self.sums[key] + value.float() if key in self.sums else value.float()
            self.counts[key] = self.counts.get(key, 0) + 1

    def read(self, engine: Engine) -> dict[str, float]:
        """The means since the last `reset`, over all processes; every process must call it."""
        return {key: total / count for key, (total, count) in self.state(engine).items()}

    def reset(self) -> None:
        """Begin anew."""
        self.sums, self.counts = {}, {}

    def state(self, engine: Engine) -> dict[str, tuple[float, int]]:
        """Sums and counts, for a checkpoint, over all processes; every process must call it."""
        if not self.sums:
            return {}
        sums = engine.mean(torch.stack(list(self.sums.values()))).tolist()
        return {key: (total, self.counts[key]) for key, total in zip(self.sums, sums)}

    def restore(self, state: Mapping[str, tuple[float, int]], device: torch.device) -> None:
        """Take up the sums and counts of a checkpoint."""
        self.sums = {key: torch.tensor(total, device=device) for key, (total, _) in state.items()}
        self.counts = {key: count for key, (_, count) in state.items()}


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
    """Write a checkpoint under `folder`, named by the images shown, and remove all but the newest
    `recipe.keep` and the best.

    Nothing is removed through a link, whether `folder` is one or a checkpoint in it.

    Args:
        best: the images shown of the best checkpoint, if there is one.

    Raises:
        CheckpointError: a weight is not finite; the older checkpoints stay.
        UserError: the disk is full or read-only.
    """
    weights = state.gan.state_dict()
    broken = [
        name
        for name, tensor in weights.items()
        if tensor.is_floating_point() and not tensor.isfinite().all()
    ]
    if broken:
        raise CheckpointError(f"{broken[0]} holds NaN or infinity; no checkpoint was written")
    path = folder / f"{state.clock.images:012d}"
    with atomic_path(path) as partial:
        partial.mkdir()
        write_tensors(partial / "gan.safetensors", weights)
        if state.ema:
            write_tensors(partial / "ema.safetensors", state.ema.state_dict())
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
            "rounds": state.clock.steps,
            "data": {
                "spec": dataset.report.spec,
                "pictures": len(dataset),
                "fingerprint": dataset.fingerprint,
            },
            "versions": versions(),
            "files": {file.name: hash_file(file) for file in sorted(partial.iterdir())},
        }
        text = json.dumps(about, indent=2, ensure_ascii=False)
        (partial / "about.json").write_text(text, encoding="utf-8", errors="backslashreplace")
    own = (
        []
        if folder.is_symlink()
        else [old for old in find_checkpoints(folder) if not old.is_symlink()]
    )
    for old in own[: -recipe.keep]:
        if int(old.name) == best:
            continue
        grave = partial_path(old)  # a half-removed checkpoint must not look like one
        old.rename(grave)
        remove(grave)
    return path


def resume_checkpoint(
    folder: Path, state: TrainingState, seen: tuple[int, int] | None = None
) -> Path | None:
    """Bring `state` to the newest checkpoint under `folder`; None where there is none. Leftovers of
    a crash are removed.

    Args:
        seen: the shape of `state.seen`, if a checkpoint may have it.

    Raises:
        CheckpointError: the newest checkpoint is damaged or does not fit the GAN.
    """
    for leftover in find_leftovers(folder, NAME):
        remove(leftover)
    found = find_checkpoints(folder)
    if not found:
        return None
    path = found[-1]
    about = read_about(path)
    position = read_position(path, about)
    usable = {"gan.safetensors", "training.safetensors", "training.json"}
    usable |= {"ema.safetensors"} if state.ema else set()
    usable |= {"checkup.safetensors"} if seen else set()
    if unknown := sorted(about["files"].keys() - usable):
        raise CheckpointError(
            f"{path / unknown[0]} is of another run: this one has no use for it; "
            f"{suggest_removal(path)}"
        )

    load_weights(path, about, state.gan, "gan.safetensors")
    if state.ema:
        load_weights(path, about, state.ema.gan, "ema.safetensors")
    restore_optimizers(state.optimizers, path, about)
    if seen and "checkup.safetensors" in about["files"]:
        wanted = {"features": torch.empty(seen, dtype=torch.float32, device="meta")}
        state.seen = read_tensors(path / "checkup.safetensors", about, wanted)["features"]
    state.clock.images = position.images
    state.means.restore(position.means, next(state.gan.parameters()).device)
    # A run that stopped early goes on when it is asked for more than when it stopped.
    state.stopped = position.stopped if state.clock.total <= about["recipe"]["images"] else ""
    return path


def write_tensors(file: Path, values: dict[str, Tensor]) -> None:
    """Write tensors to a safetensors file.

    Raises:
        OSError: the disk is full or read-only.
    """
    try:
        save_file(
            {name: tensor.detach().contiguous().cpu() for name, tensor in values.items()}, file
        )
    except SafetensorError as error:
        raise OSError(str(error)) from error


def optimizer_tensors(optimizers: Mapping[str, torch.optim.Adam]) -> dict[str, Tensor]:
    """Adam's state as tensors named player/parameter/quantity.

    A parameter that was never updated has no state. Its tensors are those that Adam begins with, so
    that what is missing from a checkpoint was lost.
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
    return {
        "step": torch.zeros((), dtype=torch.float32),
        "exp_avg": zeros,
        "exp_avg_sq": zeros.clone(),
    }


def restore_optimizers(
    optimizers: Mapping[str, torch.optim.Adam], path: Path, about: dict[str, Any]
) -> None:
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
        optimizer.load_state_dict(
            {"state": states[player], "param_groups": optimizer.state_dict()["param_groups"]}
        )
