"""What the generators of runs are as ONNX: size, time to export, difference, and speed.

    python benchmarks/export.py RUN ... [--count 16] [--repeats 20] [--threads 1]

A line for each file; a GAN that translates to two domains has two. The difference is the largest at
1, 3 and 8 images (and two sizes, where any works), of values in [-1, 1]. Times are medians of whole
batches, of onnxruntime and of PyTorch on the CPU, each with that many threads.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

import ganvas
from ganvas.errors import UserError
from ganvas.export.graph import list_graphs
from ganvas.export.onnx import convert, open_model

COLUMNS = ("run", "GAN", "size", "MB", "half MB", "export s")
COLUMNS += ("difference", "half difference", "ONNX ms", "torch ms")
LINE = "| " + " | ".join(["{}"] * len(COLUMNS)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=16, help="images in a batch")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    print(LINE.format(*COLUMNS))
    print(LINE.format(*["---"] * len(COLUMNS)))
    for run in options.runs:
        try:
            measure(run, options.count, options.repeats)
        except UserError as error:
            print(f"{run}: {error}")


def measure(folder: Path, count: int, repeats: int) -> None:
    """Print a line for each model of a run."""
    run = ganvas.load(folder)
    halves = convert(run, half=True)
    for graph, model, half in zip(list_graphs(run.gan), convert(run), halves):
        values = graph.draw(count, graph.choose_sides()[0])
        session = open_model(model.content, graph)
        with torch.inference_mode():
            fast = median_ms(partial(session, values), repeats)
            usual = median_ms(partial(graph, *values), repeats)
        name = folder.name + (f" to {graph.domain}" if graph.domain else "")
        print(
            LINE.format(
                name,
                run.about["gan"]["name"],
                run.gan.size,
                f"{len(model.content) / 1e6:.2f}",
                f"{len(half.content) / 1e6:.2f}",
                f"{model.seconds:.1f}",
                f"{model.difference:.1e}",
                f"{half.difference:.1e}",
                f"{fast:.1f}",
                f"{usual:.1f}",
            ),
            flush=True,
        )


def median_ms(call: Callable[[], object], repeats: int) -> float:
    """The median time of a call in milliseconds, after one that warms up."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


if __name__ == "__main__":
    main()
