"""Make a weakness of GANs and mend it: `ganvas whatif`, on the terminal or quietly from Python."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.progress import BarColumn, Progress, TimeRemainingColumn

from ganvas.data import open_dataset
from ganvas.errors import UserError, nearest
from ganvas.io.console import PlainConsole, print_text
from ganvas.io.files import explained, own_folder
from ganvas.texts import speaks_chinese
from ganvas.whatif.catalogue import EXPERIMENTS
from ganvas.whatif.comparison import Comparison
from ganvas.whatif.course import train_side
from ganvas.whatif.experiment import Experiment, Side
from ganvas.whatif.judge import judge
from ganvas.whatif.page import write_results
from ganvas.whatif.stories import STORIES
from ganvas.whatif.texts import LABELS, MEANINGS, Text
from ganvas.whatif.words import describe_results, format_value, name_findings

__all__ = ["collect_changes", "list_experiments", "run_lab", "whatif"]

PLACE = Path("runs/whatif")
COLON = Text(": ", "：")
SECONDS = Text("seconds", "用时（秒）")


def list_experiments() -> None:
    """Print the names of all experiments, and what each asks."""
    width = max(map(len, EXPERIMENTS))
    for name in EXPERIMENTS:
        print_text(f"{name:<{width}}  {_choose(STORIES[name].title)}")
    print_text(
        "", "Each takes two minutes at most: ganvas whatif NAME writes one page with both sides."
    )


def run_lab(name: str, changes: Mapping[str, Any], out: Path | None) -> Comparison:
    """Train both sides, print what was measured, and write NAME.html and NAME.png.

    Args:
        name: of the experiment.
        changes: settings of both sides that were given, by key.
        out: folder, new or empty; None: the next of runs/whatif/1, 2, ...

    Raises:
        UserError: the name is unknown, a setting or the data does not suit it, or the folder holds
            something or cannot be written.
    """
    experiment = _find_experiment(name)
    with own_folder(out, PLACE) as folder, explained(folder):
        folder.mkdir(parents=True, exist_ok=True)  # fail before the training, not after it
        for line, side in zip(STORIES[name].lines, ("broken", "mended"), strict=True):
            print_text(f"{_choose(LABELS[side])}{_choose(COLON)}{_choose(line)}")
        comparison = _compare(name, experiment, changes)
        _print_results(comparison)
        page, picture = write_results(comparison, folder)
        print_text(f"page: {page}", f"picture: {picture}")
    return comparison


def whatif(
    name: str | None = None,
    *,
    data: str | Path | None = None,
    size: int | None = None,
    labels: str | None = None,
    images: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
) -> Comparison:
    """Train a GAN that is broken on purpose, and the same one mended. Files are written only where
    `out` is given.

    Args:
        name: what goes wrong: "no-batch-norm", "d-too-fast", "no-smoothing", "wrong-range",
            "missing-class", "rate-too-high", "too-few-images", "mode-collapse" or
            "non-convergence".
        data: what to train on, if not the built-in data: a name, a folder or a zip; for
            "non-convergence" points, "rings" or "grid".
        size: side in pixels to which these images are resized; None: their own.
        labels: their classes, where an experiment needs some: "folders" or a table.
        images: length of each training, in images shown; None: a minute or less on a CPU.
        seed: random seed; the same seed gives the same result.
        out: folder for NAME.html and NAME.png, new or empty.

    Returns:
        Both trainings, and what was measured of them; its `image` shows both sides.

    Raises:
        UserError: the name is unknown, a setting or the data does not suit it, or the folder cannot
            be written.
    """
    experiment = _find_experiment(name)
    assert name is not None
    changes = collect_changes(data, size, labels, images, seed)
    if out is None:
        return _compare(name, experiment, changes)

    with own_folder(Path(out), PLACE) as folder, explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        comparison = _compare(name, experiment, changes)
        write_results(comparison, folder)
    return comparison


def collect_changes(
    data: str | Path | None, size: int | None, labels: str | None, images: int | None, seed: int
) -> dict[str, Any]:
    """The settings of both sides that were given."""
    given = {"data": None if data is None else str(data), "images": images, "labels": labels}
    changes = {key: value for key, value in given.items() if value is not None} | {"seed": seed}
    if data is not None:  # other data has its own size and colours
        changes |= {"size": size, "channels": None}
    elif size is not None:
        raise UserError("--size is for images of your own: give them with --data, or leave it out")
    return changes


def _find_experiment(name: str | None) -> Experiment:
    """The experiment of a name.

    Raises:
        UserError: there is none of that name.
    """
    if name is None:
        raise UserError(f"name what shall go wrong: {', '.join(EXPERIMENTS)}")
    if name not in EXPERIMENTS:
        raise UserError(f"there is no experiment {name!r}; {nearest(name, EXPERIMENTS)}")
    return EXPERIMENTS[name]()


def _compare(name: str, experiment: Experiment, changes: Mapping[str, Any]) -> Comparison:
    """Train both sides and measure them.

    Raises:
        UserError: a setting or the data does not suit the experiment.
    """
    recipe = experiment.sides(changes, None)[1].recipe
    assert recipe.data is not None
    dataset = open_dataset(recipe.data, recipe.view)
    sides = experiment.sides(changes, len(dataset))

    total = sum(side.recipe.images for side in sides)
    console = PlainConsole(stderr=True)
    bar = Progress(
        BarColumn(bar_width=20),
        console.localise("{task.completed:,}/{task.total:,} images  {task.description}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    courses = []
    with bar:
        task = bar.add_task("", total=total)
        for number, side in enumerate(sides):
            start = number * total // len(sides)

            def report(images: int, start: int = start, side: Side = side) -> None:
                bar.update(task, completed=start + images, description=_choose(LABELS[side.name]))

            courses.append(train_side(side, dataset, report))

    broken, mended = courses
    measures = judge(broken, mended), judge(mended, mended)
    command = _write_command(name, changes)
    return Comparison(name, experiment, STORIES[name], (broken, mended), measures, command)


def _write_command(name: str, changes: Mapping[str, Any]) -> str:
    """The command that does the same again."""
    words = ["ganvas", "whatif", name]
    for key in ("data", "size", "labels", "images", "seed"):
        if changes.get(key) not in (None, 0):
            words += [f"--{key}", str(changes[key])]
    return shlex.join(words)


def _print_results(comparison: Comparison) -> None:
    """Print the measures of both sides, what they show, and what the doctor finds."""
    broken, mended = comparison.courses
    rows: list[tuple[str, ...]] = [("", *(_choose(LABELS[side]) for side in ("broken", "mended")))]
    for key in comparison.keys:
        values = [side.get(key) for side in comparison.measures]
        if values != [None, None]:
            cells = (format_value(comparison, key, value) for value in values)
            rows.append((_choose(MEANINGS[key][0]), *cells))
    rows.append((_choose(SECONDS), f"{broken.seconds:.0f}", f"{mended.seconds:.0f}"))
    width = max(cell_len(row[0]) for row in rows)
    lines = (f"{_pad(name, -width)}  {_pad(one, 9)}  {_pad(two, 9)}" for name, one, two in rows)
    print_text("", *lines, "")

    print_text(*map(_choose, describe_results(comparison)))
    for course in comparison.courses:
        side = _choose(LABELS[course.side.name])
        print_text(f"{side}{_choose(COLON)}{_choose(name_findings(course))}")


def _choose(text: Text) -> str:
    """A text in the language of the terminal."""
    return text.zh if speaks_chinese(getattr(sys.stdout, "encoding", None)) else text.en


def _pad(text: str, width: int) -> str:
    """A text with spaces before it or, for a negative width, after it; Chinese is twice as wide."""
    spaces = " " * (abs(width) - cell_len(text))
    return text + spaces if width < 0 else spaces + text
