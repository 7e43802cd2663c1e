"""How soon recipes make good images: their distance to real ones against images, FLOPs and
seconds, in turns within one run.

    python benchmarks/time_to_quality.py RECIPE [RECIPE ...] --data DATA [--seconds 300 [60 ...]]
    [--out FOLDER]

The recipes train in slices that follow one another, so that whatever else the machine does falls on
all. Ours is `Trainer.step`, whole, executed as `ganvas train` would: batch, random numbers, rates,
updates, checks, moving average. Scoring is not counted. On a machine that does much else,
`--threads 1 --cpu-time` counts the CPU time that this process was given instead of the time that
passed.

A score is a Frechet distance in the features that `ganvas evaluate` would choose, of `--count`
samples: to training images, or with `--against held-out` to those that `--set held_out=N` keeps
from training, to choose settings by; or with `--against test` to the test set that was published
with the data, which is for reports.

Printed: a line a score; then, for each recipe after the first, when it first was as good as the
first one is at the end, and the ratio of the two times. With `--out`: curves.png, curves.json and a
grid of samples of each recipe.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from stopwatch import flops_of, processor

from ganvas.cli.flags import parse_settings
from ganvas.data import open_dataset
from ganvas.data.builtin.points import mode_discs
from ganvas.errors import UserError
from ganvas.evaluation.extractors import make_extractor, usual_features
from ganvas.evaluation.metrics.distances import moments
from ganvas.evaluation.quick import QuickReference, quick_score
from ganvas.evaluation.references import draw_rows, features_of_rows, open_training_reference
from ganvas.inference.run import training_grid
from ganvas.io.files import atomic_path, write_text
from ganvas.io.images import save, to_uint8
from ganvas.io.scatter import draw_sheet
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import Recipe, change
from ganvas.training.engine import Engine
from ganvas.training.trainer import Trainer

SLICE = 2.0  # seconds; at least one step
FIRST_SCORE = 4.0  # seconds; each score comes GROWTH times as late as the one before
GROWTH = 1.5
COUNTED_STEPS = 16  # whole periods of lazy penalties
Clock = Callable[[], float]


@dataclass
class Point:
    """A recipe at one moment."""

    images: int
    seconds: float
    teraflop: float
    distance: float


@dataclass
class Candidate:
    """A recipe that trains.

    Attributes:
        budget: seconds that it is given at most; it ends earlier where its recipe does.
        used: seconds that it had.
        due: seconds after which it is scored next.
    """

    name: str
    trainer: Trainer
    budget: float
    flops_a_step: float
    used: float = 0.0
    due: float = FIRST_SCORE
    points: list[Point] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether its seconds or its recipe's images are used up."""
        return self.used >= self.budget or self.trainer.state.clock.finished

    def train(self, clock: Clock) -> None:
        """Train for a slice, or until a score is due."""
        end = min(self.used + SLICE, self.due, self.budget)
        while self.used < end and not self.over:
            began = clock()
            self.trainer.step()
            self.used += clock() - began

    def score(self, reference: QuickReference, count: int) -> Point:
        """Look at the samples, and say when to look again."""
        state = self.trainer.state
        distance = quick_score(
            self.trainer.monitor.sampler, reference, self.trainer.context.engine.device, count
        )
        teraflop = state.clock.steps * self.flops_a_step / 1e12
        self.points.append(
            Point(state.clock.images, round(self.used, 2), round(teraflop, 3), round(distance, 4))
        )
        self.due = max(self.due * GROWTH, self.used)
        return self.points[-1]


