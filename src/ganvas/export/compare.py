"""Whether an exported generator makes what PyTorch makes, before it is given away."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ganvas.errors import UserError
from ganvas.export.graph import Graph

__all__ = ["COUNTS", "check_difference", "compare"]

COUNTS = (1, 3, 8)  # numbers of images at which a file is tried
CLOSE = 1e-4  # largest difference, of values in [-1, 1]
CLOSE_HALF = 2 / 255  # with weights of half precision: one level of 0..255


def compare(graph: Graph, generate: Callable[[tuple[Tensor, ...]], Tensor]) -> float:
    """The largest difference from PyTorch, at several numbers of images and sizes of pictures.

    Args:
        graph: the generator in PyTorch.
        generate: what was exported; inputs in the order of the graph's ports to images.

    Returns:
        of values in [-1, 1]; infinite where shapes differ or a value is not finite.
    """
    largest = 0.0
    for sides in graph.choose_sides():
        for count in COUNTS:
            values = graph.draw(count, sides, seed=count)
            with torch.no_grad():
                expected = graph(*values)
            found = generate(values)
            if found.shape != expected.shape or not found.isfinite().all():
                return math.inf
            largest = max(largest, (found - expected).abs().max().item())
    return largest


def check_difference(difference: float, half: bool) -> None:
    """Refuse a generator that does not make what PyTorch makes.

    Raises:
        UserError: names the difference.
    """
    limit = CLOSE_HALF if half else CLOSE
    # `not <=`: NaN is refused, too
    if not difference <= limit:
        raise UserError(
            f"the exported generator differs from PyTorch by {difference:.2g} of values in "
            f"[-1, 1], and {limit:.2g} is allowed; nothing was written: "
            + ("export without --half" if half else "try the other format")
        )
