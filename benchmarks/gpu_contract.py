"""The part `contract` of the GPU benchmark: every GAN, tiny, on the device and on a CPU."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from gpu_part import Part

from ganvas import GANS
from ganvas.gans.base import GAN
from ganvas.rng import RowRng, StepRng
from ganvas.training.engine import Engine
from ganvas.training.speed.cuda_graphs import WARMUP, CudaCapturer, GraphedSteps
from ganvas.training.step import TakeStep, take_step

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from tiny import (  # pyright: ignore[reportMissingImports]
    FixedClock,
    make_batch,
    make_context,
    make_gan,
)

TOLERANCE = 1e-6  # of float64, relative for losses
# Of losses in float32, relative: rounding grows from step to step. Fused Adam reads rates from the
# device in float32 alone, so captured steps are not compared in float64.
GRAPHS_TOLERANCE = 1e-2
# Devices draw other masks of dropout, so it is off where they are compared.
NO_DROPOUT: dict[str, dict[str, Any]] = {"mlp-deep": {"dropout": 0.0}}


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
