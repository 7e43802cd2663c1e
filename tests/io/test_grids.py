"""Grids of images, with what is written on them."""

import numpy as np
import torch

from ganvas.io.grids import make_grid


def test_a_caption_wider_than_the_pictures_is_not_cut():
    images = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    words = "a smiling young face with blond hair and glasses"

    bare, sheet = (np.asarray(make_grid(images, 1, caption=text)) for text in ("", words))

    ink = np.where((sheet[bare.shape[0] :] < 128).any((0, 2)))[0]  # columns with letters
    assert ink[0] >= 4
    assert ink[-1] < sheet.shape[1] - 4
    assert ink[-1] - ink[0] > 2 * bare.shape[1]
