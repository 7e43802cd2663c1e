"""Pairs that are made of images: what side a loses, names, splits, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import refused_in_one_line

from ganvas.data import View, open_dataset
from ganvas.data.dataset import Dataset
from ganvas.data.degradations import DEGRADATIONS, draw_edges, is_drawing, parse_degradation
from ganvas.data.degraded import read_degraded
from ganvas.data.inspect import examine_data
from ganvas.data.kinds import is_everywhere
from ganvas.data.open import survey_sizes
from ganvas.data.sampler import Sampling, orders, unseen
from ganvas.data.test_set import open_test_set
from ganvas.data.view import make_view
from ganvas.evaluation.samples import name_without_place
from ganvas.export.public import hide_places

SIZE = 16


def draw_images(folder: Path, count: int, seed: int = 0) -> Path:
    """Smooth images in colour, each another one, of 24x24 pixels."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for number in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        coarse.resize((24, 24), Image.Resampling.BICUBIC).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def images(tmp_path: Path) -> Path:
    draw_images(tmp_path / "set" / "train", 12)
    draw_images(tmp_path / "set" / "test", 4, seed=1)
    return tmp_path / "set"


def opened(spec: str, **view: Any) -> Dataset:
    return open_dataset(spec, make_view(**{"size": SIZE} | view))


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_side_b_is_the_images_and_side_a_is_made_of_them(images: Path, name: str):
    pairs, plain = opened(f"pairs:{name}:{images}"), opened(str(images))
    degradation = parse_degradation(name)
    assert degradation is not None

    a, b = (torch.from_numpy(np.array(pairs.columns[column])) for column in "ab")
    assert np.array_equal(b, np.array(plain.images))
    assert torch.equal(a, torch.stack([degradation.apply(image) for image in b]))
    assert pairs.schema.channels == {"a": 1 if name in ("grey", "edges") else 3, "b": 3}
    assert pairs.report.degradation == name
    assert pairs.report.steps[-1] == f"side a: {degradation.words}"


def test_grey_is_the_grey_of_files(images: Path):
    # at their own size, since resizing rounds
    a = np.array(opened(f"pairs:grey:{images}", size=24).columns["a"])
    assert np.array_equal(a, np.array(opened(str(images), size=24, channels=1).images))


def test_small_images_have_less_detail_and_blurred_ones_too():
    image = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 32, 32), dtype=np.uint8))
    spread = {name: _apply(name, image).float().std() for name in DEGRADATIONS}
    assert spread["small8x"] < spread["small4x"] < spread["small2x"] < image.float().std()
    assert spread["blur2"] < image.float().std() / 3
    # a wider blur leaves less
    assert _apply("blur4", image).float().std() < spread["blur2"]


def test_noise_has_its_strength_and_belongs_to_the_image():
    grey = torch.full((3, 64, 64), 128, dtype=torch.uint8)
    noise = _apply("noise", grey).float() - 128
    # 12,288 values: the standard error of their spread is 0.16
    assert noise.std().item() == pytest.approx(25, abs=0.8)
    assert noise.mean().abs() < 1
    assert _apply("noise50", grey).float().std() > 1.8 * noise.std()

    assert torch.equal(_apply("noise", grey), _apply("noise25", grey))
    other = _apply("noise", grey + 1).float() - 129
    assert not torch.equal(other, noise)


def test_noise_does_not_depend_on_the_set(tmp_path: Path):
    many = draw_images(tmp_path / "many", 6)
    few = tmp_path / "few"
    few.mkdir()
    for name in ("4.png", "2.png"):
        (few / name).write_bytes((many / name).read_bytes())
    columns = [opened(f"pairs:noise:{place}").columns["a"] for place in (many, few)]
    assert np.array_equal(np.array(columns[0])[[2, 4]], np.array(columns[1]))


def test_edges_are_dark_lines_on_white():
    image = torch.full((3, 32, 32), 220, dtype=torch.uint8)
    assert (draw_edges(image) == 255).all()  # nothing to draw

    image[:, :, 16:] = 60
    edges = draw_edges(image)[0].float()
    assert edges.shape == (32, 32)
    assert (edges[:, :13] == 255).all() and (edges[:, 20:] == 255).all()
    assert (edges[:, 16] < 128).all()  # on the dark side

    assert is_drawing(draw_edges(image)) and is_drawing(draw_edges(image).expand(3, -1, -1))
    assert not is_drawing(image)
    tinted = torch.tensor([255, 250, 200], dtype=torch.uint8).view(3, 1, 1).expand(3, 32, 32)
    assert not is_drawing(tinted)


