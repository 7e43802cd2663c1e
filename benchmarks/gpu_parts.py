"""What the GPU benchmark measures; `gpu.py` runs each part in a process of its own.

- `machine`: versions, the device, the rate of large matrix products in float32 (TF32), bf16, fp16.
- `contract`: every GAN, tiny. In float64, three training steps on the device give the losses that a
  CPU gives, and samples the same pixels; captured steps (CUDA graphs) give the losses of eager
  ones; steps in bf16 are finite.
- `speed`: images/s of whole training steps of recipes from 28 to 256 pixels, on random pixels, in
  each way that steps can be taken, beside the plain scripts of `plain.py` and
  `plain_translation.py`. Ways that compile come last, since compiling takes the longest.
- `mnist-fast`: `ganvas.train` from start to end, as long as the budget allows: images/s in the loop
  and overall, how steps were taken, the doctor's last checkup.
- `r3gan`: the recipe `cifar10-r3gan`, images/s in each way, then a short training from its start.
"""

import argparse
import gc
import math
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from gpu_data import draw_objects, write_drawn_digits
from plain import SCRIPTS
from plain_translation import TRANSLATION_SCRIPTS
from random_data import random_data
from step_speed import SAME_WORK, plain_step
from stopwatch import Clock, clock_of, processor, product_rate, timed

from ganvas import GANS, train
from ganvas.data import Dataset, open_dataset
from ganvas.gans.base import GAN
from ganvas.io.files import write_json
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import Recipe, change
from ganvas.rng import RowRng, StepRng
from ganvas.runs.log import read_log
from ganvas.training.checkup import Checkup
from ganvas.training.engine import Engine
from ganvas.training.speed.autotune import apply_plan, list_parts, read_plan
from ganvas.training.speed.cuda_graphs import WARMUP, CudaCapturer, GraphedSteps
from ganvas.training.step import TakeStep, take_step
from ganvas.training.trainer import Trainer

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from tiny import (  # pyright: ignore[reportMissingImports]
    FixedClock,
    make_batch,
    make_context,
    make_gan,
)

# Ways to take steps: precision and parts, as in `recipe.precision` and `recipe.speed`.
WAYS = {
    "plain": ("fp32", ()),
    "channels_last": ("fp32", ("channels_last",)),
    "bf16": ("bf16", ()),
    "bf16+channels_last": ("bf16", ("channels_last",)),
    "graphs": ("fp32", ("graphs",)),
    "channels_last+graphs": ("fp32", ("channels_last", "graphs")),
    "bf16+channels_last+graphs": ("bf16", ("channels_last", "graphs")),
    "compile": ("fp32", ("compile",)),
    "bf16+channels_last+compile": ("bf16", ("channels_last", "compile")),
}
# Recipes and how they are changed: without crops of larger images and without averaged weights,
# which plain scripts lack.
SPEED: dict[str, dict[str, Any]] = {
    "mnist-mlp": {},
    "mnist-cdcgan": {},
    "avatars-dcgan": {},
    "dcgan-64": {},
    "inpaint": SAME_WORK | {"size": 64},
    "stargan": SAME_WORK | {"size": 128},
    "pix2pix": SAME_WORK | {"size": 256},
    "cyclegan": SAME_WORK | {"size": 256},
}
TINY_SPEED: dict[str, dict[str, Any]] = {
    "mnist-mlp": {},
    "inpaint": SAME_WORK | {"size": 16, "batch": 2, "options.width": 4, "options.blocks": 1},
}
TINY_R3GAN = {"batch": 4, "options.width": 16}
PERIODS = {"stargan": 5, "inpaint": 8}  # steps until a step is like the first again
SLICE = 1.0  # seconds for which a way is timed
PRODUCTS = 8192, 256  # sides of the matrices of the part `machine`; of the tiny one
TOLERANCE = 1e-6  # of float64, relative for losses
# Of losses in float32, relative: rounding grows from step to step. Fused Adam reads rates from the
# device in float32 alone, so captured steps are not compared in float64.
GRAPHS_TOLERANCE = 1e-2
# Devices draw other masks of dropout, so it is off where they are compared.
NO_DROPOUT: dict[str, dict[str, Any]] = {"mlp-deep": {"dropout": 0.0}}


