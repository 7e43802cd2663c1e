"""How rounds are played fastest on this machine: decided before the first one, recorded, and taken
up when a run goes on.

A way to play is told by its parts, in the order in which they are tried:

- `channels_last`: weights, and with them the maps, are laid out pixel by pixel instead of channel
  by channel;
- `im2col`: on a CPU, convolutions of small maps by large kernels are matrix products
  (`products.py`);
- `graphs`: rounds are recorded and played again by the GPU itself (`graphs.py`), for small networks
  and one process;
- `compile`: PyTorch compiles the players. What it compiles cannot be differentiated twice, so it is
  never tried where a loss has gradients in it.

None changes what is computed but in the last bits. On a GPU each is measured on copies, and kept if
that was faster. On a CPU it is decided by what is known: measuring would make runs differ whose
settings are the same.
"""

import copy
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor, nn

from ganvas.data.loader import Loader
from ganvas.errors import UserError, describe_validation
from ganvas.gans.base import GAN
from ganvas.io.console import describe_rate
from ganvas.io.files import DamagedFileError, read_json
from ganvas.recipes.recipe import Recipe
from ganvas.training.engine import Engine
from ganvas.training.playing import Playing
from ganvas.training.setup import copied
from ganvas.training.speed.cuda_graphs import CudaRecorder, GraphedSteps
from ganvas.training.speed.im2col import has_im2col_layers, use_im2col
from ganvas.training.state import TrainingState

FILE = "speed.json"
PLAIN = "plain"  # the way without any part
SHARE = 0.02  # of a run's rounds or time: the most that trials may take
# of a trial; graphs are recorded in the former, those of a lazy penalty excepted
WARM_ROUNDS, TIMED_ROUNDS = 8, 16
GAIN = 1.03  # what a part must bring to be kept; less is not told from chance
COMPILING = 120  # seconds that it takes to compile two players, at a guess
SMALLEST = 12  # pixels; with smaller pictures a CPU's convolutions gain nothing

Speed = tuple[str, ...]  # the parts of a way to play


class ExecutionPlan(BaseModel):
    """How a run's rounds are played.

    Attributes:
        device: what it was decided for: "cpu", "cuda" or "mps".
        speed: the way: its parts with + between them, or "plain".
        measured: images a second of each way that was tried.
        dropped: why others that were tried cannot be.
        reason: why it was chosen, where not by measuring.
    """

    model_config = ConfigDict(extra="forbid")

    device: str
    speed: str
    measured: dict[str, float] = {}
    dropped: dict[str, str] = {}
    reason: str = ""

    @property
    def parts(self) -> Speed:
        """Those of the way chosen."""
        return parts_of(self.speed)

    def line(self) -> str:
        """The decision and what it rests on, in one line."""
        rates = [describe_rate(self.measured[self.speed])] if self.speed in self.measured else []
        slower = {
            name: describe_rate(rate) for name, rate in self.measured.items() if name != self.speed
        }
        others = ", ".join(
            f"{name} {rate.removesuffix(' images/s')}" for name, rate in slower.items()
        )
        failed = [f"{name} failed: {reason}" for name, reason in self.dropped.items()]
        return f"speed: {self.speed} ({'; '.join(filter(None, [self.reason, *rates, others, *failed]))})"


def parts_of(name: str) -> Speed:
    """The parts of a way by its name."""
    return () if name == PLAIN else tuple(name.split("+"))


def named(speed: Speed) -> str:
    """The inverse of `parts_of`."""
    return "+".join(speed) or PLAIN


def decide(
    recipe: Recipe, state: TrainingState, batches: Loader, engine: Engine, folder: Path
) -> ExecutionPlan:
    """How to play a run's rounds: as asked for, as recorded, as measured, or as is known to be
    good.

    Call it in the main process; the state stays as it is.

    Args:
        folder: of the run; its record counts if there is one and it was made for such a device.

    Raises:
        UserError: what is asked for cannot be, or the record is damaged.
    """
    device, possible = engine.device.type, parts_for(state.gan, engine)
    if recipe.speed != "auto":
        for part in parts_of(recipe.speed):
            if part not in possible:
                raise UserError(
                    f"speed={recipe.speed}: {part} cannot be had {why_not(part, state.gan, engine)}; use speed=auto"
                )
        return ExecutionPlan(device=device, speed=recipe.speed, reason="asked for")
    record = read_record(folder)
    if record and record.device == device and set(record.parts) <= set(possible):
        return record
    if device != "cuda":
        return known(state.gan, device)
    trials = (1 + len(possible)) * (WARM_ROUNDS + TIMED_ROUNDS)
    if recipe.images // recipe.batch * SHARE < trials:
        return known(state.gan, device, "the run is too short to measure")
    return measure(
        device, recipe.images, possible, lambda speed: rate(speed, recipe, state, batches, engine)
    )


def parts_for(gan: GAN, engine: Engine) -> Speed:
    """The parts that make sense for a GAN here."""
    possible: list[str] = ["channels_last"] if has_maps(gan) else []
    if engine.device.type == "cpu" and has_im2col_layers(gan):
        possible.append("im2col")
    if engine.device.type == "cuda":
        possible += ["graphs"] if engine.world == 1 else []
        possible += [] if gan.double_backward else ["compile"]
    return tuple(possible)


