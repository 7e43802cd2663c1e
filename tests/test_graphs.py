"""Recorded rounds: the same numbers as rounds played one by one, whatever changes from round to round."""

import copy

import pytest
import torch
from tiny import Position, make, make_batch, make_engine

from ganvas.draws import RoundDraw
from ganvas.gans import GANS
from ganvas.gans.mlp import MLP
from ganvas.graphs import Again, GraphedRounds
from ganvas.progress import RunClock
from ganvas.rounds import Guard, play_round
from ganvas.tape import TapeClock, TapeDraw

OPTIONS = {
    "relativistic": {"penalty_every": 2, "augmentation": "adaptive"},
    "r3gan": {"augmentation": 0.5},
    "stargan": {"critic_moves": 3},
    "mlp-deep": {"dropout": 0.0},  # whose masks are drawn by the device itself
}
POSSIBLE = [name for name in GANS if name != "inpaint"]  # whose masks are of as many strokes as they draw
BATCH = 4


def players(name: str):
    """A GAN, and what moves it."""
    gan = make(name, channels=3, classes=3, **OPTIONS.get(name, {}))
    optimizers = {player: torch.optim.Adam(values, lr=1e-2, fused=True) for player, values in gan.players().items()}
    return gan, optimizers, Guard(optimizers, deferred=False, device=torch.device("cpu"))


@pytest.mark.parametrize("name", POSSIBLE)
def test_recorded_rounds_equal_rounds_played_one_by_one(name):
    gan, optimizers, guard = players(name)
    other, other_optimizers, other_guard = players(name)
    engine = make_engine("fp32")
    graphed = GraphedRounds(other, other_optimizers, other_guard, engine, Again())
    clock = RunClock(batch=BATCH, total=1000)
    for number in range(7):
        batch = make_batch(gan, BATCH, seed=number)
        plain = play_round(gan, batch, clock, RoundDraw(0, clock.images), optimizers, guard, engine)
        recorded = graphed.play(make_batch(gan, BATCH, seed=number), clock, RoundDraw(0, clock.images))
        assert plain.keys() == recorded.keys()
        assert all(torch.equal(plain[key], recorded[key]) for key in plain)
        clock.advance()
    assert graphed.possible
    assert all(recording.replay for recording in graphed.recordings.values())
    for key, value in gan.state_dict().items():
        assert torch.equal(value, other.state_dict()[key]), key


@pytest.mark.parametrize(("name", "kinds"), [("mlp", 1), ("relativistic", 2), ("stargan", 2)])
def test_kinds_of_rounds(name, kinds):
    gan, optimizers, guard = players(name)
    graphed, clock = GraphedRounds(gan, optimizers, guard, make_engine("fp32"), Again()), RunClock(BATCH, 1000)
    for _ in range(6):
        graphed.play(make_batch(gan, BATCH), clock, RoundDraw(0, clock.images))
        clock.advance()
    assert len(graphed.recordings) == kinds


def test_what_asks_for_the_position_itself_is_never_recorded():
    class Impatient(MLP):
        def step(self, batch, clock, draw):
            if clock.images < 8:
                yield from super().step(batch, clock, draw)

    gan = Impatient(make("mlp").schema, hidden=8, noise_size=5)
    optimizers = {player: torch.optim.Adam(values, fused=True) for player, values in gan.players().items()}
    guard = Guard(optimizers, False, torch.device("cpu"))
    graphed, clock = GraphedRounds(gan, optimizers, guard, make_engine("fp32"), Again()), RunClock(BATCH, 1000)
    found = []
    for _ in range(3):
        found.append(bool(graphed.play(make_batch(gan, BATCH), clock, RoundDraw(0, clock.images))))
        clock.advance()
    assert found == [True, True, False]
    assert not graphed.possible


def test_what_cannot_be_recorded_is_played_as_it_is():
    class Refuses(Again):
        def record(self, play):
            raise RuntimeError("operation not permitted when stream is capturing")

    gan, optimizers, guard = players("mlp")
    graphed, clock = GraphedRounds(gan, optimizers, guard, make_engine("fp32"), Refuses()), RunClock(BATCH, 1000)
    for _ in range(3):
        assert graphed.play(make_batch(gan, BATCH), clock, RoundDraw(0, clock.images))
        clock.advance()
    assert not graphed.possible


def test_watched_rounds_are_played_as_they_are():
    gan, optimizers, guard = players("mlp")
    graphed = GraphedRounds(gan, optimizers, guard, make_engine("fp32"), Again())
    seen = []
    for _ in range(3):
        graphed.play(make_batch(gan, BATCH), RunClock(BATCH, 99), RoundDraw(0, 0), lambda turn, _: seen.append(turn.player))
    assert len(seen) == 6
    assert not graphed.recordings


def test_a_tape_keeps_its_tensors_and_takes_other_numbers():
    tape = TapeDraw(RoundDraw(0, 0))
    first = [tape.normal(3, 2), tape.labels(3, 5), tape.shares(3, 2)]
    kept = copy.deepcopy(first)
    tape.refill(RoundDraw(0, 50))
    plain = RoundDraw(0, 50)
    second = [tape.normal(3, 2), tape.labels(3, 5), tape.shares(3, 2)]
    wanted = [plain.normal(3, 2), plain.labels(3, 5), plain.shares(3, 2)]
    for before, again, expected in zip(first, second, wanted):
        assert again is before
        assert torch.equal(again, expected)
    assert not torch.equal(first[0], kept[0])


def test_a_tapes_schedules_follow_the_clock():
    tape = TapeClock(Position(0, 0), torch.zeros(1))
    value = tape.ramp(2.0, 1.0, 100)
    assert value.item() == 2
    tape.refill(Position(50, 1))
    assert tape.ramp(2.0, 1.0, 100) is value
    assert value.item() == pytest.approx(1.5)
    assert tape.every(1)
    assert not tape.told
