"""How fast training steps are, against plain scripts and against the machine's own matrix products,
interleaved in one run.

    python benchmarks/step_speed.py [RECIPE ...] [--device cuda] [--seconds 20] [--threads N]
    [--cpu-time]

Ours is `Trainer.step`, whole: batch, random numbers, learning rates, updates, checks and means,
executed as `train` would choose here; how that is, is printed under each recipe. The plain scripts
are in `plain.py`, `plain_translation.py` and `plain_quick.py`. Both train on the same random data;
recipes too large for that are made smaller, see `SMALL`. Slices of either follow one another as
ours, plain, plain, ours, ..., so that whatever else the machine does falls on both; every pair of
slices gives one ratio. On a machine that does much else, `--threads 1 --cpu-time` measures by the
CPU time that this process was given instead of the time that passed. On a GPU a slice ends when all
its work is done; plain scripts have their data there, and TF32 and the choice of convolution
kernels as ours do, which are settings of the whole process.

Printed for each recipe:

- images/s: medians over the slices.
- ratio: median of the pairs' ratios, ours / plain, and their quartiles.
- GFLOP: multiplications and additions of matrix products and convolutions in one step of either,
  those with padding left out; a mean where not all steps are alike.
- step/peak: their rate over the whole step of ours, as a share of the rate of large float32 matrix
  products measured beside (on a GPU TF32 ones).
- conv/peak: the same of the convolutions alone, over the time spent in them; not on a GPU, which is
  asked before it is done.
"""

import argparse
import math
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from plain import SCRIPTS, UNIT_RANGE, Pictures, Step
from plain_quick import ROW_SCRIPTS
from plain_rows import Rows
from random_data import floats, random_data
from stopwatch import (
    Clock,
    clock_of,
    convolution_rate,
    flops_of,
    processor,
    product_rate,
    spread,
    timed,
)

from ganvas.data.dataset import Dataset
from ganvas.data.loader import on_device
from ganvas.data.sampler import orders
from ganvas.errors import UserError
from ganvas.gans.options import build_gan, option_defaults
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import Recipe, change
from ganvas.training.engine import Engine
from ganvas.training.speed.autotune import ExecutionPlan
from ganvas.training.trainer import Trainer

# scripts do not average
SAME_WORK = {"size": 64, "channels": 3, "load_scale": 1.0, "flip": False, "ema_halflife": None}
SMALL: dict[str, dict[str, Any]] = {  # changes of recipes
    "pix2pix": {"batch": 4, "options.width": 32},
    "cyclegan": {"batch": 4, "options.width": 16},
    "stargan": {"batch": 8, "options.width": 16},
    "inpaint": {"batch": 8, "options.width": 16},
    "gawwn-box": {"batch": 8, "options.width": 16, "options.smallest": 1.0},
    # as large as they are, without what scripts do not do
    "pix2pix-fast": {},
    "cyclegan-fast": {},
    "stargan-fast": {},
    "inpaint-fast": {},
    "gawwn-fast": {"options.smallest": 1.0},
}
SLICE = 0.3  # seconds; at least one step
LEAST_PAIRS = 3
PEAK_SIZES = (1024, 1536, 2048)


@dataclass
class Pair:
    """What one turn of everything has measured, in seconds and FLOP a second."""

    ours: float  # of a step
    plain: float
    peak: float  # FLOP/s of large matrix products
    convolutions: float  # FLOP/s of ours in convolutions; 0 without any


def main() -> None:
    """Measure and print."""
    names = [*SCRIPTS, *ROW_SCRIPTS]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "recipes", nargs="*", metavar="RECIPE", help=f"of {', '.join(names)}; all without"
    )
    parser.add_argument(
        "--seconds", type=float, default=20, help="for each recipe, by the same clock"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, help="of PyTorch; its own choice without")
    parser.add_argument(
        "--cpu-time", action="store_true", help="measure by this process's CPU time"
    )
    arguments = parser.parse_args()
    unknown = [name for name in arguments.recipes if name not in names]
    if unknown:
        parser.error(f"no plain script for {', '.join(unknown)}; there are {', '.join(names)}")
    if arguments.cpu_time and arguments.threads != 1:
        parser.error(
            "--cpu-time adds up what all threads take, waiting for one another too: "
            "use it with --threads 1"
        )
    if arguments.cpu_time and arguments.device != "cpu":
        parser.error("--cpu-time says nothing of a GPU's work; leave it out")
    try:
        engine = Engine(arguments.device)
    except UserError as error:
        parser.error(str(error))
    clock = clock_of(engine, arguments.cpu_time)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    name = torch.cuda.get_device_name() if arguments.device == "cuda" else processor()
    print(
        f"{torch.get_num_threads()} threads, torch {torch.__version__}, {name}, "
        "precision as in the recipe"
    )
    kind = "CPU time" if arguments.cpu_time else "time passed"
    print(
        f"{kind:15} {'images/s':>16}  {'ours / plain':^19}  {'':>5} "
        f"{'GFLOP a step':>15} {'step /':>6} {'conv /':>6}"
    )
    heading = (
        f"{'recipe':15} {'ours':>8}{'plain':>8}  {'ratio (quartiles)':19}  "
        f"{'pairs':>5} {'ours':>7} {'plain':>7}"
    )
    print(f"{heading} {'peak':>6} {'peak':>6}")
    peaks = []
    for name in arguments.recipes or names:
        recipe = small(name)
        pairs, flops, decision = measure(recipe, arguments.seconds, clock, engine)
        print(f"{row(recipe, pairs, *flops)}\n{'':15} {decision.line()}", flush=True)
        peaks += [pair.peak / 1e9 for pair in pairs]
    sizes = ", ".join(str(size) for size in PEAK_SIZES)
    print(
        f"peak: matrix products of {sizes}, the best in each turn: {spread(peaks, '.0f')} GFLOP/s"
    )


