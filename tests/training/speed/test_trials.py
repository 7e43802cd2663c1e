"""Trials of faster steps change nothing: weights, averages and moments stay equal."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fast_runs import make_recipe, make_trainer, state_tensors
from replay import Repeater
from tiny import equal_tensors

from ganvas.training.guard import Guard
from ganvas.training.speed import autotune as adapt
from ganvas.training.speed import im2col as products
from ganvas.training.speed.autotune import (
    apply_plan,
    measure_rate,
)
from ganvas.training.speed.cuda_graphs import GraphedSteps


def test_a_run_with_trials_equals_one_without(tmp_path: Path):
    one, other = (make_trainer(tmp_path, make_recipe()) for _ in range(2))
    for speed in ((), ("channels_last",)):
        assert measure_rate(speed, one.context, one.state, one.loader) > 0
    assert not list(tmp_path.iterdir())
    for trainer in (one, other):
        apply_plan(("channels_last",), trainer.training_step, pytest.fail)
        for _ in range(9):
            trainer.step()
    assert equal_tensors(state_tensors(one), state_tensors(other))


def test_graphs_are_tried_and_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With a stand-in for CUDA graphs that a CPU can replay."""
    recorder = Repeater()
    monkeypatch.setattr(adapt, "CudaCapturer", lambda: recorder)
    one, other = (make_trainer(tmp_path, make_recipe()) for _ in range(2))
    # a graph's steps must raise no errors; as on a GPU, they raise a flag
    for trainer in (one, other):
        guard = Guard(trainer.state.optimizers, deferred=True, device=trainer.context.engine.device)
        trainer.training_step.context = replace(trainer.training_step.context, guard=guard)
    apply_plan(("channels_last", "graphs"), one.training_step, pytest.fail)

    assert isinstance(one.training_step.take, GraphedSteps)

    apply_plan(("channels_last",), other.training_step, pytest.fail)
    for trainer in (one, other):
        for _ in range(9):
            trainer.step()

    assert recorder.replayed
    assert equal_tensors(state_tensors(one), state_tensors(other))


def test_steps_that_cannot_be_recorded_drop_graphs_from_the_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(adapt, "CudaCapturer", Repeater)  # the guard of a CPU reads its losses
    trainer = make_trainer(tmp_path, make_recipe())
    with pytest.raises(
        RuntimeError,
        match="steps are not captured: operation not permitted when stream is capturing",
    ):
        measure_rate(("graphs",), trainer.context, trainer.state, trainer.loader)


@pytest.mark.parametrize(
    "speed", [("channels_last",), ("im2col",), ("channels_last", "im2col")], ids="+".join
)
def test_other_ways_compute_the_same_steps(
    speed: adapt.Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """In float64 they differ by rounding alone, of which Adam makes more; weights, averages and
    moments lie alike.
    """
    monkeypatch.setattr(products, "WEIGHTS", 1)
    torch.set_default_dtype(torch.float64)
    try:
        plain, other = (make_trainer(tmp_path, make_recipe()) for _ in range(2))
        for trainer in (plain, other):
            trainer.training_step.loader.at = lambda images, at=trainer.loader.at: {
                name: values.double() if values.is_floating_point() else values
                for name, values in at(images).items()
            }
        plain.step(), other.step()
        apply_plan(speed, other.training_step, pytest.fail)  # with moments there
        for _ in range(8):
            plain.step(), other.step()
    finally:
        torch.set_default_dtype(torch.float32)
    ours, theirs = state_tensors(other), state_tensors(plain)

    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-6, atol=1e-9)

    kernels = [
        value for name, value in ours.items() if value.ndim == 4 and not name.startswith("mean")
    ]

    assert len(kernels) > 10
    if "channels_last" in speed:
        assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)
        assert all(kernel.stride(1) == 1 for kernel in kernels)  # of one channel, too

    swapped = {type(layer) for layer in other.state.gan.modules()} & set(products.IM2COL.values())
    assert len(swapped) == (2 if "im2col" in speed else 0)
