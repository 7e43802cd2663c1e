"""What the generators of runs are as ONNX: size, time to export, difference, and speed.

    python benchmarks/export.py RUN ... [--count 16] [--repeats 20] [--threads 1] [--cpu-time]

A line for each file; a GAN that translates to two domains has two. The difference is the largest at
1, 3 and 8 images (and two sizes, where any works), of values in [-1, 1]. The time to export is
without that of importing packages. The others are medians of whole batches, divided by their
images, of onnxruntime and of PyTorch on the CPU, each with that many threads. --cpu-time is for a
machine that does other work: all times are those of the processor.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch

import ganvas
from ganvas.errors import UserError
from ganvas.export.graph import list_graphs
from ganvas.export.onnx import Model, convert, open_model

COLUMNS = ("run", "GAN", "size", "images", "MB", "half MB", "export s")
COLUMNS += ("difference", "half difference", "ONNX ms an image", "torch ms an image")
Clock = Callable[[], float]  # in seconds
LINE = "| " + " | ".join(["{}"] * len(COLUMNS)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=16, help="images in a batch")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cpu-time", action="store_true")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    clock = time.process_time if options.cpu_time else time.perf_counter
    print(LINE.format(*COLUMNS))
    print(LINE.format(*["---"] * len(COLUMNS)))
    for run in options.runs:
        try:
            measure(run, options.count, options.repeats, clock)
        except UserError as error:
            print(f"{run}: {error}")


def measure(folder: Path, count: int, repeats: int, clock: Clock) -> None:
    """Print a line for each model of a run."""
    run = ganvas.load(folder)
    models, halves = convert(run), convert(run, half=True)
    for graph in list_graphs(run.gan):
        half = next_half(halves)  # first, so that the other does not wait for imports
        start = clock()
        model = next(models)
        seconds = clock() - start

        values = graph.draw(count, graph.choose_sides()[0])
        session = open_model(model.content, graph)
        with torch.inference_mode():
            fast = median_ms(partial(session, values), repeats, clock)
            usual = median_ms(partial(graph, *values), repeats, clock)
        name = folder.name + (f" to {graph.domain}" if graph.domain else "")
        print(
            LINE.format(
                name,
                run.about["gan"]["name"],
                run.gan.size,
                run.about["images"],
                f"{len(model.content) / 1e6:.2f}",
                f"{len(half.content) / 1e6:.2f}" if half else "refused",
                f"{seconds:.1f}",
                f"{model.difference:.1e}",
                f"{half.difference:.1e}" if half else "too large",
                f"{fast / count:.3f}",
                f"{usual / count:.3f}",
            ),
            flush=True,
        )


def next_half(halves: Iterator[Model]) -> Model | None:
    """The next model with weights of half precision; None where it differs too much."""
    try:
        return next(halves, None)
    except UserError as error:
        print(error)
        return None


def median_ms(call: Callable[[], object], repeats: int, clock: Clock) -> float:
    """The median time of a call in milliseconds, after one that warms up."""
    call()
    times = []
    for _ in range(repeats):
        start = clock()
        call()
        times.append(clock() - start)
    return 1e3 * statistics.median(times)


if __name__ == "__main__":
    main()