@dataclass
class Part:
    """A part that runs: its settings, and what it has measured.

    Attributes:
        engine: on the device that is measured.
        end: when it should be over, by `time.perf_counter`.
        out: JSON file of the results.
    """

    given: argparse.Namespace
    engine: Engine
    end: float
    out: Path
    results: dict[str, Any] = field(default_factory=dict)

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.end - time.perf_counter()

    @property
    def tiny(self) -> bool:
        """Whether everything is as small as can be."""
        return self.given.tiny

    def note(self, *path: str, value: Any) -> None:
        """Enter a value under its keys, and write the file."""
        level = self.results
        for key in path[:-1]:
            level = level.setdefault(key, {})
        level[path[-1]] = value
        write_json(self.out, {"results": self.results})

    @contextmanager
    def noting_errors(self, *path: str) -> Iterator[None]:
        """Enter an error under the keys, instead of ending the part by it."""
        try:
            yield
        except Exception:
            self.note(*path, value={"error": traceback.format_exc()})


# The machine


def measure_machine(part: Part) -> None:
    """Versions, device, and the rate of large matrix products."""
    part.note("python", value=platform.python_version())
    part.note("torch", value=torch.__version__)
    part.note("processor", value=processor())
    part.note("threads", value=torch.get_num_threads())
    if part.engine.device.type == "cuda":
        about = torch.cuda.get_device_properties(part.engine.device)
        part.note("gpu", value=about.name)
        part.note("memory_gib", value=round(about.total_memory / 2**30, 1))
        part.note("capability", value=f"{about.major}.{about.minor}")
        part.note("cuda", value=torch.version.cuda)
        part.note("cudnn", value=torch.backends.cudnn.version())

    clock = clock_of(part.engine, cpu_time=False)
    side = PRODUCTS[part.tiny]
    for name in ("float32", "bfloat16", "float16"):
        with part.noting_errors("products_tflops", name):
            matrices = torch.randn(2, side, side, device=part.engine.device)
            matrices = matrices.to(getattr(torch, name))
            best = max(product_rate(matrices, clock) for _ in range(5))
            part.note("products_tflops", name, value=round(best / 1e12, 3))


# The contract


def check_contract(part: Part) -> None:
    """Every GAN on the device against a CPU."""
    # No TF32: what differs here by more than rounding is a fault.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True

    checks: dict[str, Callable[[str, Engine], Any]] = {
        "steps": compare_steps,
        "samples": compare_samples,
        "bf16": check_bf16,
    }
    if part.engine.device.type == "cuda":
        checks["graphs"] = compare_graphs

    for name in GANS:
        for check, run in checks.items():
            if part.left < 0:
                part.note(name, check, value="no time left")
                continue
            with part.noting_errors(name, check):
                part.note(name, check, value=run(name, part.engine))
    failed = [
        f"{name}/{check}"
        for name, found in part.results.items()
        for check, value in found.items()
        if isinstance(value, dict)
    ]
    part.note("failed", value=failed)


@contextmanager
def float64() -> Iterator[None]:
    """Everything that is made within is float64."""
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def play_steps(
    name: str, engine: Engine, count: int, take: TakeStep = take_step, **options: Any
) -> list[dict[str, float]]:
    """What a tiny GAN's first training steps report."""
    gan = make_gan(name, size=8, channels=3, classes=3, **options)
    batches = [make_batch(gan, 4, seed) for seed in range(count)]
    gan.to(engine.device)
    deferred = engine.device.type == "cuda"
    context = make_context(gan, deferred=deferred, engine=engine, betas=(0.5, 0.99))

    reports = []
    for number, batch in enumerate(batches):
        engine.seed(number)
        batch = {key: values.to(engine.device) for key, values in batch.items()}
        clock, rng = FixedClock(4 * number, number), StepRng(0, 4 * number, engine.device)
        losses = take(context, batch, clock, rng, None)
        reports.append({key: value.item() for key, value in losses.items()})
    context.guard.stop_if_tripped()
    return reports


