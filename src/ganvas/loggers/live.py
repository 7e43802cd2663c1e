"""Feed loggers while a run trains: a thread each, which reads the log file of the run.

Training writes its log as always and knows nothing of them, so none of them can slow a step down,
stop the run, or fill the memory.
"""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ganvas.loggers.feed import Feed
from ganvas.loggers.logger import Logger
from ganvas.loggers.replay import describe_failure, suggest_replay
from ganvas.recipes.recipe import Recipe

__all__ = ["LiveLoggers"]

PERIOD = 1.0  # seconds from one look at the log to the next
PATIENCE = 30.0  # seconds that all loggers together have to finish after the run has ended


class LiveLoggers:
    """Feeds loggers while it is entered.

    Args:
        loggers: by name.
        folder: the run folder, with its recipe.
        recipe: of the run.
        say: prints a line; called by the thread that enters.
    """

    def __init__(
        self,
        loggers: Mapping[str, Logger],
        folder: Path,
        recipe: Recipe,
        say: Callable[[str], None],
    ):
        self.folder = folder
        self.say = say
        feeds = [Feed(name, logger, folder, recipe) for name, logger in loggers.items()]
        self.threads = [_FeedThread(feed) for feed in feeds]

    def __enter__(self) -> "LiveLoggers":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let all send what is left; whoever takes too long is left behind."""
        for thread in self.threads:
            thread.ended.set()
        end = time.monotonic() + PATIENCE
        for thread in self.threads:
            thread.join(max(0.0, end - time.monotonic()))
            if thread.is_alive():
                command = suggest_replay(self.folder, thread.name)
                thread.news.append(
                    f"{thread.name} has not finished within {PATIENCE:.0f} seconds and is left "
                    f"behind; for the rest: {command}"
                )
        self.report()

    def report(self) -> None:
        """Print what has happened since the last call: where to look, and what has failed."""
        for thread in self.threads:
            while thread.news:
                self.say(thread.news.pop(0))


class _FeedThread(threading.Thread):
    """Feeds one logger until the run has ended, or the logger has failed.

    Attributes:
        ended: is set when the run has ended.
        news: lines for the user.
    """

    def __init__(self, feed: Feed):
        # A daemon: one that hangs must not keep the process from ending.
        super().__init__(name=feed.name, daemon=True)
        self.feed = feed
        self.ended = threading.Event()
        self.news: list[str] = []

    def run(self) -> None:
        try:
            self.news.append(f"{self.name}: {self.feed.start()}")
            while not self.ended.wait(PERIOD):
                self.feed.send(final=False)
            self.feed.send(final=True)
            self.feed.finish()
        except (Exception, SystemExit) as error:  # code of others may raise anything
            again = suggest_replay(self.feed.run, self.name)
            self.news.append(
                f"{describe_failure(self.name, error)}; the run goes on without it, and afterwards "
                f"{again} sends the rest"
            )
