"""Steps that are recorded equal steps that are not, bit for bit; and no step makes the CPU wait
for a GPU.
"""

from collections.abc import Iterator

import pytest
import torch
from replay import NoWaiting, Repeater
from tiny import (
    FixedClock,
    equal_tensors,
    make_batch,
    make_context,
    make_gan,
)
from torch import Tensor

from ganvas.gans import GAN, GANS, Update
from ganvas.gans.base import Batch, Clock, Updates
from ganvas.gans.mlp import MLP
from ganvas.rng import StepRng
from ganvas.training.guard import NotFiniteError
from ganvas.training.speed.cuda_graphs import WARMUP, GraphedSteps
from ganvas.training.speed.static_inputs import StaticInputs
from ganvas.training.step import take_step

CPU = torch.device("cpu")
OPTIONS = {
    "relativistic": {"penalty_every": 2, "augmentation": "adaptive"},
    "r3gan": {"augmentation": 0.5, "burn_in": 60},
    "stargan": {"n_critic": 2},
    "sngan": {"n_critic": 2},
    "wgan-gp": {"n_critic": 2},
    "mlp-deep": {"dropout": 0.5},
    "gawwn-relativistic": {"penalty_every": 2},
}
PENALISED = {"cut"} | {name for name in GANS if name.endswith("-relativistic")}
PENALISED -= {"points-relativistic"}
# One GAN of each kind of step; the slow tests record all the others.
QUICK = {"mlp", "dcgan", "relativistic", "wgan-gp", "points", "stargan-relativistic", "pix2pix"}
BATCH = 4
STEPS = 2 * (WARMUP + 4)


@pytest.fixture(
    params=[torch.float32, pytest.param(torch.float64, marks=pytest.mark.slow)],
    ids=["float32", "float64"],
)
def dtype(request):
    before = torch.get_default_dtype()
    torch.set_default_dtype(request.param)
    yield request.param
    torch.set_default_dtype(before)


def take_steps(gan: GAN, take, count: int = STEPS, engine=None) -> Iterator[dict[str, Tensor]]:
    """What steps report that differ in batch, draws, rates and clock."""
    context = make_context(gan, deferred=True, engine=engine, betas=(0.5, 0.99))
    for number in range(count):
        torch.manual_seed(number)
        for optimizer in context.optimizers.values():
            optimizer.param_groups[0]["lr"] = 2.0 ** -(8 + number % 3)
        clock, rng = FixedClock(number * BATCH, number), StepRng(0, number * BATCH)
        yield take(context, make_batch(gan, BATCH, number), clock, rng)
    context.guard.stop_if_tripped()


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK)) for name in GANS],
)
def test_recorded_steps_equal_plain_ones(name: str, dtype: torch.dtype):
    gan, plain = (
        make_gan(name, size=8, channels=3, classes=3, **OPTIONS.get(name, {})) for _ in range(2)
    )
    recorder = Repeater()
    reports = list(take_steps(gan, GraphedSteps(recorder, pytest.fail)))
    assert all(map(equal_tensors, reports, take_steps(plain, take_step)))
    assert equal_tensors(gan.state_dict(), plain.state_dict())
    two_kinds = {"relativistic", "sngan", "wgan-gp", "stargan", "inpaint", *PENALISED}
    kinds = 2 if name in two_kinds else 1
    assert (recorder.recorded, recorder.warmed) == (kinds, kinds * WARMUP)
    # the first is run before anything is known
    assert recorder.replayed == STEPS - 1 - kinds * WARMUP


@pytest.mark.parametrize("name", GANS)
def test_no_step_waits_for_the_device(name: str):
    gan = make_gan(name, size=8, channels=3, classes=3, **OPTIONS.get(name, {}))
    tape, batch = StaticInputs(StepRng(0, 0), FixedClock()), make_batch(gan, BATCH)
    context = make_context(gan, deferred=True)
    take_step(context, batch, tape, tape)
    tape.refill(StepRng(0, BATCH), FixedClock())
    tape.rewind()
    with NoWaiting():
        take_step(context, batch, tape, tape)
    assert not tape.trouble


class Counting(MLP):
    """It looks at how many steps there were."""

    def step(self, batch: Batch, clock: Clock, rng) -> Iterator[Updates]:
        yield from super().step({"image": batch["image"] / (1 + clock.steps)}, clock, rng)


class Reading(MLP):
    """It reads a number from the device after its first player has been updated."""

    def step(self, batch: Batch, clock: Clock, rng) -> Iterator[Updates]:
        yield from super().step(batch, clock, rng)
        fake = self.generator(rng.uniform(2, self.noise_size))
        yield Update("generator", {"mean": fake.mean() * fake.square().mean().item()})


