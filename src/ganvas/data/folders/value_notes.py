"""Describe in words what the values of a column mean, and warn of what they seem to be instead."""

from collections.abc import Sequence

import numpy as np

from ganvas.data.decode import count_planes
from ganvas.data.fates import Fate
from ganvas.data.folders.values import ColumnLook
from ganvas.data.report import WARNING
from ganvas.data.view import View
from ganvas.io.console import count_noun
from ganvas.io.rasters import is_deep
from ganvas.io.values import ValueRange

__all__ = ["describe_values"]

LITTLE = 0.1  # of the range: a set that uses less of it looks like one colour
NEARLY_ALL = 0.02  # share of images that may lie outside


def describe_values(
    look: ColumnLook, fates: Sequence[Fate], view: View
) -> tuple[list[str], list[str]]:
    """What is done to the values of a column, one sentence each; and notes on them.

    Args:
        look: at the column.
        fates: of the images that are used.
        view: how training sees them.
    """
    reading = look.reading
    if reading.categories:
        names = ", ".join(reading.categories)
        count = count_noun(len(fates), "image")
        planes = len(reading.categories)
        return [f"{count} of labels: a plane for each of {planes} categories ({names})"], []

    steps, notes = _describe_bands(look, view)
    opacity_steps, opacity_notes = _describe_alpha(look, fates)
    notes += opacity_notes + _describe_range(look, fates)
    contrast = _describe_contrast(look, fates)
    return steps + opacity_steps, notes + ([contrast] if contrast else [])


def _describe_bands(look: ColumnLook, view: View) -> tuple[list[str], list[str]]:
    """Which bands are used of files with more than colours."""
    planes = count_planes(look.reading, view)
    steps, notes = [], []
    for header, number in look.headers.items():
        colours = header.bands - header.alpha
        # opacity beside colours is no band but laid over the background, or kept
        bands = colours if planes in (1, 3) or look.reading.alpha else header.bands
        used = min(planes, 3 if planes in (1, 3) or look.reading.alpha else planes, bands)
        if bands in (1, 3) and used == bands:
            continue
        if bands == 3 and planes == 1:  # turned to grey, as the other steps say
            continue

        if planes in (1, 3) and bands == 2:
            used = 1
        count = count_noun(number, "image")
        which = "the first is" if used == 1 else f"the first {used} are"
        if used == bands:
            which = "all are"
        steps.append(f"{count} of {bands} bands ({header.mode}): {which} used")
        if used < bands:
            notes.append(
                f"{count} of {bands} bands ({header.mode}), of which {which} used; "
                f"to train on all of them: --channels {bands}"
            )
    return steps, notes


def _describe_alpha(look: ColumnLook, fates: Sequence[Fate]) -> tuple[list[str], list[str]]:
    """What becomes of opacity where it is kept, and whether it is any."""
    steps, notes = [], []
    if look.reading.ignore_alpha:
        steps.append("what files declare to be transparency is ignored: it is a band like others")
    if look.reading.alpha:
        transparent = sum(fate.transparent for fate in fates)
        opaque = len(fates) - transparent
        if transparent:
            count = count_noun(transparent, "image")
            steps.append(f"{count} transparent: opacity is kept, colours are multiplied by it")
        if opaque:
            steps.append(f"{count_noun(opaque, 'image')} without transparency: opaque")
        if not transparent:
            notes.append(
                "no image has transparency, so the fourth channel is opaque everywhere: "
                "--channels 3 leaves it out"
            )

    if look.measured:
        notes.append(
            f"{WARNING}the last band of these images is declared to be transparency, but hardly a "
            "pixel is wholly clear or opaque. If the band was measured, such as near infrared: "
            "--ignore-alpha"
        )
    return steps, notes


def _describe_range(look: ColumnLook, fates: Sequence[Fate]) -> list[str]:
    """Notes on values outside the range, and on files of 8 bits beside others."""
    used = look.reading.range
    if used is None:
        return []

    notes = []
    outside = [
        fate
        for fate in fates
        if fate.low is not None and fate.high is not None
        if fate.low < used.low or fate.high > used.high
    ]
    if outside:
        low = min(fate.low for fate in outside if fate.low is not None)
        high = max(fate.high for fate in outside if fate.high is not None)
        notes.append(
            f"{count_noun(len(outside), 'image')} with values outside {used}, which are clipped: "
            f"they go from {low:g} to {high:g}"
        )

    shallow = sum(not is_deep(fate.mode) for fate in fates)
    if shallow and not used.every:
        notes.append(
            f"{count_noun(shallow, 'image')} of 8 bits beside others of more: there 0..255 are "
            f"black and white, here {used}; --range LOW,HIGH sets one range for all"
        )
    return notes


def _describe_contrast(look: ColumnLook, fates: Sequence[Fate]) -> str:
    """A warning of a set that uses little of its range, "" of others."""
    if not fates:
        return ""
    dark, light = (
        np.quantile([fate.dark for fate in fates], NEARLY_ALL),
        np.quantile([fate.light for fate in fates], 1 - NEARLY_ALL),
    )
    if light - dark >= LITTLE * 255:
        return ""

    # in units of the files, exactly where they are known
    used = look.reading.range or ValueRange(0, 255)
    deep = [fate for fate in fates if fate.low is not None]
    if deep:
        dark = np.quantile([fate.low for fate in deep if fate.low is not None], NEARLY_ALL)
        light = np.quantile([fate.high for fate in deep if fate.high is not None], 1 - NEARLY_ALL)
    low, high = f"{dark:.4g}", f"{light:.4g}"
    if float(low) >= float(high):
        return f"{WARNING}all images are of one and the same colour"

    labels = ""
    if not deep and all(fate.mode in ("1", "L", "P") for fate in fates):
        labels = f"; if they are labels of categories: --categories {look.column}"
    return (
        f"{WARNING}nearly all values lie in {low}..{high}, less than a tenth of {used}: training "
        f"sees images of almost one colour. To use the whole range: --range {low},{high}{labels}"
    )
