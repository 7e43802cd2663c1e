"""The side and the fit at which `auto` learns images, by how large they are."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from ganvas.data.folders.sizes import SIDES, ImageSizes, SizeSurvey
from ganvas.errors import UserError
from ganvas.gans.nn.networks import stage_sizes
from ganvas.io.console import count_noun
from ganvas.io.resizing import Fit

__all__ = [
    "LARGEST",
    "SHOWN",
    "Framing",
    "RowsKind",
    "choose_framing",
    "choose_side",
    "largest_side",
    "shrink_side",
]

LARGEST = {"cpu": 64, "mps": 128, "cuda": 256}  # side in pixels, unless another is requested
LARGEST_WITH_CAPTIONS = 64  # on any device
SMALLEST = 6  # side in pixels of the smallest GAN
SHOWN = 32  # pixels, below which an eye cannot tell what is shown
SHRUNK = 48  # pixels, to which larger images are shrunk at most when there is little time
FEW = 0.2  # the share of images that may be enlarged, or may lose half of themselves
LONG = 2.0  # longer side by shorter side, from which cutting a square loses half
RowsKind = Literal["image", "pairs", "unpaired", "attributes", "captions", "keypoints", "points"]


@dataclass(frozen=True)
class Framing:
    """How images of various sizes become squares of one size.

    Attributes:
        side: of the squares, in pixels.
        fit: how images become square.
        own: the images' own side in pixels, by which `side` is chosen.
        basis: which side that is, in words; "": all images have it.
        size_note: what becomes of smaller images, in a sentence; "" if there are none.
        fit_reason: why this fit; "" where any does the same.
    """

    side: int
    fit: Fit
    own: int
    basis: str = ""
    size_note: str = ""
    fit_reason: str = ""


def choose_framing(survey: SizeSurvey, device: str, kind: RowsKind, fit: Fit | None) -> Framing:
    """Choose the side at which most images of a data set can be seen, and how they become square.

    Args:
        survey: how large the images are.
        device: the type of the device that will train; it limits the side.
        kind: what the rows of the data are.
        fit: as requested; None: it is chosen.
    """
    sizes = sum(survey.sets.values(), ImageSizes())
    if not sizes:  # no header can be read: opening the data says why
        return Framing(SHOWN, fit or "crop", SHOWN)

    reason = _explain_padding(sizes, survey.transparent) if kind == "image" else ""
    if fit == "pad" or (fit is None and reason):
        return _pad(sizes, largest_side(device, kind), "" if fit else reason)

    # The smallest of several parts, since enlarged images teach a network only their blur.
    parts = [_crop_side(part, device, kind) for part in survey.sets.values() if part]
    side, own, basis = min(parts)
    smaller = _count(sizes, lambda size: min(size) < side)
    if fit is None and kind == "image" and smaller > FEW * sizes.total():
        found = count_noun(sizes.total(), "image")
        reason = f"{smaller:,} of {found} are too small for a square to be cut out of them."
        return _pad(sizes, largest_side(device, kind), reason)

    note = ""
    if smaller:
        found = count_noun(sizes.total(), "image")
        verb = "is" if smaller == 1 else "are"
        note = f"{smaller:,} of {found} {verb} smaller and enlarged."
    return Framing(side, fit or "crop", own, basis, note)


def _explain_padding(sizes: ImageSizes, transparent: float) -> str:
    """Why a square must hold images whole; "" if it may be cut out of them."""
    if len(sizes) == 1 and len(set(next(iter(sizes)))) == 1:
        return ""  # squares of one size are whole in any way
    if transparent > 0.5:
        return "Most images have transparent pixels, so what they show is kept whole."
    long = _count(sizes, lambda size: max(size) >= LONG * min(size))
    if long > FEW * sizes.total():
        return f"A square cut out of {count_noun(long, 'image')} would lose half of each, or more."
    return ""


def _pad(sizes: ImageSizes, limit: int, reason: str) -> Framing:
    """Squares that nearly all images fit into whole; padding never enlarges."""
    own = _find_quantile(((max(size), count) for size, count in sizes.items()), 0.9)
    # The nearest usual side: a few pixels less are not seen, a smaller image in a larger square is.
    fitting = [side for side in SIDES if side <= limit]
    side = min(fitting, key=lambda each: max(each / own, own / each))
    smaller = _count(sizes, lambda size: max(size) < side)
    verb = "is" if smaller == 1 else "are"
    note = f"{count_noun(smaller, 'image')} {verb} smaller and not enlarged." if smaller else ""
    basis = "" if len(sizes) == 1 else "Nine tenths of the images fit into {} pixels"
    return Framing(side, "pad", own, basis, note, reason)


def _crop_side(sizes: ImageSizes, device: str, kind: RowsKind) -> tuple[int, int, str]:
    """The side of squares that are cut out of images, the images' own side, and which that is."""
    shorter = [(min(size), count) for size, count in sizes.items()]
    median = _find_quantile(shorter, 0.5)
    side = choose_side(median, device, kind)
    few = _find_quantile(shorter, FEW)
    basis = "Half of the images have {} pixels or more (shorter side)" if len(sizes) > 1 else ""
    if few >= side:
        return side, median, basis

    # More than a few would be enlarged: the side that they have, if an eye can still see it.
    smaller = choose_side(few, device, kind)
    if smaller < min(side, SHOWN) and kind == "image":
        return side, median, basis
    return smaller, few, "Four fifths of the images have {} pixels or more (shorter side)"


def _count(sizes: ImageSizes, claim: Callable[[tuple[int, int]], bool]) -> int:
    """How many images there are of the sizes that a claim is true of."""
    return sum(count for size, count in sizes.items() if claim(size))


def _find_quantile(values: Iterable[tuple[int, int]], share: float) -> int:
    """The least value that at least this share of all values do not exceed.

    Args:
        values: each with how often it occurs.
        share: from 0 to 1.
    """
    counts = Counter[int]()
    for value, count in values:
        counts[value] += count
    passed = 0
    for value in sorted(counts):
        passed += counts[value]
        if passed >= share * counts.total():
            return value
    raise AssertionError("a quantile of nothing")


def choose_side(own: int, device: str, kind: RowsKind) -> int:
    """The side at which images of `own` pixels are learned.

    It is their own where a GAN can generate it, and at most what the device has time for.
    """
    limit = largest_side(device, kind)
    if own <= limit and _can_generate(own, kind):
        return own
    # The nearest side below, since enlarged images teach a network only their blur. Tiny ones
    # must be enlarged to the smallest.
    sides = [side for side in (SMALLEST, *SIDES) if _can_generate(side, kind)]
    return max(side for side in sides if side <= max(sides[0], min(own, limit)))


def shrink_side(side: int) -> int | None:
    """The next smaller usual side; None: too little of an image would be left to see."""
    return max((each for each in SIDES if SHRUNK <= each < side), default=None)


def largest_side(device: str, kind: RowsKind) -> int:
    """The largest side, in pixels, that is chosen for a kind of data."""
    if kind in ("captions", "keypoints"):
        return min(LARGEST[device], LARGEST_WITH_CAPTIONS)
    return LARGEST[device]


def _can_generate(side: int, kind: RowsKind) -> bool:
    """Whether the GAN for a kind of data can generate images of this side."""
    if kind in ("pairs", "unpaired", "attributes"):
        return side % 4 == 0 and side >= 8  # translators halve their maps twice
    try:
        stage_sizes(side)
    except UserError:
        return False
    return True
