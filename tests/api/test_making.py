"""`ganvas.sample`, `translate` and `restore`: results in memory; files where one is named."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from short_runs import train_digits, train_mlp, train_points, train_two_steps
from tiny import refused_in_one_line

import ganvas
from ganvas.io.images import to_pil, to_uint8


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ganvas.Run:
    return train_mlp(tmp_path_factory.mktemp("mlp") / "run", 24)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> ganvas.Run:
    return train_digits(tmp_path_factory.mktemp("digits") / "run")


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> ganvas.Run:
    return train_points(tmp_path_factory.mktemp("points") / "run")


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> ganvas.Run:
    """A GAN that translates, trained on drawn pairs."""
    place = tmp_path_factory.mktemp("pairs")
    for number in range(4):
        Image.new("RGB", (32, 16), (60 * number, 90, 30)).save(place / f"{number}.png")
    out = tmp_path_factory.mktemp("translator") / "run"
    return train_two_steps("pix2pix-fast", out, f"pairs:{place}", **{"options.blocks": 1})


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# Samples


def test_samples_are_those_of_the_run_and_nothing_is_written(run: ganvas.Run):
    before = files_in(run.folder)
    found = ganvas.sample(run, count=5, seed=3)

    expected = [to_pil(image) for image in to_uint8(run.sample(5, seed=3))]
    assert [image.tobytes() for image in found] == [image.tobytes() for image in expected]
    assert len(found) == 5
    assert found.names == [f"0000{number}" for number in range(5)]
    assert found[1:3] == found.images[1:3]
    assert (found.labels, found.points, found.notes) == ([], None, [])
    assert files_in(run.folder) == before


def test_a_folder_and_a_loaded_run_give_the_same(run: ganvas.Run):
    one, other = ganvas.sample(run, count=2), ganvas.sample(str(run.folder), count=2, device="cpu")
    assert [image.tobytes() for image in one] == [image.tobytes() for image in other]
    refused_in_one_line(lambda: ganvas.sample(run, device="cpu"), "loaded already")
    refused_in_one_line(lambda: ganvas.sample(run, ema=False), "loaded already")


def test_classes_by_name_and_number(digits: ganvas.Run):
    assert ganvas.sample(digits, count=12).labels == [*map(str, range(10)), "0", "1"]
    by_name, by_number = (ganvas.sample(digits, count=3, label=label) for label in ("3", 3))
    assert by_name.labels == ["3", "3", "3"]
    assert [image.tobytes() for image in by_name] == [image.tobytes() for image in by_number]


def test_out_grid_and_interpolate_write(run: ganvas.Run, tmp_path: Path):
    found = ganvas.sample(
        run,
        count=4,
        out=tmp_path / "set",
        format="jpg",
        grid=tmp_path / "grid.png",
        columns=4,
        interpolate=tmp_path / "walk.gif",
    )
    assert files_in(tmp_path) == {
        *(f"set/0000{number}.jpg" for number in range(4)),
        "grid.png",
        "walk.gif",
    }
    assert len(found.notes) == 3
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.size == found.sheets[0].size
        assert grid.width > 3 * grid.height


def test_a_wrong_argument_leaves_nothing_behind(run: ganvas.Run, tmp_path: Path):
    out = tmp_path / "set"
    refused_in_one_line(
        lambda: ganvas.sample(run, out=out, interpolate=tmp_path / "walk.png"), r"\.gif"
    )
    refused_in_one_line(lambda: ganvas.sample(run, count=0, out=out), "at least one")
    refused_in_one_line(lambda: ganvas.sample(run, box=(1, 2, 3, 4), invert=True), "invert cannot")
    refused_in_one_line(lambda: ganvas.sample(run, caption="a bird", out=out), "without captions")
    assert files_in(tmp_path) == set()


def test_inverted_samples(run: ganvas.Run):
    (plain,), (turned,) = (ganvas.sample(run, count=1, invert=value) for value in (False, True))
    sums = np.asarray(plain).astype(int) + np.asarray(turned)
    assert set(np.unique(sums)) <= {254, 255, 256}  # rounded twice


def test_points(points: ganvas.Run, tmp_path: Path):
    found = ganvas.sample(points, count=40)
    assert found.images == []
    assert found.points is not None
    assert torch.equal(torch.from_numpy(found.points), points.sample(40).flatten(1))
    assert "40 points" in repr(found)
    assert len(found.sheets) == 1

    ganvas.sample(points, count=3, out=tmp_path / "points")
    assert files_in(tmp_path / "points") == {"points.csv"}


def test_samples_show_as_a_sheet(run: ganvas.Run):
    found = ganvas.sample(run, count=3)
    assert repr(found) == "<Results: 3 images>"
    assert found._repr_html_().count("data:image/png") == 1


# Translation and restoration


def test_images_in_memory_and_in_files_are_translated(translator: ganvas.Run, tmp_path: Path):
    image = Image.new("RGB", (20, 20), (10, 200, 30))
    image.save(tmp_path / "photo.png")

    before = files_in(translator.folder)
    found = ganvas.translate(translator, [image, tmp_path / "photo.png", image.convert("CMYK")])
    assert found.names == ["image", "photo", "image-2"]
    assert found[0].size == (20, 20)  # though the GAN sees 16x16
    assert any(note.startswith("translated at 16x16, enlarged to 20x20") for note in found.notes)
    assert found[0].tobytes() == found[1].tobytes()
    assert len(found.sheets) == 1
    assert files_in(translator.folder) == before

    clear = Image.new("RGBA", (20, 30), (10, 200, 30, 128))
    (result,) = ganvas.translate(translator, clear)
    assert (result.mode, result.size) == ("RGBA", (20, 30))
    assert np.array_equal(np.asarray(result)[..., 3], np.asarray(clear)[..., 3])

    written = ganvas.translate(translator, image, out=tmp_path / "out")
    assert files_in(tmp_path / "out") == {"image.png", "sheets/sheet.png"}
    assert any(str(tmp_path / "out") in note for note in written.notes)
    refused_in_one_line(lambda: ganvas.translate(translator, image, to="c"), "generates only")
    refused_in_one_line(
        lambda: ganvas.translate(translator, image, attributes={"Glasses": True}), "no attributes"
    )


def test_a_hole_is_filled(run: ganvas.Run, tmp_path: Path):
    image = Image.new("L", (16, 16), 128)
    image.paste(255, (4, 4, 8, 8))

    found = ganvas.restore(run, image, box=(4, 4, 4, 4), candidates=2, steps=1)
    (restored,) = found
    outside = np.ones((16, 16), bool)
    outside[4:8, 4:8] = False
    assert (np.asarray(restored)[outside] == 128).all()
    assert list(found.others) == ["candidates/image-2.png"]
    assert len(found.sheets) == 1
    assert len(found.notes) == len(set(found.notes))

    refused_in_one_line(lambda: ganvas.restore(run, image, steps=0), "With --project")
    assert len(ganvas.restore(run, image, project=True, candidates=1, steps=0)) == 1

    written = ganvas.restore(run, image, box="4,4,4,4", steps=0, out=tmp_path / "out")
    assert "image.png" in files_in(tmp_path / "out")
    assert len(written.notes) == len(set(written.notes))
