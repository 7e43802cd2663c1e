"""`summary.html` while a run trains: written again and again, but too rarely to slow it down."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ganvas.errors import UserError
from ganvas.runs.summary import PAGE, draw_plot, write_live_page

__all__ = ["LivePage", "Pace"]

# The share of the time that each may take, and the first pause in seconds, before it is known what
# they cost: pages take some 20 milliseconds of a CPU, plots half a second.
PAGE_SHARE, PAGE_PAUSE = 0.005, 8.0
PLOT_SHARE, PLOT_PAUSE = 0.01, 60.0
FIRST_PLOT = 30.0  # seconds; before it, a short run would spend too much on its plots
LONGEST = 300.0  # seconds of a pause: one slow moment of the disk must not make it hours


class Pace:
    """Says when something may be done again, so that it takes a small share of the time.

    Args:
        share: of the time that it may take.
        pause: seconds from the first time to the second, which is the first one that is measured:
            the first time includes imports.

    Attributes:
        next: when it may be done, as `time.monotonic` tells.
    """

    def __init__(self, share: float, pause: float):
        self.share = share
        self.pause = pause
        self.first = True
        self.next = time.monotonic()

    def is_due(self) -> bool:
        """Whether it may be done now."""
        return time.monotonic() >= self.next

    @contextmanager
    def timed(self) -> Iterator[None]:
        """A context in which it is done; the longer that takes, the longer is the next pause."""
        began = time.monotonic()
        try:
            yield
        finally:
            ended = time.monotonic()
            if not self.first:
                self.pause = min((ended - began) / self.share, LONGEST)
            self.first = False
            self.next = ended + self.pause


class LivePage:
    """The page of a run in training, for a browser that reloads it.

    Args:
        folder: the run folder.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.path = folder / PAGE
        self.pages = Pace(PAGE_SHARE, PAGE_PAUSE)
        self.plots = Pace(PLOT_SHARE, PLOT_PAUSE)
        self.plots.next += FIRST_PLOT

    def refresh(self) -> None:
        """Write the page if enough time has passed since it was last written."""
        if self.pages.is_due():
            self.write()

    def write(self) -> None:
        """Write the page now, with a new plot of the losses if one is due.

        What keeps it from being written, such as a browser that holds the file, does not end the
        training: whatever the training itself must write fails with a message of its own.
        """
        with suppress(UserError):
            if self.plots.is_due():
                with self.plots.timed():
                    draw_plot(self.folder)
            with self.pages.timed():
                write_live_page(self.folder)