def compare_reports(
    found: list[dict[str, float]], expected: list[dict[str, float]], tolerance: float
) -> float:
    """The largest relative difference of what steps reported.

    Raises:
        AssertionError: it is larger than the tolerance, or not a number.
    """
    worst = 0.0
    for step, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert one.keys() == other.keys()
        for key, value in one.items():
            difference = abs(value - other[key]) / max(abs(other[key]), 1e-3)
            # `not <=`: NaN is no agreement.
            if not difference <= tolerance:
                raise AssertionError(f"step {step}, {key}: {value!r}, expected {other[key]!r}")
            worst = max(worst, difference)
    return worst


def compare_steps(name: str, engine: Engine) -> float:
    """Three training steps on the device and on a CPU: the largest relative difference."""
    options = NO_DROPOUT.get(name, {})
    with float64():
        found, expected = (play_steps(name, each, 3, **options) for each in (engine, Engine("cpu")))
    return compare_reports(found, expected, TOLERANCE)


def compare_graphs(name: str, engine: Engine) -> float:
    """Captured steps and eager ones: the largest relative difference.

    Raises:
        RuntimeError: steps could not be captured.
    """
    notes: list[str] = []
    count = 2 * (WARMUP + 4)
    captured = play_steps(name, engine, count, GraphedSteps(CudaCapturer(), notes.append))
    if notes:
        raise RuntimeError(notes[0])
    return compare_reports(captured, play_steps(name, engine, count), GRAPHS_TOLERANCE)


def compare_samples(name: str, engine: Engine) -> float:
    """Samples on the device and on a CPU: the largest difference of pixels in [-1, 1].

    Raises:
        AssertionError: they differ, are not in [-1, 1], or differ between two calls.
    """
    with float64():
        gan = make_gan(name, size=8, channels=3, classes=3).eval()
        expected = generate_images(gan, Engine("cpu"))
        found, again = (generate_images(gan, engine) for _ in range(2))
    assert torch.equal(found, again)
    assert found.abs().max() <= 1
    difference = (found - expected).abs().max().item()
    assert difference <= TOLERANCE, f"{difference:.2g}"
    return difference


def generate_images(gan: GAN, engine: Engine) -> torch.Tensor:
    """Three samples, float (3, C, 8, 8), generated on a device to which the GAN is moved."""
    gan.to(engine.device)
    rng = RowRng(0, range(3), engine.device)
    inputs = {"label": torch.full((3,), 1).to(engine.device)} if "label" in gan.inputs else {}
    with torch.no_grad():
        if not gan.unconditional:
            batch = make_batch(gan, 3)
            batch = {key: values.to(engine.device) for key, values in batch.items()}
            inputs = gan.make_inputs(batch, rng)
        return gan.sample(3, rng, **inputs).cpu()


def check_bf16(name: str, engine: Engine) -> str:
    """Two steps in bf16 that must report finite numbers."""
    reports = play_steps(name, engine.with_precision("bf16"), 2)
    values = [value for report in reports for value in report.values()]
    assert all(map(math.isfinite, values)), reports
    return "finite"


# The speed of steps


def measure_speed(part: Part) -> None:
    """Recipes in each way, beside their plain scripts."""
    table = TINY_SPEED if part.tiny else SPEED
    recipes = {name: change(get_recipe(name), changes) for name, changes in table.items()}
    # Compiling two players takes up to minutes, and nothing can interrupt it.
    quick = {name: way for name, way in WAYS.items() if "compile" not in way[1]}
    slow = {name: way for name, way in WAYS.items() if name not in quick}

    for ways in (quick, slow):
        for name, recipe in recipes.items():
            if part.left < 0:
                part.note(name, "unfinished", value="no time left")
                continue
            with part.noting_errors(name, "data"):
                dataset = random_data(recipe)
                if ways is quick:
                    part.note(name, "size", value=recipe.size)
                    part.note(name, "batch", value=recipe.batch)
                    measure_script(part, recipe, dataset)
                measure_ways(part, recipe, dataset, ways, (name,))


