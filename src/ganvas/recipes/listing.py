"""What recipes there are, and what a training run would be, told before it begins."""

import inspect
import json
import time
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from ganvas.data import open_dataset
from ganvas.data.dataset import PICTURES
from ganvas.recipes import RECIPES, get_recipe
from ganvas.recipes.recipe import Recipe, all_settings
from ganvas.runs.checkpoint import build
from ganvas.runs.folder import check_same
from ganvas.schema import Schema
from ganvas.training.engine import Engine
from ganvas.training.trainer import Trainer, with_epochs

MEASURED_ROUNDS = 3


def print_recipes() -> None:
    """One row a recipe: picture size, data, parameters, measured result."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("recipe", "size", "data", "parameters", "measured"):
        table.add_column(heading, no_wrap=heading in ("recipe", "size"))
    for name in RECIPES:
        recipe = get_recipe(name)
        where = recipe.data or "your pictures"
        table.add_row(name, seen(recipe), where, f"{sum(parameter_counts(recipe).values()):,}", measured(name))
    Console().print(table)


def print_recipe(name: str) -> None:
    """A recipe whole: what it is, its settings, its GAN's options and parameters."""
    recipe = get_recipe(name)
    print(f"{name}\n\n{inspect.getdoc(RECIPES[name])}\n")
    print_settings(recipe)
    print_counts(parameter_counts(recipe))


def seen(recipe: Recipe) -> str:
    """What a recipe makes, as short as a table wants it: "28 grey"."""
    return "points" if recipe.channels == 2 else f"{recipe.size} {'grey' if recipe.channels == 1 else 'rgb'}"


def measured(name: str) -> str:
    """The recipe's measured result: the sentence of its docstring that begins with "Measured:"."""
    text = " ".join((inspect.getdoc(RECIPES[name]) or "").split())
    return text.partition("Measured: ")[2].partition(". ")[0].rstrip(".") or "-"


def parameter_counts(recipe: Recipe) -> dict[str, int]:
    """Parameters of each player, without making them; for data with all that a GAN may want, ten of each."""
    names = tuple(str(number) for number in range(10))
    schema = Schema(
        size=recipe.size or 64,
        channels=dict.fromkeys(PICTURES, recipe.channels or 3),
        names={"label": names, "attributes": recipe.attributes or names, "keypoints": names},
        widths={"caption": 128, "caption_features": 1024},
        boxes=True,
    )
    with torch.device("meta"):
        gan = build(recipe.gan, schema, recipe.options)
    return {player: sum(p.numel() for p in values) for player, values in gan.players().items()}


def print_settings(recipe: Recipe) -> None:
    """Every setting as `--set` takes it, with the reason if it was chosen automatically; that of a group at its first setting."""
    reasons = dict(recipe.reasons)
    for key, value in all_settings(recipe).items():
        reason = reasons.pop(key, None) or reasons.pop(key.partition(".")[0], None)
        print(f"  {key} = {json.dumps(value)}" + (f"  # {reason}" if reason else ""))


def print_counts(counts: dict[str, int]) -> None:
    print("parameters: " + ", ".join(f"{player} {count:,}" for player, count in counts.items()))


def print_plan(recipe: Recipe, own: Recipe | None, folder: Path, epochs: float | None, device: str, strict: bool) -> None:
    """What `--dry-run` shows: settings, data, parameters, and memory and time from a few measured rounds.

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
        print(f"data: {len(dataset):,} pictures, {dataset.kind}, "
              f"{len(dataset.classes)} classes; {len(report.skipped):,} files left out")
        for line in [*report.steps, *report.notes]:
            print(f"  {line}")
        players = trainer.state.gan.players()
        print_counts({player: sum(p.numel() for p in values) for player, values in players.items()})
        print(trainer.adapt().line())
        trainer.round()  # the first one is slow
        began = time.perf_counter()
        for _ in range(MEASURED_ROUNDS):
            trainer.round()
        engine.settle()
        rate = MEASURED_ROUNDS * recipe.batch / (time.perf_counter() - began)
        seconds = recipe.images / rate
        print(f"memory: about {engine.memory() / 2**20:,.0f} MiB on {engine.device}")
        print(f"time: about {duration(seconds)} for {recipe.images:,} images at {rate:,.0f} images/s")


def duration(seconds: float) -> str:
    """Seconds in words."""
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
