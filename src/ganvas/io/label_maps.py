"""Label maps: images whose values are categories, as numbers or as colours."""

from collections.abc import Collection, Sequence

import numpy as np

from ganvas.io.rasters import Raster

__all__ = ["MOST_CATEGORIES", "NO_CATEGORY", "encode_labels", "list_labels", "name_labels"]

# Planes of a label map. Street scenes have 34 kinds of things (Cordts et al. 2016, "Cityscapes"),
# and each plane is kept as an image of its own.
MOST_CATEGORIES = 64
NO_CATEGORY = 255  # number of what is no category: the padding around a label map
COLOUR = 2**24  # is added to colours, so that none equals a number of up to 16 bits


def list_labels(raster: Raster) -> set[int]:
    """The different labels of a map: whole numbers; or colours as 2^24 + their 24 bits.

    Raises:
        ValueError: its values are no whole numbers.
    """
    labels = _read_labels(raster)
    if labels.min() < 0 or labels.max() >= 2 * COLOUR:
        return set(np.unique(labels).tolist())

    # many times as fast as sorting
    seen = np.zeros(int(labels.max()) + 1, np.bool_)
    seen[labels] = True
    return set(np.flatnonzero(seen).tolist())


def _read_labels(raster: Raster) -> np.ndarray:
    """The labels of a map's pixels, int64 (H, W), as `list_labels` describes them.

    Raises:
        ValueError: its values are no whole numbers.
    """
    values = raster.values
    if raster.rgb and values.shape[2] >= 3:
        red, green, blue = (values[:, :, band].astype(np.int64) for band in range(3))
        return COLOUR + (red << 16 | green << 8 | blue)

    labels = values[:, :, 0]
    if labels.dtype.kind == "f" and not (labels == np.round(labels)).all():
        raise ValueError("is no label map: its values are no whole numbers")
    return labels.astype(np.int64)


def name_labels(labels: Collection[int]) -> tuple[str, ...]:
    """The names of the labels that occur in a set of maps, in order: "7", or "#804080" for a
    colour.

    A map in colours of which all are grey is a map of numbers that was saved in colour.

    Raises:
        ValueError: ids and colours are mixed, or there are too many.
    """
    numbers = {label for label in labels if label < COLOUR}
    colours = {label - COLOUR for label in labels if label >= COLOUR}
    if all(_is_grey(colour) for colour in colours):
        numbers |= {colour & 255 for colour in colours}
        colours = set()

    if numbers and colours:
        raise ValueError("some label maps hold numbers and others colours: save all alike")
    if len(labels) > MOST_CATEGORIES:
        raise ValueError(
            f"{len(labels):,} different values, and {MOST_CATEGORIES} categories are the most; "
            "label maps hold few values: save them as PNG, not JPEG, and without smooth edges"
        )
    return tuple(map(str, sorted(numbers))) or tuple(f"#{colour:06x}" for colour in sorted(colours))


def _is_grey(colour: int) -> bool:
    """Whether red, green and blue of a 24-bit colour are equal."""
    return colour == (colour & 255) * 0x010101


def encode_labels(raster: Raster, categories: Sequence[str]) -> np.ndarray:
    """A label map as numbers of its categories, uint8 (H, W); NO_CATEGORY where a label is none of
    them.

    Raises:
        ValueError: its values are no whole numbers.
    """
    labels = _read_labels(raster)
    numbers = np.full(labels.shape, NO_CATEGORY, np.uint8)

    for number, name in enumerate(categories):
        if name.startswith("#"):
            numbers[labels == COLOUR + int(name[1:], 16)] = number
            continue
        # a number, or the grey that stands for it in a map that was saved in colour
        numbers[labels == int(name)] = number
        if 0 <= int(name) <= 255:
            numbers[labels == COLOUR + int(name) * 0x010101] = number
    return numbers
