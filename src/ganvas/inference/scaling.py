"""Bring an image to a size that suits a GAN, and its translation back to the image's own size."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import interpolate, pad

from ganvas.inference.run import Run
from ganvas.io.resizing import place_in_square, resize, to_square

__all__ = ["BEST_KNOWN", "Scaling", "choose_scaling", "describe_scalings"]

BEST_KNOWN = 256  # pixels: the largest size that is suggested for a new training


class Scaling(NamedTuple):
    """The sizes of an image, in pixels as (height, width).

    Attributes:
        own: as it was given.
        seen: as the GAN sees it, without what is around it.
        square: side of the square that it is laid into with a background; 0: into none.
        background: colour of that square.
    """

    own: tuple[int, int]
    seen: tuple[int, int]
    square: int = 0
    background: str = "white"

    def shrink(self, image: Tensor, mixed: bool = True) -> Tensor:
        """An image, uint8 (C, *own), as the GAN sees it, uint8 (C, h, w).

        Args:
            image: to be shrunk.
            mixed: whether pixels may be mixed; if not, as in label maps, each takes the value of
                the nearest.
        """
        if not mixed:
            nearest = interpolate(image[None], self.seen, mode="nearest-exact")
            return pad_around(nearest, self.square)[0] if self.square else nearest[0]
        if self.square:
            return to_square(image[None], self.square, "pad", self.background)[0]
        return resize(image[None], *self.seen)[0]

    def restore(self, translated: Tensor) -> Tensor:
        """A translation of what `shrink` returned, in the size of the image, uint8 (C, *own)."""
        height, width = self.seen
        if self.square:
            top, left = (self.square - height) // 2, (self.square - width) // 2
            translated = translated[:, top : top + height, left : left + width]
        return resize(translated[None], *self.own)[0]


def pad_around(maps: Tensor, side: int) -> Tensor:
    """Maps (N, C, h, w) in the middle of a square of zeros, (N, C, side, side)."""
    height, width = maps.shape[2:]
    top, left = (side - height) // 2, (side - width) // 2
    return pad(maps, (left, side - width - left, top, side - height - top))


def choose_scaling(run: Run, own: tuple[int, int], size: int | None, own_size: bool) -> Scaling:
    """How an image is brought to a GAN: as the images that it was trained on.

    Args:
        run: of the GAN.
        own: height and width of the image.
        size: the requested side; None: the image's own where `own_size`, else the size trained on.
        own_size: whether images of any size suit the GAN.
    """
    recipe = run.about["recipe"]
    fit = recipe.get("fit", "crop")
    # trained on tiles cut out of large images, it knows them at their own scale
    if size is None and (own_size or fit == "tiles"):
        return Scaling(own, own)

    side = size or run.gan.size
    if not own_size and fit == "stretch":
        return Scaling(own, (side, side))
    if not own_size and fit == "pad":
        _, _, height, width = place_in_square(*own, side, "pad")
        return Scaling(own, (height, width), side, recipe.get("background", "white"))

    scale = side / min(own)
    return Scaling(own, (round(own[0] * scale), round(own[1] * scale)))


def describe_scalings(scalings: Iterable[Scaling], advice: str) -> Iterator[str]:
    """A line on images that were translated at another size than their own; none if there are none.

    Args:
        scalings: of all images.
        advice: what to do where results were enlarged.
    """
    changed = [scaling for scaling in scalings if scaling.seen != scaling.own]
    if not changed:
        return
    enlarged = [scaling for scaling in changed if max(scaling.seen) < max(scaling.own)]
    consequence = f": fine detail is missing; {advice}" if enlarged else ""
    verb = "enlarged" if enlarged else "shrunk"

    # the largest stands for all
    largest = max(enlarged or changed, key=lambda scaling: scaling.own)
    seen, own = (_describe_size(size) for size in (largest.seen, largest.own))
    if len(set(changed)) == 1:
        yield f"translated at {seen}, {verb} to {own}{consequence}"
    else:
        yield f"translated at sizes such as {seen}, {verb} to their own, up to {own}{consequence}"


def _describe_size(size: tuple[int, int]) -> str:
    """Height and width as people write them: "640x480"."""
    height, width = size
    return f"{width}x{height}"