def small(name: str) -> Recipe:
    """The recipe, made smaller if it would take too long, without what scripts do not do."""
    return change(get_recipe(name), SAME_WORK | SMALL[name]) if name in SMALL else get_recipe(name)


def period_of(recipe: Recipe) -> int:
    """Steps until a step is like the first again, by a lazy penalty or several critic steps."""
    options = option_defaults(recipe.gan) | recipe.options
    return math.lcm(options.get("penalty_every", 1), options.get("n_critic", 1))


def measure(
    recipe: Recipe, seconds: float, clock: Clock, engine: Engine
) -> tuple[list[Pair], tuple[float, float], ExecutionPlan]:
    """Take steps of a recipe and of its plain script in turns.

    Returns:
        What each turn has measured; the FLOP of a step of ours and of the plain script; how ours
        were executed.
    """
    torch.manual_seed(0)
    dataset, period = random_data(recipe), period_of(recipe)
    trainer = Trainer(recipe, dataset, Path(), engine, quiet=True)
    ours, plain = trainer.step, plain_step(recipe, dataset, engine.device)
    flops = flops_of(ours, period, clock), flops_of(plain, period, clock)
    decision = trainer.apply_own_plan()
    matrices = [torch.randn(2, size, size, device=engine.device) for size in PEAK_SIZES]
    for warm in (ours, plain):
        timed(warm, max(3, period), clock)
    steps = period * max(1, round(SLICE / period / timed(plain, max(3, period), clock)))
    pairs: list[Pair] = []
    end = clock() + seconds
    while len(pairs) < LEAST_PAIRS or clock() < end:
        if len(pairs) % 2 == 0:
            ours_time, plain_time = timed(ours, steps, clock), timed(plain, steps, clock)
        else:
            plain_time, ours_time = timed(plain, steps, clock), timed(ours, steps, clock)
        peak = max(product_rate(two, clock) for two in matrices)
        pairs.append(
            Pair(
                ours_time,
                plain_time,
                peak,
                convolution_rate(ours, clock) if engine.device.type == "cpu" else 0.0,
            )
        )
    return pairs, flops, decision


def plain_step(recipe: Recipe, dataset: Dataset, device: torch.device) -> Step:
    """The plain script of a recipe, with the same data as floats in the device's memory."""
    if recipe.name in SCRIPTS:
        pictures = floats(dataset, unit=recipe.name in UNIT_RANGE)
        # where it makes its networks; not in its steps, since each call would ask for the device
        with device:
            return SCRIPTS[recipe.name](
                Pictures(pictures.images.to(device), pictures.labels.to(device))
            )
    tables = [order.dataset.columns for order in orders(dataset, recipe.sampling)]
    rows = Rows(
        *(
            on_device({name: torch.from_numpy(column) for name, column in table.items()}, device)
            for table in tables
        )
    )
    gan = build_gan(recipe.gan, dataset.schema, recipe.options).to(device)
    with device:
        return ROW_SCRIPTS[recipe.name](gan, rows, recipe.batch)


def row(recipe: Recipe, pairs: list[Pair], flops: float, plain_flops: float) -> str:
    """A recipe's line of the table."""
    batch = recipe.batch
    ours = batch / statistics.median(pair.ours for pair in pairs)
    plain = batch / statistics.median(pair.plain for pair in pairs)
    ratio = spread([pair.plain / pair.ours for pair in pairs], ".2f")
    step = statistics.median(flops / pair.ours / pair.peak for pair in pairs)
    share = statistics.median(pair.convolutions / pair.peak for pair in pairs)
    convolutions = f"{share:6.0%}" if share else f"{'-':>6}"
    work = f"{flops / 1e9:7.2f} {plain_flops / 1e9:7.2f}"
    rates = f"{ours:8,.1f}{plain:8,.1f}  {ratio:19}"
    return f"{recipe.name:15} {rates}  {len(pairs):5} {work} {step:6.0%} {convolutions}"


if __name__ == "__main__":
    main()
