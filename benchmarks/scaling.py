"""What several processes bring: two processes against one of two threads, buckets against one
all-reduce, and a computed table.

    python benchmarks/scaling.py [RECIPE ...] [--seconds 60]          two processes of one thread,
    one of two, one of one python benchmarks/scaling.py --overlap [RECIPE ...]
    gradients sent during `backward`, or at once after it python benchmarks/scaling.py --table
    computed for 1, 8 and 64 GPUs; see scaling_table.py

Measured on the CPU with gloo, `digits` on its scans and others on random pictures; large recipes
are made smaller, as `SMALL` tells. All contestants live at once and play in turns, a slice of about
a second each, forwards and backwards; those who do not play sleep. Every turn of all gives one
ratio, so that whatever else the machine does falls on all; medians and quartiles of the ratios are
printed.

With `--overlap` two processes play with all gradients of a player in one all-reduce after
`backward`, and with buckets. That is done on the real link, which costs the processors time, and on
an imitated one, `--gigabits` fast, which does not: a process that waits for a sum sleeps until a
ring of two at that rate would have brought it.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from scaling_table import print_table
from step_speed import processor, random_data, spread
from torch import Tensor

from ganvas.data import open_dataset
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import Recipe, change
from ganvas.training import engine as engines
from ganvas.training.engine import BUCKET, Engine
from ganvas.training.speed.reducer import GradientReducer, Pending
from ganvas.training.trainer import Trainer

SMALL: dict[str, dict[str, Any]] = {"dcgan-64": {"batch": 16}}
DEFAULT = ("digits", "mnist-cdcgan", "dcgan-64")
WHOLE = 1 << 40  # a bucket that holds any player
SLICE = 1.0  # seconds; at least one round
LEAST_TURNS = 5


class Team:
    """Processes that wait for orders and play rounds together.

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

    def play(self, rounds: int, bucket: int = BUCKET, gigabits: float = 0) -> float:
        """Seconds a round, of the slowest process; a rate of 0 leaves the link as it is."""
        for process in self.processes:
            assert process.stdin
            print(json.dumps([rounds, bucket, gigabits]), file=process.stdin, flush=True)
        return max(float(process.stdout.readline()) for process in self.processes if process.stdout)

    def dismiss(self) -> None:
        """Let the processes end."""
        for process in self.processes:
            assert process.stdin
            process.stdin.close()
        for process in self.processes:
            process.wait()


class LinkedEngine(Engine):
    """An engine whose link may be a slower one: sums take as long as they would there, but no
    processor's time.

    Attributes:
        gigabits: a second, in either direction, between two processes; 0 is the machine's own link.
        free: when the slow link has carried all that it was given.
    """

    gigabits = 0.0
    free = 0.0

    def start_sum(self, values: Tensor) -> Pending:
        """As the engine's; the link carries one tensor after another, 2 (n - 1) / n = 1 times its
        bytes.
        """
        real = super().start_sum(values)
        if not self.gigabits:
            return real
        self.unconditional = max(self.unconditional, time.perf_counter()) + values.nbytes * 8 / (
            self.gigabits * 1e9
        )
        return Arriving(real, self.unconditional)


class Arriving:
    """A sum that is there at a given time."""

    def __init__(self, real: Pending, arrives: float):
        self.real, self.arrives = real, arrives

    def wait(self) -> None:
        """Return when it is there."""
        self.real.wait()
        time.sleep(max(0.0, self.arrives - time.perf_counter()))


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def small(name: str) -> Recipe:
    """The recipe, made smaller if it would take too long."""
    return change(get_recipe(name), SMALL.get(name, {}))


def work(name: str, threads: int) -> None:
    """One process of a team: play as many rounds as each line of the input asks for, and answer
    with seconds a round.
    """
    torch.set_num_threads(threads)
    recipe = small(name)
    # what was learnt about the order of gradients, by bucket
    kept: dict[int, dict[tuple[int, ...], GradientReducer]] = {}
    engine = LinkedEngine("cpu")
    with engine:
        dataset = (
            open_dataset("digits", recipe.view) if recipe.data == "digits" else random_data(recipe)
        )
        trainer = Trainer(recipe, dataset, Path(), engine, quiet=True)
        for line in sys.stdin:
            rounds, engines.BUCKET, engine.gigabits = json.loads(line)
            engine.averagings = kept.setdefault(engines.BUCKET, {})
            engine.wait()
            began = time.perf_counter()
            for _ in range(rounds):
                trainer.round()
            print((time.perf_counter() - began) / rounds, flush=True)


