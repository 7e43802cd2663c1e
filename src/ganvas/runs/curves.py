"""Losses and checkups of a run as a plot, `losses.png`."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganvas.io.colours import COLOURS, FAINT, GRID, INK
from ganvas.io.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["choose_limits", "collect_curves", "collect_losses", "draw_curves", "running_mean"]

# By log key: float (N, 2), images shown and value; NaN where the value is not finite.
Curves = dict[str, np.ndarray]

# Checkup keys that share a panel, and their names in its legend.
ACCURACIES = {"real_accuracy": "real", "fake_accuracy": "fakes", "separation": "pairs"}
SAMPLES = {
    "distance": "distance",
    "diversity": "diversity",
    "change": "change",
    "palette": "palette",
}
LATTICES = {"lattice_2": "every 2 pixels", "lattice_4": "every 4 pixels"}
STEPS = (1, 2, 2.5, 5, 10)  # between grid lines, times a power of ten
WIDTH = 10  # inches
MANY = 100  # values from which a running mean is drawn over them


def draw_curves(log: Sequence[Mapping[str, Any]], players: Sequence[str], path: Path) -> bool:
    """Draw the losses, their terms, every statistic by itself, and the checkups.

    Args:
        log: the run's log; only entries of kind "losses", "measured" and "health" count.
        players: names of the networks; a key with "/" is a term, any other key a statistic.
        path: the PNG to write.

    Returns:
        Whether there was something to draw.
    """
    # Slow to import: only when there is a plot to draw.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    losses = collect_curves(log, "losses")
    totals = {key: curve for key, curve in losses.items() if key in players}
    measured = {
        key: curve for key, curve in collect_curves(log, "measured").items() if key in players
    }
    if not totals and not measured:
        return False

    others = _group_losses(losses, players) | _group_checkups(collect_curves(log, "health"))
    rows = math.ceil(len(others) / 2)

    # Inches: 4 for the losses, 2.4 for each row of two panels. Not pyplot, which would keep every
    # figure alive and look for a display.
    figure = Figure(figsize=(WIDTH, 4 + 2.4 * rows), dpi=144, facecolor="white")
    FigureCanvasAgg(figure)
    _draw_panels(figure, totals, measured, others)

    # All panels have the same range of images, so that they can be compared.
    end = max(curve[-1, 0] for curve in [*losses.values(), *measured.values()])
    for axes in figure.axes:
        axes.set_xlim(0, end * 1.01 or 1)  # 1: where all entries are at 0 images

    with atomic_path(path) as partial:
        figure.savefig(partial, format="png")
    return True


def collect_curves(log: Sequence[Mapping[str, Any]], kind: str) -> Curves:
    """The numbers in the log's entries of one kind, by key."""
    found: dict[str, list[tuple[float, float]]] = {}
    for entry in log:
        if entry.get("kind") != kind:
            continue
        for key, value in entry.items():
            if key not in ("images", "kind") and isinstance(value, int | float):
                finite = value if math.isfinite(value) else math.nan
                found.setdefault(key, []).append((entry["images"], finite))
    return {key: np.array(points, np.float64) for key, points in found.items()}


