"""An image to restore, and the lines for the user about its hole and about the search."""

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor

from ganvas.inference.crops import Window, hole_extent
from ganvas.inference.holes import SMALLEST
from ganvas.inference.inversion import Candidates, SearchSettings
from ganvas.inference.run import Run
from ganvas.io.console import count_noun, describe_duration

__all__ = [
    "Damage",
    "describe_candidates",
    "describe_damage",
    "describe_effort",
    "describe_projection",
    "describe_window",
    "suggest_size",
]


class Damage(NamedTuple):
    """An image to restore, uint8 (C, H, W), where its hole is, bool (H, W), and its name.

    Without a hole the whole image is projected: the GAN's nearest image is searched.
    """

    name: str
    picture: Tensor
    mask: Tensor | None


def describe_damage(damage: Damage) -> str:
    """The image, its size, and what was done to it."""
    height, width = damage.picture.shape[1:]
    done = "projected"
    if damage.mask is not None:
        done = f"a hole of {damage.mask.float().mean():.1%} filled"
    return f"{damage.name} ({width}x{height}): {done}"


def describe_window(damage: Damage, window: Window) -> str:
    """How the image was made square, if it was not."""
    height, width = damage.picture.shape[1:]
    if height == width:
        return ""
    fitted = "cut to" if min(window.top, window.left) >= 0 else "laid on"
    return f"{fitted} a square of {window.side}, "


def describe_projection(settings: SearchSettings, seconds: float) -> str:
    """What to do with an image without a hole, and how long a search for all of it takes."""
    return (
        "it has no hole; say where it is by --mask or --box, or make it transparent. With"
        " --project Ganvas searches for the GAN's image that is nearest to the whole picture:"
        f" {describe_effort(settings)}, about {describe_duration(max(seconds, 1))} for each picture"
    )


def describe_effort(settings: SearchSettings) -> str:
    """How long a search is: "300 steps from 4 starts"."""
    steps, starts = count_noun(settings.steps, "step"), count_noun(settings.candidates, "start")
    return f"{steps} from {starts}"


def describe_candidates(run: Run, found: Candidates) -> Iterator[str]:
    """A line for each candidate: how well it fits, how real it looks, and its class."""
    numbers = zip(found.context.tolist(), found.prior.tolist(), found.labels)
    for number, (context, prior, label) in enumerate(numbers, 1):
        named = f", {run.gan.classes[label]}" if "label" in run.gan.inputs else ""
        yield f"{number}: context {context:.4f}, prior {prior:.4f}{named}"


def suggest_size(mask: Tensor, scale: float, trained: int) -> Iterator[str]:
    """A line, if a hole is larger than all that the GAN knows, with a size at which it is not."""
    longest = max(len(span) for span in hole_extent(mask))
    largest = round(longest * scale)
    if largest > trained:
        # at half of the size trained on, a hole leaves enough around it
        better = max(SMALLEST, min(mask.shape) * trained // (2 * longest))
        yield (
            f"a hole of {largest} pixels, but the GAN was trained on images of {trained}:"
            f" --size {better} may look better"
        )
