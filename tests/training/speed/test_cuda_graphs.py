"""Rounds that are recorded equal rounds that are played, bit for bit; and no round makes the CPU wait for a GPU."""

from collections.abc import Iterator

import pytest
import torch
from replay import NoWaiting, Repeater
from tiny import Position, make, make_batch, make_game
from torch import Tensor

from ganvas.gans import GAN, GANS, Turn
from ganvas.gans.base import Batch, Clock, Move
from ganvas.gans.mlp import MLP
from ganvas.rng import RoundDraw
from ganvas.training.speed.cuda_graphs import WARM, GraphedRounds
from ganvas.training.speed.tape import Tape
from ganvas.training.step import NotFiniteError, play_round

CPU = torch.device("cpu")
OPTIONS = {
    "relativistic": {"penalty_every": 2, "augmentation": "adaptive"},
    "r3gan": {"augmentation": 0.5, "burn_in": 60},
    "stargan": {"critic_moves": 2},
    "sngan": {"critic_moves": 2},
    "wgan-gp": {"critic_moves": 2},
    "mlp-deep": {"dropout": 0.5},
}
BATCH = 4
ROUNDS = 2 * (WARM + 4)


@pytest.fixture(params=[torch.float32, torch.float64], ids=["float32", "float64"])
def dtype(request):
    before = torch.get_default_dtype()
    torch.set_default_dtype(request.param)
    yield request.param
    torch.set_default_dtype(before)


def rounds_of(gan: GAN, play, count: int = ROUNDS, engine=None) -> Iterator[dict[str, Tensor]]:
    """What rounds report that differ in batch, draws, rates and clock."""
    game = make_game(gan, deferred=True, engine=engine, betas=(0.5, 0.99))
    for number in range(count):
        torch.manual_seed(number)
        for optimizer in game.optimizers.values():
            optimizer.param_groups[0]["lr"] = 2.0 ** -(8 + number % 3)
        clock, draw = Position(number * BATCH, number), RoundDraw(0, number * BATCH)
        yield play(game, make_batch(gan, BATCH, number), clock, draw)
    game.guard.stop_if_tripped()


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("name", GANS)
def test_recorded_rounds_equal_played_ones(name: str, dtype: torch.dtype):
    gan, plain = (make(name, size=8, channels=3, classes=3, **OPTIONS.get(name, {})) for _ in range(2))
    recorder = Repeater()
    reports = list(rounds_of(gan, GraphedRounds(recorder, pytest.fail)))
    assert all(map(same, reports, rounds_of(plain, play_round)))
    assert same(gan.state_dict(), plain.state_dict())
    kinds = 2 if name in ("relativistic", "sngan", "wgan-gp", "stargan", "inpaint") else 1
    assert (recorder.recorded, recorder.warmed) == (kinds, kinds * WARM)
    assert recorder.replayed == ROUNDS - 1 - kinds * WARM  # the first is played before anything is known


@pytest.mark.parametrize("name", GANS)
def test_no_round_waits_for_the_device(name: str):
    gan = make(name, size=8, channels=3, classes=3, **OPTIONS.get(name, {}))
    tape, batch = Tape(RoundDraw(0, 0), Position()), make_batch(gan, BATCH)
    game = make_game(gan, deferred=True)
    play_round(game, batch, tape, tape)
    tape.refill(RoundDraw(0, BATCH), Position())
    tape.rewind()
    with NoWaiting():
        play_round(game, batch, tape, tape)
    assert not tape.trouble


class Counting(MLP):
    """It looks at how many rounds there were."""

    def step(self, batch: Batch, clock: Clock, draw) -> Iterator[Move]:
        yield from super().step({"image": batch["image"] / (1 + clock.rounds)}, clock, draw)


class Reading(MLP):
    """It reads a number from the device after its first player has moved."""

    def step(self, batch: Batch, clock: Clock, draw) -> Iterator[Move]:
        yield from super().step(batch, clock, draw)
        fake = self.generator(draw.uniform(2, self.noise_size))
        yield Turn("generator", {"mean": fake.mean() * fake.square().mean().item()})


