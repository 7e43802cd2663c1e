"""Run `ganvas theory`: play a game, print its numbers and write its pictures."""

import math
from collections.abc import Iterator
from pathlib import Path

from rich.progress import BarColumn, Progress, TimeRemainingColumn

from ganvas.io.console import PlainConsole, count_noun, print_text
from ganvas.io.files import explained
from ganvas.theory.game import SNAPSHOTS, Settings, Snapshot, count_steps, play
from ganvas.theory.losses import LOSSES
from ganvas.theory.pictures import draw_course, draw_four_panels
from ganvas.theory.saddle import draw_saddle
from ganvas.theory.targets import Target, get_target

__all__ = ["run_lab"]

ROW_EVERY = 3  # snapshots per row of the table
WHO = {1: "D alone", 2: "G alone", 3: "both"}


def run_lab(settings: Settings, out: Path) -> Snapshot:
    """Play, print a table, and write four-panels.png, course.gif, course.webp and saddle.png.

    Returns:
        the last snapshot.

    Raises:
        UserError: the folder cannot be written, or a number is not finite.
    """
    with explained(out):
        out.mkdir(parents=True, exist_ok=True)  # fail before the training, not after it

    target, loss = get_target(settings.target), LOSSES[settings.loss]
    for line in _describe_game(settings, target):
        print_text(line)
    course = list(_play_with_table(settings, target))
    print_text("", _describe_end(course[-1], target))

    is_probability = loss.kind != "slope"
    draw_four_panels(course, target, is_probability, out / "four-panels.png")
    draw_course(course, target, is_probability, out)
    draw_saddle(out / "saddle.png")
    print_text(
        f"pictures: {out / 'four-panels.png'}, course.gif and course.webp; "
        "why training is hard: saddle.png"
    )
    return course[-1]


def _describe_game(settings: Settings, target: Target) -> list[str]:
    """Describe the game and the columns of the table, and write their headings."""
    loss = LOSSES[settings.loss]
    guard = f"R1 + R2 x {settings.penalty:g}" if settings.penalty else "no penalty"
    means = [
        f"JS: of the densities, in nats; 0 when p_g = p_data, at most log 2 = {math.log(2):.3f}"
    ]
    if loss.kind == "slope":
        means += [
            "|D - 1/2|: mean over the data, with the critic mapped to 0..1 by a sigmoid; "
            "a critic is not a probability"
        ]
    else:
        means += [
            f"V(D, G): -log 4 = {-math.log(4):.3f} when D is 1/2 everywhere",
            "|D - D*|: mean over (p_data + p_g) / 2    |D - 1/2|: mean over the data",
        ]

    updates = count_noun(settings.d_steps, "update")
    return [
        f"target {settings.target}: {target.summary}",
        f"loss {settings.loss}, {guard}, {updates} of D for each of G, seed {settings.seed}",
        *means,
        "",
        f"{'step':>7}  {'learns':8} {'V(D, G)':>8}  {'JS':>8}"
        f"  {'|D - D*|':>8}  {'|D - 1/2|':>9}  {'modes':>5}",
    ]


def _play_with_table(settings: Settings, target: Target) -> Iterator[Snapshot]:
    """Play a game; print a row for every third snapshot, and show a bar on a terminal."""
    console = PlainConsole(stderr=True)
    total = count_steps(settings)
    bar = Progress(
        BarColumn(bar_width=20),
        "{task.completed:,}/{task.total:,} steps  {task.description}",
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=total)
        for index, moment in enumerate(play(settings, SNAPSHOTS)):
            if index % ROW_EVERY == 0 or moment.step == total:
                print_text(_format_row(moment, target))
            bar.update(task, completed=moment.step, description=f"JS {moment.js:.4f}")
            yield moment


def _format_row(moment: Snapshot, target: Target) -> str:
    """Format a snapshot as a row of the table."""
    value = "-" if moment.value is None else f"{moment.value:.3f}"
    distance = "-" if moment.distance is None else f"{moment.distance:.4f}"
    modes = f"{moment.modes}/{len(target.modes)}"
    head = f"{moment.step:>7,}  {WHO[moment.act]:8} {value:>8}"
    return f"{head}  {moment.js:>8.5f}  {distance:>8}  {moment.unsure:>9.4f}  {modes:>5}"


def _describe_end(moment: Snapshot, target: Target) -> str:
    """Describe the last snapshot in a line."""
    modes = f"{moment.modes} of {count_noun(len(target.modes), 'mode')} found"
    return (
        f"the end: JS = {moment.js:.5f} nats, "
        f"mean |D - 1/2| over the data = {moment.unsure:.4f}, {modes}"
    )
