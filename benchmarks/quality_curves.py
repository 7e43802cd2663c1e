"""Curves of quality over images shown, FLOPs and seconds, for `time_to_quality.py`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from matplotlib.figure import Figure

from ganvas.io.files import atomic_path, write_text

AXES = {"images": "images shown", "teraflop": "TFLOP", "seconds": "seconds"}


@dataclass
class Point:
    """A recipe at one moment."""

    images: int
    seconds: float
    teraflop: float
    distance: float


def write_curves(curves: Mapping[str, Sequence[Point]], folder: Path, about: str) -> None:
    """Write curves.json and curves.png.

    Args:
        curves: by recipe.
        folder: where to.
        about: what the distance is.
    """
    values = {name: [asdict(point) for point in points] for name, points in curves.items()}
    text = json.dumps({"about": about, "curves": values}, indent=1)
    write_text(folder / "curves.json", text + "\n")

    # unbiased distances may be below 0, where a logarithm has no place for them
    positive = all(point.distance > 0 for points in curves.values() for point in points)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, (quantity, label) in zip(figure.subplots(1, 3, sharey=True), AXES.items()):
        for name, points in curves.items():
            places = [getattr(point, quantity) for point in points]
            axes.plot(places, [point.distance for point in points], ".-", label=name)
        axes.set(xscale="log", yscale="log" if positive else "linear", xlabel=label)
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("distance to real images")
    figure.axes[0].legend()
    figure.suptitle(about, fontsize=9)

    with atomic_path(folder / "curves.png") as partial:
        figure.savefig(partial, format="png", dpi=110)
