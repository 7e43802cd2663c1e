"""What a training run would be: settings, data, memory and time, before it begins."""

import time
from pathlib import Path

from ganvas.data import Dataset
from ganvas.io.console import count_noun, describe_rate, print_text
from ganvas.recipes.listing import describe_counts, print_settings
from ganvas.training.engine import Engine
from ganvas.training.setup import Request, prepare
from ganvas.training.trainer import Trainer

__all__ = ["print_plan"]

MEASURED_STEPS = 3  # after one that is not timed


def print_plan(request: Request, out: Path | None, device: str) -> None:
    """What `--dry-run` shows: settings, data, networks; memory and time from a few measured steps.

    Args:
        request: of the user.
        out: the run folder, if one is named; a run that is in it is planned from where it is.
        device: "auto", "cpu", "cuda" or "mps".

    Raises:
        UserError: what training would raise at its start.
    """
    with Engine(device) as engine:
        recipe, dataset = prepare(request, out, engine, progress=True)
        print_settings(recipe)

        # The folder is only read, for the plan of a run that is there; nothing is written into it.
        trainer = Trainer(recipe, dataset, out or Path("runs"), engine, quiet=True)
        _print_data(dataset)
        print_text(describe_counts(trainer.state.gan.count_parameters()))

        print_text(trainer.apply_own_plan().line())
        rate = _measure_rate(trainer)
        # After the steps: the most that this process has used, trials of the plan included.
        print_text(f"memory: about {engine.memory() / 2**20:,.0f} MiB on {engine.device}")
        time_needed = _describe_duration(recipe.images / rate)
        images = count_noun(recipe.images, "image")
        print_text(f"time: about {time_needed} for {images} at {describe_rate(rate)}")


def _print_data(dataset: Dataset) -> None:
    """Print how many images there are, what was done to them, and what a user should know."""
    report = dataset.report
    images = count_noun(len(dataset), "image")
    classes = count_noun(len(dataset.classes), "class", "classes")
    left_out = count_noun(len(report.skipped), "file")
    print_text(f"data: {images}, {dataset.describe()}, {classes}; {left_out} left out")
    for line in [*report.steps, *report.notes]:
        print_text(f"  {line}")


def _measure_rate(trainer: Trainer) -> float:
    """Images a second over a few training steps."""
    trainer.step()  # the first one is slow: memory is taken, kernels are chosen
    began = time.perf_counter()
    for _ in range(MEASURED_STEPS):
        trainer.step()
    trainer.context.engine.settle()  # a GPU is still busy when the last call returns
    return MEASURED_STEPS * trainer.context.recipe.batch / (time.perf_counter() - began)


def _describe_duration(seconds: float) -> str:
    """Seconds in words: "45 seconds", "12 minutes", "3.5 hours"."""
    if seconds < 120:
        return count_noun(round(seconds), "second")
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