def test_splits_and_the_set_that_judges(images: Path):
    view = View(size=SIZE)
    train = open_dataset(f"pairs:grey:{images}", view)
    assert train.report.test == f"pairs-test:grey:{images}"
    test = open_test_set(train, view)
    assert test is not None
    assert (len(train), len(test), test.report.spec) == (12, 4, f"pairs-test:grey:{images}")
    assert len(opened(f"pairs:grey:{images}", split="all")) == 16
    assert len(opened(f"pairs-test:grey:{images}")) == 4
    # of more than 8 bits the same values are black and white
    assert test.fingerprint == opened(f"pairs:grey:{images}", split="test").fingerprint


def test_held_out_rows_are_pairs(tmp_path: Path):
    view = View(size=SIZE)
    pairs = open_dataset(f"pairs:small2x:{draw_images(tmp_path / 'set', 12)}", view)
    rows = unseen(orders(pairs, Sampling(0, 2, held_out=4)), view, 4)
    assert rows is not None
    small = torch.stack([_apply("small2x", image) for image in rows["b"]])
    assert torch.equal(rows["a"], small)


def test_sizes_are_those_of_the_images(images: Path):
    survey = survey_sizes(f"pairs:grey:{images}", View())
    assert survey is not None
    assert list(survey.sets.values()) == [{(24, 24): 12}]
    # crops are cut out of larger images
    assert opened(f"pairs:grey:{images}", load_scale=1.25).columns["a"].shape == (12, 1, 20, 20)


def test_built_in_sets_and_arrays(tmp_path: Path):
    digits = open_dataset("pairs:small2x:digits", View())
    assert digits.schema.channels == {"a": 1, "b": 1} and digits.classes == ()
    np.save(tmp_path / "x.npy", np.zeros((5, 16, 16, 3), np.uint8))
    assert len(opened(f"pairs:blur:{tmp_path / 'x.npy'}")) == 5


def test_the_doctor_looks_at_both_sides(images: Path):
    examination, dataset = examine_data(f"pairs:edges:{images}", View(size=SIZE))
    assert (examination.used, examination.degradation) == (12, "edges")
    assert "side a: the edges of b as dark lines on white" in repr(examination)
    assert sorted(dataset.pictures) == ["a", "b"]


def test_names(tmp_path: Path):
    folder = tmp_path / "grey"
    (folder / "A").mkdir(parents=True)
    for spec in (
        f"pairs:{folder}",
        "pairs:C:\\faces",
        "pairs:grey",
        "grey:x",
        f"unpaired:{folder}",
    ):
        assert read_degraded(spec) is None, spec

    found = read_degraded("pairs-test:noise:./faces")
    assert found is not None
    assert (found.degradation.name, found.base) == ("noise25", "./faces")
    assert hide_places(f"pairs:grey:{folder}") == "pairs:grey:grey"
    assert name_without_place(f"pairs:small4x:{folder}") == "pairs:small4x:grey"
    assert is_everywhere("pairs:small2x:fashion-mnist") and not is_everywhere(
        f"pairs:grey:{folder}"
    )


def test_a_folder_may_be_called_like_a_degradation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    place = tmp_path / "grey:x"
    for side in "AB":
        draw_images(place / side, 3)
    monkeypatch.chdir(tmp_path)
    assert opened("pairs:grey:x").report.degradation == ""


def test_what_is_refused(images: Path, tmp_path: Path):
    plain = tmp_path / "grey-images"
    plain.mkdir()
    for number in range(3):
        Image.new("L", (16, 16), 80 * number).save(plain / f"{number}.png")
    for spec, words in {
        f"pairs:gray:{images}": "did you mean grey?",
        f"pairs:small3x:{images}": "write small2x, small4x, small8x",
        f"pairs:small4:{images}": "write small2x, small4x, small8x",
        f"pairs:noise0:{images}": "write noise1 to noise100, or noise for noise25",
        f"pairs:grey2:{images}": "write grey",
        f"pairs:grey:{plain}": "colours are learned from images in colour",
        "pairs:grey:rings": "pairs are made of plain images",
        "pairs:small8x:digits": "needs images of 16 pixels or more",
        f"pairs:grey:{images / 'nothing'}": "no data set and no file or folder",
    }.items():
        view = View() if "digits" in spec or "rings" in spec else View(size=SIZE)
        refused_in_one_line(lambda spec=spec, view=view: open_dataset(spec, view), words)
    grey = f"pairs:grey:{images}"
    refused_in_one_line(lambda: opened(grey, categories="a"), "label maps are none")
    refused_in_one_line(lambda: opened(grey, channels=4), "use --channels 3")


def _apply(name: str, image: torch.Tensor) -> torch.Tensor:
    degradation = parse_degradation(name)
    assert degradation is not None
    return degradation.apply(image)
