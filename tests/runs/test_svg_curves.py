"""Losses as a small SVG."""

import re
from xml.etree import ElementTree

import numpy as np

from ganvas.io.colours import COLOURS, choose_colours
from ganvas.runs.svg_curves import HEIGHT, WIDTH, draw_svg_curves


def make_curve(values: list[float]) -> np.ndarray:
    images = 10 * np.arange(1, len(values) + 1)
    return np.stack([images, np.array(values, np.float64)], 1)


def points_of(page: str) -> np.ndarray:
    """All places that the lines pass through, (N, 2)."""
    paths = "".join(re.findall(r' d="([^"]+)"', page))
    places = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", paths)
    return np.array(places, np.float64)


def test_lines_lie_inside_and_follow_the_values():
    page = draw_svg_curves({"generator": make_curve([1, 2, 3, 2])}, 40)
    ElementTree.fromstring(page)
    x, y = points_of(page).T
    assert ((x > 0) & (x < WIDTH) & (y > 0) & (y < HEIGHT)).all()
    assert (np.diff(x) > 0).all()
    assert list(np.argsort(y)) == [2, 1, 3, 0] or list(np.argsort(y)) == [2, 3, 1, 0]


def test_gaps_and_single_values():
    page = draw_svg_curves({"generator": make_curve([1, np.nan, 3])}, 30)
    assert len(points_of(page)) == 2
    assert page.count("M") == 2
    assert "h0.1" in draw_svg_curves({"generator": make_curve([1])}, 30)


def test_players_have_their_colours_in_any_order_and_language():
    blue, orange, green = COLOURS[:3]
    assert choose_colours(["generator", "text", "discriminator"]) == {
        "generator": orange,
        "text": green,
        "discriminator": blue,
    }
    assert list(choose_colours(["distance", "diversity"]).values()) == [blue, orange]

    names = {"generator": "生成器", "discriminator": "判别器"}
    curves = dict.fromkeys(names, make_curve([1, 2]))
    page = draw_svg_curves(curves, 20, names=names)
    found = re.findall(r'fill="var\(--curve-\d, (#\w+)\)" font-weight="bold">(\w+)<', page)
    assert found == [(orange, "生成器"), (blue, "判别器")]


def test_nothing_without_values():
    assert draw_svg_curves({}, 10) == ""
    assert draw_svg_curves({"generator": make_curve([np.nan])}, 10) == ""


def test_names_are_text_and_long_curves_short():
    noisy = list(np.random.default_rng(0).normal(size=5_000))
    page = draw_svg_curves({"<script>": make_curve(noisy)}, 50_000)
    ElementTree.fromstring(page)
    assert "<script" not in page
    assert "50,000 images" in page
    assert len(points_of(page)) <= 2 * 300  # the values, and their running mean
