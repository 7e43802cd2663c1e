"""Whether a search fills holes better than a blur does: tried on a part of the image that is known.

What lies in a hole is not known, so nobody can tell how good its filling is. But a hole of the same
shape can be cut into the known part beside it, filled in the same way, and compared with the truth.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d, conv2d

from ganvas.gans.base import GAN
from ganvas.inference.inversion import SearchSettings, hole_weights, search_noise
from ganvas.inference.poisson import blur_fill, poisson
from ganvas.io.images import to_float, to_uint8

__all__ = ["NO_TEST", "BlurTest", "compare_with_blur", "place_test_hole"]

NO_TEST = "the hole leaves no room for a test hole, so nobody knows whether a blur is better"
SMALLEST = 2  # side of a test hole in pixels
LARGE = 0.2  # of the pixels: a hole from which on it is large


@dataclass(frozen=True)
class BlurTest:
    """How far fillings of the test hole are from the truth: mean differences in levels of 0..255.

    Attributes:
        search: of the search's filling.
        blur: of a blur of the surroundings.
        surroundings: of what the GAN generates from the known pixels, which the search did see.
        share: of the pixels that the image's own hole covers.
    """

    search: float
    blur: float
    surroundings: float
    share: float

    def describe(self) -> Iterator[str]:
        """Whether the search beat the blur, and if not, why that may be; a line each."""
        numbers = (
            f"in a test hole beside it the search is {self.search:.1f} levels from the truth, "
            f"a blur {self.blur:.1f}"
        )
        if self.search < self.blur:
            yield f"{numbers}; the search beats the blur there"
            return

        yield f"{numbers}; the search does not beat the blur, so compare both on the sheet"
        if self.surroundings >= self.blur:
            yield (
                f"even what is known around the hole is only reproduced to "
                f"{self.surroundings:.1f} levels; the GAN is too weak, or the image is unlike its "
                "training data; train longer, or search with an image like these"
            )
        elif self.share >= LARGE:
            yield (
                f"the hole is large ({self.share:.0%} of what the GAN sees); "
                "little is left to tell what is in it"
            )
        else:
            yield (
                f"what is known around the hole is reproduced to {self.surroundings:.1f} levels; "
                "it does not tell what is in the hole, or a plain area is best filled by a blur"
            )


def compare_with_blur(
    gan: GAN,
    target: Tensor,
    hole: Tensor,
    known: Tensor,
    settings: SearchSettings,
    device: torch.device,
    progress: Callable[[range], Iterable[int]] = iter,
) -> BlurTest | None:
    """Fill a test hole by a search for one candidate, and by a blur.

    Args:
        gan: as in `search_noise`.
        target: the image at the GAN's size, uint8 (C, S, S), its hole filled by anything.
        hole: of the image, bool (S, S).
        known: float (1, S, S) in {0, 1}, where the image is known.
        settings: of the search for the hole itself.
        device: where the GAN is.
        progress: as in `search_noise`.

    Returns:
        None where not even a small hole fits into what is known.
    """
    tested = place_test_hole(hole, known)
    if tested is None:
        return None

    # All that the search must not see: the hole itself and the one beside it.
    rest = known * ~tested
    unknown = rest[0] == 0
    blurred = blur_fill(target, unknown)
    found = search_noise(
        gan,
        to_float(blurred[None])[0],
        hole_weights(rest),
        replace(settings, candidates=1),
        device,
        progress,
    )

    generated = to_uint8(found.images)[0]
    filled = poisson(blurred, generated, unknown)

    def difference(image: Tensor, where: Tensor) -> float:
        return (image.float() - target.float()).abs()[:, where].mean().item()

    return BlurTest(
        search=difference(filled, tested),
        blur=difference(blurred, tested),
        surroundings=difference(generated, ~unknown),
        share=hole.float().mean().item(),
    )


def place_test_hole(hole: Tensor, known: Tensor) -> Tensor | None:
    """A hole of the same shape in what is known, as near as possible, bool (S, S).

    Where that does not fit, one half as wide and high, and so on; None where none fits.

    Args:
        hole: bool (S, S), not empty.
        known: float (1, S, S) in {0, 1}.
    """
    rows, columns = (hole.any(side).nonzero().flatten() for side in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    shape = hole[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1].float()  # (h, w)

    while min(shape.shape) >= SMALLEST:
        # How many unknown pixels the shape would cover at each place, (S - h + 1, S - w + 1).
        covered = conv2d(1 - known[None], shape[None, None])[0, 0]
        places = (covered == 0).nonzero()
        # Not all that is known may be hidden, or nothing is left to search by.
        if len(places) and shape.sum() < known.sum() / 2:
            nearest = (places - torch.tensor([top, left])).square().sum(1).argmin()
            row, column = places[nearest].tolist()
            found = torch.zeros_like(hole)
            height, width = shape.shape
            found[row : row + height, column : column + width] = shape > 0
            return found
        shape = adaptive_max_pool2d(shape[None], (shape.shape[0] // 2, shape.shape[1] // 2))[0]
    return None
