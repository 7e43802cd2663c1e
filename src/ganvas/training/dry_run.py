"""What a training run would be: settings, data, memory and time, before it begins."""

import time
from pathlib import Path

from ganvas.data import open_dataset
from ganvas.io.console import count_noun, describe_rate, print_text
from ganvas.recipes.listing import print_counts, print_settings
from ganvas.recipes.recipe import Recipe
from ganvas.runs.folder import check_same
from ganvas.training.engine import Engine
from ganvas.training.trainer import Trainer, with_epochs

MEASURED_ROUNDS = 3


def print_plan(
    recipe: Recipe,
    own: Recipe | None,
    folder: Path,
    epochs: float | None,
    device: str,
    strict: bool,
) -> None:
    """What `--dry-run` shows: settings, data, parameters, and memory and time from a few measured
    rounds.

    Raises:
        UserError: what training would raise at its start.
    """
    with Engine(device) as engine:
        assert recipe.data is not None
        dataset = open_dataset(recipe.data, recipe.view, strict=strict, progress=True)
        recipe = with_epochs(recipe, epochs, dataset)
        if own:
            check_same(folder, own, recipe, dataset)
        print_settings(recipe)
        trainer = Trainer(recipe, dataset, folder, engine, quiet=True)
        report = dataset.report
        pictures, classes = (
            count_noun(len(dataset), "picture"),
            count_noun(len(dataset.classes), "class", "classes"),
        )
        left_out = count_noun(len(report.skipped), "file")
        print_text(f"data: {pictures}, {dataset.describe()}, {classes}; {left_out} left out")
        for line in [*report.steps, *report.notes]:
            print_text(f"  {line}")
        players = trainer.state.gan.players()
        print_counts({player: sum(p.numel() for p in values) for player, values in players.items()})
        print_text(trainer.adapt().line())
        trainer.round()  # the first one is slow
        began = time.perf_counter()
        for _ in range(MEASURED_ROUNDS):
            trainer.round()
        engine.settle()
        rate = MEASURED_ROUNDS * recipe.batch / (time.perf_counter() - began)
        seconds = recipe.images / rate
        print_text(f"memory: about {engine.memory() / 2**20:,.0f} MiB on {engine.device}")
        print_text(
            f"time: about {duration(seconds)} for {count_noun(recipe.images, 'image')} at {describe_rate(rate)}"
        )


def duration(seconds: float) -> str:
    """Seconds in words."""
    if seconds < 120:
        return count_noun(round(seconds), "second")
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
