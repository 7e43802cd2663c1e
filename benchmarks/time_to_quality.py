"""How soon recipes make good images: their distance to real ones against images, FLOPs and
seconds, in turns within one run.

    python benchmarks/time_to_quality.py RECIPE [RECIPE ...] --data DATA [--seconds 300 [60 ...]]
    [--out FOLDER]

The recipes train in slices that follow one another, so that whatever else the machine does falls on
all. Ours is `Trainer.step`, whole, executed as `ganvas train` would: batch, random numbers, rates,
updates, checks, moving average. Scoring is not counted. On a machine that does much else,
`--threads 1 --cpu-time` counts the CPU time that this process was given instead of the time that
passed.

A score is a distance to real images, the lower the better, in the features that `ganvas evaluate`
would choose, or `--features`:

- of GANs that generate from noise the Frechet distance of `--count` samples: to training images, or
  with `--against held-out` to those that `--set held_out=N` keeps from training, to choose settings
  by; or with `--against test` to the test set that was published with the data, which is for
  reports.
- of GANs that generate from rows of data, such as translations, the kernel distance of what they
  generate from rows that training does not see (held out, or of the published test set; `--count`
  of them at most) to the real images of these rows. It says nothing of how well an image fits its
  row: a StarGAN that changes nothing is near 0 from the beginning.

Printed: a line a score; then, for each recipe after the first, when it first was as good as the
first one is at the end, and the ratio of the two times. With `--out`: curves.png, curves.json and a
grid of samples of each recipe.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from quality_curves import Point, write_curves
from stopwatch import flops_of, processor
from yardsticks import SPLITS, Yardstick, make_yardstick

from ganvas.cli.flags import parse_settings
from ganvas.data import Dataset, open_dataset
from ganvas.errors import UserError
from ganvas.io.images import save
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
class Candidate:
    """A recipe that trains.

    Attributes:
        budget: seconds that it is given at most; it ends earlier where its recipe does.
        flops_a_step: what a training step computes.
        used: seconds that it had.
        due: seconds after which it is scored next.
    """

    name: str
    trainer: Trainer
    budget: float
    flops_a_step: float = 0.0
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

    def score(self, yardstick: Yardstick) -> Point:
        """Look at the samples, and say when to look again."""
        state = self.trainer.state
        distance = yardstick.score(self.trainer.monitor.sampler)
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
    parser.add_argument(
        "--count", type=int, default=10_000, help="samples for each score, or rows at most"
    )
    parser.add_argument("--features", help="as of ganvas evaluate")
    parser.add_argument(
        "--against",
        choices=SPLITS,
        help="which real images to compare samples from noise with; training without it",
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
    try:
        compare(arguments)
    except UserError as error:
        parser.error(str(error))


def compare(arguments: argparse.Namespace) -> None:
    """Train the recipes in turns, score, print.

    Raises:
        UserError: recipes, data and flags do not suit one another.
    """
    clock = time.process_time if arguments.cpu_time else time.perf_counter
    recipes = choose_recipes(arguments)
    budgets = [
        arguments.seconds[min(place, len(arguments.seconds) - 1)] for place in range(len(recipes))
    ]
    candidates = [start(recipe, budget) for recipe, budget in zip(recipes, budgets)]
    gans = [candidate.trainer.state.gan for candidate in candidates]
    yardstick = make_yardstick(
        list(zip(recipes, gans)), arguments.features, arguments.against, arguments.count
    )
    for candidate in candidates:
        candidate.flops_a_step = count_flops(candidate.trainer, clock)

    kind = "CPU time" if arguments.cpu_time else "time passed"
    print(
        f"{torch.get_num_threads()} threads, torch {torch.__version__}, {processor()}, {kind}; "
        f"seed {arguments.seed}"
    )
    print(yardstick.about)
    print(
        f"{'recipe':20} {'images':>9} {'TFLOP':>9} {'seconds':>8} {'images/s':>9} {'distance':>9}"
    )
    while going := [candidate for candidate in candidates if not candidate.over]:
        for candidate in going:
            candidate.train(clock)
            if candidate.used >= candidate.due or candidate.over:
                print(line(candidate.name, candidate.score(yardstick)), flush=True)
                if arguments.out:
                    about = f"{yardstick.about}, seconds of {kind}"
                    write(candidates, arguments.out, about)
    for other in candidates[1:]:
        print(comparison(candidates[0], other))


def choose_recipes(arguments: argparse.Namespace) -> list[Recipe]:
    """The recipes, all on the data, size and seed that were asked for, or on the first one's own.

    Raises:
        UserError: there is no data.
    """
    shared: dict[str, Any] = {"seed": arguments.seed}
    shared |= {
        key: getattr(arguments, key)
        for key in ("data", "size")
        if getattr(arguments, key) is not None
    }
    recipes: list[Recipe] = []
    for name in arguments.recipes:
        recipes.append(change_as_asked(name, shared, arguments.set))
        shared = {"data": recipes[0].data, "size": recipes[0].size} | shared
    if recipes[0].data is None:
        raise UserError(f"{recipes[0].name} has no data of its own: name it with --data")
    return recipes


def change_as_asked(name: str, shared: dict[str, Any], settings: list[str]) -> Recipe:
    """A recipe with what all share, and with those changes that are meant for it."""
    changes = dict(shared)
    for text in settings:
        target, colon, pair = text.partition(":")
        if not colon or "=" in target:
            changes |= parse_settings([text])
        elif target == name:
            changes |= parse_settings([pair])
    return change(get_recipe(name), changes)


def start(recipe: Recipe, budget: float) -> Candidate:
    """A recipe ready to train."""
    assert recipe.data is not None
    dataset = open_dataset(recipe.data, recipe.view, progress=True)
    return Candidate(recipe.name, make_trainer(recipe, dataset), budget)


def make_trainer(recipe: Recipe, dataset: Dataset) -> Trainer:
    """A trainer that takes steps as `ganvas train` would, and writes nothing."""
    trainer = Trainer(recipe, dataset, Path(), Engine("cpu"), quiet=True)
    trainer.apply_own_plan()
    return trainer


def count_flops(trainer: Trainer, clock: Clock) -> float:
    """FLOP of a training step, counted on a copy."""
    copy = make_trainer(trainer.context.recipe, trainer.context.dataset)
    return flops_of(copy.step, COUNTED_STEPS, clock)


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
    """The curves so far, and a grid of samples of each recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    write_curves({candidate.name: candidate.points for candidate in candidates}, folder, about)
    for candidate in candidates:
        save(candidate.trainer.monitor.draw_samples(), folder / f"{candidate.name}.png")


if __name__ == "__main__":
    main()
