"""What to expect of a training: the nearest run that was measured, with its picture."""

import math
from typing import NamedTuple

from ganvas.recipes.recipe import Recipe

__all__ = ["MEASURED", "MeasuredRun", "describe_expectation", "nearest_run"]


class MeasuredRun(NamedTuple):
    """A run of docs/results.md that has a picture.

    Attributes:
        recipe: its name.
        gan: that it trained.
        size: side of the images in pixels.
        seconds: of one CPU core.
        data: what it was trained on, in a few words.
        picture: a file of docs/pictures.
        section: heading of docs/results.md.
    """

    recipe: str
    gan: str
    size: int
    seconds: int
    data: str
    picture: str
    section: str


# Times come only from docs/results.md; they are never estimated.
MEASURED = (
    MeasuredRun("digits", "relativistic", 8, 69, "1,797 digits", "digits.png", "digits"),
    MeasuredRun(
        *("mnist-fast", "relativistic", 28, 231, "60,000 digits"),
        *("quality-mnist.webp", "Time to quality"),
    ),
    MeasuredRun(
        *("fashion-fast", "relativistic", 28, 636, "60,000 images of clothes"),
        *("quality-fashion.webp", "Time to quality"),
    ),
    MeasuredRun(
        *("stacked-mnist-fast", "relativistic", 28, 519, "three digits an image"),
        *("stacked-mnist-fast.png", "Modes"),
    ),
    MeasuredRun(
        *("avatars-fast", "relativistic", 48, 185, "8,000 anime faces"),
        *("quality-avatars.webp", "Folded images"),
    ),
    MeasuredRun(
        *("avatars-fast", "relativistic", 64, 225, "8,000 anime faces"),
        *("avatars-folded.webp", "Folded images"),
    ),
    MeasuredRun(
        *("avatars-fast", "relativistic", 64, 900, "8,000 anime faces"),
        *("avatars-15-minutes.webp", "Folded images"),
    ),
    MeasuredRun(
        *("auto", "relativistic", 64, 300, "300 anime faces"),
        *("faces-300.webp", "Automatic settings"),
    ),
    MeasuredRun(
        *("rings-fast", "points-relativistic", 1, 60, "points"), *("modes-fast.png", "Modes")
    ),
    MeasuredRun(*("mnist-mlp", "mlp", 28, 772, "60,000 digits"), *("mnist-mlp.png", "mnist-mlp")),
    MeasuredRun(
        *("mnist-cdcgan", "cdcgan", 28, 11_200, "55,000 digits"),
        *("mnist-cdcgan.png", "mnist-cdcgan"),
    ),
    MeasuredRun(
        *("avatars-dcgan", "dcgan", 48, 4_900, "10,000 anime faces"),
        *("avatars-dcgan.png", "avatars-dcgan"),
    ),
    MeasuredRun(
        *("dcgan-64", "dcgan", 64, 1_810, "10,000 anime faces"),
        *("dcgan-64-course.png", "dcgan-64"),
    ),
    MeasuredRun(
        *("pix2pix-fast", "pix2pix-relativistic", 64, 117, "200 facades with labels"),
        *("pix2pix-fast.webp", "pix2pix-fast"),
    ),
    MeasuredRun(
        *("stargan-fast", "stargan-relativistic", 64, 535, "2,514 cartoon faces"),
        *("stargan-fast.webp", "stargan-fast"),
    ),
    MeasuredRun(
        *("inpaint-fast", "inpaint-relativistic", 64, 290, "10,000 anime faces"),
        *("inpaint-fast.webp", "inpaint-fast"),
    ),
    MeasuredRun(
        *("cyclegan-fast", "cut", 64, 300, "150 summers and 150 winters"),
        *("cyclegan-fast.webp", "cyclegan-fast"),
    ),
    MeasuredRun(
        *("gawwn-fast", "gawwn-relativistic", 64, 978, "1,894 cartoon faces with captions"),
        *("gawwn-fast.webp", "gawwn-fast"),
    ),
    MeasuredRun(
        *("inpaint", "inpaint", 64, 192, "10,000 anime faces"), *("inpaint-fast.webp", "inpaint")
    ),
    MeasuredRun(
        *("cyclegan", "cyclegan", 64, 455, "150 summers and 150 winters"),
        *("cyclegan-fast.webp", "cyclegan"),
    ),
)


def nearest_run(recipe: Recipe, seconds: float) -> MeasuredRun | None:
    """The measured run that is most like a training of so many seconds; None: its GAN has none."""

    def distance(run: MeasuredRun) -> float:
        # Twice the size is as far away as four times the seconds, of which it needs as many.
        sizes = abs(math.log2(run.size / (recipe.size or run.size)))
        return 2 * sizes + abs(math.log2(run.seconds / max(1.0, seconds)))

    runs = [run for run in MEASURED if run.gan == recipe.gan]
    return min(runs, key=distance, default=None)


def describe_expectation(recipe: Recipe, seconds: float) -> list[str]:
    """What to expect of a training, in lines: which measured run is like it, and its picture.

    Args:
        recipe: that will be trained.
        seconds: that it will take.
    """
    run = nearest_run(recipe, seconds)
    if run is None:
        return [f"expect: no run of {recipe.gan} was measured; see docs/gans"]

    minutes = f"{run.seconds} seconds" if run.seconds < 120 else f"{run.seconds / 60:.0f} minutes"
    size = "" if run.size == 1 else f" at {run.size} pixels"
    return [
        f"expect: what {run.recipe} had learned{size} from {run.data} after {minutes} of one core;",
        f'  see docs/pictures/{run.picture}, in docs/results.md under "{run.section}"',
    ]
