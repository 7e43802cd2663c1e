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
import platform
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from gpu_contract import check_contract
from gpu_data import draw_objects, write_drawn_digits
from gpu_part import Part
from plain import SCRIPTS
from plain_translation import TRANSLATION_SCRIPTS
from random_data import random_data
from step_speed import SAME_WORK, period_of, plain_step
from stopwatch import Clock, clock_of, processor, product_rate, timed

from ganvas import train
from ganvas.data import Dataset, open_dataset
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import Recipe, change
from ganvas.runs.log import read_log
from ganvas.training.checkup import Checkup
from ganvas.training.engine import Engine
from ganvas.training.speed.autotune import apply_plan, list_parts, read_plan
from ganvas.training.speed.cuda_graphs import WARMUP
from ganvas.training.trainer import Trainer

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
SLICE = 1.0  # seconds for which a way is timed
PRODUCTS = 8192, 256  # sides of the matrices of the part `machine`; of the tiny one


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
    period = period_of(recipe)
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
    """Add the figures that a run folder holds to the report."""
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
