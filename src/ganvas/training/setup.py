"""What precedes the first step: which recipe, which data, which folder, the first weights."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ganvas.data import Dataset
from ganvas.data.loader import Loader
from ganvas.data.split import held_out_count
from ganvas.errors import UserError
from ganvas.gans import GANS
from ganvas.gans.base import GAN
from ganvas.gans.options import build_gan
from ganvas.inference.run import load, preview_rows
from ganvas.io.files import PARTIAL, explained, remove
from ganvas.recipes import get_recipe
from ganvas.recipes.auto import AUTO, auto_recipe
from ganvas.recipes.recipe import Recipe, change
from ganvas.rng import fold_in
from ganvas.runs.folder import fresh_folder, lock_folder
from ganvas.training.clock import RunClock
from ganvas.training.ema import EMA
from ganvas.training.engine import Engine
from ganvas.training.guard import Guard
from ganvas.training.state import RunContext, TrainingState, resume_checkpoint, save_checkpoint
from ganvas.training.step import StepContext, take_step

__all__ = [
    "DEFAULT",
    "claim_folder",
    "copy_state",
    "rehearse",
    "resolve_recipe",
    "set_epochs",
    "start_state",
]

DEFAULT = "digits"  # the recipe of those who name none


# Folder, recipe, length


@contextmanager
def claim_folder(out: str | Path | None, name: str, engine: Engine) -> Iterator[Path]:
    """Yield the run folder, locked against other trainings by the main process.

    Args:
        out: the folder; None: a fresh one, named by the date and `name`.
        name: of the recipe.
        engine: of this process.
    """
    if not engine.is_main:
        yield Path(engine.share(""))
        return

    place = Path(out) if out else fresh_folder(name)
    with lock_folder(place, fresh=not out) as folder:
        yield Path(engine.share(str(folder)))


def resolve_recipe(
    recipe: str | Recipe | None,
    changes: Mapping[str, Any],
    own: Recipe | None,
    device: torch.device,
    progress: bool = False,
) -> Recipe:
    """The recipe that the arguments of `train` ask for.

    Args:
        recipe: a recipe or its name; None: the run folder's own, or DEFAULT.
        changes: settings that were given, by dotted key; "data", "images" and "seed" included.
        own: the run folder's recipe, if there is a run. It decides the length if none is given.
        device: for which "auto" chooses settings; a run that is resumed keeps those that it has.
        progress: show a bar while "auto" looks at data that must be packed first.

    Raises:
        UserError: a recipe or key is unknown, a value is not allowed, or data is missing.
    """
    given = dict(changes)
    if own:
        given.setdefault("images", own.images)

    if isinstance(recipe, Recipe):
        base = recipe
    elif own and (recipe is None or recipe == own.name == AUTO):
        base = own
    elif recipe == AUTO:
        base = auto_recipe(given.get("data"), given, device, progress=progress)
    else:
        base = get_recipe(recipe or DEFAULT)

    resolved = change(base, given)
    if not resolved.data:
        raise UserError(
            f"{resolved.name} trains on your own images: give a folder or zip with --data"
        )
    return resolved


def set_epochs(recipe: Recipe, epochs: float | None, dataset: Dataset) -> Recipe:
    """The recipe with its length given in passes through the training data, if it is.

    Raises:
        UserError: the number is not above 0.
    """
    if epochs is None:
        return recipe
    if not 0 < epochs < float("inf"):
        raise UserError(f"--epochs {epochs:g}: ask for more than 0")

    count = len(dataset) - held_out_count(len(dataset), recipe.held_out, dataset.report.test)
    return change(recipe, {"images": max(1, round(epochs * count))})


# First weights


def start_state(recipe: Recipe, dataset: Dataset, engine: Engine) -> TrainingState:
    """The GAN with its first weights, on the device, and all that is trained with it.

    Raises:
        UserError: the GAN needs labels that the data has not, or cannot generate this size.
    """
    if "label" in GANS[recipe.gan].requires and dataset.labels is None:
        hints = " ".join(note for note in dataset.report.notes if "--labels" in note)
        raise UserError(
            f"{recipe.name} needs labels and {dataset.report.spec} comes without; use sub-folders "
            f"as classes (--labels folders) or a CSV file (--labels labels.csv). {hints}".strip()
        )

    torch.manual_seed(fold_in(recipe.seed, "weights"))
    gan = build_gan(recipe.gan, dataset.schema, recipe.options)
    gan.to(engine.device)

    players = gan.players()
    if players.keys() != recipe.optimizers.keys():
        raise UserError(
            f"{recipe.gan} has the players {', '.join(players)}; "
            f"optimizers are for {', '.join(recipe.optimizers)}"
        )
    clock = RunClock(recipe.batch, recipe.images)
    return TrainingState(gan, _make_ema(gan, recipe), _make_optimizers(gan, recipe), clock)


def _make_ema(gan: GAN, recipe: Recipe) -> EMA | None:
    """The moving average of the weights, if the recipe wants one."""
    halflife = recipe.ema_halflife
    return EMA(gan, halflife, recipe.ema_burn_in) if halflife else None


def _make_optimizers(gan: GAN, recipe: Recipe) -> dict[str, torch.optim.Adam]:
    """One Adam a player."""
    return {
        player: torch.optim.Adam(
            parameters,
            lr=recipe.optimizers[player].lr,
            betas=recipe.optimizers[player].betas_at(0),
            fused=True,
        )
        for player, parameters in gan.players().items()
    }


# Trying out


def copy_state(recipe: Recipe, state: TrainingState) -> TrainingState:
    """A run that begins with copies of a state's weights, to be tried out and thrown away."""
    gan = copy.deepcopy(state.gan)
    clock = RunClock(recipe.batch, recipe.images)
    return TrainingState(gan, _make_ema(gan, recipe), _make_optimizers(gan, recipe), clock)


def rehearse(context: RunContext, state: TrainingState) -> None:
    """Take one step on two images with copies, then save, load and sample.

    So nothing fails for the first time at the first checkpoint, hours later.

    Args:
        context: of the run; its folder holds the copies for a moment.
        state: of the run; it is not touched.
    """
    engine = context.engine.alone()
    recipe = context.recipe.model_copy(update={"batch": 2})
    trial = copy_state(recipe, state)
    batch = Loader(context.dataset, recipe.sampling, engine.placement).at(0)

    guard = Guard(trial.optimizers, False, engine.device)
    step = StepContext(trial.gan, trial.optimizers, guard, engine)
    trial.means.add(take_step(step, batch, trial.clock, engine.rng(recipe.seed, 0)))

    place = context.folder / f"{PARTIAL}rehearsal"
    with explained(place):
        remove(place)
        saved = save_checkpoint(place, trial, trial.means.state(engine), recipe, context.dataset)
        preview_rows(load(saved, device=engine.device.type).gan, batch, engine.device)
        resume_checkpoint(place, trial)
        remove(place)
