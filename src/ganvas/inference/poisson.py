"""Put a piece into a picture without a seam: Pérez et al. 2003, "Poisson Image Editing"."""

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu
from torch import Tensor


def poisson(picture: Tensor, filled: Tensor, mask: Tensor) -> Tensor:
    """The picture with the hole filled so that its steps from pixel to pixel are those of `filled`,
    and its rim fits.

    Solved is eq. 5 for what must be added to `filled`: in the hole it is harmonic, and at the
    pixels that touch the hole it is the difference of the two pictures. Where the hole reaches the
    picture's edge, nothing is asked for.

    Args:
        picture: uint8 (C, H, W).
        filled: uint8 (C, H, W), with something in the hole and at the pixels that touch it.
        mask: bool (H, W), true in the hole, which does not cover everything.

    Returns:
        uint8 (C, H, W); outside the hole the very numbers of `picture`.
    """
    hole = mask.cpu().numpy().ravel()
    pixels = np.flatnonzero(hole)
    if not len(pixels):
        return picture.clone()
    unknown = np.cumsum(hole) - 1  # number of each pixel of the hole
    difference = (picture.double() - filled.double()).flatten(1).T.cpu().numpy()  # (H x W, C)
    places = np.arange(hole.size).reshape(mask.shape)
    pairs = [(places[:-1], places[1:]), (places[:, :-1], places[:, 1:])]
    here = np.concatenate([part.ravel() for one, other in pairs for part in (one, other)])
    there = np.concatenate([part.ravel() for one, other in pairs for part in (other, one)])
    # each pixel of the hole with each of its neighbours
    here, there = here[hole[here]], there[hole[here]]
    within = hole[there]
    neighbours = np.bincount(unknown[here], minlength=len(pixels)).astype(float)
    rim = np.zeros((len(pixels), len(picture)))
    np.add.at(rim, unknown[here[~within]], difference[there[~within]])
    rows = np.concatenate([unknown[pixels], unknown[here[within]]])
    columns = np.concatenate([unknown[pixels], unknown[there[within]]])
    values = np.concatenate([neighbours, -np.ones(within.sum())])
    matrix = coo_array((values, (rows, columns))).tocsc()
    # it is symmetric
    solver = splu(
        matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    )
    added = torch.from_numpy(solver.solve(rim)).T  # (C, pixels of the hole)
    result = picture.clone().cpu()
    result[:, mask.cpu()] = (
        (filled.cpu()[:, mask.cpu()].double() + added).round().clamp(0, 255).to(torch.uint8)
    )
    return result


def blur_fill(picture: Tensor, mask: Tensor) -> Tensor:
    """The hole filled by what flows in from around it until nothing changes any more: a blur that a
    GAN must beat.

    The end of blurring the hole again and again with its surroundings held is the harmonic function
    of their values.

    Args:
        picture: uint8 (C, H, W).
        mask: bool (H, W), true in the hole, which does not cover everything.

    Returns:
        uint8 (C, H, W); outside the hole the very numbers of `picture`.
    """
    return poisson(picture, torch.zeros_like(picture), mask)
