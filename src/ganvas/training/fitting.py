"""Fit a run into a given time: measure its parts on this machine, then choose how long it is."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganvas.data import Dataset
from ganvas.data.loader import Loader
from ganvas.errors import UserError
from ganvas.io.animation import write_timelapse
from ganvas.io.console import count_noun, print_text
from ganvas.io.images import save
from ganvas.recipes.auto import AUTO
from ganvas.recipes.enough import Saving, enough_steps, list_savings
from ganvas.recipes.recipe import Recipe
from ganvas.runs.log import Log
from ganvas.training.budget import Costs, fit_length
from ganvas.training.checkup import Checkup
from ganvas.training.engine import Engine
from ganvas.training.monitor import Monitor
from ganvas.training.progress import Meter
from ganvas.training.request import Request
from ganvas.training.setup import prepare, start_state
from ganvas.training.speed.autotune import apply_plan, share_plan
from ganvas.training.state import RunContext, TrainingState
from ganvas.training.step import TrainingStep

__all__ = ["fit_run", "measure_costs", "measure_looks", "time_steps"]

TIMED_STEPS = 16  # whole periods of penalties that are not computed in every step
LEAST_STEPS = 3
TIMED_SECONDS = 3.0  # after which no further step is timed
SAVE_RATE = 100e6  # bytes of weights and moments that a second is enough to write and to hash


def fit_run(
    request: Request, found: tuple[Recipe, Dataset], folder: Path, engine: Engine
) -> tuple[Recipe, Dataset]:
    """Give a new run the length that fits into its budget; of `auto` also cheaper steps.

    A run that is in the folder already keeps its length, so nothing is measured for it.

    Args:
        request: of the user; without a budget nothing is changed.
        found: its recipe and data, as `prepare` returns them.
        folder: of the run, which is only read.
        engine: of this process; every process must call it.

    Raises:
        TooShortError: the time is too short for any run.
        UserError: the run would evaluate its samples while training.
    """
    recipe, dataset = found
    budget = request.budget
    if budget is None:
        return found
    if (folder / "recipe.json").exists():
        if engine.is_main:
            images = count_noun(recipe.images, "image")
            print_text(f"{folder} keeps its length of {images}; --images makes it longer")
        return found
    if recipe.evaluate_every:
        raise UserError(
            f"evaluate_every={recipe.evaluate_every:,} and {budget.words}: how long an evaluation "
            "takes is not measured; leave one of them out, and run ganvas evaluate afterwards"
        )

    reason = f"As many as fit into {budget.words}."
    given = request.changes
    cheaper: Saving | None = None

    costs = measure_costs(recipe, dataset, folder, engine)
    left = float(engine.share(str(budget.left())))  # the main process's, for all
    # A smaller or narrower GAN could not begin with the weights of another run.
    if recipe.name == AUTO and not recipe.origin:
        needed = enough_steps(recipe) * costs.step
        for saving in list_savings(recipe, given, budget.words):
            if needed <= left:
                break
            cheaper, needed = saving, enough_steps(recipe) * costs.step * saving.share
    if cheaper:
        # By a guess, so that time is lost for one more measurement only.
        recipe, dataset = prepare(request, None, engine, False, cheaper.fitted)
        costs = measure_costs(recipe, dataset, folder, engine)
        left = float(engine.share(str(budget.left())))
    return fit_length(recipe, costs, left, reason, given), dataset


def measure_costs(recipe: Recipe, dataset: Dataset, folder: Path, engine: Engine) -> Costs:
    """Measure what the parts of a run cost, by doing each of them once with weights of its own.

    Args:
        recipe: of the run.
        dataset: that it trains on.
        folder: of the run, which is only read.
        engine: of this process; every process must call it, and gets the main one's numbers.
    """
    engine = engine.with_precision(recipe.precision)
    state = start_state(recipe, dataset, engine)
    loader = Loader(dataset, recipe.sampling, engine.placement)
    context = RunContext(recipe, dataset, folder, engine, Log(folder / "log.jsonl"))
    step = TrainingStep(recipe, state, loader, engine)

    apply_plan(share_plan(context, state, loader).parts, step, lambda _: None)
    costs = Costs(step=time_steps(step, engine))
    if engine.is_main:
        costs = measure_looks(costs, context, state, loader)
    return Costs.model_validate_json(engine.share(costs.model_dump_json()))


def time_steps(step: Callable[[], Any], engine: Engine) -> float:
    """Seconds of a training step, the mean of a few.

    Args:
        step: takes one.
        engine: of this process.
    """
    step()  # the first one is slow: memory is taken, kernels are chosen
    engine.settle()  # a GPU is still busy when the last call returns

    began = time.perf_counter()
    count = 0
    late = False
    while count < LEAST_STEPS or (count < TIMED_STEPS and not late):
        step()
        count += 1
        # Asked of all processes, so that every one takes equally many.
        late = engine.any(time.perf_counter() - began > TIMED_SECONDS)
    engine.settle()
    return (time.perf_counter() - began) / count


def measure_looks(costs: Costs, context: RunContext, state: TrainingState, loader: Loader) -> Costs:
    """Add what it costs to look at a run, and to save it; on this process alone."""
    recipe = context.recipe
    meter = Meter(state.clock, len(loader.shown), list(recipe.optimizers), shown=False)
    monitor = Monitor(context, state, loader, meter)

    with tempfile.TemporaryDirectory() as place:
        grids = [Path(place) / "1.png", Path(place) / "2.png"]
        grid = time_call(lambda: save(monitor.draw_samples(), grids[0]))
        grids[1].write_bytes(grids[0].read_bytes())
        grid += time_call(lambda: write_timelapse(grids, Path(place))) / len(grids)

    device = context.engine.device
    began = time.perf_counter()
    checkup = Checkup(recipe, state.gan, context.dataset, loader, device)
    start = time.perf_counter() - began
    look = time_call(lambda: checkup.measure(state.gan, monitor.sampler, None))

    weights = sum(tensor.nbytes for tensor in state.gan.state_dict().values())
    saving = 4 * weights / SAVE_RATE  # with averages and two moments a weight
    return costs.model_copy(
        # The rehearsal trains, saves and samples once.
        update={"grid": grid, "checkup": look, "save": saving, "start": start + grid + saving}
    )


def time_call(call: Callable[[], Any]) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
