"""`ganvas log RUN --to NAME`: give loggers what a run has logged, afterwards."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from ganvas.errors import UserError
from ganvas.io.console import count_noun, print_text
from ganvas.loggers.feed import Feed
from ganvas.loggers.find import find_loggers
from ganvas.runs.folder import is_going
from ganvas.runs.record import read_logged_run

__all__ = ["describe_failure", "replay_run", "suggest_replay"]


def replay_run(folder: Path, names: Sequence[str]) -> None:
    """Give loggers what they lack of a run's log, and print how much that was.

    Args:
        folder: of the run, which must not be in training.
        names: of the loggers.

    Raises:
        UserError: it is no run folder with a log or is in training, there is no such logger, or
            one failed; the others were served.
    """
    if not names:
        raise UserError("--to names no logger; give one, e.g. --to tensorboard")
    loggers = find_loggers(names)
    run = read_logged_run(folder)
    if is_going(run.folder):
        raise UserError(
            f"{folder} is in training; send its log afterwards, or train with "
            f"--log-to {','.join(names)}"
        )

    feeds = [Feed(name, logger, run.folder, run.recipe) for name, logger in loggers.items()]
    if failures := [failure for feed in feeds if (failure := _replay(feed))]:
        raise UserError("; ".join(failures))


def _replay(feed: Feed) -> str:
    """Send all that is new to one logger; returns how it failed, or ""."""
    try:
        if not feed.has_news(final=True):
            print_text(f"{feed.name}: nothing new")
            print_text(f"  {feed.where}", wrap=False)
            return ""
        where = feed.start()
        sent = feed.send(final=True)
        feed.finish()
    except (Exception, SystemExit) as error:  # code of others may raise anything
        return describe_failure(feed.name, error)

    points = count_noun(sent.points, "moment")
    print_text(f"{feed.name}: sent the numbers of {points}, {count_noun(sent.grids, 'grid')}")
    print_text(f"  {where}", wrap=False)
    return ""


def describe_failure(name: str, error: BaseException) -> str:
    """How a logger failed, on one line of bounded length."""
    words = " ".join(str(error).split()) or type(error).__name__
    return f"{name} failed: {words[:300]}"


def suggest_replay(folder: Path, name: str) -> str:
    """The command that sends a logger what it lacks."""
    return shlex.join(["ganvas", "log", str(folder), "--to", name])
