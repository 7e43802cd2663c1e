"""What precedes the first step: which recipe, which data, which folder, the first weights."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from ganvas.data import Dataset, open_dataset
from ganvas.data.loader import Loader
from ganvas.data.report import WARNING
from ganvas.errors import UserError
from ganvas.gans.base import GAN
from ganvas.gans.frozen import freeze_blocks
from ganvas.gans.options import build_gan
from ganvas.inference.run import load
from ganvas.inference.sampling import preview_rows
from ganvas.io.console import count_noun
from ganvas.io.files import PARTIAL, explained, remove
from ganvas.recipes import get_recipe
from ganvas.recipes.auto import AUTO, auto_recipe
from ganvas.recipes.auto_from import auto_from
from ganvas.recipes.chosen import Fitted
from ganvas.recipes.length import take_length
from ganvas.recipes.recipe import Recipe, change
from ganvas.rng import fold_in
from ganvas.runs.folder import check_same, fresh_folder, lock_folder, read_recipe
from ganvas.training.clock import RunClock
from ganvas.training.ema import EMA
from ganvas.training.engine import Engine
from ganvas.training.epochs import read_periods, set_length, set_periods
from ganvas.training.origin import check_kind, check_origin, check_settings, find_start
from ganvas.training.request import Request
from ganvas.training.state import RunContext, TrainingState, resume_checkpoint, save_checkpoint
from ganvas.training.step import TrainingStep

__all__ = [
    "claim_folder",
    "copy_state",
    "prepare",
    "rehearse",
    "start_state",
]

FEWEST = 50  # images, below which a GAN memorises them


# Folder, recipe, data


@contextmanager
def claim_folder(out: str | Path | None, name: str, engine: Engine) -> Iterator[Path]:
    """Yield the run folder, locked against other trainings by the main process.

    Args:
        out: the folder; None: a fresh one, named by the date and `name`.
        name: of the recipe; not needed where `out` is given.
        engine: of this process.
    """
    if not engine.is_main:
        # The lock is the main process's, for all of them.
        yield Path(engine.share(""))
        return

    place = Path(out) if out else fresh_folder(name)
    with lock_folder(place, fresh=not out) as folder:
        yield Path(engine.share(str(folder)))


def prepare(
    request: Request,
    folder: Path | None,
    engine: Engine,
    progress: bool,
    fitted: Fitted | None = None,
) -> tuple[Recipe, Dataset]:
    """Find the recipe and open the data, the same ones in all processes.

    Args:
        request: of the user.
        folder: of the run, if it has one; a run that is in it must be the one that is asked for.
        engine: of this process.
        progress: whether to show a bar while data is packed.
        fitted: settings of `auto` that are smaller than usual, to fit into a given time.

    Raises:
        UserError: a setting or the data is wrong, or not the same for all processes or as before.
    """
    own = read_recipe(folder) if folder else None
    if folder and own:
        check_origin(folder, own.origin, request.from_)
    # What the main process leaves in the cache is there for the others.
    with engine.main_first():
        recipe = _resolve_recipe(request, own, engine, progress, fitted)
        assert recipe.data is not None
        dataset = open_dataset(recipe.data, recipe.view, strict=request.strict, progress=progress)

    # Other settings or rows in one process would average the gradients of two different games.
    if not engine.agree(json.dumps(recipe.model_dump())):
        raise UserError(
            "the processes chose different settings: name a recipe instead of auto, "
            "or use equal machines"
        )
    if not engine.agree(dataset.fingerprint):
        raise UserError(
            f"--data {recipe.data} is not the same for all processes: copy it to every machine"
        )

    dataset = warn_of_few(dataset)
    # Both need the data's size, so they come after it is opened.
    if request.epochs is not None:
        recipe = set_length(recipe, request.epochs, dataset)
    if periods := read_periods(request.changes):
        recipe = set_periods(recipe, periods, dataset)
    if folder and own:
        # Weights of another GAN are of no use to this one.
        command = request.begin_anew(folder) if recipe.gan == own.gan else ""
        check_same(folder, own, recipe, dataset, command)
    return recipe, dataset


def warn_of_few(dataset: Dataset) -> Dataset:
    """The data set; if it has so few images that a GAN memorises them, with a warning."""
    if len(dataset) >= FEWEST or dataset.kind == "point":
        return dataset
    warning = (
        f"{WARNING}there are only {count_noun(len(dataset), 'image')}. A GAN memorises so "
        "few: samples will be copies of them, or blurs. "
        f"Gather at least {FEWEST}; hundreds are better."
    )
    return dataset.with_report(notes=[warning, *dataset.report.notes])


def _resolve_recipe(
    request: Request,
    own: Recipe | None,
    engine: Engine,
    progress: bool,
    fitted: Fitted | None = None,
) -> Recipe:
    """The recipe that is asked for.

    Args:
        request: of the user.
        own: the run folder's recipe, if there is a run. It decides the length if none is given,
            and what the run began with.
        engine: for whose device "auto" chooses; a run that is resumed keeps the settings it has.
        progress: whether to show a bar while "auto" looks at data that must be packed first.
        fitted: settings of "auto" that are smaller than usual.

    Raises:
        UserError: a recipe or key is unknown, a value is not allowed, or data is missing.
    """
    asked, given = request.recipe, dict(request.changes)
    for key in read_periods(given):
        del given[key]  # set when the data is open
    start = find_start(request.from_) if request.from_ and not own else None
    if own:
        given.setdefault("images", own.images)

    # A run of `auto` keeps its recipe: another machine would choose other settings.
    if isinstance(asked, Recipe):
        base = take_length(asked, own) if own else asked
    elif own and (asked is None or asked == own.name == AUTO):
        base = own
    elif asked == AUTO and start:
        base = auto_from(start.recipe, bool(start.classes), given, engine.device, progress)
    elif asked == AUTO:
        base = auto_recipe(given.get("data"), given, engine.device, progress, fitted)
    elif asked is None and start:
        base = start.recipe.model_copy(update={"reasons": {}})  # it was not chosen for this data
    else:
        base = get_recipe(request.name)
        base = take_length(base, own) if own else base

    if start:
        base = base.model_copy(update={"origin": start.origin})
    elif own and not base.origin:
        base = base.model_copy(update={"origin": own.origin})
    check_settings(base.origin, given)

    recipe = change(base, given)
    if start:
        check_kind(start, recipe)
    if not recipe.data:
        raise UserError(
            f"{recipe.name} trains on your own images: give a folder or zip with --data"
        )
    return recipe


# First weights


def start_state(recipe: Recipe, dataset: Dataset, engine: Engine) -> TrainingState:
    """The GAN with its first weights, on the device, and all that is trained with it.

    Raises:
        UserError: the data lacks what the GAN needs, or the GAN cannot generate this size.
    """
    # Built on the CPU and then moved: the first weights are the same on every device and in every
    # process, so they need not be sent.
    torch.manual_seed(fold_in(recipe.seed, "weights"))
    gan = build_gan(recipe.gan, dataset.schema, recipe.options)
    # Before the optimizers, which hold what learns. The weights themselves come later: of a run
    # that is resumed from its own checkpoint.
    freeze_blocks(gan, recipe.origin.frozen if recipe.origin else 0)
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
            fused=True,  # few kernels; and only fused Adam reads the guard's flag
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
    # Only the main process is here: a sum over processes would wait for the others in vain.
    engine = context.engine.alone()
    recipe = context.recipe.model_copy(update={"batch": 2})
    trial = copy_state(recipe, state)
    loader = Loader(context.dataset, recipe.sampling, engine.placement)
    step = TrainingStep(recipe, trial, loader, engine)
    batch = loader.at(0)
    step.train_on(batch)
    step.stop_if_tripped()  # on a GPU a bad loss has only set a flag

    place = context.folder / f"{PARTIAL}rehearsal"
    with explained(place):
        remove(place)
        try:
            means = trial.means.state(engine)
            saved = save_checkpoint(place, trial, means, recipe, context.dataset)
            preview_rows(load(saved, device=engine.device.type).gan, batch, engine.device)
            resume_checkpoint(place, trial)
        finally:
            remove(place)  # also where the disk is full