def main() -> None:
    """Train, score, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipes", nargs="+", metavar="RECIPE")
    parser.add_argument("--data", help="what all train on; without it, the first recipe's own")
    parser.add_argument(
        "--size", type=int, help="side of the images; without it, the first recipe's own"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        nargs="+",
        default=[300],
        help="for each recipe; the last one for all others",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=10_000, help="samples for each score")
    parser.add_argument("--features", help="as of ganvas evaluate")
    parser.add_argument(
        "--against", choices=SPLITS, default="training", help="which real images to compare with"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="[RECIPE:]KEY=VALUE",
        help="change one recipe, or all",
    )
    parser.add_argument("--threads", type=int, help="of PyTorch; its own choice without")
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="count this process's CPU time; with --threads 1",
    )
    parser.add_argument("--out", type=Path, help="folder for curves and grids")
    arguments = parser.parse_args()
    if arguments.cpu_time and arguments.threads != 1:
        parser.error(
            "--cpu-time adds up what all threads take, waiting for one another too: "
            "use it with --threads 1"
        )
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    clock = time.process_time if arguments.cpu_time else time.perf_counter
    recipes = [asked(name, arguments) for name in arguments.recipes]
    budgets = [
        arguments.seconds[min(place, len(arguments.seconds) - 1)] for place in range(len(recipes))
    ]
    reference = make_yardstick(recipes[0], arguments.features, arguments.against)
    extractor = reference.extractor.protocol["extractor"]
    kind = "CPU time" if arguments.cpu_time else "time passed"
    against = f"{arguments.against} images"
    print(
        f"{torch.get_num_threads()} threads, torch {torch.__version__}, {processor()}, {kind}; "
        f"seed {arguments.seed}"
    )
    print(f"Frechet distance of {arguments.count:,} samples to {against}, {extractor} features")
    print(
        f"{'recipe':20} {'images':>9} {'TFLOP':>9} {'seconds':>8} {'images/s':>9} {'distance':>9}"
    )
    candidates = [start(recipe, budget, clock) for recipe, budget in zip(recipes, budgets)]
    while going := [candidate for candidate in candidates if not candidate.over]:
        for candidate in going:
            candidate.train(clock)
            if candidate.used >= candidate.due or candidate.over:
                print(line(candidate.name, candidate.score(reference, arguments.count)), flush=True)
                if arguments.out:
                    write(
                        candidates,
                        arguments.out,
                        f"{extractor} features, {against}, seconds of {kind}",
                    )
    for other in candidates[1:]:
        print(comparison(candidates[0], other))


def asked(name: str, arguments: argparse.Namespace) -> Recipe:
    """A recipe on the data, size and seed that were asked for, with its own changes."""
    changes: dict[str, Any] = {"seed": arguments.seed}
    changes |= {
        key: getattr(arguments, key)
        for key in ("data", "size")
        if getattr(arguments, key) is not None
    }
    for text in arguments.set:
        target, colon, pair = text.partition(":")
        if not colon or "=" in target:
            changes |= parse_settings([text])
        elif target == name:
            changes |= parse_settings([pair])
    return change(get_recipe(name), changes)


def make_yardstick(recipe: Recipe, features: str | None, against: str) -> QuickReference:
    """Real images to compare with, and what looks at them."""
    assert recipe.data is not None
    reference = open_training_reference(
        recipe.data, recipe.test_view, recipe.held_out, 0, progress=True
    )
    held = np.setdiff1d(np.arange(len(reference.train)), reference.train_rows)
    if against == "test" and reference.split != "test":
        raise UserError(
            f"--against test: no test set was published with {recipe.data}; use --against held-out"
        )
    if against == "held-out" and not len(held):
        raise UserError("--against held-out: nothing is held out; add --set held_out=2000, say")
    extractor = make_extractor(
        features or usual_features(reference, None)[0], reference, None, torch.device("cpu"), True
    )
    dataset, rows = {
        "training": (reference.train, draw_rows(reference.train, reference.train_rows, 0)),
        "held-out": (reference.train, held),
        "test": (reference.dataset, reference.rows),
    }[against]
    real = features_of_rows(extractor, dataset, rows, True)
    return QuickReference(extractor, real, moments(real, "real"))


def start(recipe: Recipe, budget: float, clock: Clock) -> Candidate:
    """A recipe ready to train; what its steps compute is counted on a copy."""
    assert recipe.data is not None
    dataset = open_dataset(recipe.data, recipe.view, progress=True)

    def trainer() -> Trainer:
        made = Trainer(recipe, dataset, Path(), Engine("cpu"), quiet=True)
        made.apply_own_plan()
        return made

    return Candidate(recipe.name, trainer(), budget, flops_of(trainer().step, COUNTED_STEPS, clock))


def line(name: str, point: Point) -> str:
    rate = point.images / point.seconds
    work = f"{point.images:9,} {point.teraflop:9.2f} {point.seconds:8.1f}"
    return f"{name:20} {work} {rate:9,.0f} {point.distance:9.3f}"


def comparison(first: Candidate, other: Candidate) -> str:
    """When `other` first was as good as `first` is at the end."""
    goal = first.points[-1]
    wanted = f"{first.name}'s {goal.distance:.3f} ({goal.seconds:.0f} s)"
    for point in other.points:
        if point.distance <= goal.distance:
            seconds, flops = goal.seconds / point.seconds, goal.teraflop / point.teraflop
            ratio = f"1/{seconds:.1f} of the seconds, 1/{flops:.1f} of the FLOPs"
            place = f"after {point.images:,} images and {point.seconds:.1f} s"
            return f"{other.name} reaches {wanted} with {point.distance:.3f} {place}: {ratio}"

    best = min(point.distance for point in other.points)
    return f"{other.name} does not reach {wanted}; its best is {best:.3f}"


def write(candidates: list[Candidate], folder: Path, about: str) -> None:
    """The curves so far as JSON and as an image, and a grid of samples of each recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    curves = {
        candidate.name: [asdict(point) for point in candidate.points] for candidate in candidates
    }
    write_text(
        folder / "curves.json", json.dumps({"about": about, "curves": curves}, indent=1) + "\n"
    )
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, (quantity, label) in zip(figure.subplots(1, 3, sharey=True), AXES.items()):
        for candidate in candidates:
            known = candidate.points
            axes.plot(
                [getattr(p, quantity) for p in known],
                [p.distance for p in known],
                ".-",
                label=candidate.name,
            )
        axes.set(xscale="log", yscale="log", xlabel=label)
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("distance to real images")
    figure.axes[0].legend()
    figure.suptitle(about, fontsize=9)
    with atomic_path(folder / "curves.png") as partial:
        figure.savefig(partial, format="png", dpi=110)
    for candidate in candidates:
        trainer = candidate.trainer
        images, columns, names = training_grid(
            trainer.monitor.sampler, trainer.context.recipe.seed, trainer.context.engine.device
        )
        grid = draw_sheet(
            to_uint8(images), columns, names, "", mode_discs(trainer.context.dataset.report.spec)
        )
        save(grid, folder / f"{candidate.name}.png")


SPLITS = ("training", "held-out", "test")
AXES = {"images": "images shown", "teraflop": "TFLOP", "seconds": "seconds"}

if __name__ == "__main__":
    main()
