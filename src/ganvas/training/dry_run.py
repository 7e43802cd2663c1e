"""What a training run would be: settings, data, memory and time, before it begins."""

import time
from pathlib import Path

from ganvas.data import Dataset, open_dataset
from ganvas.io.console import count_noun, describe_rate, print_text
from ganvas.recipes.listing import print_counts, print_settings
from ganvas.recipes.recipe import Recipe
from ganvas.runs.folder import check_same
from ganvas.training.engine import Engine
from ganvas.training.setup import set_epochs
from ganvas.training.trainer import Trainer

__all__ = ["print_plan"]

MEASURED_STEPS = 3


def print_plan(
    recipe: Recipe,
    own: Recipe | None,
    folder: Path,
    epochs: float | None,
    device: str,
    strict: bool,
) -> None:
    """What `--dry-run` shows: settings, data, networks; memory and time from a few measured steps.

    Raises:
        UserError: what training would raise at its start.
    """
    with Engine(device) as engine:
        assert recipe.data is not None
        dataset = open_dataset(recipe.data, recipe.view, strict=strict, progress=True)
        recipe = set_epochs(recipe, epochs, dataset)
        if own:
            check_same(folder, own, recipe, dataset)
        print_settings(recipe)

        trainer = Trainer(recipe, dataset, folder, engine, quiet=True)
        _print_data(dataset)
        players = trainer.state.gan.players()
        print_counts({name: sum(each.numel() for each in own) for name, own in players.items()})

        print_text(trainer.apply_own_plan().line())
        rate = _measure_rate(trainer)
        print_text(f"memory: about {engine.memory() / 2**20:,.0f} MiB on {engine.device}")
        time_needed = _describe_duration(recipe.images / rate)
        images = count_noun(recipe.images, "image")
        print_text(f"time: about {time_needed} for {images} at {describe_rate(rate)}")


def _print_data(dataset: Dataset) -> None:
    """Print how many images there are, what was done to them, and what a user should know."""
    report = dataset.report
    pictures = count_noun(len(dataset), "image")
    classes = count_noun(len(dataset.classes), "class", "classes")
    left_out = count_noun(len(report.skipped), "file")
    print_text(f"data: {pictures}, {dataset.describe()}, {classes}; {left_out} left out")
    for line in [*report.steps, *report.notes]:
        print_text(f"  {line}")


def _measure_rate(trainer: Trainer) -> float:
    """Images a second over a few training steps."""
    trainer.step()  # the first one is slow: memory is taken, kernels are chosen
    began = time.perf_counter()
    for _ in range(MEASURED_STEPS):
        trainer.step()
    trainer.context.engine.settle()
    return MEASURED_STEPS * trainer.context.recipe.batch / (time.perf_counter() - began)


def _describe_duration(seconds: float) -> str:
    """Seconds in words: "45 seconds", "12 minutes", "3.5 hours"."""
    if seconds < 120:
        return count_noun(round(seconds), "second")
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
