"""Sheets of images of any shape."""

import numpy as np
import torch

from ganvas.inference.sheets import TILE, draw_rows, make_tile, title_classes


def image(channels: int, height: int, width: int, value: int = 0) -> torch.Tensor:
    return torch.full((channels, height, width), value, dtype=torch.uint8)


def test_tiles_are_as_large_as_their_cells():
    shapes = {make_tile(image(3, *size)).shape[1:] for size in ((600, 300), (16, 8), (4, 2))}
    assert shapes == {(TILE, TILE // 2)}


def test_transparency_is_laid_over_white():
    clear, half = image(4, 8, 8), image(2, 8, 8)
    half[1] = 127  # black, half clear
    assert (make_tile(clear) == 255).all()
    assert make_tile(clear).shape[0] == 3
    assert set(make_tile(half).unique().tolist()) == {128}
    assert make_tile(half).shape[0] == 1


def test_rows_of_mixed_shapes_have_no_empty_edges():
    wide = {"given": make_tile(image(3, 50, 100)), "b": make_tile(image(3, 50, 100))}
    square = {"given": make_tile(image(1, 30, 30)), "b": make_tile(image(3, 30, 30))}
    only_wide = np.asarray(draw_rows([wide, wide]))
    assert only_wide.shape[0] < 2 * (TILE // 2) + 40  # two rows of half a tile, and headings

    sheet = np.asarray(draw_rows([wide, square]))
    assert sheet.shape[0] < TILE // 2 + TILE + 40
    dark = (sheet < 10).all(2)
    assert dark[-TILE // 2].mean() > 0.9  # both cells are full
    assert dark[40].mean() > 0.9


def test_a_row_may_lack_a_column():
    both = {"given": make_tile(image(3, 9, 9)), "real": make_tile(image(3, 9, 9))}
    sheet = np.asarray(draw_rows([both, {"given": both["given"]}]))
    assert (sheet[-TILE // 2, sheet.shape[1] // 2 + 8 :] == 255).all()


def test_rows_or_columns_of_one_class_are_titled():
    assert title_classes(["a", "a", "b", "b"], 2) == (["a", "b"], [])
    assert title_classes(["a", "b", "a"], 2) == ([], ["a", "b"])
    assert title_classes(["a", "b", "b", "a"], 2) == ([], [])
    assert title_classes(["a", "a"], 1) == ([], [])  # all of one class
    assert title_classes([None, None], 1) == ([], [])
    assert title_classes(["a", "b"], 1) == (["a", "b"], [])
