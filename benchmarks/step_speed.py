"""How fast training steps are, against plain scripts and against the machine's own matrix products, in turns within one run.

    python benchmarks/step_speed.py [RECIPE ...] [--seconds 20] [--threads N]

Ours is `Trainer.round`, whole: batch, random numbers, learning rates, moves, checks and means. The plain scripts are in
`plain.py`. Both train on the same random pictures. Slices of either follow one another as ours, plain, plain, ours, ..., so that
whatever else the machine does falls on both; every pair of slices gives one ratio.

Printed for each recipe:
  images/s       medians over the slices
  ratio          median of the pairs' ratios, ours / plain, and their quartiles
  GFLOP          multiplications and additions of matrix products and convolutions in one round of ours, those with padding
                 left out
  step/peak      their rate over the whole round, as a share of the rate of large float32 matrix products measured beside it
  conv/peak      the same of the convolutions alone, over the time spent in them
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
from plain import SCRIPTS, UNIT_RANGE, Pictures
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ganvas.data.dataset import DataReport, Dataset, single
from ganvas.engine import Engine
from ganvas.images import to_float
from ganvas.recipes import get_recipe
from ganvas.trainer import Trainer

PICTURES = 4096
SLICE = 0.3  # seconds; at least one round
LEAST_PAIRS = 3
PEAK_SIZES = (1024, 1536, 2048)
aten = torch.ops.aten


class Stopwatch(TorchDispatchMode):
    """Counts and times, while it is entered, the matrix products and convolutions that are really executed.

    Attributes:
        flops: of all, forward and backward.
        convolution_flops: of the convolutions.
        convolution_seconds: spent in these.
    """

    def __init__(self):
        super().__init__()
        self.flops, self.convolution_flops, self.convolution_seconds = 0.0, 0.0, 0.0

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one operation of PyTorch and note it."""
        kwargs = kwargs or {}
        began = time.perf_counter()
        out = func(*args, **kwargs)
        seconds = time.perf_counter() - began
        operation = func.overloadpacket
        if operation in flop_registry:
            flops = flop_registry[operation](*args, **kwargs, out_val=out)
            if operation is aten.convolution:
                flops *= inside(args[0], out, *args[1:2], *args[3:5])
            elif operation is aten.convolution_backward:
                flops *= inside(*args[:3], *args[4:6])
            self.flops += flops
            if operation in (aten.convolution, aten.convolution_backward):
                self.convolution_flops += flops
                self.convolution_seconds += seconds
        return out


def inside(first: Tensor, second: Tensor, weight: Tensor, stride: Sequence[int], padding: Sequence[int]) -> float:
    """The share of a convolution's multiplications that meet a pixel: the others meet padding, and good kernels skip them.

    Args:
        first, second: its input and output maps (N, C, H, W), in any order; of a transposed one likewise.
        weight: (.., .., height, width).
        stride, padding: for either dimension.
    """
    share = 1.0
    for depth in range(2):
        small, large = sorted((first.shape[2 + depth], second.shape[2 + depth]))
        kernel = weight.shape[2 + depth]
        met = [place * stride[depth] - padding[depth] + tap for place in range(small) for tap in range(kernel)]
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=f"of {', '.join(SCRIPTS)}; all without")
    parser.add_argument("--seconds", type=float, default=20, help="for each recipe")
    parser.add_argument("--threads", type=int, help="of PyTorch; its own choice without")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.recipes if name not in SCRIPTS]
    if unknown:
        parser.error(f"no plain script for {', '.join(unknown)}; there are {', '.join(SCRIPTS)}")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, {processor()}, float32")
    print(f"{'':15} {'images/s':>16}  {'ours / plain':^19}  {'':>5} {'round':>7} {'step /':>6} {'conv /':>6}")
    print(f"{'recipe':15} {'ours':>8}{'plain':>8}  {'ratio (quartiles)':19}  {'pairs':>5} {'GFLOP':>7} {'peak':>6} {'peak':>6}")
    peaks = []
    for name in arguments.recipes or SCRIPTS:
        pairs, flops = measure(name, arguments.seconds)
        print(row(name, pairs, flops), flush=True)
        peaks += [pair.peak / 1e9 for pair in pairs]
    sizes = ", ".join(str(size) for size in PEAK_SIZES)
    print(f"peak: matrix products of {sizes}, the best in each turn: {spread(peaks, '.0f')} GFLOP/s")