class Choosy(MLP):
    """It asks for noise of another size in every round."""

    def step(self, batch: Batch, clock: Clock, draw) -> Iterator[Move]:
        self.asked = getattr(self, "asked", 0) + 1
        draw.shares(self.asked)
        yield from super().step(batch, clock, draw)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Counting, "it reads clock.rounds instead of asking clock.every"),
        (Reading, "operation not permitted when stream is capturing"),
        (Choosy, "it asks for random numbers in a changing order"),
    ],
)
def test_what_cannot_be_recorded_is_played_and_told_once(kind, told):
    notes: list[str] = []
    gans = [kind(make("mlp").schema, hidden=8, noise_size=5) for _ in range(2)]
    gans[1].load_state_dict(gans[0].state_dict())
    recorder = Repeater()
    reports = [list(rounds_of(gan, play)) for gan, play in zip(gans, [GraphedRounds(recorder, notes.append), play_round])]
    assert len(notes) == 1
    assert notes[0].startswith(f"note: rounds are not recorded: {told}")
    assert recorder.replayed == 0
    if kind is not Choosy:  # which gets other numbers, as many, in the round in which it is found out
        assert all(map(same, *reports))
        assert same(gans[0].state_dict(), gans[1].state_dict())


def test_watched_rounds_are_played_and_seen():
    gan, plain, seen = make("mlp"), make("mlp"), []
    recorder = Repeater()
    graphed = GraphedRounds(recorder, pytest.fail)

    def sometimes_watched(*given):
        watch = (lambda turn, _: seen.append(turn.player)) if given[2].rounds == ROUNDS - 2 else None
        return graphed(*given, watch)

    reports = list(rounds_of(gan, sometimes_watched))
    assert all(map(same, reports, rounds_of(plain, play_round)))
    assert seen == ["discriminator", "generator"]
    assert recorder.replayed == ROUNDS - 2 - WARM


def test_changing_betas_are_never_recorded():
    """A fused optimizer's betas are no tensors; a recording would go on with those that it was made with."""
    gan, plain, recorder = make("mlp"), make("mlp"), Repeater()
    graphed = GraphedRounds(recorder, pytest.fail)

    def burning_in(play):
        def round_(*given):
            game, rounds = given[0], given[2].rounds
            for optimizer in game.optimizers.values():
                optimizer.param_groups[0]["betas"] = (0.5, min(0.99, 0.9 + 0.02 * rounds))
            return play(*given)

        return round_

    reports = list(rounds_of(gan, burning_in(graphed)))
    assert all(map(same, reports, rounds_of(plain, burning_in(play_round))))
    assert recorder.replayed == ROUNDS - 6 - WARM  # betas are new in rounds 0 to 5


def test_a_flag_raised_in_a_recording_is_seen_and_holds_all_players():
    gan = make("mlp")
    game, graphed = make_game(gan, deferred=True), GraphedRounds(Repeater(), pytest.fail)
    for number in range(ROUNDS):
        batch = make_batch(gan, BATCH, number)
        if number == ROUNDS - 2:
            batch["image"][0, 0, 0, 0] = torch.nan
            before = {name: value.clone() for name, value in gan.state_dict().items()}
        graphed(game, batch, Position(number), RoundDraw(0, number))
    with pytest.raises(NotFiniteError, match="discriminator/adversarial"):
        game.guard.stop_if_tripped()
    assert same(gan.state_dict(), before)


def test_a_tape_takes_other_numbers_into_the_same_tensors():
    tape = Tape(RoundDraw(0, 0), Position(0, 0))

    def ask(draw, clock):
        return [draw.normal(3, 2), draw.labels(3, 5), draw.shuffled(torch.arange(3)), torch.as_tensor(clock.ramp(2.0, 1.0, 100))]

    first = [value.clone() for value in ask(tape, tape)]
    assert all(map(torch.equal, first, ask(RoundDraw(0, 0), Position(0, 0))))
    tape.refill(RoundDraw(0, 50), Position(50, 1))
    tape.rewind()
    again = ask(tape, tape)
    assert all(map(torch.equal, again, ask(RoundDraw(0, 50), Position(50, 1))))
    assert not any(map(torch.equal, again, first))
    tape.rewind()
    assert tape.normal(3, 2).data_ptr() == again[0].data_ptr()
    assert not tape.trouble


def test_a_tape_fits_rounds_with_the_same_answers():
    tape = Tape(RoundDraw(0, 0), Position(0, 6))
    assert (tape.every(2), tape.every(5)) == (True, False)
    assert [rounds for rounds in range(13) if tape.fits(Position(0, rounds))] == [2, 4, 6, 8, 12]
