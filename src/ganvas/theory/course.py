"""A game that was played: its snapshots, and how they look as text, pictures and animation."""

import math
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ganvas.io.animation import Animation
from ganvas.io.console import count_noun
from ganvas.io.files import explained
from ganvas.io.html import figure, html_list
from ganvas.theory.game import Settings, Snapshot
from ganvas.theory.losses import LOSSES
from ganvas.theory.pictures import draw_course, draw_four_panels, save_drawing
from ganvas.theory.saddle import draw_saddle
from ganvas.theory.targets import Target, get_target

__all__ = ["ROW_EVERY", "Course", "describe_end", "describe_game", "format_row"]

ROW_EVERY = 3  # snapshots per row of the table
WHO = {1: "D alone", 2: "G alone", 3: "both"}


@dataclass(frozen=True, repr=False)
class Course:
    """A one-dimensional GAN from its first step to its last. It prints as a table of numbers, and a
    notebook shows the four panels.

    Attributes:
        settings: of the game.
        snapshots: of the whole training, in order; each has `step`, `js` (the distance of the two
            densities in nats), `modes` and other numbers.
    """

    settings: Settings
    snapshots: list[Snapshot]

    @property
    def end(self) -> Snapshot:
        """The last snapshot."""
        return self.snapshots[-1]

    def draw_panels(self) -> Image.Image:
        """Draw the start, D after learning, G after learning, and the end: figure 1 of the first
        GAN paper.
        """
        target = get_target(self.settings.target)
        return draw_four_panels(self.snapshots, target, self._is_probability)

    def animate(self) -> Animation:
        """Draw the whole training as an animation, which a notebook plays."""
        target = get_target(self.settings.target)
        return draw_course(self.snapshots, target, self._is_probability)

    def save(self, folder: str | Path) -> None:
        """Write four-panels.png, course.gif, course.webp and saddle.png.

        Raises:
            UserError: the folder cannot be written.
        """
        folder = Path(folder)
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
        save_drawing(self.draw_panels(), folder / "four-panels.png")
        animation = self.animate()
        for ending in ("gif", "webp"):
            animation.save(folder / f"course.{ending}")
        draw_saddle(folder / "saddle.png")

    @property
    def _is_probability(self) -> bool:
        return LOSSES[self.settings.loss].kind != "slope"

    def __repr__(self) -> str:
        target = get_target(self.settings.target)
        shown = [*self.snapshots[:-1:ROW_EVERY], self.end]
        rows = [format_row(moment, target) for moment in shown]
        return "\n".join(
            [*describe_game(self.settings, target), *rows, "", describe_end(self.end, target)]
        )

    def _repr_html_(self) -> str:
        target = get_target(self.settings.target)
        title, *_ = describe_game(self.settings, target)
        return f"<div>{figure(self.draw_panels())}</div>" + html_list(
            title, [describe_end(self.end, target)]
        )


def describe_game(settings: Settings, target: Target) -> list[str]:
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


def format_row(moment: Snapshot, target: Target) -> str:
    """Format a snapshot as a row of the table."""
    value = "-" if moment.value is None else f"{moment.value:.3f}"
    distance = "-" if moment.distance is None else f"{moment.distance:.4f}"
    modes = f"{moment.modes}/{len(target.modes)}"
    head = f"{moment.step:>7,}  {WHO[moment.act]:8} {value:>8}"
    return f"{head}  {moment.js:>8.5f}  {distance:>8}  {moment.unsure:>9.4f}  {modes:>5}"


def describe_end(moment: Snapshot, target: Target) -> str:
    """Describe the last snapshot in a line."""
    modes = f"{moment.modes} of {count_noun(len(target.modes), 'mode')} found"
    return (
        f"the end: JS = {moment.js:.5f} nats, "
        f"mean |D - 1/2| over the data = {moment.unsure:.4f}, {modes}"
    )
