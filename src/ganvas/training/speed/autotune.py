"""How training steps are taken fastest on this machine: chosen once, recorded, kept on resume.

A way is named by its parts, in the order in which they are tried:

- `channels_last`: weights, and with them the maps, are laid out pixel by pixel;
- `im2col`: on a CPU, convolutions of small maps by large kernels are matrix products (`im2col.py`);
- `graphs`: steps are captured and replayed by the GPU itself (`cuda_graphs.py`), for small networks
  and one process;
- `compile`: PyTorch compiles the players. What it compiles cannot be differentiated twice, so it is
  never tried where a loss has gradients in it.

None changes what is computed but in the last bits. On a GPU each is measured on copies, and kept if
it was faster. On a CPU the choice follows from what is known: measuring on a busy machine would
make runs differ whose settings are the same.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from ganvas.data.loader import Loader
from ganvas.errors import UserError
from ganvas.gans.base import GAN
from ganvas.io.console import count_noun, describe_rate
from ganvas.io.reading import DamagedFileError, check_values, read_json
from ganvas.training.engine import Engine
from ganvas.training.setup import copy_state
from ganvas.training.speed.cuda_graphs import CudaCapturer, GraphedSteps
from ganvas.training.speed.im2col import has_im2col_layers, use_im2col
from ganvas.training.state import RunContext, TrainingState
from ganvas.training.step import TrainingStep

__all__ = [
    "COMPILING",
    "FILE",
    "SHARE",
    "TIMED_STEPS",
    "WARMUP_STEPS",
    "ExecutionPlan",
    "Parts",
    "apply_plan",
    "choose_plan",
    "describe_threads",
    "list_parts",
    "measure_rate",
    "plan_by_trials",
    "plan_from_experience",
    "read_plan",
    "share_plan",
]

FILE = "speed.json"
PLAIN = "plain"  # the way without any part
SHARE = 0.02  # of a run's steps or time: the most that trials may take
# Steps of a trial; graphs are captured in the former, those of a lazy penalty excepted.
WARMUP_STEPS, TIMED_STEPS = 8, 16
GAIN = 1.03  # what a part must bring to be kept; less cannot be told from chance
COMPILING = 120  # seconds that it takes to compile two players, at a guess
SMALLEST = 12  # pixels; with smaller images a CPU's convolutions gain nothing

Parts = tuple[str, ...]  # of a way to take steps


class ExecutionPlan(BaseModel):
    """How a run's training steps are taken.

    Attributes:
        device: what it was chosen for: "cpu", "cuda" or "mps".
        speed: the way: its parts with + between them, or "plain".
        measured: images a second of each way that was tried.
        dropped: why others that were tried do not work.
        reason: why it was chosen, where not by measuring.
        threads: of PyTorch in the main process, on a CPU: with another number, sums are rounded
            otherwise.
    """

    model_config = ConfigDict(extra="forbid")

    device: str
    speed: str
    measured: dict[str, float] = {}
    dropped: dict[str, str] = {}
    reason: str = ""
    threads: int | None = None

    @property
    def parts(self) -> Parts:
        """Those of the way chosen."""
        return _split_parts(self.speed)

    def line(self) -> str:
        """The choice and what it rests on, in one line."""
        own, others = "", []
        for name, rate in self.measured.items():
            if name == self.speed:
                own = describe_rate(rate)
            else:
                others.append(f"{name} {describe_rate(rate).removesuffix(' images/s')}")
        failed = [f"{name} failed: {reason}" for name, reason in self.dropped.items()]

        grounds = [self.reason, own, ", ".join(others), *failed]
        return f"speed: {self.speed} ({'; '.join(filter(None, grounds))})"


def _split_parts(name: str) -> Parts:
    """The parts of a way by its name."""
    return () if name == PLAIN else tuple(name.split("+"))


def _join_parts(parts: Parts) -> str:
    """The inverse of `_split_parts`."""
    return "+".join(parts) or PLAIN


# Choosing


def choose_plan(context: RunContext, state: TrainingState, loader: Loader) -> ExecutionPlan:
    """How to take a run's steps: as requested, as recorded, as measured, or as known to be good.

    Call it in the main process; the state stays as it is. A record in the run folder counts if it
    was made for the same kind of device.

    Raises:
        UserError: what is requested does not work here, or the record is damaged.
    """
    recipe, engine = context.recipe, context.engine
    device = engine.device.type
    if recipe.speed != "auto":
        obstacles = _list_obstacles(state.gan, engine)
        for part in _split_parts(recipe.speed):
            if obstacles[part]:
                raise UserError(
                    f"speed={recipe.speed}: {part} does not work {obstacles[part]}; use speed=auto"
                )
        return ExecutionPlan(device=device, speed=recipe.speed, reason="requested")

    possible = list_parts(state.gan, engine)
    # The record comes before any trial: another way differs in the last bits, and would make the
    # resumed run another one.
    record = read_plan(context.folder)
    if record and record.device == device and set(record.parts) <= set(possible):
        return record

    if device != "cuda":
        return plan_from_experience(state.gan, device)
    trials = (1 + len(possible)) * (WARMUP_STEPS + TIMED_STEPS)  # steps
    if recipe.images // recipe.batch * SHARE < trials:
        return plan_from_experience(state.gan, device, "the run is too short to measure")
    return plan_by_trials(
        device, recipe.images, possible, lambda parts: measure_rate(parts, context, state, loader)
    )


def share_plan(context: RunContext, state: TrainingState, loader: Loader) -> ExecutionPlan:
    """As `choose_plan`, for all processes: the main one chooses, and every one must call it."""
    chosen = ""
    if context.engine.is_main:
        # Only here: each process would measure other speeds. The others wait in `share`.
        plan = choose_plan(context, state, loader)
        threads = torch.get_num_threads() if plan.device == "cpu" else None
        chosen = plan.model_copy(update={"threads": threads}).model_dump_json()
    return ExecutionPlan.model_validate_json(context.engine.share(chosen))


def describe_threads(record: ExecutionPlan | None, plan: ExecutionPlan) -> str:
    """A warning, if a run is resumed with another number of threads than it began with; else ""."""
    if record is None or record.device != plan.device or record.threads in (None, plan.threads):
        return ""
    return (
        f"note: this run began with {count_noun(record.threads, 'thread')} and is resumed with "
        f"{plan.threads}, so it is no longer bit for bit the uninterrupted run; "
        f"OMP_NUM_THREADS={record.threads} would keep it so"
    )


def list_parts(gan: GAN, engine: Engine) -> Parts:
    """The parts that make sense for a GAN on this engine."""
    return tuple(part for part, obstacle in _list_obstacles(gan, engine).items() if not obstacle)


def _list_obstacles(gan: GAN, engine: Engine) -> dict[str, str]:
    """Why each part does not work for a GAN on this engine; "" where it does."""
    device = engine.device.type
    on_cpu = "" if device == "cpu" else f"on a {device}, only on a CPU"
    on_gpu = "" if device == "cuda" else f"on a {device}, only on a CUDA GPU"
    return {
        "channels_last": "" if _has_maps(gan) else "without convolutions",
        "im2col": on_cpu or ("" if has_im2col_layers(gan) else "without large kernels"),
        "graphs": on_gpu or ("" if engine.world == 1 else "with several processes"),
        "compile": on_gpu or ("where a loss has gradients in it" if gan.double_backward else ""),
    }


def _has_maps(gan: GAN) -> bool:
    """Whether any weights are kernels of convolutions."""
    return any(parameter.ndim == 4 for parameter in gan.parameters())


def plan_from_experience(
    gan: GAN, device: str, reason: str = "known, not measured"
) -> ExecutionPlan:
    """What is good for such a GAN on such a device, as far as that is known without measuring."""
    channels_last = device == "cuda"
    im2col = False
    if device == "cpu":
        # PyTorch's CPU convolutions work with channels last and would convert every map and back.
        # Norms of single images want the other order, and converting for them costs more.
        norms = any(isinstance(module, nn.InstanceNorm2d) for module in gan.modules())
        large = gan.size >= SMALLEST
        channels_last = torch.backends.mkldnn.is_available() and large and not norms
        im2col = has_im2col_layers(gan)

    good = {"channels_last": channels_last and _has_maps(gan), "im2col": im2col}
    parts = tuple(part for part, is_good in good.items() if is_good)
    return ExecutionPlan(device=device, speed=_join_parts(parts), reason=reason)


def plan_by_trials(
    device: str, images: int, possible: Sequence[str], rate: Callable[[Parts], float]
) -> ExecutionPlan:
    """Try one part after another, and keep those that make steps faster.

    Args:
        device: what is chosen for.
        images: length of the run, which decides whether compiling may pay.
        possible: parts to be tried.
        rate: images a second of a way; what it raises drops that way.
    """
    plan = ExecutionPlan(device=device, speed=PLAIN)
    # Plain first, then each part on top of the best so far.
    for added in [(), *((part,) for part in possible)]:
        name = _join_parts((*plan.parts, *added))
        best = plan.measured.get(plan.speed)
        # images / best: seconds that the whole run would take.
        if added == ("compile",) and (best is None or images / best * SHARE < COMPILING):
            continue

        try:
            found = plan.measured[name] = round(rate(_split_parts(name)), 1)
        except Exception as error:  # whatever it is: a way that fails is not taken
            plan.dropped[name] = (str(error) or type(error).__name__).partition("\n")[0][:200]
            continue
        if best is None or found > GAIN * best:
            plan.speed = name
    return plan


def measure_rate(parts: Parts, context: RunContext, state: TrainingState, loader: Loader) -> float:
    """Images a second of a way, measured on a copy of the run by this process alone.

    Raises:
        RuntimeError: steps cannot be taken so.
    """
    recipe, engine = context.recipe, context.engine.alone()
    step = TrainingStep(recipe, copy_state(recipe, state), loader, engine)
    notes: list[str] = []
    apply_plan(parts, step, notes.append)

    # The device works behind the CPU: without waiting on both sides only launches are timed.
    for _ in range(WARMUP_STEPS):
        step()
    engine.settle()
    began = time.perf_counter()
    for _ in range(TIMED_STEPS):
        step()
    engine.settle()
    seconds = time.perf_counter() - began

    # Graphs that fell back to eager steps must not win under their own name.
    if notes:
        raise RuntimeError(notes[0])
    return TIMED_STEPS * recipe.batch / seconds


# Applying


def apply_plan(parts: Parts, step: TrainingStep, say: Callable[[str], None]) -> None:
    """Take steps in that way from now on.

    Args:
        parts: of the way.
        step: of the run; its state and its way of taking steps are changed.
        say: called with one line about what does not work after all.
    """
    # The layout first: it moves weights, whose addresses a captured graph keeps.
    if "channels_last" in parts:
        _use_channels_last(step.state)
    if "im2col" in parts:
        use_im2col(step.state.gan)
    if "compile" in parts:
        for player in step.state.gan.children():
            player.compile()
    if "graphs" in parts:
        step.take = GraphedSteps(CudaCapturer(), say)


@torch.no_grad()
def _use_channels_last(state: TrainingState) -> None:
    """Lay out all kernels with the channels last: weights, averages, and the optimizers' moments.

    Fused optimizers need weights and moments in the same layout.
    """
    gans = [state.gan, *([state.ema.gan] if state.ema else [])]
    for gan in gans:
        for parameter in gan.parameters():
            # `.data`: optimizers and EMA hold the parameter itself, which stays the same object.
            parameter.data = _lay_channels_last(parameter.data)
    for optimizer in state.optimizers.values():
        for moments in optimizer.state.values():
            moments |= {name: _lay_channels_last(values) for name, values in moments.items()}


def _lay_channels_last(values: Tensor) -> Tensor:
    """A kernel (O, I, H, W) with the channels last in memory, also with I = 1; others unchanged."""
    if values.ndim != 4:
        return values
    # `.to(memory_format=...)` would leave a kernel of one channel as it is.
    return torch.empty_like(values, memory_format=torch.channels_last).copy_(values)


def read_plan(folder: Path) -> ExecutionPlan | None:
    """What was chosen for a run before; None: nothing yet.

    Raises:
        UserError: the record is damaged.
    """
    file = folder / FILE
    if not file.exists():
        return None
    try:
        return check_values(ExecutionPlan, read_json(file), file)
    except DamagedFileError as error:
        raise UserError(f"{error}; delete it, and the next run chooses the speed again") from None
