"""How fast training steps are, against plain scripts and against the machine's own matrix products,
in turns within one run.

    python benchmarks/step_speed.py [RECIPE ...] [--device cuda] [--seconds 20] [--threads N]
    [--cpu-time]

Ours is `Trainer.step`, whole: batch, random numbers, learning rates, moves, checks and means,
played as `train` would choose here; how that is, is printed under each recipe. The plain scripts
are in `plain.py` and `plain_translation.py`. Both train on the same random data; recipes too large
for that are made smaller, as `SMALL` tells. Slices of either follow one another as ours, plain,
plain, ours, ..., so that whatever else the machine does falls on both; every pair of slices gives
one ratio. On a machine that does much else, `--threads 1 --cpu-time` measures by the processor time
that this process was given instead of the time that passed. On a GPU a slice ends when all its work
is done; plain scripts have their data there, and TF32 and the choice of convolution kernels as ours
do, which are settings of the whole process.

Printed for each recipe: images/s       medians over the slices ratio          median of the pairs'
  ratios, ours / plain, and their quartiles GFLOP          multiplications and additions of matrix
  products and convolutions in one round of either, those with padding
                 left out; a mean where not all rounds are alike
  step/peak      their rate over the whole round of ours, as a share of the rate of large float32
                 matrix products measured beside (on a GPU TF32 ones)
  conv/peak      the same of the convolutions alone, over the time spent in them; not on a GPU,
  which is asked before it has done
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from plain import SCRIPTS, UNIT_RANGE, Pictures, Step
from plain_translation import TRANSLATION_SCRIPTS, Rows
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ganvas.data.dataset import Dataset, fingerprint, single
from ganvas.data.loader import on_device
from ganvas.data.report import DataReport
from ganvas.data.sampler import orders
from ganvas.errors import UserError
from ganvas.gans import GANS
from ganvas.gans.options import build_gan
from ganvas.io.images import to_float
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import Recipe, change
from ganvas.training.engine import Engine
from ganvas.training.speed.autotune import ExecutionPlan
from ganvas.training.trainer import Trainer

PICTURES = 4096
ROWS = 1024  # of data for translation
ATTRIBUTES = tuple("abcde")
CAPTIONS = 10, 128  # of a picture, and letters in each
# scripts do not average
SAME_WORK = {"size": 64, "channels": 3, "load_scale": 1.0, "flip": False, "ema_halflife": None}
SMALL: dict[str, dict[str, Any]] = {  # changes of recipes
    "pix2pix": {"batch": 4, "options.width": 32},
    "cyclegan": {"batch": 4, "options.width": 16},
    "stargan": {"batch": 8, "options.width": 16},
    "inpaint": {"batch": 8, "options.width": 16},
    "gawwn-box": {"batch": 8, "options.width": 16, "options.smallest": 1.0},
}
PERIODS = {"stargan": 5, "inpaint": 8}  # rounds until a round is like the first again
SLICE = 0.3  # seconds; at least one round
LEAST_PAIRS = 3
PEAK_SIZES = (1024, 1536, 2048)
Clock = Callable[[], float]
aten = torch.ops.aten


class Stopwatch(TorchDispatchMode):
    """Counts and times, while it is entered, the matrix products and convolutions that are really
    executed.

    Args:
        clock: tells seconds.

    Attributes:
        flops: of all, forward and backward.
        convolution_flops: of the convolutions.
        convolution_seconds: spent in these.
    """

    def __init__(self, clock: Clock):
        super().__init__()
        self.clock = clock
        self.flops, self.convolution_flops, self.convolution_seconds = 0.0, 0.0, 0.0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run one operation of PyTorch and note it."""
        kwargs = kwargs or {}
        began = self.clock()
        out = func(*args, **kwargs)
        seconds = self.clock() - began
        operation = func.overloadpacket
        if operation in flop_registry:
            flops = flop_registry[operation](*args, **kwargs, out_val=out)
            if operation is aten.convolution:
                flops *= inside(args[0], out, *args[1:2], *args[3:6])
            elif operation is aten.convolution_backward:
                flops *= inside(*args[:3], *args[4:7])
            self.flops += flops
            if operation in (aten.convolution, aten.convolution_backward):
                self.convolution_flops += flops
                self.convolution_seconds += seconds
        return out


