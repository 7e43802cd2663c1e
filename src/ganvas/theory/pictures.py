"""Draw the game: figure 1 of Goodfellow et al. 2014, and an animation of the whole course."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ganvas.io.animation import Animation
from ganvas.io.colours import COLOURS, FAINT, GRID, INK
from ganvas.io.files import atomic_path
from ganvas.theory.game import Snapshot
from ganvas.theory.mathematics import optimal_discriminator
from ganvas.theory.players import START
from ganvas.theory.targets import CENTRES, STEP, Target, normal_masses

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_course", "draw_four_panels", "new_figure", "render", "save_drawing"]

BLUE, GREEN = COLOURS[0], COLOURS[2]
ACTS = {1: "D learns, G waits", 2: "G learns, D waits", 3: "both learn"}
FLOOR = -0.46  # height of the line of noise; densities and D are above 0
FRAME = (5.6, 4.4)  # inches, at 100 dots each
INKS = 32  # colours of the animation
PACE, HOLD = 150, 2500  # milliseconds of each frame, and of the last
SEEN = 2e-3  # density from which a part of the line is shown
TRAINED = 4e-3  # sum of both densities from which D* is shown: elsewhere D is never trained


def draw_four_panels(
    course: Sequence[Snapshot], target: Target, is_probability: bool
) -> Image.Image:
    """Draw the four panels: the start, D after learning, G after learning, and the end."""
    figure = new_figure((10, 8.4), 110)
    panels = [
        ("(a) near the start: D has hardly learned", course[0]),
        ("(b) D has learned, G waited", _last_of(course, 1)),
        ("(c) G has learned, D waited", _last_of(course, 2)),
        ("(d) the end: both have learned in turn", course[-1]),
    ]
    grid = figure.add_gridspec(
        2, 2, left=0.05, right=0.985, top=0.865, bottom=0.02, wspace=0.1, hspace=0.2
    )

    for index, (title, moment) in enumerate(panels):
        axes = figure.add_subplot(grid[index])
        _draw_moment(axes, moment, target, is_probability)
        # 22 points leave room for the line of numbers.
        axes.set_title(title, loc="left", fontsize=12, fontweight="bold", color=INK, pad=22)
        axes.text(
            0, 1.03, _format_numbers(moment), transform=axes.transAxes, fontsize=10, color=FAINT
        )

    # One legend for all panels.
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="upper center",
        ncols=4,
        frameon=False,
        fontsize=11,
        bbox_to_anchor=(0.5, 0.995),
    )
    return render(figure)


def _last_of(course: Sequence[Snapshot], act: int) -> Snapshot:
    """The last snapshot of an act."""
    return next(moment for moment in reversed(course) if moment.act == act)


def _format_numbers(moment: Snapshot) -> str:
    """Format the measurements of a snapshot as a line under a title."""
    value = ""
    if moment.value is not None:
        value = f"   V = {moment.value:.3f}".replace("-", "\N{MINUS SIGN}")
    return (
        f"step {moment.step:,}{value}   JS = {moment.js:.4f}   "
        f"mean |D \N{MINUS SIGN} ½| = {moment.unsure:.3f}"
    )


def _draw_moment(axes: "Axes", moment: Snapshot, target: Target, is_probability: bool) -> None:
    """Draw p_data dotted, p_g solid and D dashed; below them, arrows from the noise."""
    p_data = target.masses / STEP
    low, high = _visible_range(target)

    axes.plot(
        CENTRES,
        p_data,
        color=INK,
        linestyle=(0, (1, 1.6)),
        linewidth=2,
        label="data $p_{data}$",
        zorder=4,
    )
    axes.plot(CENTRES, moment.p_g, color=GREEN, linewidth=2, label="generated $p_g$", zorder=3)
    axes.fill_between(CENTRES, moment.p_g, color=GREEN, alpha=0.12, linewidth=0)
    if is_probability:
        trained = p_data + moment.p_g > TRAINED
        best = np.where(trained, optimal_discriminator(p_data, moment.p_g), np.nan)  # NaN: a gap
        axes.plot(
            CENTRES, best, color=BLUE, linewidth=1, alpha=0.4, label="optimal $D^*$", zorder=2
        )
    label = "discriminator $D$" if is_probability else "critic, mapped to 0..1 by a sigmoid"
    axes.plot(
        CENTRES,
        moment.discriminator,
        color=BLUE,
        linestyle=(0, (4, 2)),
        linewidth=2,
        label=label,
        zorder=5,
    )

    _draw_arrows(axes, moment.arrows, low, high)
    axes.set_xlim(low, high)
    axes.set_ylim(FLOOR - 0.06, 1.04)  # D is at most 1
    axes.set_yticks([0, 0.5, 1], ["0", "½", "1"])
    axes.set_xticks([])
    axes.tick_params(length=0, labelsize=10, labelcolor=FAINT)
    axes.hlines([0.5, 1], low, high, color=GRID, linewidth=0.8, zorder=1)
    axes.spines[:].set_visible(False)


def _draw_arrows(axes: "Axes", x: np.ndarray, low: float, high: float) -> None:
    """Draw arrows from evenly spaced noise, on the lower line, to where G maps it, on the upper."""
    top, bottom = -0.05, FLOOR  # the arrows end a little below the line of x
    axes.hlines([0, bottom], low, high, color=INK, linewidth=1, zorder=2)
    noise = np.linspace(low + 0.04 * (high - low), high - 0.04 * (high - low), len(x))
    axes.quiver(
        noise,
        np.full(len(x), bottom),
        x - noise,
        np.full(len(x), top - bottom),
        # in units of the axes, so that each arrow ends exactly at its x
        angles="xy",
        scale_units="xy",
        scale=1,
        width=0.0025,
        headwidth=4,
        headlength=6,
        headaxislength=5,
        color=FAINT,
        zorder=2,
    )

    # x in shares of the panel, y in data: beside the ends of both lines.
    beside = axes.get_yaxis_transform()
    axes.text(-0.012, top, "$x$", fontsize=11, color=INK, ha="right", va="top", transform=beside)
    axes.text(
        -0.012, bottom, "$z$", fontsize=11, color=INK, ha="right", va="center", transform=beside
    )


def _visible_range(target: Target) -> tuple[float, float]:
    """The part of the line to show: the data, the first p_g, and a little margin."""
    some = CENTRES[(target.masses + normal_masses(*START)) / STEP > SEEN]
    return float(some[0]) - 0.4, float(some[-1]) + 0.4


def draw_course(course: Sequence[Snapshot], target: Target, is_probability: bool) -> Animation:
    """Draw an animation with a frame for each snapshot."""
    drawn = [_draw_frame(moment, target, is_probability) for moment in course]
    # All frames have the same colours, and few colours make small files.
    inks = drawn[-1].quantize(INKS)
    # Dithering would flicker from frame to frame.
    frames = [
        frame.quantize(palette=inks, dither=Image.Dither.NONE).convert("RGB") for frame in drawn
    ]
    return Animation(frames, [PACE] * (len(frames) - 1) + [HOLD], exact=True)


def _draw_frame(moment: Snapshot, target: Target, is_probability: bool) -> Image.Image:
    """Draw one snapshot as a picture."""
    figure = new_figure(FRAME, 100)
    axes = figure.add_axes((0.05, 0.02, 0.935, 0.77))
    _draw_moment(axes, moment, target, is_probability)
    figure.text(0.05, 0.935, ACTS[moment.act], fontsize=13, fontweight="bold", color=INK)
    figure.text(0.05, 0.88, _format_numbers(moment), fontsize=10, color=FAINT)
    figure.legend(
        loc="upper left",
        bbox_to_anchor=(0.03, 0.875),
        ncols=4,
        frameon=False,
        fontsize=9,
        columnspacing=1,
        handlelength=1.7,
    )
    return _to_image(figure)


def new_figure(inches: tuple[float, float], dots: int) -> "Figure":
    """Make an empty white figure that draws without a screen."""
    # matplotlib is slow to import, so this waits until something is drawn.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, dpi=dots, facecolor="white")
    FigureCanvasAgg(figure)  # attaches itself to the figure
    return figure


def _to_image(figure: "Figure") -> Image.Image:
    """Render a figure to an RGB picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")  # from (H, W, 4)


def render(figure: "Figure") -> Image.Image:
    """Render a figure in 256 colours: as a file a third of the size, and it looks the same."""
    return _to_image(figure).quantize(256, dither=Image.Dither.NONE)


def save_drawing(picture: Image.Image, path: Path) -> None:
    """Write a picture as a small PNG."""
    with atomic_path(path) as partial:
        picture.save(partial, format="PNG", optimize=True)