def measure(name: str, seconds: float) -> tuple[list[Pair], float]:
    """Play a recipe and its plain script in turns.

    Returns:
        What each turn has measured, and the FLOP of a round of ours.
    """
    torch.manual_seed(0)
    dataset = random_pictures(name)
    ours = Trainer(get_recipe(name), dataset, Path(), Engine("cpu"), quiet=True).round
    plain = SCRIPTS[name](floats(dataset, unit=name in UNIT_RANGE))
    matrices = [torch.randn(2, size, size) for size in PEAK_SIZES]
    for warm in (ours, plain):
        timed(warm, 3)
    rounds = max(1, round(SLICE / timed(plain, 3)))
    with Stopwatch() as first:
        ours()
    pairs: list[Pair] = []
    end = time.perf_counter() + seconds
    while len(pairs) < LEAST_PAIRS or time.perf_counter() < end:
        if len(pairs) % 2 == 0:
            ours_time, plain_time = timed(ours, rounds), timed(plain, rounds)
        else:
            plain_time, ours_time = timed(plain, rounds), timed(ours, rounds)
        peak = max(product_rate(two) for two in matrices)
        with Stopwatch() as watch:
            if first.convolution_flops:
                ours()
        pairs.append(Pair(ours_time, plain_time, peak, watch.convolution_flops / (watch.convolution_seconds or 1)))
    return pairs, first.flops


def timed(step: Callable[[], object], rounds: int) -> float:
    """Seconds of a step, mean over that many."""
    began = time.perf_counter()
    for _ in range(rounds):
        step()
    return (time.perf_counter() - began) / rounds


def product_rate(matrices: Tensor) -> float:
    """FLOP/s of the product of two square matrices, (2, size, size)."""
    return 2 * matrices.shape[1] ** 3 / timed(lambda: torch.mm(matrices[0], matrices[1]), 1)


def random_pictures(name: str) -> Dataset:
    """Random pixels and labels of ten classes, as the recipe wants them."""
    recipe = get_recipe(name)
    random = np.random.default_rng(0)
    assert recipe.size and recipe.channels
    images = random.integers(0, 256, (PICTURES, recipe.channels, recipe.size, recipe.size), np.uint8)
    labels = random.integers(0, 10, PICTURES)
    report = DataReport(spec="random", found=PICTURES, used=PICTURES)
    return single(images, labels, tuple("0123456789"), report)


def floats(dataset: Dataset, unit: bool) -> Pictures:
    """The same pictures as floats in memory, in [0, 1] if `unit`, else in [-1, 1]."""
    assert dataset.labels is not None
    images = to_float(torch.from_numpy(dataset.images))
    return Pictures((images + 1) / 2 if unit else images, torch.from_numpy(dataset.labels))


def row(name: str, pairs: list[Pair], flops: float) -> str:
    """A recipe's line of the table."""
    batch = get_recipe(name).batch
    ours = batch / statistics.median(pair.ours for pair in pairs)
    plain = batch / statistics.median(pair.plain for pair in pairs)
    ratio = spread([pair.plain / pair.ours for pair in pairs], ".2f")
    step = statistics.median(flops / pair.ours / pair.peak for pair in pairs)
    share = statistics.median(pair.convolutions / pair.peak for pair in pairs)
    convolutions = f"{share:6.0%}" if share else f"{'-':>6}"
    return f"{name:15} {ours:8,.0f}{plain:8,.0f}  {ratio:19}  {len(pairs):5} {flops / 1e9:7.2f} {step:6.0%} {convolutions}"


def spread(values: list[float], form: str) -> str:
    """The median and the quartiles."""
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{median:{form}} ({low:{form}} to {high:{form}})"


def processor() -> str:
    """The processor's name and the instructions that PyTorch uses of it."""
    info = Path("/proc/cpuinfo")  # where `platform` knows no name
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor() or platform.machine()} {torch.backends.cpu.get_cpu_capability()}"


if __name__ == "__main__":
    main()
