"""Play a game of `ganvas theory`: with its numbers on the terminal, or quietly from Python."""

from collections.abc import Iterator
from pathlib import Path

from rich.progress import BarColumn, Progress, TimeRemainingColumn

from ganvas.io.console import PlainConsole, print_text
from ganvas.io.files import explained, own_folder
from ganvas.theory.course import ROW_EVERY, Course, describe_end, describe_game, format_row
from ganvas.theory.game import SNAPSHOTS, Settings, Snapshot, count_steps, play
from ganvas.theory.targets import get_target

__all__ = ["run_lab", "theory"]

PLACE = Path("runs/theory")


def run_lab(settings: Settings, out: Path | None) -> Snapshot:
    """Play, print a table, and write four-panels.png, course.gif, course.webp and saddle.png.

    Args:
        settings: of the game.
        out: folder, new or empty; None: the next of runs/theory/1, 2, ...

    Returns:
        the last snapshot.

    Raises:
        UserError: the folder holds something or cannot be written, or a number is not finite.
    """
    with own_folder(out, PLACE) as folder, explained(folder):
        folder.mkdir(parents=True, exist_ok=True)  # fail before the training, not after it
        return _play_and_print(settings, folder)


def _play_and_print(settings: Settings, folder: Path) -> Snapshot:
    """Play, print a table, and draw pictures into an empty folder."""
    target = get_target(settings.target)
    for line in describe_game(settings, target):
        print_text(line)

    snapshots = []
    for index, moment in enumerate(_play_with_bar(settings)):
        if index % ROW_EVERY == 0 or moment.step == count_steps(settings):
            print_text(format_row(moment, target))
        snapshots.append(moment)
    course = Course(settings, snapshots)
    print_text("", describe_end(course.end, target))

    course.save(folder)
    print_text(
        f"pictures: {folder / 'four-panels.png'}, course.gif and course.webp; "
        "why training is hard: saddle.png"
    )
    return course.end


def theory(
    *,
    target: str = "gaussian",
    loss: str = "non-saturating",
    penalty: float = 0.05,
    d_steps: int = 2,
    steps: int = 4000,
    seed: int = 0,
    out: str | Path | None = None,
) -> Course:
    """Train a one-dimensional GAN and see whether it converges. Files are written only where `out`
    is given.

    Args:
        target: density to learn: "gaussian", "two", "rare", "five", "skewed" or "uniform".
        loss: of both networks: "minimax", "non-saturating", "least-squares", "wasserstein" or
            "relativistic".
        penalty: weight of the gradient penalties R1 + R2, which keep the discriminator from
            becoming too steep; 0 for none.
        d_steps: discriminator updates per generator update.
        steps: generator updates.
        seed: random seed; the same seed gives the same result.
        out: folder for four-panels.png, course.gif, course.webp and saddle.png, new or empty.

    Returns:
        The training in snapshots, which draws itself.

    Raises:
        UserError: an argument is wrong, the folder cannot be written, or a number is not finite.
    """
    settings = Settings(
        target=target, loss=loss, steps=steps, d_steps=d_steps, penalty=penalty, seed=seed
    )
    if out is None:
        return Course(settings, list(_play_with_bar(settings)))

    with own_folder(Path(out), PLACE) as folder, explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        course = Course(settings, list(_play_with_bar(settings)))
        course.save(folder)
    return course


def _play_with_bar(settings: Settings) -> Iterator[Snapshot]:
    """Play a game, with a bar on a terminal."""
    console = PlainConsole(stderr=True)
    bar = Progress(
        BarColumn(bar_width=20),
        console.localise("{task.completed:,}/{task.total:,} steps  {task.description}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=count_steps(settings))
        for moment in play(settings, SNAPSHOTS):
            bar.update(task, completed=moment.step, description=f"JS {moment.js:.4f}")
            yield moment
