"""Before the first round: the first weights, and a rehearsal."""

import copy
from pathlib import Path

import torch

from ganvas.data import Dataset
from ganvas.data.loader import Loader
from ganvas.errors import UserError
from ganvas.gans import GANS
from ganvas.gans.base import GAN
from ganvas.gans.options import build
from ganvas.inference.run import load, preview_rows
from ganvas.io.files import PARTIAL, explained, remove
from ganvas.recipes.recipe import Recipe
from ganvas.rng import fold_in
from ganvas.training.ema import EMA
from ganvas.training.engine import Engine
from ganvas.training.state import RunClock, TrainingState, resume_checkpoint, save_checkpoint
from ganvas.training.step import Guard, StepContext, take_step


def start_state(recipe: Recipe, dataset: Dataset, engine: Engine) -> TrainingState:
    """The GAN with its first weights, on the device, and all that goes with it.

    Raises:
        UserError: the GAN needs labels that the data has not, or cannot make pictures of this size.
    """
    if "label" in GANS[recipe.gan].requires and dataset.labels is None:
        hints = " ".join(note for note in dataset.report.notes if "--labels" in note)
        raise UserError(
            f"{recipe.name} needs labels and {dataset.report.spec} comes without; "
            f"use sub-folders as classes (--labels folders) or a CSV file (--labels labels.csv). {hints}".strip()
        )
    torch.manual_seed(fold_in(recipe.seed, "weights"))
    gan = build(recipe.gan, dataset.schema, recipe.options)
    engine.place(gan)
    players = gan.players()
    if players.keys() != recipe.optimizers.keys():
        raise UserError(
            f"{recipe.gan} has the players {', '.join(players)}; optimizers are for {', '.join(recipe.optimizers)}"
        )
    return TrainingState(
        gan,
        make_ema(gan, recipe),
        make_optimizers(gan, recipe),
        RunClock(recipe.batch, recipe.images),
    )


def make_ema(gan: GAN, recipe: Recipe) -> EMA | None:
    """The moving average of the weights, if the recipe wants one."""
    halflife = recipe.ema_halflife
    return EMA(gan, halflife, recipe.ema_burn_in) if halflife else None


def make_optimizers(gan: GAN, recipe: Recipe) -> dict[str, torch.optim.Adam]:
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


def copied(recipe: Recipe, state: TrainingState) -> TrainingState:
    """A run that begins with copies of a state's weights, to be tried and thrown away."""
    gan = copy.deepcopy(state.gan)
    clock = RunClock(recipe.batch, recipe.images)
    return TrainingState(gan, make_ema(gan, recipe), make_optimizers(gan, recipe), clock)


def rehearse(
    recipe: Recipe, dataset: Dataset, folder: Path, engine: Engine, state: TrainingState
) -> None:
    """Play one round on two images with copies, then save, load and sample, so that nothing dies at
    the first checkpoint.

    Args:
        recipe: as given; the copies play it with a batch of 2.
        dataset: as given.
        folder: the run folder, where the copies are saved for a moment.
        engine: of this process, which rehearses alone.
        state: the run's own; it is not touched.
    """
    alone = copy.copy(engine)
    alone.rank, alone.world = 0, 1
    short = recipe.model_copy(update={"batch": 2})
    trial = copied(short, state)
    batch, rng = Loader(dataset, short.sampling, alone.placement).at(0), alone.rng(recipe.seed, 0)
    context = StepContext(
        trial.gan, trial.optimizers, Guard(trial.optimizers, False, engine.device), alone
    )
    trial.means.add(take_step(context, batch, trial.clock, rng))
    place = folder / f"{PARTIAL}rehearsal"
    with explained(place):
        remove(place)
        saved = save_checkpoint(place, trial, trial.means.state(alone), short, dataset)
        preview_rows(load(saved, device=engine.device.type).gan, batch, engine.device)
        resume_checkpoint(place, trial)
        remove(place)
