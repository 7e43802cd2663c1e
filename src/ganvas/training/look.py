"""What samples look like as a set, beside real images: a lattice of pixels, a single palette."""

from torch import Tensor

from ganvas.evaluation.metrics.artefacts import (
    SMALLEST,
    colour_spread,
    compare_grids,
    grid_energy,
)

__all__ = ["Look"]

FEWEST = 32  # images of either kind: of fewer the means are chance
# Levels by which the mean colours of real images differ at least where those of samples are
# compared with them: with less they are as good as grey.
LEAST_COLOUR = 3.0


class Look:
    """What real images look like as a set, to compare samples with: their grids and colours.

    Args:
        real: uint8 (N, C, S, S).
    """

    def __init__(self, real: Tensor):
        enough = len(real) >= FEWEST
        self.grids = grid_energy(real) if enough and real.shape[-1] >= SMALLEST else None
        self.colours = colour_spread(real) if enough and real.shape[1] == 3 else 0.0

    def compare(self, images: Tensor) -> dict[str, float]:
        """Samples, uint8 (M, C, S, S), with them.

        Returns:
            "lattice_2" and "lattice_4": how much stronger grids of that period are; nothing where
            images are small. "palette": how much their mean colours differ over how much those of
            real images do; nothing where these are grey. Nothing where there are few images.
        """
        found: dict[str, float] = {}
        if len(images) < FEWEST:
            return found
        if self.grids is not None:
            ratios = compare_grids(grid_energy(images), self.grids)
            found |= {f"lattice_{period}": ratio for period, ratio in ratios.items()}
        if self.colours >= LEAST_COLOUR:
            found["palette"] = colour_spread(images) / self.colours
        return found
