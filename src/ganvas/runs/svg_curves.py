"""Losses as a small SVG, drawn in a millisecond: for pages that are drawn again and again."""

from collections.abc import Mapping

import numpy as np
from rich.cells import cell_len

from ganvas.io.colours import COLOURS, choose_colours
from ganvas.io.html import escape
from ganvas.runs.curves import choose_limits, running_mean

__all__ = ["draw_svg_curves"]

WIDTH, HEIGHT = 460, 260  # pixels
LEFT, RIGHT, TOP, BOTTOM = 48, 8, 26, 22  # margins
MANY = 60  # values from which a running mean is drawn over them
POINTS = 300  # of a line, at most


def draw_svg_curves(
    curves: Mapping[str, np.ndarray],
    total: int,
    unit: str = "images",
    names: Mapping[str, str] | None = None,
) -> str:
    """Draw curves against images shown, with their names above.

    Args:
        curves: images shown and value, float (N, 2) each, by name; NaN leaves a gap.
        total: images at the right end.
        unit: what `total` counts, as it is written there.
        names: of the curves, as they are written; None: their own.

    Returns:
        An element of HTML; empty where no curve has a value.
    """
    drawn = {name: curve for name, curve in curves.items() if np.isfinite(curve[:, 1]).any()}
    if not drawn:
        return ""

    low, high, _ = choose_limits(list(drawn.values()))
    parts = [_draw_axes(low, high, f"{total:,} {unit}")]
    place = LEFT
    for key, plain in choose_colours(drawn).items():
        name = names[key] if names else key
        colour = f"var(--curve-{COLOURS.index(plain)}, {plain})"  # a dark page has lighter ones
        style = f'fill="{colour}" font-weight="bold"'
        parts.append(f'<text x="{place}" y="14" {style}>{escape(name)}</text>')
        place += 8 * cell_len(name) + 16  # pixels, generously; Chinese characters are twice as wide
        parts += _draw_line(drawn[key], colour, (low, high), total)

    # The frame cuts off what choose_limits leaves out. Text takes the colour of the page's own.
    frame = f'<svg x="0" y="0" width="{WIDTH}" height="{HEIGHT}">{"".join(parts)}</svg>'
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"'
        f' style="max-width:100%;height:auto;font:12px sans-serif" role="img">{frame}</svg>'
    )


def _draw_axes(low: float, high: float, end: str) -> str:
    """Four lines with their values, and the first and last number of images below."""
    parts = []
    for share in (0, 1 / 3, 2 / 3, 1):
        value, y = low + share * (high - low), _to_y(low + share * (high - low), low, high)
        line = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"'
        parts.append(f'{line} stroke="currentColor" opacity="0.15"/>')
        number = f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end"'
        parts.append(f'{number} fill="currentColor" opacity="0.7">{_write(value)}</text>')

    foot = f'y="{HEIGHT - 4}" fill="currentColor" opacity="0.7"'
    parts.append(f'<text x="{LEFT}" {foot}>0</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" {foot} text-anchor="end">{end}</text>')
    return "".join(parts)


def _write(value: float) -> str:
    """A value in so few digits that it fits into the margin."""
    text = f"{value:.3g}"
    return f"{value:.0e}" if "e" in text else text


def _draw_line(curve: np.ndarray, colour: str, frame: tuple[float, float], total: int) -> list[str]:
    """One curve as lines; a long one faintly, with its running mean over it."""
    low, high = frame
    images = curve[:, 0]
    values = np.where((curve[:, 1] >= low) & (curve[:, 1] <= high), curve[:, 1], np.nan)

    if len(values) < MANY:
        return [_to_path(images, values, colour, 1.8, frame, total)]
    mean = running_mean(values, len(values) // 20)
    faint = _to_path(images, values, colour, 0.8, frame, total)
    return [f'<g opacity="0.3">{faint}</g>', _to_path(images, mean, colour, 1.8, frame, total)]


def _to_path(
    images: np.ndarray,
    values: np.ndarray,
    colour: str,
    thickness: float,
    frame: tuple[float, float],
    total: int,
) -> str:
    """A path through the finite values; a value that is not finite begins a new line."""
    step = -(-len(values) // POINTS)
    commands, pen_is_up = [], True
    for position, value in zip(images[::step], values[::step]):
        if not np.isfinite(value):
            pen_is_up = True
            continue
        x = LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, position / max(total, 1))
        commands.append(f"{'M' if pen_is_up else 'L'}{x:.1f} {_to_y(value, *frame):.1f}")
        pen_is_up = False

    # A single point is no line; round ends make it a dot.
    if len(commands) == 1:
        commands.append("h0.1")
    return (
        f'<path d="{"".join(commands)}" fill="none" stroke="{colour}"'
        f' stroke-width="{thickness}" stroke-linecap="round"/>'
    )


def _to_y(value: float, low: float, high: float) -> float:
    """The height of a value in pixels from the top."""
    return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)
