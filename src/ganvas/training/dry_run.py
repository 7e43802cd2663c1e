"""What a training run would be: settings, data, memory and time, before it begins."""

from pathlib import Path

from ganvas.data import Dataset
from ganvas.io.console import count_noun, describe_rate, print_text
from ganvas.recipes.auto import AUTO
from ganvas.recipes.expectations import describe_expectation
from ganvas.recipes.listing import describe_counts, print_settings
from ganvas.recipes.recipe import Recipe
from ganvas.training.budget import Budget, describe_duration
from ganvas.training.engine import Engine
from ganvas.training.fitting import fit_run, time_steps
from ganvas.training.setup import WARNING, Request, prepare
from ganvas.training.trainer import Trainer

__all__ = ["print_plan"]


def print_plan(request: Request, out: Path | None, device: str) -> None:
    """What `--dry-run` shows: settings, data, networks; memory and time from a few measured steps.

    Args:
        request: of the user.
        out: the run folder, if one is named; a run that is in it is planned from where it is.
        device: "auto", "cpu", "cuda" or "mps".

    Raises:
        UserError: what training would raise at its start.
    """
    # The folder is only read, for the plan of a run that is there; nothing is written into it.
    folder = out or Path("runs")
    with Engine(device) as engine:
        found = prepare(request, out, engine, progress=True)
        recipe, dataset = fit_run(request, found, folder, engine)
        print_settings(recipe)

        trainer = Trainer(recipe, dataset, folder, engine, quiet=True)
        _print_data(dataset)
        print_text(describe_counts(trainer.state.gan.count_parameters()))

        print_text(trainer.apply_own_plan().line())
        step = time_steps(trainer.step, engine)
        # After the steps: the most that this process has used, trials of the plan included.
        print_text(f"memory: about {engine.memory() / 2**20:,.0f} MiB on {engine.device}")
        budget = request.budget if recipe is not found[0] else None
        _print_time(recipe, step, budget)


def _print_time(recipe: Recipe, step: float, budget: Budget | None) -> None:
    """Print how long training takes, and what similar runs looked like after that time.

    Args:
        recipe: that is trained.
        step: seconds of a training step.
        budget: the time that its length was chosen for, if it was.
    """
    rate = recipe.batch / step
    seconds = recipe.images / rate
    images = count_noun(recipe.images, "image")
    line = f"time: about {describe_duration(seconds)} for {images} at {describe_rate(rate)}"
    if budget:
        line += f", to fit into {budget.words}"
    elif recipe.name == AUTO:
        line += "; --minutes sets another time"
    print_text(line)
    print_text(*describe_expectation(recipe, seconds))


def _print_data(dataset: Dataset) -> None:
    """Print how many images there are, what was done to them, and what a user should know."""
    report = dataset.report
    images = count_noun(len(dataset), "image")
    classes = count_noun(len(dataset.classes), "class", "classes")
    left_out = count_noun(len(report.skipped), "file")
    print_text(f"data: {images}, {dataset.describe()}, {classes}; {left_out} left out")
    for line in [*report.steps, *report.notes]:
        print_text(line if line.startswith(WARNING) else f"  {line}")
