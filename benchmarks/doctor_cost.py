"""What the doctor costs: a checkup, in shares of the steps between two.

Steps and checkups alternate in one process, so that both see the same machine; medians are
compared. Watching a step is part of the checkup's cost.

    python benchmarks/doctor_cost.py [RECIPE ...] [--data SPEC] [--repeats 15] [--threads N]
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch

from ganvas.data import open_dataset
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import change
from ganvas.training.checkup import Checkup
from ganvas.training.engine import Engine
from ganvas.training.probe import StepProbe
from ganvas.training.trainer import Trainer

STEPS = 20  # between two checkups


def measure(name: str, data: str | None, repeats: int) -> None:
    """Print one recipe's row."""
    recipe = change(get_recipe(name), {"data": data} if data else {})
    assert recipe.data, f"{name} needs --data"
    period = recipe.period("health_every")
    spec, recipe = recipe.data, change(recipe, {"health_every": 10**12})
    dataset = open_dataset(spec, recipe.view)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(recipe, dataset, Path(folder), Engine("cpu"), quiet=True)
        state = trainer.state
        began = time.perf_counter()
        checkup = Checkup(recipe, state.gan, dataset, trainer.loader, torch.device("cpu"))
        start = time.perf_counter() - began
        features, steps, checkups = None, [], []
        for _ in range(repeats):
            trainer.step()
            began = time.perf_counter()
            for _ in range(STEPS):
                trainer.step()
            steps.append((time.perf_counter() - began) / STEPS)
            began = time.perf_counter()
            _, features = checkup.measure(state.gan, trainer.monitor.sampler, features)
            checkups.append(time.perf_counter() - began + watched(trainer) - steps[-1])
    one, cost = statistics.median(steps), statistics.median(checkups)
    between = period / recipe.batch
    print(
        f"{name:16} step {one * 1e3:8.2f} ms   checkup {cost * 1e3:8.1f} ms every "
        f"{between:,.0f} steps:"
        f" {cost / (between * one):6.2%}   begins with {start:.1f} s",
        flush=True,
    )


def watched(trainer: Trainer) -> float:
    """Seconds of a step that is watched."""
    began = time.perf_counter()
    trainer.monitor.make_probe = lambda: StepProbe(trainer.state.gan.decision_threshold)
    trainer.step()
    assert trainer.probe
    trainer.probe.read()
    del trainer.monitor.make_probe
    return time.perf_counter() - began


def main() -> None:
    """Measure the recipes asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipes", nargs="*", default=["digits"])
    parser.add_argument("--data")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int)
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    for name in given.recipes:
        measure(name, given.data, given.repeats)


if __name__ == "__main__":
    main()