class Choosy(MLP):
    """It asks for noise of another size in every step."""

    def step(self, batch: Batch, clock: Clock, rng) -> Iterator[Updates]:
        self.asked = getattr(self, "asked", 0) + 1
        rng.rand(self.asked)
        yield from super().step(batch, clock, rng)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Counting, "it reads clock.steps instead of asking clock.every"),
        (Reading, "operation not permitted when stream is capturing"),
        (Choosy, "it asks for random numbers in a changing order"),
    ],
)
def test_what_cannot_be_recorded_is_run_and_reported_once(kind, message):
    notes: list[str] = []
    gans = [kind(make_gan("mlp").schema, hidden=8, noise_size=5) for _ in range(2)]
    gans[1].load_state_dict(gans[0].state_dict())
    recorder = Repeater()
    reports = [
        list(take_steps(gan, take))
        for gan, take in zip(gans, [GraphedSteps(recorder, notes.append), take_step])
    ]

    assert len(notes) == 1
    assert notes[0].startswith(f"note: steps are not captured: {message}")
    assert recorder.replayed == 0
    # which gets other numbers, as many, in the step in which it is found out
    if kind is not Choosy:
        assert all(map(equal_tensors, *reports))
        assert equal_tensors(gans[0].state_dict(), gans[1].state_dict())


def test_watched_steps_are_run_and_seen():
    gan, plain, seen = make_gan("mlp"), make_gan("mlp"), []
    recorder = Repeater()
    graphed = GraphedSteps(recorder, pytest.fail)

    def sometimes_watched(*given):
        probe = (lambda turn, _: seen.append(turn.player)) if given[2].steps == STEPS - 2 else None
        return graphed(*given, probe)

    reports = list(take_steps(gan, sometimes_watched))
    assert all(map(equal_tensors, reports, take_steps(plain, take_step)))
    assert seen == ["discriminator", "generator"]
    assert recorder.replayed == STEPS - 2 - WARMUP


def test_changing_betas_are_never_recorded():
    """A fused optimizer's betas are no tensors; a recording would keep those that it was made
    with.
    """
    gan, plain, recorder = make_gan("mlp"), make_gan("mlp"), Repeater()
    graphed = GraphedSteps(recorder, pytest.fail)

    def burning_in(take):
        def take_with_betas(*given):
            context, steps = given[0], given[2].steps
            for optimizer in context.optimizers.values():
                optimizer.param_groups[0]["betas"] = (0.5, min(0.99, 0.9 + 0.02 * steps))
            return take(*given)

        return take_with_betas

    reports = list(take_steps(gan, burning_in(graphed)))
    assert all(map(equal_tensors, reports, take_steps(plain, burning_in(take_step))))
    assert recorder.replayed == STEPS - 6 - WARMUP  # betas are new in steps 0 to 5


def test_a_flag_raised_in_a_recording_is_seen_and_holds_all_players():
    gan = make_gan("mlp")
    context, graphed = make_context(gan, deferred=True), GraphedSteps(Repeater(), pytest.fail)
    for number in range(STEPS):
        batch = make_batch(gan, BATCH, number)
        if number == STEPS - 2:
            batch["image"][0, 0, 0, 0] = torch.nan
            before = {name: value.clone() for name, value in gan.state_dict().items()}
        graphed(context, batch, FixedClock(number), StepRng(0, number))
    with pytest.raises(NotFiniteError, match="discriminator/adversarial"):
        context.guard.stop_if_tripped()
    assert equal_tensors(gan.state_dict(), before)


def test_a_tape_takes_other_numbers_into_the_same_tensors():
    tape = StaticInputs(StepRng(0, 0), FixedClock(0, 0))

    def ask(rng, clock):
        return [
            rng.normal(3, 2),
            rng.randint(3, 5),
            rng.permute(torch.arange(3)),
            torch.as_tensor(clock.ramp(2.0, 1.0, 100)),
        ]

    first = [value.clone() for value in ask(tape, tape)]
    assert all(map(torch.equal, first, ask(StepRng(0, 0), FixedClock(0, 0))))
    tape.refill(StepRng(0, 50), FixedClock(50, 1))
    tape.rewind()
    again = ask(tape, tape)
    assert all(map(torch.equal, again, ask(StepRng(0, 50), FixedClock(50, 1))))
    assert not any(map(torch.equal, again, first))
    tape.rewind()
    assert tape.normal(3, 2).data_ptr() == again[0].data_ptr()
    assert not tape.trouble


def test_a_tape_fits_steps_with_the_same_answers():
    tape = StaticInputs(StepRng(0, 0), FixedClock(0, 6))
    assert (tape.every(2), tape.every(5)) == (True, False)
    assert [steps for steps in range(13) if tape.fits(FixedClock(0, steps))] == [2, 4, 6, 8, 12]
