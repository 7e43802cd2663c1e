"""Both sides of an experiment after their training, and what was measured of them."""

from dataclasses import dataclass
from typing import Literal

from PIL import Image

from ganvas.whatif.course import Course
from ganvas.whatif.experiment import Experiment
from ganvas.whatif.judge import MEASURES
from ganvas.whatif.sheet import draw_sides
from ganvas.whatif.texts import Story

__all__ = ["Comparison"]


@dataclass(frozen=True)
class Comparison:
    """A weakness of GANs, made on purpose and mended, side by side.

    Attributes:
        name: of the experiment.
        experiment: how both sides differ.
        story: the texts of its page.
        courses: the trainings: broken, mended.
        measures: what was measured of each, by name.
        command: which makes it again.
    """

    name: str
    experiment: Experiment
    story: Story
    courses: tuple[Course, Course]
    measures: tuple[dict[str, float], dict[str, float]]
    command: str

    @property
    def keys(self) -> tuple[str, ...]:
        """The measures that are shown, the most telling first."""
        return tuple(dict.fromkeys((self.experiment.told_by, *self.experiment.measures)))

    @property
    def classes(self) -> int:
        """How many classes, or modes, the data has."""
        return len(self.courses[1].dataset.classes)

    @property
    def brightness(self) -> float:
        """The mean brightness of the real images, from 0 to 1."""
        checkup = self.courses[1].checkup
        return (checkup.seen[checkup.target].float().mean() / 255).item()

    @property
    def image(self) -> Image.Image:
        """The samples of both sides along their training, as one picture."""
        broken, mended = self.courses
        lines = self.story.lines
        heads = (f"broken: {lines[0].en}", f"mended: {lines[1].en}")
        return draw_sides(broken, mended, heads)

    def compare(self, key: str) -> Literal["plain", "small", "none"]:
        """Whether a measure is plainly worse on the broken side, a little worse, or not at all."""
        measure = MEASURES[key]
        broken, mended = (side[key] for side in self.measures)
        if measure.better == "higher":
            worse = mended > broken
        else:
            worse = broken > mended
        if not worse:
            return "none"

        if measure.style == "number":
            low, high = sorted(max(value, measure.floor) for value in (broken, mended))
            plain = high / low >= measure.plain
        else:
            whole = self.classes if measure.style == "count" else 1
            plain = abs(mended - broken) / whole >= measure.plain
        return "plain" if plain else "small"
