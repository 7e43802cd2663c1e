"""The user's own images for GANs that learned from pairs made of images."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from short_runs import train_two_steps
from tiny import refused_in_one_line

from ganvas.data.degradations import draw_edges, enlarge, parse_degradation
from ganvas.evaluation.evaluate import evaluate
from ganvas.inference.originals import EDGES_DRAWN, keep_luminance
from ganvas.inference.run import load
from ganvas.inference.task import Result
from ganvas.inference.translate import TranslateTask
from ganvas.io.images import to_png
from ganvas.io.resizing import with_channels

KINDS = ("grey", "small2x", "edges", "noise")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two training steps for each kind, and the images that they saw."""
    place = tmp_path_factory.mktemp("degraded")
    (place / "set").mkdir()
    for number in range(12):
        draw_photo(number).save(place / "set" / f"{number}.png")
    for kind in KINDS:
        data = f"pairs:{kind}:{place / 'set'}"
        train_two_steps("pix2pix-fast", place / kind, data, held_out=4)
    return place


def draw_photo(seed: int, side: int = 16) -> Image.Image:
    """Smooth colours, dark ones in most places."""
    coarse = np.random.default_rng(seed).integers(0, 200, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


def translate(run: Path, image: Image.Image, **settings) -> Result:
    task = TranslateTask([("photo", lambda: to_png(image))], **settings)
    task.check(load(run))
    (result,) = [found for found in task.results(load(run)) if isinstance(found, Result)]
    return result


def planes(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def test_a_photograph_is_turned_grey_and_keeps_its_light(place: Path):
    photo = draw_photo(99, side=40)
    result = translate(place / "grey", photo)
    grey = np.array(photo.convert("L"))

    assert np.array_equal(result.columns["given"][0], grey)
    assert torch.equal(result.columns["real"], planes(photo))
    assert result.image.shape == (3, 40, 40)
    # what the GAN saw at 16 pixels has the detail of 40, but where a colour would leave 0..255
    found = with_channels(result.image[None], 1)[0, 0].numpy()
    assert (np.abs(found.astype(int) - grey) <= 1).mean() > 0.8

    task = TranslateTask([("photo", lambda: to_png(photo))])
    assert len(list(task.results(load(place / "grey")))) == 1  # no line that detail is missing

    # an image without colour has no known colours
    assert "real" not in translate(place / "grey", photo.convert("L")).columns


def test_colours_take_the_light_of_the_grey_image():
    grey = torch.full((1, 2, 2), 100, dtype=torch.uint8)
    colour = torch.tensor([120, 90, 80], dtype=torch.uint8).view(3, 1, 1).expand(3, 2, 2)
    kept = keep_luminance(colour, grey)
    assert with_channels(kept[None], 1).sub(100).abs().max() <= 1
    assert torch.equal(kept[0].int() - kept[1].int(), colour[0].int() - colour[1].int())


def test_a_small_photograph_is_enlarged(place: Path):
    photo = draw_photo(99, side=20)
    result = translate(place / "small2x", photo)
    assert result.image.shape == (3, 40, 40)
    assert torch.equal(result.columns["given"], enlarge(planes(photo), 2))
    assert "real" not in result.columns

    # a good one is first made worse
    worse = translate(place / "small2x", photo, degrade="yes")
    assert worse.image.shape == (3, 20, 20)
    assert torch.equal(worse.columns["given"], applied("small2x", photo))
    assert torch.equal(worse.columns["real"], planes(photo))


def test_transparency_is_enlarged_with_the_image(place: Path):
    photo = draw_photo(99, side=12)
    photo.putalpha(Image.new("L", photo.size, 128))
    assert translate(place / "small2x", photo).image.shape == (4, 24, 24)


def test_what_would_become_too_large_is_left_out(place: Path):
    task = TranslateTask([("wide", lambda: to_png(Image.new("RGB", (5000, 16))))])
    run = load(place / "small2x")
    refused_in_one_line(lambda: list(task.results(run)), "5000x16 would become 10000x32")


def test_noisy_images_are_seen_as_they_are(place: Path):
    photo = draw_photo(99, side=40)
    result = translate(place / "noise", photo)
    assert torch.equal(result.columns["given"], planes(photo))
    assert result.image.shape == (3, 40, 40) and not result.notes
    worse = translate(place / "noise", photo, degrade="yes")
    assert torch.equal(worse.columns["given"], applied("noise", photo))


def test_edges_are_drawn_of_photographs_and_drawings_stay(place: Path):
    photo = draw_photo(99)
    result = translate(place / "edges", photo)
    assert torch.equal(result.columns["given"], draw_edges(planes(photo)))
    assert result.notes == (EDGES_DRAWN,)
    kept = translate(place / "edges", photo, degrade="no")
    assert np.array_equal(kept.columns["given"][0], np.array(photo.convert("L")))

    lines = Image.new("L", (16, 16), 255)
    lines.paste(20, (3, 3, 5, 13))
    drawing = translate(place / "edges", lines.convert("RGB"))
    assert np.array_equal(drawing.columns["given"][0], np.array(lines)) and not drawing.notes
    # of a line of two pixels, which is 20 in all of them, both edges are drawn
    again = translate(place / "edges", lines, degrade="yes").columns["given"][0]
    assert torch.equal(again, draw_edges(planes(lines.convert("RGB")))[0])
    assert not np.array_equal(again, np.array(lines))


def test_the_setting_is_refused_where_it_has_no_effect(place: Path, tmp_path: Path):
    photo = draw_photo(1)
    grey = place / "grey"
    refused_in_one_line(lambda: translate(grey, photo, degrade="yes"), "always turned grey")

    wide = tmp_path / "wide"
    wide.mkdir()
    for number in range(4):
        draw_photo(number, side=32).resize((32, 16)).save(wide / f"{number}.png")
    train_two_steps("pix2pix-fast", tmp_path / "plain", f"pairs:{wide}")
    refused_in_one_line(
        lambda: translate(tmp_path / "plain", photo, degrade="no"),
        "is for runs on pairs that were made of images",
    )


def test_the_other_direction_takes_photographs(place: Path, tmp_path: Path):
    """From photographs to drawings: nothing is made worse."""
    data = f"pairs:edges:{place / 'set'}"
    backwards: dict[str, Any] = {"options.direction": "b-to-a"}
    train_two_steps("pix2pix-fast", tmp_path / "run", data, **backwards)
    photo = draw_photo(99)
    result = translate(tmp_path / "run", photo)
    assert torch.equal(result.columns["given"], planes(photo))
    assert result.image.shape == (1, 16, 16)


def test_the_inputs_are_compared_with_the_truth(place: Path, monkeypatch: pytest.MonkeyPatch):
    run = load(place / "small2x")
    monkeypatch.setattr(run.gan, "sample", lambda count, rng, *, image: image)
    values = evaluate(run, metrics=["fidelity"]).values
    for name in ("l1", "psnr", "ssim"):
        assert values[name] == pytest.approx(values[f"given_{name}"])

    grey = evaluate(place / "grey", metrics=["fidelity"]).values
    assert 0 < grey["given_l1"] < 255
    assert "given_l1" not in evaluate(place / "edges", metrics=["fidelity"]).values


def applied(name: str, photo: Image.Image) -> torch.Tensor:
    degradation = parse_degradation(name)
    assert degradation is not None
    with io.BytesIO(to_png(photo)) as file:
        return degradation.apply(planes(Image.open(file)))