def inside(
    first: Tensor,
    second: Tensor,
    weight: Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> float:
    """The share of a convolution's multiplications that meet a pixel: the others meet padding, and
    good kernels skip them.

    Args:
        first, second: its input and output maps (N, C, H, W) or (N, C, L), in any order. The
            same two for a transposed convolution.
        weight: (.., .., height, width) or (.., .., length).
        stride, padding, dilation: for each dimension.
    """
    share = 1.0
    for depth in range(first.ndim - 2):
        small, large = sorted((first.shape[2 + depth], second.shape[2 + depth]))
        kernel = weight.shape[2 + depth]
        step, start, spread = stride[depth], padding[depth], dilation[depth]
        met = [
            place * step - start + tap * spread for place in range(small) for tap in range(kernel)
        ]
        share *= sum(0 <= pixel < large for pixel in met) / len(met)
    return share


@dataclass
class Pair:
    """What one turn of everything has measured, in seconds and FLOP a second."""

    ours: float  # of a round
    plain: float
    peak: float  # FLOP/s of large matrix products
    convolutions: float  # FLOP/s of ours in convolutions; 0 without any


def main() -> None:
    """Measure and print."""
    names = [*SCRIPTS, *TRANSLATION_SCRIPTS]
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
        "--cpu-time", action="store_true", help="measure by this process's processor time"
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
    kind = "processor time" if arguments.cpu_time else "time passed"
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
    """The recipe, made smaller if it would take too long."""
    return change(get_recipe(name), SAME_WORK | SMALL[name]) if name in SMALL else get_recipe(name)


def clock_of(engine: Engine, cpu_time: bool) -> Clock:
    """A clock that is read when the device has done all that it was asked for."""
    clock = time.process_time if cpu_time else time.perf_counter

    def settled() -> float:
        engine.settle()
        return clock()

    return settled


def measure(
    recipe: Recipe, seconds: float, clock: Clock, engine: Engine
) -> tuple[list[Pair], tuple[float, float], ExecutionPlan]:
    """Play a recipe and its plain script in turns.

    Returns:
        What each turn has measured; the FLOP of a round of ours and of the plain script; how ours
        were played.
    """
    torch.manual_seed(0)
    dataset, period = random_data(recipe), PERIODS.get(recipe.name, 1)
    trainer = Trainer(recipe, dataset, Path(), engine, quiet=True)
    ours, plain = trainer.step, plain_step(recipe, dataset, engine.device)
    flops = flops_of(ours, period, clock), flops_of(plain, period, clock)
    decision = trainer.apply_own_plan()
    matrices = [torch.randn(2, size, size, device=engine.device) for size in PEAK_SIZES]
    for warm in (ours, plain):
        timed(warm, max(3, period), clock)
    rounds = period * max(1, round(SLICE / period / timed(plain, max(3, period), clock)))
    pairs: list[Pair] = []
    end = clock() + seconds
    while len(pairs) < LEAST_PAIRS or clock() < end:
        if len(pairs) % 2 == 0:
            ours_time, plain_time = timed(ours, rounds, clock), timed(plain, rounds, clock)
        else:
            plain_time, ours_time = timed(plain, rounds, clock), timed(ours, rounds, clock)
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


def timed(step: Callable[[], object], rounds: int, clock: Clock) -> float:
    """Seconds of a step, mean over that many."""
    began = clock()
    for _ in range(rounds):
        step()
    return (clock() - began) / rounds


def convolution_rate(step: Callable[[], object], clock: Clock) -> float:
    """FLOP/s of a step's convolutions while they run; 0 without any."""
    with Stopwatch(clock) as probe:
        step()
    return probe.convolution_flops / (probe.convolution_seconds or 1)


def flops_of(step: Callable[[], object], rounds: int, clock: Clock) -> float:
    """FLOP of a step, mean over that many."""
    with Stopwatch(clock) as probe:
        for _ in range(rounds):
            step()
    return probe.flops / rounds


def product_rate(matrices: Tensor, clock: Clock) -> float:
    """FLOP/s of the product of two square matrices, (2, size, size)."""
    return 2 * matrices.shape[1] ** 3 / timed(lambda: torch.mm(matrices[0], matrices[1]), 1, clock)


def plain_step(recipe: Recipe, dataset: Dataset, device: torch.device) -> Step:
    """The plain script of a recipe, with the same data as floats in the device's memory."""
    if recipe.name in SCRIPTS:
        pictures = floats(dataset, unit=recipe.name in UNIT_RANGE)
        # where it makes its networks; not while it plays, since each call would ask for the device
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
        return TRANSLATION_SCRIPTS[recipe.name](gan, rows, recipe.batch)


def random_data(recipe: Recipe) -> Dataset:
    """Random pixels, and what else the recipe's GAN needs; labels of ten classes with single
    pictures.
    """
    random = np.random.default_rng(0)
    size, channels = recipe.size, recipe.channels
    assert size and channels
    requires, count = (
        GANS[recipe.gan].requires,
        ROWS if recipe.name in TRANSLATION_SCRIPTS else PICTURES,
    )
    report = DataReport(spec="random", found=count, used=count)

    def pictures() -> np.ndarray:
        return random.integers(0, 256, (count, channels, size, size), np.uint8)

    if recipe.name in SCRIPTS:
        return single(pictures(), random.integers(0, 10, count), tuple("0123456789"), report)
    make: dict[str, Callable[[], np.ndarray]] = {
        "image": pictures,
        "a": pictures,
        "b": pictures,
        "attributes": lambda: random.integers(0, 2, (count, len(ATTRIBUTES)), np.uint8),
        "caption": lambda: random.integers(97, 123, (count, *CAPTIONS), np.uint8),
        "box": lambda: random.random((count, 4), np.float32) * 0.4 + 0.1,
    }
    names = {"attributes": ATTRIBUTES} if "attributes" in requires else {}
    columns = {need: make[need]() for need in requires}
    beside = {"b": columns.pop("b")} if recipe.gan == "cyclegan" else {}
    other = Dataset(beside, {}, fingerprint(beside, {}), report, size) if beside else None
    return Dataset(columns, names, fingerprint(columns, names), report, size, other)


def floats(dataset: Dataset, unit: bool) -> Pictures:
    """The same pictures as floats in memory, in [0, 1] if `unit`, else in [-1, 1]."""
    assert dataset.labels is not None
    images = to_float(torch.from_numpy(dataset.images))
    return Pictures((images + 1) / 2 if unit else images, torch.from_numpy(dataset.labels))


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


def spread(values: list[float], form: str) -> str:
    """The median and the quartiles."""
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{median:{form}} ({low:{form}} to {high:{form}})"


def processor() -> str:
    """The processor's name and the instructions that PyTorch uses of it."""
    info = Path("/proc/cpuinfo")  # where `platform` knows no name
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name} {torch.backends.cpu.get_cpu_capability()}"


if __name__ == "__main__":
    main()
