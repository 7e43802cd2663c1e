"""What several processes bring: two of one thread against one of two threads.

    python benchmarks/scaling.py [RECIPE ...] [--seconds 60]

Measured on the CPU with gloo, `digits` on its scans and others on random images; large recipes are
made smaller, as `SMALL` says. All candidates live at once and train in turns, a slice of about a
second each, forwards and backwards; those who do not train sleep. Every turn of all gives one
ratio, so that whatever else the machine does falls on all; medians and quartiles of the ratios are
printed.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from random_data import random_data
from stopwatch import processor, spread

from ganvas.data import open_dataset
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import Recipe, change
from ganvas.training.engine import Engine
from ganvas.training.trainer import Trainer

SMALL: dict[str, dict[str, Any]] = {"dcgan-64": {"batch": 16}}
DEFAULT = ("digits", "mnist-cdcgan", "dcgan-64")
SLICE = 1.0  # seconds; at least one step
LEAST_TURNS = 5


class Team:
    """Processes that wait for orders and train together.

    Args:
        name: of a recipe.
        count: of processes.
        threads: of each.
    """

    def __init__(self, name: str, count: int, threads: int):
        shared = {
            "WORLD_SIZE": str(count),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(free_port()),
        }
        command = [sys.executable, __file__, "--worker", str(threads), name]
        self.processes = [
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | shared | {"RANK": str(rank), "OMP_NUM_THREADS": str(threads)},
            )
            for rank in range(count)
        ]

    def train(self, steps: int) -> float:
        """Seconds a training step, of the slowest process."""
        for process in self.processes:
            assert process.stdin
            print(steps, file=process.stdin, flush=True)
        return max(float(process.stdout.readline()) for process in self.processes if process.stdout)

    def dismiss(self) -> None:
        """Let the processes end."""
        for process in self.processes:
            assert process.stdin
            process.stdin.close()
        for process in self.processes:
            process.wait()


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def shrink_recipe(name: str) -> Recipe:
    """The recipe, made smaller if it would take too long."""
    return change(get_recipe(name), SMALL.get(name, {}))


def work(name: str, threads: int) -> None:
    """One process of a team: take as many steps as each line of the input asks for.

    It answers with seconds a step.
    """
    torch.set_num_threads(threads)
    recipe = shrink_recipe(name)
    with Engine("cpu") as engine:
        own = recipe.data == "digits"
        dataset = open_dataset("digits", recipe.view) if own else random_data(recipe)
        trainer = Trainer(recipe, dataset, Path(), engine, quiet=True)
        for line in sys.stdin:
            steps = int(line)
            engine.wait()
            began = time.perf_counter()
            for _ in range(steps):
                trainer.step()
            print((time.perf_counter() - began) / steps, flush=True)


def in_turns(
    candidates: Mapping[str, Callable[[int], float]], seconds: float
) -> dict[str, list[float]]:
    """Let candidates train in turns, forwards and backwards; seconds a step, by turn."""
    for train in candidates.values():
        train(2)
    slowest = max(train(2) for train in candidates.values())
    steps = max(1, round(SLICE / slowest))
    found: dict[str, list[float]] = {name: [] for name in candidates}
    end, order = time.perf_counter() + seconds, list(candidates)
    while len(found[order[0]]) < LEAST_TURNS or time.perf_counter() < end:
        for name in order:
            found[name].append(candidates[name](steps))
        order.reverse()
    return found


def ratio(slow: Sequence[float], fast: Sequence[float], times: float = 1) -> str:
    """How many times as fast the second is: median and quartiles over the turns."""
    return spread([times * one / other for one, other in zip(slow, fast)], ".2f")


def rate(recipe: Recipe, seconds: Sequence[float]) -> float:
    """Images a second."""
    return recipe.batch / statistics.median(seconds)


def measure_processes(names: Sequence[str], seconds: float) -> None:
    """Print what two processes bring on two cores."""
    print("images/s of the same whole batch; ratios are medians of turns (quartiles)\n")
    print(
        "| recipe | batch | 1 thread | 2 threads | 2 processes "
        "| / 2 threads | / (2 x 1 thread) | turns |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name in names:
        recipe, teams = shrink_recipe(name), [Team(name, 1, 1), Team(name, 1, 2), Team(name, 2, 1)]
        one, two, both = in_turns(
            {str(number): team.train for number, team in enumerate(teams)}, seconds
        ).values()
        for team in teams:
            team.dismiss()
        rates = " | ".join(f"{rate(recipe, values):,.1f}" for values in (one, two, both))
        ratios = f"{ratio(two, both)} | {ratio(one, both, times=0.5)}"
        print(f"| `{name}` | {recipe.batch} | {rates} | {ratios} | {len(one)} |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "recipes", nargs="*", metavar="RECIPE", help=f"{', '.join(DEFAULT)} without"
    )
    parser.add_argument("--seconds", type=float, default=60, help="for each recipe")
    parser.add_argument("--worker", type=int, metavar="THREADS", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    names = arguments.recipes or DEFAULT
    if arguments.worker:
        work(names[0], arguments.worker)
    else:
        print(f"{os.cpu_count()} cores, torch {torch.__version__}, {processor()}, float32")
        measure_processes(names, arguments.seconds)


if __name__ == "__main__":
    main()
