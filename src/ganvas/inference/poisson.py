"""Fill a hole without a seam: Pérez et al. 2003, "Poisson Image Editing"."""

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu
from torch import Tensor

__all__ = ["blur_fill", "poisson"]


def poisson(picture: Tensor, filled: Tensor, mask: Tensor) -> Tensor:
    """Fill a hole so that differences of neighbouring pixels are those of `filled`, and its rim
    fits.

    Solves eq. 5 for what must be added to `filled`: it is harmonic in the hole, and at the pixels
    that touch the hole it is the difference of the two images. Where the hole reaches the edge of
    the image, there is no condition.

    Args:
        picture: uint8 (C, H, W).
        filled: uint8 (C, H, W), with content in the hole and at the pixels that touch it.
        mask: bool (H, W), true in the hole, which does not cover everything.

    Returns:
        uint8 (C, H, W); outside the hole exactly the pixels of `picture`.
    """
    hole = mask.cpu().numpy().ravel()  # bool (H x W,)
    if not hole.any():
        return picture.clone()

    # in float64, because thousands of equations depend on each other
    difference = (picture.double() - filled.double()).flatten(1).T.cpu().numpy()  # (H x W, C)
    here, there = _list_neighbours(mask.shape[0], mask.shape[1], hole)  # (pairs,)
    added = torch.from_numpy(_solve_laplace(hole, here, there, difference)).T  # (C, hole's pixels)

    result = picture.clone().cpu()
    inside = mask.cpu()
    fitted = filled.cpu()[:, inside].double() + added  # (C, P)
    result[:, inside] = fitted.round().clamp(0, 255).to(torch.uint8)
    return result


def _list_neighbours(height: int, width: int, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel of the hole with each of its neighbours, up to 4: two int64 arrays of indices into
    the flat image.
    """
    places = np.arange(hole.size).reshape(height, width)  # (H, W)
    pairs = [(places[:-1], places[1:]), (places[:, :-1], places[:, 1:])]  # vertical, horizontal
    here = np.concatenate([part.ravel() for one, other in pairs for part in (one, other)])
    there = np.concatenate([part.ravel() for one, other in pairs for part in (other, one)])
    return here[hole[here]], there[hole[here]]


def _solve_laplace(
    hole: np.ndarray, here: np.ndarray, there: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """The harmonic function in a hole, from its values at the pixels that touch it.

    Args:
        hole: bool (H x W,).
        here: pixels of the hole, one entry for each neighbour.
        there: their neighbours.
        known: float64 (H x W, C), the values outside of the hole.

    Returns:
        float64 (P, C), for each pixel of the hole.
    """
    pixels = np.flatnonzero(hole)  # (P,)
    unknown = np.cumsum(hole) - 1  # number of each pixel of the hole
    within = hole[there]  # bool (pairs,)

    # number of neighbours x value - neighbours in the hole = neighbours outside of it
    # At the edge of the image a pixel has fewer than 4, so there is no condition there.
    neighbours = np.bincount(unknown[here], minlength=len(pixels)).astype(float)
    rim = np.zeros((len(pixels), known.shape[1]))  # (P, C)
    # `add.at`, because += would count only one of several neighbours of a pixel
    np.add.at(rim, unknown[here[~within]], known[there[~within]])

    rows = np.concatenate([unknown[pixels], unknown[here[within]]])
    columns = np.concatenate([unknown[pixels], unknown[there[within]]])
    values = np.concatenate([neighbours, -np.ones(within.sum())])
    matrix = coo_array((values, (rows, columns))).tocsc()  # (P, P), up to 5 numbers a row

    # The matrix is symmetric and positive definite, so no pivoting is needed.
    solver = splu(
        matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    )
    return solver.solve(rim)


def blur_fill(picture: Tensor, mask: Tensor) -> Tensor:
    """Fill a hole by a blur of its surroundings: the baseline that a GAN must beat.

    It is the harmonic function of the values around the hole: what is left after the hole was
    blurred again and again while its surroundings were kept.

    Args:
        picture: uint8 (C, H, W).
        mask: bool (H, W), true in the hole, which does not cover everything.

    Returns:
        uint8 (C, H, W); outside the hole exactly the pixels of `picture`.
    """
    # An image of zeros has no differences to keep, so eq. 5 gives the whole fill.
    return poisson(picture, torch.zeros_like(picture), mask)