def measure_script(part: Part, recipe: Recipe, dataset: Dataset) -> None:
    """Note images/s of the plain script of a recipe, if there is one."""
    if recipe.name not in SCRIPTS | TRANSLATION_SCRIPTS:
        return
    with part.noting_errors(recipe.name, "script"):
        step = plain_step(recipe, dataset, part.engine.device)
        rate = time_steps(part, step, recipe)
        part.note(recipe.name, "script", value={"images_per_s": rate})


def measure_ways(
    part: Part,
    recipe: Recipe,
    dataset: Dataset,
    ways: Mapping[str, tuple[str, tuple[str, ...]]],
    path: tuple[str, ...],
    shown: int = 0,
) -> None:
    """Note images/s and memory of a recipe's steps in each way, or why there are none.

    Args:
        path: keys under which it is noted, before the way's name.
        shown: images shown before the steps that are timed.
    """
    for way, (precision, parts) in ways.items():
        if part.left < 0:
            part.note(*path, way, value="no time left")
            continue
        with part.noting_errors(*path, way):
            part.note(
                *path, way, value=measure_way(part, recipe, dataset, (precision, parts), shown)
            )
        free_memory()


def measure_way(
    part: Part, recipe: Recipe, dataset: Dataset, way: tuple[str, tuple[str, ...]], shown: int
) -> dict[str, Any] | str:
    """Images/s and memory of a recipe's steps in one way; a text where it does not work here."""
    precision, parts = way
    trainer = Trainer(
        change(recipe, {"precision": precision}), dataset, Path(), part.engine, quiet=True
    )
    trainer.state.clock.images = shown
    # Without checkups, whose steps are always eager.
    trainer.monitor.make_probe = lambda: None
    possible = list_parts(trainer.state.gan, trainer.context.engine)
    if missing := [name for name in parts if name not in possible]:
        return f"{missing[0]} does not work for this GAN on this device"

    notes: list[str] = []
    apply_plan(parts, trainer.training_step, notes.append)
    on_gpu = part.engine.device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    found: dict[str, Any] = {"images_per_s": time_steps(part, trainer.step, recipe)}
    trainer.training_step.stop_if_tripped()
    if on_gpu:
        found["peak_gib"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
    # Graphs that fell back to eager steps say so.
    return found | ({"notes": notes} if notes else {})


def time_steps(part: Part, step: Callable[[], object], recipe: Recipe) -> float:
    """Images/s of steps, but for the first: they choose kernels and capture graphs."""
    clock: Clock = clock_of(part.engine, cpu_time=False)
    period = PERIODS.get(recipe.name, 1)
    if part.tiny:
        return round(recipe.batch / timed(step, period, clock), 1)

    # Each kind of step is captured after WARMUP of its kind, the rarest once in a period.
    timed(step, (WARMUP + 2) * period, clock)
    once = timed(step, period, clock)
    steps = period * max(1, round(SLICE / once / period))
    return round(recipe.batch / timed(step, steps, clock), 1)


def free_memory() -> None:
    """Forget what the last trial left: graphs, compiled code, cached memory."""
    gc.collect()
    torch.compiler.reset()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


# Whole trainings


def train_digits(part: Part) -> None:
    """Train `mnist-fast` from start to end, for as many images as the budget allows."""
    recipe = get_recipe("mnist-fast")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if part.given.mnist:
            data = f"mnist:{part.given.mnist}"
        else:
            data = write_drawn_digits(folder, 600 if part.tiny else 60_000)
        part.note("data", value="MNIST" if part.given.mnist else "drawn strokes of ten directions")

        settings: dict[str, Any] = {}
        images = 400
        if not part.tiny:
            dataset = open_dataset(data, recipe.view)
            parts = ("channels_last",)
            rate = measure_way(part, recipe, dataset, ("fp32", parts), 0)
            part.note("before", value=rate)
            assert isinstance(rate, dict)
            # Half of what is left: the run also measures ways, draws grids and saves.
            images = min(recipe.images, int(rate["images_per_s"] * part.left / 2))
        else:
            settings = {"options.width": 4, "health_every": 200}

        began = time.perf_counter()
        out = folder / "run"
        train(
            "mnist-fast",
            data=data,
            out=out,
            images=max(images, 400),
            device=part.given.device,
            settings=settings,
            quiet=True,
        )
        part.note("seconds", value=round(time.perf_counter() - began, 2))
        note_run(part, out)


def note_run(part: Part, out: Path) -> None:
    """Note what a run folder tells of its training."""
    log = read_log(out / "log.jsonl")
    plan = read_plan(out)
    part.note("images", value=log[-1]["images"])
    part.note("speed", value=plan.model_dump() if plan else None)
    # The last rate is that of the loop, with grids, checkups and checkpoints in it.
    rates = [entry["images_per_second"] for entry in log if entry["kind"] == "speed"]
    part.note("images_per_s", value=rates[len(rates) // 2] if rates else None)
    checkups = [entry for entry in log if entry["kind"] == "health"]
    part.note("checkup", value=checkups[-1] if checkups else None)
    conditions = [entry["condition"] for entry in log if entry["kind"] == "condition"]
    part.note("conditions", value=conditions)


def measure_r3gan(part: Part) -> None:
    """Images/s of `cifar10-r3gan` in each way; then train it from its start for a while."""
    recipe = change(get_recipe("cifar10-r3gan"), TINY_R3GAN if part.tiny else {})
    if part.given.cifar:
        dataset = open_dataset(f"cifar10:{part.given.cifar}", recipe.view)
    else:
        dataset = draw_objects(600 if part.tiny else 50_000)
    part.note("data", value="CIFAR-10" if part.given.cifar else "drawn objects of ten kinds")
    part.note("batch", value=recipe.batch)

    # As after the burn-in: during it the optimizers' betas change, and no step can be captured.
    whole, part.end = part.end, time.perf_counter() + part.left / 2
    measure_ways(part, recipe, dataset, WAYS, ("ways",), shown=200_000_256)
    part.end = whole

    trainer = Trainer(
        change(recipe, {"precision": "bf16"}), dataset, Path(), part.engine, quiet=True
    )
    trainer.monitor.make_probe = lambda: None
    state, device = trainer.state, part.engine.device
    apply_plan(("channels_last",), trainer.training_step, lambda _: None)
    checkup = Checkup(recipe, state.gan, dataset, trainer.loader, device)
    part.note("training", "way", value="bf16+channels_last")

    clock = clock_of(part.engine, cpu_time=False)
    timed(trainer.step, 1 if part.tiny else 5, clock)
    shown, began = state.clock.images, clock()
    end = began + (0 if part.tiny else max(0.0, part.left - 10))
    while True:
        timed(trainer.step, 1 if part.tiny else 20, clock)
        trainer.training_step.stop_if_tripped()
        seconds, images = clock() - began, state.clock.images - shown
        part.note("training", "images", value=images)
        part.note("training", "images_per_s", value=round(images / seconds, 1))
        if clock() >= end:
            break
    part.note("training", "checkup", value=checkup.measure(state.gan, state.gan, None)[0])


PARTS = {
    "machine": measure_machine,
    "contract": check_contract,
    "speed": measure_speed,
    "mnist-fast": train_digits,
    "r3gan": measure_r3gan,
}


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--device", choices=("cpu", "cuda"), required=True)
    parser.add_argument("--seconds", type=float, required=True, help="its budget")
    parser.add_argument("--out", type=Path, required=True, help="JSON file of the results")
    parser.add_argument("--mnist", type=Path)
    parser.add_argument("--cifar", type=Path)
    parser.add_argument("--tiny", action="store_true")
    given = parser.parse_args()

    end = time.perf_counter() + given.seconds
    with Engine(given.device) as engine:
        PARTS[given.part](Part(given, engine, end, given.out))


if __name__ == "__main__":
    main()
