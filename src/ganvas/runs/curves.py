"""The losses of a run as a picture: `losses.png`."""

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

# by log key: float (N, 2), images shown and value; NaN where the value is not finite
Curves = dict[str, np.ndarray]

ACCURACIES = {"real_accuracy": "real", "fake_accuracy": "fakes", "separation": "pairs"}
SAMPLES = {"distance": "distance", "diversity": "diversity", "change": "change"}
STEPS = (1, 2, 2.5, 5, 10)  # between grid lines, times a power of ten
WIDTH = 10  # inches
MANY = 100  # values from which a running mean is drawn over them


def draw_curves(log: Sequence[Mapping[str, Any]], players: Sequence[str], path: Path) -> bool:
    """Draw the players' losses, the terms of each, every statistic on its own, and the checkups;
    False: there is nothing to draw.

    Args:
        log: the run's log; entries of other kinds than "losses", "measured" and "health" are passed
            over.
        players: their names; a key with "/" is a term, any other key a statistic.
        path: the PNG to write.
    """
    # slow to import: only when there is a plot to draw
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    losses, measured = curves(log, "losses"), curves(log, "measured")
    totals = {key: curve for key, curve in losses.items() if key in players}
    measured = {key: curve for key, curve in measured.items() if key in players}
    if not totals and not measured:
        return False
    others = secondary(losses, players) | vital(curves(log, "health"))
    rows = math.ceil(len(others) / 2)
    figure = Figure(figsize=(WIDTH, 4 + 2.4 * rows), dpi=144, facecolor="white")
    FigureCanvasAgg(figure)
    ends = [curve[-1, 0] for curve in [*losses.values(), *measured.values()]]
    draw_panels(figure, totals, measured, others)
    for axes in figure.axes:
        axes.set_xlim(0, max(ends) * 1.01 or 1)
    with atomic_path(path) as partial:
        figure.savefig(partial, format="png")
    return True


def curves(log: Sequence[Mapping[str, Any]], kind: str) -> Curves:
    """The numbers of the entries of one kind, by key."""
    found: dict[str, list[tuple[float, float]]] = {}
    for entry in log:
        if entry.get("kind") == kind:
            for key, value in entry.items():
                if key not in ("images", "kind") and isinstance(value, int | float):
                    found.setdefault(key, []).append(
                        (entry["images"], value if math.isfinite(value) else math.nan)
                    )
    return {key: np.array(points, np.float64) for key, points in found.items()}


def secondary(losses: Curves, players: Sequence[str]) -> dict[str, Curves]:
    """The smaller panels, by title: each player's terms together, each statistic alone, as its unit
    is its own.
    """
    panels: dict[str, Curves] = {}
    for key, curve in losses.items():
        player, slash, term = key.partition("/")
        if slash:
            panels.setdefault(f"{player}: terms", {})[term] = curve
        elif key not in players:
            panels[key.replace("_", " ")] = {key: curve}
    return panels


def vital(health: Curves) -> dict[str, Curves]:
    """The panels of the doctor's checkups, by title."""
    panels: dict[str, Curves] = {}
    groups = {"recognised by D": ACCURACIES, "samples": SAMPLES}
    for title, keys in groups.items():
        panels[title] = {name: health[key] for key, name in keys.items() if key in health}
    panels["gradients"] = {
        key.partition("/")[0]: curve
        for key, curve in health.items()
        if key.endswith("/gradient_norm")
    }
    panels["overfitting of D"] = (
        {"overfitting": health["overfitting"]} if "overfitting" in health else {}
    )
    return {title: panel for title, panel in panels.items() if panel}


