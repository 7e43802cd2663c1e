"""How a run ends: at its length, early, by a signal, or by a loss that is not finite."""

import shlex
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress

import torch
from torch import Tensor

from ganvas.errors import UserError
from ganvas.io.console import count_noun
from ganvas.runs.diagnosis import diverged
from ganvas.runs.locate import find_checkpoints
from ganvas.runs.summary import write_report
from ganvas.training.engine import Engine
from ganvas.training.guard import NotFiniteError
from ganvas.training.signals import InterruptedRun
from ganvas.training.state import RunContext, TrainingState

__all__ = ["describe_end", "describe_low_losses", "interrupt", "log_stop", "report_at_end"]


def describe_low_losses(
    losses: Mapping[str, Tensor], limits: Mapping[str, float], engine: Engine
) -> str:
    """Which losses of a step are at most their limits, in words; "" unless all are.

    Every process must call it.

    Args:
        losses: of one step, scalars by name.
        limits: the recipe's `stop_below`.
        engine: of this process.
    """
    if not limits or not limits.keys() <= losses.keys():  # a player may rest for some steps
        return ""

    own = torch.stack([losses[name] for name in limits])
    # Means over all processes, so that all stop after the same step, or none.
    means = dict(zip(limits, engine.mean(own).tolist()))
    if any(means[name] > limit for name, limit in limits.items()):
        return ""
    return ", ".join(f"{name} {means[name]:.3f} <= {limit:g}" for name, limit in limits.items())


def log_stop(context: RunContext, images: int, reason: str) -> None:
    """Note in the log why a run ends before its length, if there is a reason."""
    if reason and context.engine.is_main:
        context.log.add(images, "stopped", {"reason": reason})


def describe_end(context: RunContext, state: TrainingState, had_its_length: bool) -> str:
    """The last line of a training: how it ended, and where to look.

    Args:
        context: of the run.
        state: of the run.
        had_its_length: whether it was finished before this training began.
    """
    images = count_noun(state.clock.images, "image")
    page = context.folder / "summary.html"
    # The length of the whole run, not what is added to it: twice as long.
    longer = f"add --images {2 * context.recipe.images} to go on"
    if had_its_length:
        return f"finished; {longer} ({images} so far; see {page})"
    if state.stopped:
        return f"{state.stopped}: {images}; {longer}; see {page}"
    return f"done: {images}; see {page}"


def interrupt(context: RunContext, images: int, number: int) -> InterruptedRun:
    """What to raise when a signal has come and everything is saved.

    Args:
        context: of the run.
        images: shown so far.
        number: of the signal; 0: another process got it.
    """
    total = count_noun(context.recipe.images, "image")
    command = f"ganvas train --out {shlex.quote(str(context.folder))}"
    return InterruptedRun(
        f"stopped at {images:,} of {total}, everything is saved; to resume: {command}",
        number or signal.SIGTERM,
    )


@contextmanager
def report_at_end(context: RunContext, state: TrainingState) -> Iterator[None]:
    """Write the report however the loop inside ends; explain and log a loss that is not finite."""
    try:
        yield
    except NotFiniteError as error:
        images = state.clock.images
        message = f"{error} {_give_advice(context, images)}"
        # Logged first: the report below reads the log.
        log_stop(context, images, message)
        if context.engine.is_main:
            context.log.add(images, "condition", diverged(images, message).entry())
        raise NotFiniteError(message) from None
    finally:
        if context.engine.is_main:
            # If something failed before, that error is the one to show.
            with suppress(UserError) if sys.exception() else nullcontext():
                write_report(context.folder)


def _give_advice(context: RunContext, images: int) -> str:
    """Where in the run a loss was not finite, and what to do."""
    found = find_checkpoints(context.folder / "checkpoints")
    good = f"the last good checkpoint is {found[-1]}" if found else "there is no checkpoint yet"
    advice = "try a lower learning rate, e.g. --set optimizers.discriminator.lr=1e-4"
    return f"after {count_noun(images, 'image')}; {good}; {advice}"
