"""How a training step is computed fastest: what is tried, chosen and refused."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fast_runs import make_recipe, make_trainer, on_cuda
from tiny import FixedClock, make_batch, make_context, make_gan, refused_in_one_line

from ganvas.gans import GANS
from ganvas.rng import StepRng
from ganvas.training.engine import Engine
from ganvas.training.speed import autotune as adapt
from ganvas.training.speed.autotune import (
    choose_plan,
    list_parts,
    plan_by_trials,
    plan_from_experience,
)
from ganvas.training.step import take_step


def test_parts_are_kept_that_make_steps_faster():
    rates = {
        (): 150.0,
        ("channels_last",): 163.0,
        ("channels_last", "graphs"): 412.0,
        ("channels_last", "graphs", "compile"): 420.0,  # less than what differs from chance
    }
    decision = plan_by_trials(
        "cuda", 10**9, ("channels_last", "graphs", "compile"), rates.__getitem__
    )

    assert decision.speed == "channels_last+graphs"
    assert decision.line() == (
        "speed: channels_last+graphs (412 images/s; plain 150, channels_last 163, "
        "channels_last+graphs+compile 420)"
    )


def test_a_part_that_does_not_help_is_not_built_upon():
    tried = []

    def rate_of(speed: adapt.Parts) -> float:
        tried.append(speed)
        return 90.0 if "channels_last" in speed else 100.0 + 10 * len(speed)

    assert plan_by_trials("cuda", 10, ("channels_last", "graphs"), rate_of).speed == "graphs"
    assert tried == [(), ("channels_last",), ("graphs",)]


def test_a_part_that_fails_is_dropped_with_its_reason():
    def rate_of(speed: adapt.Parts) -> float:
        if "graphs" in speed:
            raise RuntimeError("CUDA out of memory\nand much more")
        return 100.0

    decision = plan_by_trials("cuda", 10, ("graphs",), rate_of)
    assert (decision.speed, decision.dropped) == ("plain", {"graphs": "CUDA out of memory"})
    assert decision.line() == "speed: plain (100 images/s; graphs failed: CUDA out of memory)"


def test_compiling_is_tried_only_where_its_time_can_come_back():
    tried = []

    def rate_of(speed: adapt.Parts) -> float:
        tried.append(speed)
        return 100.0

    seconds = adapt.COMPILING / adapt.SHARE  # of a run that may just spend so long
    plan_by_trials("cuda", round(99 * seconds), ("compile",), rate_of)
    assert tried == [()]
    plan_by_trials("cuda", round(101 * seconds), ("compile",), rate_of)
    assert tried[1:] == [(), ("compile",)]


@pytest.mark.parametrize("name", GANS)
def test_nothing_is_compiled_that_is_differentiated_twice(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    """A GAN says so itself; here it is seen."""
    gan, asked = make_gan(name), []
    gradient = torch.autograd.grad

    def watched(*values, **options):
        asked.append(options.get("create_graph", False))
        return gradient(*values, **options)

    monkeypatch.setattr(torch.autograd, "grad", watched)
    take_step(make_context(gan), make_batch(gan, 4), FixedClock(), StepRng(0, 0))
    assert any(asked) == gan.double_backward
    assert ("compile" in list_parts(gan, on_cuda())) != gan.double_backward


def test_graphs_are_for_one_process_on_a_gpu():
    gan = make_gan("dcgan")
    assert list_parts(gan, on_cuda()) == ("channels_last", "graphs", "compile")
    assert list_parts(gan, on_cuda(world=2)) == ("channels_last", "compile")
    assert list_parts(make_gan("mlp"), on_cuda()) == ("graphs", "compile")
    assert list_parts(gan, Engine("cpu")) == ("channels_last",)


@pytest.mark.parametrize(
    ("name", "size", "device", "speed"),
    [
        ("relativistic", 28, "cpu", "channels_last"),
        ("relativistic", 8, "cpu", "plain"),
        ("cyclegan", 32, "cpu", "plain"),  # norms of one image
        ("mlp", 28, "cpu", "plain"),
        ("dcgan", 32, "mps", "plain"),
        ("cyclegan", 32, "cuda", "channels_last"),
    ],
)
def test_what_is_known_without_measuring(name: str, size: int, device: str, speed: str):
    assert torch.backends.mkldnn.is_available()
    assert plan_from_experience(make_gan(name, size=size), device).speed == speed


def test_large_kernels_are_products_on_a_cpu():
    gan = make_gan("avatar-dcgan", size=48, width=64)
    assert plan_from_experience(gan, "cpu").speed == "channels_last+im2col"
    assert list_parts(gan, Engine("cpu")) == ("channels_last", "im2col")
    assert plan_from_experience(gan, "cuda").speed == "channels_last"
    assert "im2col" not in list_parts(gan, on_cuda())


def test_a_cpu_measures_nothing_and_a_short_run_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def never(*_: object) -> float:
        raise AssertionError("a trial was run")

    monkeypatch.setattr(adapt, "measure_rate", never)
    trainer = make_trainer(tmp_path, make_recipe(images=10**9))
    decision = choose_plan(trainer.context, trainer.state, trainer.loader)
    assert decision.line() == "speed: channels_last (known, not measured)"
    decision = choose_plan(
        replace(trainer.context, recipe=make_recipe(), engine=on_cuda()),
        trainer.state,
        trainer.loader,
    )
    assert decision.line() == "speed: channels_last (the run is too short to measure)"
    # plain, channels last, graphs
    steps = round(3 * (adapt.WARMUP_STEPS + adapt.TIMED_STEPS) / adapt.SHARE)
    monkeypatch.setattr(adapt, "measure_rate", lambda *_: 1.0)
    assert not choose_plan(
        replace(trainer.context, recipe=make_recipe(images=6 * steps - 6), engine=on_cuda()),
        trainer.state,
        trainer.loader,
    ).measured
    assert choose_plan(
        replace(trainer.context, recipe=make_recipe(images=6 * steps), engine=on_cuda()),
        trainer.state,
        trainer.loader,
    ).measured


# What a user asks for


def test_a_way_may_be_asked_for(tmp_path: Path):
    recipe = make_recipe(speed="plain")
    trainer = make_trainer(tmp_path, recipe)
    assert trainer.apply_own_plan().line() == "speed: plain (requested)"
    refused_in_one_line(
        lambda: make_recipe(speed="fast"),
        "speed='fast': input should be 'auto', 'plain', 'channels_last'",
    )


@pytest.mark.parametrize(
    ("name", "engine", "speed", "message"),
    [
        (
            "dcgan",
            Engine("cpu"),
            "graphs",
            "graphs does not work on a cpu, only on a CUDA GPU; use speed=auto",
        ),
        (
            "dcgan",
            on_cuda(2),
            "channels_last+graphs",
            "graphs does not work with several processes",
        ),
        ("r3gan", on_cuda(), "compile", "compile does not work where a loss has gradients in it"),
        ("mlp", on_cuda(), "channels_last", "channels_last does not work without convolutions"),
        ("dcgan", on_cuda(), "im2col", "im2col does not work on a cuda, only on a CPU"),
        ("dcgan", Engine("cpu"), "im2col", "im2col does not work without large kernels"),
    ],
)
def test_what_cannot_be_is_refused(
    tmp_path: Path, name: str, engine: Engine, speed: str, message: str
):
    trainer = make_trainer(tmp_path, make_recipe())
    trainer.state.gan = make_gan(name)
    recipe = make_recipe(speed=speed)
    refused_in_one_line(
        lambda: choose_plan(
            replace(trainer.context, recipe=recipe, engine=engine), trainer.state, trainer.loader
        ),
        message,
    )