def collect_losses(log: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """The log's entries of kind "losses" as columns of equal length, float64 (N,); "images" first.

    Where an entry has no value of a column, or one that is not finite, the column has NaN.
    """
    entries = [entry for entry in log if entry["kind"] == "losses"]
    images = [entry["images"] for entry in entries]
    columns = {"images": np.array(images, np.float64)}
    for key, curve in collect_curves(entries, "losses").items():
        column = np.full(len(images), np.nan)
        # Entries are in the order of images, each at its own.
        column[np.searchsorted(images, curve[:, 0])] = curve[:, 1]
        columns[key] = column
    return columns


def _group_losses(losses: Curves, players: Sequence[str]) -> dict[str, Curves]:
    """The panels of what is not a loss, by title: each network's terms, and each statistic.

    A statistic has a panel of its own, since it has a unit of its own.
    """
    panels: dict[str, Curves] = {}
    for key, curve in losses.items():
        player, slash, term = key.partition("/")
        if slash:
            panels.setdefault(f"{player}: terms", {})[term] = curve
        elif key not in players:
            panels[key.replace("_", " ")] = {key: curve}
    return panels


def _group_checkups(health: Curves) -> dict[str, Curves]:
    """The panels of the doctor's checkups, by title."""
    panels: dict[str, Curves] = {}
    shared = {"accuracy of D": ACCURACIES, "samples": SAMPLES, "lattice": LATTICES}
    for title, keys in shared.items():
        panels[title] = {name: health[key] for key, name in keys.items() if key in health}

    panels["gradients"] = {
        key.partition("/")[0]: curve
        for key, curve in health.items()
        if key.endswith("/gradient_norm")
    }
    panels["overfitting of D"] = {
        key: curve for key, curve in health.items() if key == "overfitting"
    }
    return {title: panel for title, panel in panels.items() if panel}


def _draw_panels(
    figure: "Figure", totals: Curves, measured: Curves, others: Mapping[str, Curves]
) -> None:
    """Draw the losses over the whole width and the smaller panels in two columns below."""
    rows = math.ceil(len(others) / 2)
    height = figure.get_figheight()
    # Matplotlib takes margins as shares of the figure; these are inches.
    margins = {
        "left": 0.75 / WIDTH,
        "right": 1 - 0.4 / WIDTH,
        "bottom": 0.5 / height,
        "top": 1 - 0.4 / height,
    }
    ratios = [1.7] + [1] * rows  # about 4 inches to 2.4
    grid = figure.add_gridspec(
        1 + rows, 2, height_ratios=ratios, **margins, wspace=0.18, hspace=0.36
    )

    main = figure.add_subplot(grid[0, :])
    _draw_panel(main, "Losses", totals, measured)
    for index, (title, panel) in enumerate(others.items()):
        row, column = divmod(index, 2)
        # The last of an odd number of panels has both columns.
        alone = column == 0 and index == len(others) - 1
        axes = figure.add_subplot(grid[1 + row, :] if alone else grid[1 + row, column])
        _draw_panel(axes, title, panel, {})

    for axes in figure.axes:
        place = axes.get_subplotspec()
        if place and place.is_last_row():
            axes.set_xlabel("images shown", color=FAINT)


def _draw_panel(axes: "Axes", title: str, lines: Curves, measured: Curves) -> None:
    """Draw curves, and measured values as diamonds in the colour of the curve of the same name."""
    low, high, notes = choose_limits([*lines.values(), *measured.values()])
    names = list(dict.fromkeys([*lines, *measured]))
    for index, name in enumerate(names):
        colour = COLOURS[index % len(COLOURS)]
        if name in lines:
            _draw_line(axes, lines[name], name, colour, (low, high))
        if name in measured:
            images, values = measured[name].T
            label = f"{name}, in evaluation mode"
            style = {"linestyle": "", "marker": "D", "markersize": 5, "markeredgecolor": "white"}
            axes.plot(images, values, color=colour, label=label, zorder=4, **style)

    axes.set_ylim(low, high)
    _style_axes(axes, title, "; ".join(notes))
    if len(lines) + len(measured) > 1:
        # Above the panel, so that it hides no curve.
        corner = {"loc": "lower right", "bbox_to_anchor": (1, 1), "borderaxespad": 0.2}
        axes.legend(ncols=4, frameon=False, fontsize=9, **corner)


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


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Mean of the finite values among the `window` values around each; NaN where there are none."""
    finite, kernel = np.isfinite(values), np.ones(window)
    # Both sums end with the curve, so a mean near its ends is of fewer values, not drawn to 0.
    counts = np.convolve(finite, kernel, "same")
    sums = np.convolve(np.where(finite, values, 0), kernel, "same")
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def choose_limits(lines: Sequence[np.ndarray]) -> tuple[float, float, list[str]]:
    """Choose the lowest and highest value to show, and note what is cut off or not finite.

    At most a 50th of a curve's values is cut off at either end (of ten values or more: at least
    one), and only where the frame would otherwise be more than four times as high.

    Args:
        lines: images shown and value, (N, 2) each.
    """
    # Of each curve its finite values, (n,), ascending: the first are the lowest.
    values = [np.sort(line[np.isfinite(line[:, 1]), 1]) for line in lines]
    notes = []
    broken = sum(len(line) for line in lines) - sum(map(len, values))
    if broken:
        notes.append(f"{broken:,} not finite")
    values = [line for line in values if len(line)]
    if not values:
        return 0, 1, notes

    # How many values of each curve may lie outside at either end: one huge loss would flatten
    # all the others.
    cuts = [max(1, len(line) // 50) if len(line) >= 10 else 0 for line in values]
    low = min(line[cut] for line, cut in zip(values, cuts))
    high = max(line[-1 - cut] for line, cut in zip(values, cuts))
    lowest = min(line[0] for line in values)
    highest = max(line[-1] for line in values)
    # Everything is shown where it costs little, or where the rest is one value.
    if highest - lowest <= 4 * (high - low) or low == high:
        low, high = lowest, highest

    # A constant curve gets a frame, too.
    margin = 0.06 * (high - low) or 0.06 * abs(high) or 1
    bottom, top = float(low - margin), float(high + margin)

    everything = np.concatenate(values)
    if (above := (everything > top).sum()) > 0:
        notes.append(f"{above:,} above the frame, up to {highest:,.4g}")
    if (below := (everything < bottom).sum()) > 0:
        notes.append(f"{below:,} below the frame, down to {lowest:,.4g}")
    return bottom, top, notes


def _style_axes(axes: "Axes", title: str, note: str) -> None:
    """Give a panel its title, grid and ticks, and a note in its corner."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRID)

    axes.tick_params(length=0, labelsize=9, labelcolor=FAINT)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=STEPS))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=STEPS))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))

    if note:
        box = {"facecolor": "white", "edgecolor": GRID, "boxstyle": "round,pad=0.3"}
        place = {"transform": axes.transAxes, "ha": "right", "va": "top"}
        axes.text(0.99, 0.96, note, fontsize=8, color=FAINT, bbox=box, zorder=5, **place)
