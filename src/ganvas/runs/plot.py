"""The plot of a run, `losses.png`: losses, their terms, statistics, checkups, a panel each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganvas.io.colours import FAINT, GRID, INK, choose_colours
from ganvas.io.files import atomic_path
from ganvas.runs.curves import (
    Curves,
    choose_limits,
    collect_curves,
    group_checkups,
    group_losses,
    has_course,
    running_mean,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["HALF", "Panel", "draw_curves", "draw_panels"]

STEPS = (1, 2, 2.5, 5, 10)  # between grid lines, times a power of ten
MANY = 100  # values from which a running mean is drawn over them

# Inches.
WIDTH, LEFT, RIGHT, BETWEEN = 10.0, 0.75, 0.4, 0.8
HALF = (WIDTH - LEFT - RIGHT - BETWEEN) / 2  # width of one of two panels in a row
LOSSES, OTHERS = 3.2, 1.65  # heights of the panels
TICKS = 0.45  # below a panel
AXIS_NAME = 0.2  # below the last one

# Points, of which an inch has 72: lines of text above a panel.
NOTE_LINE, LEGEND_LINE, TITLE_LINE, GAP = 11.0, 14.0, 16.0, 4.0
LETTER, KEY = 5.0, 34.0  # widths in a legend: a letter, and a line with its gaps


@dataclass
class Panel:
    """A panel of the plot.

    Attributes:
        title: above it.
        lines: its curves, by name.
        measured: values that are drawn as diamonds, by the name of their curve.
        width: inches.
        height: inches, without what stands above and below.
    """

    title: str
    lines: Curves
    measured: Curves = field(default_factory=dict)
    width: float = WIDTH - LEFT - RIGHT
    height: float = OTHERS

    def __post_init__(self) -> None:
        curves = [*self.lines.values(), *self.measured.values()]
        self.low, self.high, notes = choose_limits(curves)
        self.note = "; ".join(notes)
        self.labels = [*self.lines, *map(_name_measured, self.measured)]

    @property
    def columns(self) -> int:
        """How many names fit side by side into the legend."""
        widest = LETTER * max(map(len, self.labels)) + KEY
        return max(1, int(72 * self.width / widest))

    @property
    def legend_at(self) -> float:
        """Points from the panel to the legend."""
        return GAP + NOTE_LINE * bool(self.note)

    @property
    def title_at(self) -> float:
        """Points from the panel to the title, below which are the legend and the note."""
        rows = math.ceil(len(self.labels) / self.columns) if len(self.labels) > 1 else 0
        return self.legend_at + LEGEND_LINE * rows + GAP * bool(rows)

    @property
    def header(self) -> float:
        """Inches that stand above the panel."""
        return (self.title_at + TITLE_LINE) / 72


def draw_curves(log: Sequence[Mapping[str, Any]], players: Sequence[str], path: Path) -> bool:
    """Draw the losses, their terms, every statistic by itself, and the checkups.

    Args:
        log: the run's log; only entries of kind "losses", "measured" and "health" count.
        players: names of the networks; a key with "/" is a term, any other key a statistic.
        path: the PNG to write.

    Returns:
        Whether there was something to draw: a loss at two moments at least.
    """
    # Slow to import: only when there is a plot to draw.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    losses = collect_curves(log, "losses")
    measured = collect_curves(log, "measured")
    totals = {key: curve for key, curve in losses.items() if key in players}
    measured = {key: curve for key, curve in measured.items() if key in players}
    if not has_course(totals) and not has_course(measured):
        return False

    others = group_losses(losses, players) | group_checkups(collect_curves(log, "health"))
    rows = [[Panel("Losses", totals, measured, height=LOSSES)]]
    rows += _arrange({title: panel for title, panel in others.items() if has_course(panel)})

    # Not pyplot, which would keep every figure alive and look for a display.
    figure = Figure(dpi=144, facecolor="white")
    FigureCanvasAgg(figure)
    draw_panels(figure, rows)

    # All panels have the same range of images, so that they can be compared.
    end = max(curve[-1, 0] for curve in [*losses.values(), *measured.values()])
    for axes in figure.axes:
        axes.set_xlim(0, end * 1.01 or 1)  # 1: where all entries are at 0 images

    with atomic_path(path) as partial:
        figure.savefig(partial, format="png")
    return True


def _arrange(panels: Mapping[str, Curves]) -> list[list[Panel]]:
    """Two panels a row; the last of an odd number has a whole row."""
    narrow = [Panel(title, lines, width=HALF) for title, lines in panels.items()]
    if len(panels) % 2:
        title, lines = list(panels.items())[-1]
        narrow[-1] = Panel(title, lines)
    return [narrow[index : index + 2] for index in range(0, len(narrow), 2)]


def _row_height(row: Sequence[Panel]) -> float:
    """Inches of a row with what stands above and below its panels."""
    return max(panel.header + panel.height for panel in row) + TICKS


def draw_panels(figure: "Figure", rows: Sequence[Sequence[Panel]]) -> None:
    """Draw panels, from the top of a figure to its bottom, and give it the size that they need.

    Args:
        figure: an empty one.
        rows: of panels.
    """
    height = sum(_row_height(row) for row in rows) + AXIS_NAME
    figure.set_size_inches(WIDTH, height)

    below = height  # inches from the bottom of the figure to that of the row
    for row in rows:
        below -= _row_height(row)
        for index, panel in enumerate(row):
            # Matplotlib takes places as shares of the figure.
            left = (LEFT + index * (panel.width + BETWEEN)) / WIDTH
            bottom = (below + TICKS) / height
            axes = figure.add_axes((left, bottom, panel.width / WIDTH, panel.height / height))
            _draw_panel(axes, panel)
            if row is rows[-1]:
                axes.set_xlabel("images shown", color=FAINT)


def _draw_panel(axes: "Axes", panel: Panel) -> None:
    """Draw curves, and measured values as diamonds in the colour of the curve of the same name."""
    for name, colour in choose_colours([*panel.lines, *panel.measured]).items():
        if name in panel.lines:
            _draw_line(axes, panel.lines[name], name, colour, (panel.low, panel.high))
        if name in panel.measured:
            images, values = panel.measured[name].T
            style = {"linestyle": "", "marker": "D", "markersize": 5, "markeredgecolor": "white"}
            label = _name_measured(name)
            axes.plot(images, values, color=colour, label=label, zorder=4, **style)

    axes.set_ylim(panel.low, panel.high)
    _style_axes(axes)
    _write_header(axes, panel)


def _name_measured(player: str) -> str:
    """What the legend calls the values of a network that were measured beside training."""
    return f"{player}, in evaluation mode"


def _write_header(axes: "Axes", panel: Panel) -> None:
    """Write title, legend and note above a panel, where they hide neither curves nor each other."""
    if panel.note:
        axes.annotate(
            *(panel.note, (0, 1), (0, GAP), "axes fraction", "offset points"),
            fontsize=8,
            color=FAINT,
        )

    if len(panel.labels) > 1:
        corner = (0, 1 + panel.legend_at / 72 / panel.height)
        gaps = {"borderpad": 0, "borderaxespad": 0, "columnspacing": 1.2, "labelspacing": 0.3}
        style = {"frameon": False, "fontsize": 9, "handlelength": 1.5}
        axes.legend(loc="lower left", bbox_to_anchor=corner, ncols=panel.columns, **style, **gaps)

    style = {"fontsize": 11, "fontweight": "bold", "color": INK}
    axes.set_title(panel.title, loc="left", pad=panel.title_at, **style)


def _draw_line(
    axes: "Axes", curve: np.ndarray, name: str, colour: str, frame: tuple[float, float]
) -> None:
    """Draw one curve; a long one faintly, with its running mean over it.

    Args:
        curve: images shown and value, (N, 2).
        frame: lowest and highest value shown; values outside do not count in the mean.
    """
    images, values = curve.T
    if len(values) >= MANY:
        axes.plot(images, values, color=colour, linewidth=0.8, alpha=0.3)
        low, high = frame
        inside = np.where((values >= low) & (values <= high), values, np.nan)
        # A window of a 40th of the curve: it smooths noise, and leaves the course of a run.
        values = running_mean(inside, len(values) // 40)

    # A single point is no line; a marker makes it visible.
    marker = "o" if np.isfinite(values).sum() == 1 else ""
    axes.plot(images, values, color=colour, label=name, linewidth=1.8, marker=marker, zorder=3)


def _style_axes(axes: "Axes") -> None:
    """Give a panel its grid and ticks."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRID)

    axes.tick_params(length=0, labelsize=9, labelcolor=FAINT)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=STEPS))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=STEPS))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
