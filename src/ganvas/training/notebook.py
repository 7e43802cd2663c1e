"""What training shows in a notebook: a bar, the newest grid of samples, curves of the losses."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ganvas.io.console import count_noun
from ganvas.io.html import escape, figure, side_by_side
from ganvas.io.notebook import DisplayArea, in_notebook
from ganvas.runs.curves import collect_curves
from ganvas.runs.folder import find_grids
from ganvas.runs.log import read_log
from ganvas.runs.svg_curves import draw_svg_curves
from ganvas.texts import localise
from ganvas.training.clock import RunClock
from ganvas.training.progress import Meter

__all__ = ["NotebookMeter", "Throttle", "choose_meter"]

BAR_PAUSE, PICTURE_PAUSE = 0.5, 3.0  # seconds from one drawing to the next, at least
SHARE = 0.02  # of the time that drawing may take
BLUE, AMBER = "#0072b2", "#b8860b"


class Throttle:
    """When something may be done again.

    Args:
        pause: seconds from the end of one time to the next, at least.
        share: of all time that it may take.
    """

    def __init__(self, pause: float, share: float = SHARE):
        self.pause, self.share = pause, share
        self.next = 0.0

    def due(self, now: float) -> bool:
        """Whether it may be done now, in seconds of any clock."""
        return now >= self.next

    def note(self, began: float, ended: float) -> None:
        """Take how long it took."""
        self.next = ended + max(self.pause, (ended - began) / self.share)


class NotebookMeter(Meter):
    """Shows a run in the output of a notebook's cell, in two areas that are replaced now and then.

    Args:
        folder: of the run; grids and losses are read from it.
        clock: as for `Meter`, and so are the others.
        epoch: images in an epoch.
        players: whose losses are shown.
        shown: whether to show anything at all.
        lines: of no effect, since the curves show the losses.
    """

    def __init__(
        self,
        folder: Path,
        clock: RunClock,
        epoch: int,
        players: Sequence[str],
        shown: bool,
        lines: bool = False,
    ):
        super().__init__(clock, epoch, players, shown)
        self.folder = folder
        self.bar_area, self.picture_area = DisplayArea(), DisplayArea()
        self.bar_throttle, self.picture_throttle = Throttle(BAR_PAUSE), Throttle(PICTURE_PAUSE)
        self.before: list[str] = []  # lines before the first step
        self.during: list[str] = []  # what the doctor said, and how the run ended
        self.training = False

    def __enter__(self) -> "NotebookMeter":
        self.training = True
        self.show(now=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.show(now=True)

    def update(self) -> None:
        """Show where the run stands, now and then; call after every step."""
        self.show()

    def say(self, message: str) -> None:
        """Add a line under the bar."""
        (self.during if self.training else self.before).append(message)
        self.show_bar()

    def show(self, now: bool = False) -> None:
        """Show the bar and the pictures, each where it is due.

        Args:
            now: whether to show both in any case.
        """
        if not self.shown:
            return
        areas = ((self.bar_throttle, self.show_bar), (self.picture_throttle, self.show_pictures))
        for throttle, draw in areas:
            began = time.monotonic()
            if now or throttle.due(began):
                draw()
                throttle.note(began, time.monotonic())

    def show_bar(self) -> None:
        """Show the bar, the line of numbers, and what was said."""
        if self.shown:
            self.bar_area.show(self.draw_bar())

    def show_pictures(self) -> None:
        """Show the newest grid and the losses."""
        self.picture_area.show(self.draw_pictures())

    def draw_bar(self) -> str:
        """The upper area as HTML."""
        share = min(1.0, self.clock.images / max(self.clock.total, 1))
        inside = f'<div style="width:{share:.1%};height:100%;background:{BLUE}"></div>'
        frame = "height:8px;border-radius:4px;overflow:hidden;background:rgba(128,128,128,0.25)"
        parts = [f'<div style="{frame}">{inside}</div>']
        if self.training:
            parts.append(f"<div>{escape(localise(self.line()))}</div>")
        if self.note:
            note = localise(f"doctor: {self.note}")
            parts.append(f'<div style="color:{AMBER}">{escape(note)}</div>')
        parts += [f"<div>{escape(localise(line))}</div>" for line in self.during]

        # Data, settings and reasons are many lines, and are read once.
        if self.before:
            lines = "".join(f"<div>{escape(localise(line))}</div>" for line in self.before)
            title = localise(f"data, settings and reasons: {self.folder}")
            parts.append(f"<details><summary>{escape(title)}</summary>{lines}</details>")
        return f"<div>{''.join(parts)}</div>"

    def draw_pictures(self) -> str:
        """The lower area as HTML; the files in the run folder hold what a resumed run showed."""
        grids = find_grids(self.folder)
        grid = ""
        if grids:
            shown = count_noun(int(grids[-1].stem), "image")
            grid = figure(grids[-1].read_bytes(), localise(f"samples after {shown}"))

        log = self.folder / "log.jsonl"
        curves = collect_curves(read_log(log) if log.exists() else [], "losses")
        players = {name: curve for name, curve in curves.items() if name in self.players}
        return side_by_side([grid, draw_svg_curves(players, self.clock.total)])


def choose_meter(folder: Path) -> Callable[..., Meter]:
    """What shows the progress of a run here; it takes the arguments of `Meter`."""
    return partial(NotebookMeter, folder) if in_notebook() else Meter
