"""Drawn birds: boxes, key points and captions agree with the image."""

from pathlib import Path

import numpy as np
import pytest

from ganvas.data import open_dataset
from ganvas.data.builtin import birds as figures
from ganvas.data.builtin.birds import COLOURS, PARTS
from ganvas.data.text import decode
from ganvas.data.view import View
from ganvas.io.images import colour


@pytest.fixture(scope="module")
def birds():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganvas.data.builtin.birds.COUNT", 60)
        yield open_dataset("figures", View(size=64))


def test_kept_birds_are_as_many_as_asked_for(birds, cache: Path, monkeypatch: pytest.MonkeyPatch):
    """Those of one test were once kept in the user's cache, and used for training from then on."""
    assert len(birds) == 60
    assert Path(birds.images.filename).is_relative_to(cache)
    monkeypatch.setattr("ganvas.data.builtin.birds.COUNT", 5)
    assert len(open_dataset("figures", View(size=64))) == 5


def test_birds_lie_in_their_boxes(birds):
    ground = birds.images[:, :, :1, :1].astype(int)
    assert (ground >= 225).all()
    drawn = (np.abs(birds.images.astype(int) - ground) > 60).any(1)
    for thing, box in zip(drawn, birds.columns["box"]):
        rows, columns = np.flatnonzero(thing.any(1)), np.flatnonzero(thing.any(0))
        found = (
            np.array([columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]])
            / 64
        )
        assert np.abs(found - box).max() < 3 / 64


def test_birds_show_the_side_that_they_look_to(birds):
    assert birds.names["keypoints"] == PARTS
    for captions, points in zip(birds.columns["caption"], birds.columns["keypoints"]):
        texts = [decode(caption) for caption in captions]
        left = "looking left" in texts[0]
        places = dict(zip(PARTS, points))
        assert bool(places["left eye"][2]) == left
        assert bool(places["right eye"][2]) != left
        assert (places["beak"][0] < places["tail"][0]) == left
        both = places["left wing"][2] and places["right wing"][2]
        assert bool(both) == ("flying" in texts[1])
        assert (points[points[:, 2] > 0, :2] > 0).all()
        assert (points[:, :2] < 1).all()


def test_birds_have_the_colour_that_their_caption_names(birds):
    """Just below the crown, the nearest of all colours is the body's."""
    shades = np.array([colour(shade) for shade in COLOURS.values()])
    right = 0
    for image, captions, points in zip(
        birds.images, birds.columns["caption"], birds.columns["keypoints"]
    ):
        x, y = points[PARTS.index("crown")][:2] * 64
        nearest = np.abs(shades - image[:, int(y + 2), int(x)]).sum(1).argmin()
        right += list(COLOURS)[nearest] == decode(captions[0]).split()[1]
    assert right >= 54  # of 60; an eye, a wing or a smoothed edge may lie there


def test_articles_of_the_drawn_birds():
    bird = figures.random_bird(np.random.default_rng(0))
    found = {
        colour: figures.captions(bird._replace(body=colour))[0].partition(" bird")[0]
        for colour in COLOURS
    }
    assert found.pop("orange") == "an orange"
    assert found == {colour: f"a {colour}" for colour in COLOURS if colour != "orange"}