def draw_panels(
    figure: "Figure", totals: Curves, measured: Curves, others: Mapping[str, Curves]
) -> None:
    """Lay out the losses over the whole width and the smaller panels in two columns below."""
    rows = math.ceil(len(others) / 2)
    height = figure.get_figheight()
    margins = {
        "left": 0.75 / WIDTH,
        "right": 1 - 0.4 / WIDTH,
        "bottom": 0.5 / height,
        "top": 1 - 0.4 / height,
    }
    grid = figure.add_gridspec(
        1 + rows, 2, height_ratios=[1.7] + [1] * rows, **margins, wspace=0.18, hspace=0.36
    )
    main = figure.add_subplot(grid[0, :])
    draw_panel(main, "Losses", totals, measured)
    for index, (title, panel) in enumerate(others.items()):
        row, column = divmod(index, 2)
        alone = column == 0 and index == len(others) - 1
        axes = figure.add_subplot(grid[1 + row, :] if alone else grid[1 + row, column])
        draw_panel(axes, title, panel, {})
    for axes in figure.axes:
        place = axes.get_subplotspec()
        if place and place.is_last_row():
            axes.set_xlabel("images shown", color=FAINT)


def draw_panel(axes: "Axes", title: str, lines: Curves, measured: Curves) -> None:
    """Draw curves, and measured values as diamonds in the colours of the curves of the same names."""
    low, high, notes = limits([*lines.values(), *measured.values()])
    names = list(dict.fromkeys([*lines, *measured]))
    for index, name in enumerate(names):
        colour = COLOURS[index % len(COLOURS)]
        if name in lines:
            draw_line(axes, lines[name], name, colour, (low, high))
        if name in measured:
            images, values = measured[name].T
            label = f"{name}, in evaluation mode"
            style = {"linestyle": "", "marker": "D", "markersize": 5, "markeredgecolor": "white"}
            axes.plot(images, values, color=colour, label=label, zorder=4, **style)
    axes.set_ylim(low, high)
    dress(axes, title, "; ".join(notes))
    if len(lines) + len(measured) > 1:
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=4,
            frameon=False,
            fontsize=9,
            borderaxespad=0.2,
        )


def draw_line(
    axes: "Axes", curve: np.ndarray, name: str, colour: str, frame: tuple[float, float]
) -> None:
    """Draw one curve; where it has many points, faintly, with the running mean of those within the
    frame over it.
    """
    images, values = curve.T
    if len(values) >= MANY:
        axes.plot(images, values, color=colour, linewidth=0.8, alpha=0.3)
        low, high = frame
        values = running_mean(
            np.where((values >= low) & (values <= high), values, np.nan), len(values) // 40
        )
    marker = "o" if np.isfinite(values).sum() == 1 else ""
    axes.plot(images, values, color=colour, label=name, linewidth=1.8, marker=marker, zorder=3)


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Mean of the finite ones among the `window` values around each; NaN where there are none."""
    finite, kernel = np.isfinite(values), np.ones(window)
    counts = np.convolve(finite, kernel, "same")
    sums = np.convolve(np.where(finite, values, 0), kernel, "same")
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def limits(lines: Sequence[np.ndarray]) -> tuple[float, float, list[str]]:
    """Lowest and highest value to show, and what a reader must know: what is cut off, what is not
    finite.

    At most a 50th of a curve's values (but one of ten or more) is cut off at either end, and only
    where the frame would otherwise be more than four times as high.
    """
    values = [np.sort(line[np.isfinite(line[:, 1]), 1]) for line in lines]
    notes = []
    broken = sum(len(line) for line in lines) - sum(map(len, values))
    if broken:
        notes.append(f"{broken:,} not finite")
    values = [line for line in values if len(line)]
    if not values:
        return 0, 1, notes
    cuts = [max(1, len(line) // 50) if len(line) >= 10 else 0 for line in values]
    low = min(line[cut] for line, cut in zip(values, cuts))
    high = max(line[-1 - cut] for line, cut in zip(values, cuts))
    lowest, highest = min(line[0] for line in values), max(line[-1] for line in values)
    if highest - lowest <= 4 * (high - low) or low == high:
        low, high = lowest, highest
    margin = 0.06 * (high - low) or 0.06 * abs(high) or 1
    bottom, top = float(low - margin), float(high + margin)
    everything = np.concatenate(values)
    if (above := (everything > top).sum()) > 0:
        notes.append(f"{above:,} above the frame, up to {highest:,.4g}")
    if (below := (everything < bottom).sum()) > 0:
        notes.append(f"{below:,} below the frame, down to {lowest:,.4g}")
    return bottom, top, notes


def dress(axes: "Axes", title: str, note: str) -> None:
    """The look of a panel."""
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
