"""Describe in words what is done to the images of a folder before training."""

from collections import Counter
from collections.abc import Callable

from ganvas.data.fates import ImageTraits
from ganvas.data.view import View
from ganvas.io.console import count_noun
from ganvas.io.rasters import is_deep
from ganvas.io.values import AS_STORED, Reading

__all__ = ["describe_steps"]


def describe_steps(
    traits: Counter[ImageTraits], view: View, reading: Reading = AS_STORED, rows: int = 0
) -> list[str]:
    """What is done to the images, in order, one sentence each.

    Args:
        traits: how many images there are of each kind.
        view: with its size and channels resolved.
        reading: what the values of files mean.
        rows: how many tiles they become, if the view wants tiles.
    """
    # reported in the order in which decoding does it
    turned = _count_where(traits, lambda image: image.turned)
    scaled = _count_where(traits, lambda image: is_deep(image.mode) or _holds_for_all(reading))
    transparent = _count_where(traits, lambda image: image.transparent)
    cmyk = _count_where(traits, lambda image: image.mode == "CMYK")
    grey = _count_where(traits, lambda image: image.grey)
    # of bands beside no colours the first one is the grey
    coloured = _count_where(traits, lambda image: not image.grey and "L+" not in image.mode)

    # a count of 0 leaves its sentence out
    done = [
        (turned, "turned upright as their EXIF orientation says"),
        (0 if reading.categories else scaled, _describe_scaling(reading)),
        (0 if reading.alpha else transparent, f"transparent: laid over {view.background}"),
        (cmyk, "turned from CMYK to RGB"),
        (grey if _has_colours(view, reading) else 0, "grey: repeated to RGB"),
        (
            coloured if view.channels == 1 and not reading.categories else 0,
            "turned from colour to grey",
        ),
        *_list_resizing(traits, view),
    ]
    steps = [f"{count_noun(number, 'image')} {what}" for number, what in done if number]
    if view.fit == "tiles":
        side = view.load_size()
        images, tiles = count_noun(traits.total(), "image"), count_noun(rows, "tile")
        steps.append(f"{images} cut into {tiles} of {side}x{side}")

    if view.load_size() != view.size:
        square = f"{view.size}x{view.size}"
        steps.append(f"training cuts a random {square} out of each in every step")
    return steps


def _list_resizing(traits: Counter[ImageTraits], view: View) -> list[tuple[int, str]]:
    """How many images are resized, cut or padded, and in which words."""
    side = view.load_size()
    square = f"{side}x{side}"
    smaller = _count_where(traits, lambda image: min(image.width, image.height) < side)

    if view.fit == "tiles":
        return [(smaller, f"enlarged until the shorter side is {side}")]

    # padding never enlarges, so small images are only laid on the background
    if view.fit == "pad":
        larger = _count_where(traits, lambda image: max(image.width, image.height) > side)
        padded = _count_where(traits, lambda image: (image.width, image.height) != (side, side))
        return [
            (larger, f"shrunk until the longer side is {side}"),
            (padded, f"laid on {view.background} to fill {square}"),
        ]

    larger = _count_where(traits, lambda image: min(image.width, image.height) > side)
    # the shorter side fits already, the longer one does not
    long = _count_where(
        traits,
        lambda image: min(image.width, image.height) == side < max(image.width, image.height),
    )

    if view.fit == "stretch":
        way = f"to {square}, each side by itself"
        # a long image is shrunk too, in one direction
        return [(larger + long, f"shrunk {way}"), (smaller, f"enlarged {way}")]

    way = f"until the shorter side is {side}, then cut to the central {square}"
    if all(image.width == image.height for image in traits):
        way = f"to {square}"
    return [
        (larger, f"shrunk {way}"),
        (smaller, f"enlarged {way}"),
        (long, f"cut to the central {square}"),
    ]


def _count_where(traits: Counter[ImageTraits], claim: Callable[[ImageTraits], bool]) -> int:
    """How many images a claim is true of."""
    return sum(number for image, number in traits.items() if claim(image))


def _holds_for_all(reading: Reading) -> bool:
    """Whether files of 8 bits are brought to a range, too."""
    return reading.range is not None and reading.range.every


def _describe_scaling(reading: Reading) -> str:
    """What is done to values that are brought to 8 bits."""
    if reading.range is None:
        return "brought from 16-bit or float values to 8 bits"
    if reading.range.every:
        return f"with their values {reading.range} brought to 0..255"
    return f"brought from 16-bit or float values to 8 bits: {reading.range} become 0..255"


def _has_colours(view: View, reading: Reading) -> bool:
    """Whether grey images become RGB."""
    return not reading.categories and (view.channels == 3 or reading.alpha)