def in_turns(plays: Mapping[str, Callable[[int], float]], seconds: float) -> dict[str, list[float]]:
    """Let contestants play in turns, forwards and backwards; seconds a round of each in each turn."""
    for play in plays.values():
        play(2)
    slowest = max(play(2) for play in plays.values())
    rounds = max(1, round(SLICE / slowest))
    found: dict[str, list[float]] = {name: [] for name in plays}
    end, order = time.perf_counter() + seconds, list(plays)
    while len(found[order[0]]) < LEAST_TURNS or time.perf_counter() < end:
        for name in order:
            found[name].append(plays[name](rounds))
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
        "| recipe | batch | 1 thread | 2 threads | 2 processes | / 2 threads | / (2 x 1 thread) | turns |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name in names:
        recipe, teams = small(name), [Team(name, 1, 1), Team(name, 1, 2), Team(name, 2, 1)]
        one, two, both = in_turns(
            {str(number): team.play for number, team in enumerate(teams)}, seconds
        ).values()
        for team in teams:
            team.dismiss()
        rates = " | ".join(f"{rate(recipe, values):,.1f}" for values in (one, two, both))
        ratios = f"{ratio(two, both)} | {ratio(one, both, times=0.5)}"
        print(f"| `{name}` | {recipe.batch} | {rates} | {ratios} | {len(one)} |", flush=True)


def measure_overlap(names: Sequence[str], seconds: float, bucket: int, gigabits: float) -> None:
    """Print what sending gradients during `backward` brings to two processes."""
    print(f"buckets of {bucket / 2**20:g} MiB; ratios are medians of turns (quartiles)\n")
    print("| recipe | batch | link | whole, images/s | buckets, images/s | ratio | turns |")
    print("|---|---|---|---|---|---|---|")
    for name in names:
        recipe, team = small(name), Team(name, 2, 1)
        for speed in (0.0, gigabits):
            play = partial(team.play, gigabits=speed)
            plays = {"whole": partial(play, bucket=WHOLE), "buckets": partial(play, bucket=bucket)}
            whole, parts = in_turns(plays, seconds / 2).values()
            link = f"imitated, {speed:g} Gb/s" if speed else "this machine's"
            rates = (
                f"{rate(recipe, whole):,.1f} | {rate(recipe, parts):,.1f} | {ratio(whole, parts)}"
            )
            print(f"| `{name}` | {recipe.batch} | {link} | {rates} | {len(whole)} |", flush=True)
        team.dismiss()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "recipes", nargs="*", metavar="RECIPE", help=f"{', '.join(DEFAULT)} without"
    )
    parser.add_argument("--seconds", type=float, default=60, help="for each recipe")
    parser.add_argument(
        "--overlap", action="store_true", help="compare buckets with one all-reduce a player"
    )
    parser.add_argument(
        "--bucket", type=float, default=BUCKET / 2**20, help="MiB; only with --overlap"
    )
    parser.add_argument(
        "--gigabits",
        type=float,
        default=1,
        help="a second of the imitated link; only with --overlap",
    )
    parser.add_argument("--table", action="store_true", help="compute instead of measuring")
    parser.add_argument("--worker", type=int, metavar="THREADS", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    names = arguments.recipes or DEFAULT
    if arguments.worker:
        work(names[0], arguments.worker)
    elif arguments.table:
        print_table()
    else:
        print(f"{os.cpu_count()} cores, torch {torch.__version__}, {processor()}, float32")
        if arguments.overlap:
            measure_overlap(
                names, arguments.seconds, round(arguments.bucket * 2**20), arguments.gigabits
            )
        else:
            measure_processes(names, arguments.seconds)


if __name__ == "__main__":
    main()
