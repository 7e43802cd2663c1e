"""The plot of a run: nothing hides anything, and one point is no curve."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from written_runs import losses

from ganvas.runs.plot import HALF, Panel, draw_curves, draw_panels

PLAYERS = ["text", "generator", "discriminator", "keypoint_generator", "keypoint_discriminator"]


def make_curve(spike: float = 1.0) -> np.ndarray:
    values = np.linspace(1, 2, 50)
    values[7] = spike
    return np.stack([np.arange(50.0), values], 1)


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("spike", [1.0, 1e6])
def test_titles_legends_and_notes_hide_nothing(count: int, spike: float):
    lines = {name: make_curve(spike) for name in PLAYERS[:count]}
    rows = [
        [Panel("Losses", lines, lines)],
        [
            Panel("a: terms", lines, width=HALF),
            Panel("b", dict(list(lines.items())[:1]), width=HALF),
        ],
        [Panel("overfitting of D", lines)],
    ]
    figure = Figure()
    FigureCanvasAgg(figure)
    draw_panels(figure, rows)
    figure.draw_without_rendering()

    boxes = []
    for axes in figure.axes:
        boxes.append(axes.get_window_extent())
        # The title at the left is none of the public ones.
        texts = [*axes.texts, axes.title, axes._left_title]
        boxes += [text.get_window_extent() for text in texts if text.get_text()]
        if axes.get_legend():
            boxes.append(axes.get_legend().get_window_extent())
    overlaps = [(a, b) for a, b in combinations(boxes, 2) if a.overlaps(b)]
    assert not overlaps
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert max(box.y1 for box in boxes) <= figure.bbox.y1


def height_of(plot: Path) -> int:
    with Image.open(plot) as picture:
        return picture.height


def test_one_point_is_no_curve(tmp_path: Path):
    plot = tmp_path / "losses.png"
    players = ["generator", "discriminator"]
    checkup = {"images": 100, "kind": "health", "distance": 1.0, "overfitting": 0.1}
    measured = {"images": 100, "kind": "measured", "generator": 1.0}
    assert not draw_curves([losses(100, 1.0), checkup, measured], players, plot)
    assert not plot.exists()

    two = [losses(100, 1.0), losses(200, 0.5), measured]
    assert draw_curves(two, players, plot)
    without = height_of(plot)
    assert draw_curves([*two, checkup], players, plot)
    assert height_of(plot) == without  # no panel for the checkup
    assert draw_curves([*two, checkup, checkup | {"images": 200}], players, plot)
    assert height_of(plot) > without
