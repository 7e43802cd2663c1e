"""Draw the saddle f(x, y) = x y: why gradient steps of two players may not converge."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ganvas.io.colours import COLOURS, FAINT, GRID, INK
from ganvas.theory.mathematics import Rule, alternating, penalised, simultaneous, trajectory
from ganvas.theory.pictures import new_figure, render, save_drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from mpl_toolkits.mplot3d import Axes3D

__all__ = ["draw_saddle"]

RATE, GAMMA, STEPS = 0.1, 0.5, 150  # GAMMA > RATE, or the last path would not converge
BEGIN = (0.9, 0.0)  # x and y
REACH = 2.2  # of both axes, from the saddle
BLUE, RED, GREEN = COLOURS[0], COLOURS[1], COLOURS[2]
# Title, caption, colour and rule of each path.
STORIES: tuple[tuple[str, str, str, Rule], ...] = (
    (
        "Simultaneous updates: they spiral out",
        f"Each update multiplies the distance from the saddle by\n√(1 + rate²) = "
        f"{np.hypot(1, RATE):.3f}. A smaller rate only takes longer.",
        RED,
        lambda point: simultaneous(point, RATE),
    ),
    (
        "Alternating updates: they circle",
        "x² + y² \N{MINUS SIGN} rate · x y never changes, so they neither\ndiverge nor converge.",
        BLUE,
        lambda point: alternating(point, RATE),
    ),
    (
        "A penalty on y: they converge",
        "Simultaneous updates with the penalty γ/2 · y², like R1\n"
        f"for D (γ = {GAMMA}). The saddle does not move.",
        GREEN,
        lambda point: penalised(point, RATE, GAMMA),
    ),
)


def draw_saddle(path: Path) -> None:
    """Write the picture: the surface, and three kinds of updates on it."""
    figure = new_figure((10, 10.6), 100)  # inches, and dots per inch
    grid = figure.add_gridspec(
        2, 2, left=0.05, right=0.97, top=0.96, bottom=0.085, wspace=0.16, hspace=0.3
    )
    surface = figure.add_subplot(grid[0], projection="3d")
    _draw_surface(surface)

    for index, (title, caption, colour, rule) in enumerate(STORIES, 1):
        axes = figure.add_subplot(grid[index])
        _draw_path(axes, trajectory(rule, BEGIN, STEPS), colour)
        axes.set_title(title, loc="left", fontsize=12, fontweight="bold", color=INK)
        axes.text(0, -0.08, caption, transform=axes.transAxes, fontsize=10.5, color=FAINT, va="top")
    save_drawing(render(figure), path)


def _draw_surface(axes: "Axes3D") -> None:
    """Draw the surface x y, and on it the path of simultaneous updates."""
    line = np.linspace(-REACH, REACH, 45)
    x, y = np.meshgrid(line, line)
    axes.plot_surface(
        x,
        y,
        x * y,
        cmap="coolwarm",
        alpha=0.45,
        linewidth=0.2,
        edgecolor="white",
        rstride=2,
        cstride=2,
    )

    # A little above the surface, which would hide it.
    path = trajectory(STORIES[0][3], BEGIN, STEPS)  # (STEPS + 1, 2)
    axes.plot(
        path[:, 0], path[:, 1], path[:, 0] * path[:, 1] + 0.08, color=RED, linewidth=1.8, zorder=5
    )
    axes.plot([0], [0], [0.08], color=INK, marker="o", markersize=6, zorder=6)

    axes.view_init(elev=34, azim=-62)
    axes.set_box_aspect((1, 1, 0.75))
    axes.set_xlabel("x minimises", fontsize=10.5, color=INK, labelpad=-10)
    axes.set_ylabel("y maximises", fontsize=10.5, color=INK, labelpad=-10)
    axes.set(xticks=[], yticks=[], zticks=[])
    axes.set_title(
        "The game f(x, y) = x y is a saddle", loc="left", fontsize=12, fontweight="bold", color=INK
    )
    caption = (
        "At its centre neither player can gain alone: the Nash\n"
        "equilibrium. But nothing pulls the players into it."
    )
    axes.text2D(0, -0.08, caption, transform=axes.transAxes, fontsize=10.5, color=FAINT, va="top")


def _draw_path(axes: "Axes", path: np.ndarray, colour: str) -> None:
    """Draw a path over the contours of x y."""
    line = np.linspace(-REACH, REACH, 101)
    x, y = np.meshgrid(line, line)
    axes.contour(x, y, x * y, levels=13, colors=GRID, linewidths=0.9, linestyles="solid")
    axes.plot(
        path[:, 0], path[:, 1], color=colour, linewidth=1.6, marker="o", markersize=2.6, zorder=3
    )
    axes.plot(*path[0], marker="o", markersize=9, color=colour, markeredgecolor="white", zorder=4)

    # The word stands inside the path if it leads outwards, and outside if not.
    away = -1 if np.hypot(*path[-1]) > np.hypot(*path[0]) else 1
    side = "right" if away < 0 else "left"
    axes.annotate(
        "start",
        path[0],
        (9 * away, 0),
        textcoords="offset points",
        fontsize=10,
        color=colour,
        ha=side,
        va="center",
    )
    axes.plot(0, 0, marker="o", markersize=6, color=INK, zorder=4)

    axes.set_xlim(-REACH, REACH)
    axes.set_ylim(-REACH, REACH)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel("x", color=INK, labelpad=2)
    axes.set_ylabel("y", color=INK, rotation=0, labelpad=8)
    axes.spines[:].set_color(GRID)