def why_not(part: str, gan: GAN, engine: Engine) -> str:
    """Why a part is not among those of `parts_for`."""
    if part == "channels_last":
        return "without convolutions"
    if part == "im2col":
        return (
            f"on a {engine.device.type}, only on a CPU"
            if engine.device.type != "cpu"
            else "without large kernels"
        )
    if engine.device.type != "cuda":
        return f"on a {engine.device.type}, only on a CUDA GPU"
    return "with several processes" if part == "graphs" else "where a loss has gradients in it"


def has_maps(gan: GAN) -> bool:
    """Whether any weights are kernels of convolutions."""
    return any(parameter.ndim == 4 for parameter in gan.parameters())


def known(gan: GAN, device: str, reason: str = "known, not measured") -> ExecutionPlan:
    """What is good for such a GAN on such a device, as far as that is known without measuring.

    PyTorch's CPU convolutions work with channels last and would bring every map into that order and
    back; norms of one picture by itself want the other order, and cost more than that.
    """
    last, products = device == "cuda", False
    if device == "cpu":
        norms = any(isinstance(module, nn.InstanceNorm2d) for module in gan.modules())
        last, products = (
            torch.backends.mkldnn.is_available() and gan.size >= SMALLEST and not norms,
            has_im2col_layers(gan),
        )
    parts = {"channels_last": last and has_maps(gan), "im2col": products}
    return ExecutionPlan(
        device=device,
        speed=named(tuple(part for part, good in parts.items() if good)),
        reason=reason,
    )


def measure(
    device: str, images: int, possible: Sequence[str], rate: Callable[[Speed], float]
) -> ExecutionPlan:
    """Try one part after another, and keep those that make rounds faster.

    Args:
        images: length of the run, which decides whether compiling may pay.
        possible: parts to be tried.
        rate: images a second of a way to play; what it raises drops that way.
    """
    decision = ExecutionPlan(device=device, speed=PLAIN)
    for speed in [(), *((part,) for part in possible)]:
        name, best = named((*decision.parts, *speed)), decision.measured.get(decision.speed)
        if speed == ("compile",) and (best is None or images / best * SHARE < COMPILING):
            continue
        try:
            found = decision.measured[name] = round(rate(parts_of(name)), 1)
        except Exception as error:  # whatever it is: a way that fails is not taken
            decision.dropped[name] = (str(error) or type(error).__name__).partition("\n")[0][:200]
            continue
        if best is None or found > GAIN * best:
            decision.speed = name
    return decision


def rate(
    speed: Speed, recipe: Recipe, state: TrainingState, batches: Loader, engine: Engine
) -> float:
    """Images a second of a way to play, measured on a copy of the run by this process alone.

    Raises:
        RuntimeError: rounds cannot be played so.
    """
    alone = copy.copy(engine)
    alone.rank, alone.world = 0, 1
    playing, notes = Playing(recipe, copied(recipe, state), batches, alone), []
    play_so(speed, playing, notes.append)
    for _ in range(WARM_ROUNDS):
        playing()
    engine.settle()
    began = time.perf_counter()
    for _ in range(TIMED_ROUNDS):
        playing()
    engine.settle()
    seconds = time.perf_counter() - began
    if notes:
        raise RuntimeError(notes[0])
    return TIMED_ROUNDS * recipe.batch / seconds


def play_so(speed: Speed, playing: Playing, say: Callable[[str], None]) -> None:
    """Play rounds in that way from now on.

    Args:
        say: is told, in one line, what does not work after all.
    """
    if "channels_last" in speed:
        put_channels_last(playing.state)
    if "im2col" in speed:
        use_im2col(playing.state.gan)
    if "compile" in speed:
        for player in playing.state.gan.children():
            player.compile()
    if "graphs" in speed:
        playing.play = GraphedSteps(CudaRecorder(), say)


@torch.no_grad()
def put_channels_last(state: TrainingState) -> None:
    """Lay out all kernels with the channels last: weights, their averages, and the optimizers'
    moments, which must lie alike.
    """

    def last(values: Tensor) -> Tensor:
        if values.ndim != 4:
            return values
        # for one channel, too
        return torch.empty_like(values, memory_format=torch.channels_last).copy_(values)

    for gan in [state.gan, *([state.ema.gan] if state.ema else [])]:
        for parameter in gan.parameters():
            parameter.data = last(parameter.data)
    for optimizer in state.optimizers.values():
        for moments in optimizer.state.values():
            moments |= {name: last(values) for name, values in moments.items()}


def read_record(folder: Path) -> ExecutionPlan | None:
    """What was decided for a run before; None: nothing yet.

    Raises:
        UserError: the record is damaged.
    """
    file = folder / FILE
    if not file.exists():
        return None
    try:
        return ExecutionPlan.model_validate(read_json(file))
    except DamagedFileError as error:
        reason = str(error)
    except ValidationError as error:
        reason = describe_validation(error)
    raise UserError(f"{file} is damaged ({reason}); remove it, and it is decided anew how to play")
