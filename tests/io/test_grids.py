"""Grids of images, with what is written on them."""

import numpy as np
import torch

from ganvas.io.grids import make_grid, stack_grids


def test_a_caption_wider_than_the_pictures_is_not_cut():
    images = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    words = "a smiling young face with blond hair and glasses"

    bare, sheet = (np.asarray(make_grid(images, 1, caption=text)) for text in ("", words))

    ink = np.where((sheet[bare.shape[0] :] < 128).any((0, 2)))[0]  # columns with letters
    assert ink[0] >= 4
    assert ink[-1] < sheet.shape[1] - 4
    assert ink[-1] - ink[0] > 2 * bare.shape[1]


def test_names_stand_under_their_images_and_are_cut_to_their_width():
    images = torch.zeros(4, 1, 16, 16, dtype=torch.uint8)
    sheets = [
        np.asarray(make_grid(images, 2, names=names))
        for names in (("3", "", "", "17"), ("W" * 500, "", "", ""))
    ]
    side = 6 * 16  # of an image, enlarged
    cell = (sheets[0].shape[0] - 4) // 2
    assert cell > side + 4
    middle = sheets[0].shape[1] // 2
    written = []
    for sheet in sheets:
        assert sheet.shape == sheets[0].shape
        rows = [sheet[top + 4 + side + 2 : top + cell] < 200 for top in (0, cell)]
        written.append([part.any() for row in rows for part in (row[:, :middle], row[:, middle:])])
    assert written == [[True, False, False, True], [True, False, False, False]]


def test_headings_stand_on_one_line():
    """Letters that reach below the line, as in "given", do not raise the word."""
    images = torch.full((2, 3, 96, 96), 255, dtype=torch.uint8)
    sheet = np.asarray(make_grid(images, 2, headings=("xxx", "xgx")))[..., 0] < 128
    middle = sheet.shape[1] // 2
    feet = [
        np.where(half[:, columns].any(1))[0].max()
        for half, columns in (
            (sheet[:, :middle], slice(None)),
            (
                sheet[:, middle:],
                slice(0, np.where(sheet[:, middle:].any(0))[0][0] + 4),
            ),  # its first x
        )
    ]
    assert feet[0] == feet[1]


def test_grids_below_each_other_have_one_gap_between_them():
    high, low = (torch.zeros(2, 1, height, 64, dtype=torch.uint8) for height in (64, 40))
    sheet = np.asarray(stack_grids([make_grid(high, 2), make_grid(low, 2)]))
    rows = (sheet == 255).all(1)
    assert np.where(rows)[0].tolist() == [0, 1, 2, 3, 68, 69, 70, 71, 112, 113, 114, 115]
