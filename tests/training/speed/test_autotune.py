"""How rounds are played fastest: what is tried, what is chosen and recorded, and that it changes
nothing else.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from replay import Repeater
from tiny import FixedClock, make_batch, make_context, make_gan, refused_in_one_line

import ganvas
from ganvas.data import open_dataset
from ganvas.errors import UserError
from ganvas.gans import GANS
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import Recipe, change
from ganvas.rng import StepRng
from ganvas.runs.checkpoint import find_checkpoints
from ganvas.runs.log import read_log
from ganvas.training.dry_run import print_plan
from ganvas.training.engine import Engine
from ganvas.training.guard import Guard
from ganvas.training.setup import Request
from ganvas.training.speed import autotune as adapt
from ganvas.training.speed import im2col as products
from ganvas.training.speed.autotune import (
    ExecutionPlan,
    apply_plan,
    choose_plan,
    list_parts,
    measure_rate,
    plan_by_trials,
    plan_from_experience,
    read_plan,
)
from ganvas.training.speed.cuda_graphs import GraphedSteps
from ganvas.training.step import take_step
from ganvas.training.trainer import Trainer

# Of 16 pixels, where channels last matter; digits are enlarged.
CHANGES = {
    **{
        "data": "digits",
        "size": 16,
        "options.width": 4,
        "batch": 6,
        "images": 54,
        "report_every": 12,
        "checkpoint_every": 12,
    },
    # rates of runs of any length
    **{f"optimizers.{player}.constant": None for player in ("generator", "discriminator")},
}


def tiny(**changes: object) -> Recipe:
    return change(get_recipe("mnist-fast"), CHANGES | changes)


def make_trainer(folder: Path, recipe: Recipe) -> Trainer:
    assert recipe.data
    return Trainer(
        recipe, open_dataset(recipe.data, recipe.view), folder, Engine("cpu"), quiet=True
    )


def on_cuda(world: int = 1) -> Engine:
    """An engine that says that it has a GPU; nothing may be played with it."""
    engine = Engine("cpu")
    engine.device, engine.world = torch.device("cuda"), world
    return engine


def everything(trainer: Trainer) -> dict[str, torch.Tensor]:
    """All tensors of a run's state."""
    state = trainer.state
    assert state.ema
    found = {f"gan {name}": value for name, value in state.gan.state_dict().items()}
    found |= {f"average {name}": value for name, value in state.ema.state_dict().items()}
    for player, optimizer in state.optimizers.items():
        for number, moments in optimizer.state_dict()["state"].items():
            found |= {f"{player} {number} {name}": value for name, value in moments.items()}
    return found | {f"mean {name}": value for name, value in state.means.sums.items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


# What is chosen


def test_parts_are_kept_that_make_rounds_faster():
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
        ("cyclegan", 32, "cpu", "plain"),  # norms of one picture
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
        raise AssertionError("a trial was played")

    monkeypatch.setattr(adapt, "measure_rate", never)
    trainer = make_trainer(tmp_path, tiny(images=10**9))
    decision = choose_plan(trainer.context, trainer.state, trainer.loader)
    assert decision.line() == "speed: channels_last (known, not measured)"
    decision = choose_plan(
        replace(trainer.context, recipe=tiny(), engine=on_cuda()), trainer.state, trainer.loader
    )
    assert decision.line() == "speed: channels_last (the run is too short to measure)"
    # plain, channels last, graphs
    rounds = round(3 * (adapt.WARMUP_STEPS + adapt.TIMED_STEPS) / adapt.SHARE)
    monkeypatch.setattr(adapt, "measure_rate", lambda *_: 1.0)
    assert not choose_plan(
        replace(trainer.context, recipe=tiny(images=6 * rounds - 6), engine=on_cuda()),
        trainer.state,
        trainer.loader,
    ).measured
    assert choose_plan(
        replace(trainer.context, recipe=tiny(images=6 * rounds), engine=on_cuda()),
        trainer.state,
        trainer.loader,
    ).measured


# What a user asks for


def test_a_way_may_be_asked_for(tmp_path: Path):
    recipe = tiny(speed="plain")
    trainer = make_trainer(tmp_path, recipe)
    assert trainer.apply_own_plan().line() == "speed: plain (requested)"
    refused_in_one_line(
        lambda: tiny(speed="fast"), "speed='fast': input should be 'auto', 'plain', 'channels_last'"
    )


@pytest.mark.parametrize(
    ("name", "engine", "speed", "told"),
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
    tmp_path: Path, name: str, engine: Engine, speed: str, told: str
):
    trainer = make_trainer(tmp_path, tiny())
    trainer.state.gan = make_gan(name)
    recipe = tiny(speed=speed)
    refused_in_one_line(
        lambda: choose_plan(
            replace(trainer.context, recipe=recipe, engine=engine), trainer.state, trainer.loader
        ),
        told,
    )


# Trials change nothing


def test_a_run_with_trials_equals_one_without(tmp_path: Path):
    one, other = (make_trainer(tmp_path, tiny()) for _ in range(2))
    for speed in ((), ("channels_last",)):
        assert measure_rate(speed, one.context, one.state, one.loader) > 0
    assert not list(tmp_path.iterdir())
    for trainer in (one, other):
        apply_plan(("channels_last",), trainer.training_step, pytest.fail)
        for _ in range(9):
            trainer.step()
    assert same(everything(one), everything(other))


def test_graphs_are_tried_and_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With a stand-in for CUDA graphs that a CPU can play."""
    recorder = Repeater()
    monkeypatch.setattr(adapt, "CudaCapturer", lambda: recorder)
    one, other = (make_trainer(tmp_path, tiny()) for _ in range(2))
    # a graph's rounds must raise no errors; as on a GPU, they raise a flag
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
    assert same(everything(one), everything(other))


def test_rounds_that_cannot_be_recorded_drop_graphs_from_the_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(adapt, "CudaCapturer", Repeater)  # the guard of a CPU reads its losses
    trainer = make_trainer(tmp_path, tiny())
    with pytest.raises(
        RuntimeError,
        match="steps are not captured: operation not permitted when stream is capturing",
    ):
        measure_rate(("graphs",), trainer.context, trainer.state, trainer.loader)


@pytest.mark.parametrize(
    "speed", [("channels_last",), ("im2col",), ("channels_last", "im2col")], ids="+".join
)
def test_other_ways_play_the_same_game(
    speed: adapt.Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """In float64 they differ by rounding alone, of which Adam makes more; weights, averages and
    moments lie alike.
    """
    monkeypatch.setattr(products, "WEIGHTS", 1)
    torch.set_default_dtype(torch.float64)
    try:
        plain, other = (make_trainer(tmp_path, tiny()) for _ in range(2))
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
    ours, theirs = everything(other), everything(plain)
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


# Runs


def run(folder: Path, images: int, **changes: object) -> dict[str, bytes]:
    """Train, and return what the newest checkpoint holds."""
    ganvas.train(tiny(**changes), images=images, out=folder, device="cpu", quiet=True)
    newest = find_checkpoints(folder / "checkpoints")[-1]
    return {file.name: file.read_bytes() for file in newest.glob("*.safetensors")}


def test_the_choice_is_recorded_and_taken_up(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    whole = run(tmp_path / "whole", 48)
    assert read_plan(tmp_path / "whole") == ExecutionPlan(
        device="cpu", speed="channels_last", reason="known, not measured"
    )
    run(tmp_path / "parts", 24)
    assert run(tmp_path / "parts", 48) == whole
    lines = [
        entry
        for entry in read_log(tmp_path / "parts" / "log.jsonl")
        if entry["kind"] == "autotuned"
    ]
    assert lines == [
        {
            "images": 0,
            "kind": "autotuned",
            "device": "cpu",
            "speed": "channels_last",
            "reason": "known, not measured",
        }
    ]
    ganvas.train(out=tmp_path / "parts", images=54, device="cpu")
    assert "speed: channels_last (known, not measured)" in capfd.readouterr().err


@pytest.mark.slow
def test_products_go_on_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(products, "WEIGHTS", 1)
    whole = run(tmp_path / "whole", 24)
    record = read_plan(tmp_path / "whole")
    assert record and record.speed == "channels_last+im2col"
    run(tmp_path / "parts", 12)
    assert run(tmp_path / "parts", 24) == whole


@pytest.mark.slow
def test_a_record_counts_more_than_what_would_be_chosen_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As when it was measured, or by another version."""
    whole = run(tmp_path / "whole", 48, speed="plain")
    with monkeypatch.context() as patch:
        patch.setattr(
            adapt,
            "plan_from_experience",
            lambda *_: ExecutionPlan(device="cpu", speed="plain", measured={"plain": 7.0}),
        )
        run(tmp_path / "parts", 24)
    assert run(tmp_path / "parts", 48) == whole
    assert json.loads((tmp_path / "parts" / "speed.json").read_text())["measured"] == {"plain": 7.0}
    assert run(tmp_path / "other", 48) != whole  # else this test would see nothing


def test_a_record_of_another_device_does_not_count(tmp_path: Path):
    trainer = make_trainer(tmp_path, tiny())
    (tmp_path / "speed.json").write_text(
        ExecutionPlan(device="cuda", speed="plain").model_dump_json()
    )
    assert choose_plan(trainer.context, trainer.state, trainer.loader).speed == "channels_last"
    (tmp_path / "speed.json").write_text(
        ExecutionPlan(device="cpu", speed="graphs").model_dump_json()
    )
    assert choose_plan(trainer.context, trainer.state, trainer.loader).speed == "channels_last"


def test_a_run_may_go_on_in_another_way(tmp_path: Path):
    run(tmp_path / "run", 24)
    run(tmp_path / "run", 48, speed="plain")
    assert read_plan(tmp_path / "run") == ExecutionPlan(
        device="cpu", speed="plain", reason="requested"
    )


def test_a_damaged_record_is_an_error(tmp_path: Path):
    (tmp_path / "speed.json").write_text('{"speed": 3}')
    with pytest.raises(UserError, match=r"speed\.json is damaged .* delete it"):
        read_plan(tmp_path)


def test_the_dry_run_tells_the_choice(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    print_plan(Request(tiny()), tmp_path, "cpu")
    assert "speed: channels_last (known, not measured)" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
