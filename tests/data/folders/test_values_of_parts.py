"""What values mean, in frames and tiles: one meaning for all parts of a set."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.data import View, open_dataset
from ganvas.io import image_files
from ganvas.io.values import Reading, ValueRange

RANDOM = np.random.default_rng(0)


def write_pages(path: Path, pages: list[np.ndarray]) -> None:
    first, *others = map(Image.fromarray, pages)
    path.parent.mkdir(parents=True, exist_ok=True)
    first.save(path, save_all=True, append_images=others)


def test_pages_share_one_range(tmp_path: Path):
    # the highest value stands on the last page, which no first look sees
    pages = [RANDOM.integers(0, white, (16, 16)).astype(np.uint16) for white in (900, 900, 3000)]
    pages[0][0, 0], pages[2][0, 0] = 800, 2900
    write_pages(tmp_path / "set" / "1.tif", pages)
    dataset = open_dataset(str(tmp_path / "set"), View(size=16, frames="all"))
    assert dataset.report.ranges == {"image": (0, 4095, False)}
    assert dataset.report.parts == [3]
    wanted = np.round(np.stack(pages) * (255 / 4095))
    assert np.array_equal(dataset.columns["image"][:, 0], wanted)


def test_labels_of_all_pages_are_categories(tmp_path: Path):
    for name, labels in (("1", (0, 7)), ("2", (3, 4))):
        pages = [np.full((16, 16), label, np.uint8) for label in labels]
        write_pages(tmp_path / "set" / f"{name}.tif", pages)
    view = View(size=16, frames="all", categories="image")
    dataset = open_dataset(str(tmp_path / "set"), view)
    assert dataset.report.categories == {"image": ("0", "3", "4", "7")}
    assert not dataset.report.skipped
    assert dataset.columns["image"][:, :, 0, 0].argmax(1).tolist() == [0, 3, 1, 2]


@pytest.mark.parametrize("size", [16, 48])  # 48: the images are enlarged before they are cut
def test_tiles_of_label_maps_mix_no_labels(tmp_path: Path, size: int):
    maps = (np.arange(60) // 20).astype(np.uint8)[None].repeat(40, 0)  # three stripes
    for number in range(2):
        noise = RANDOM.integers(0, 256, (40, 60)).astype(np.uint8)
        write_pages(tmp_path / "set" / f"{number}.png", [np.concatenate([noise, maps], 1)])

    view = View(size=size, fit="tiles", categories="b")
    dataset = open_dataset(f"pairs:{tmp_path / 'set'}", view)
    assert dataset.report.categories == {"b": ("0", "1", "2")}
    planes = dataset.columns["b"]  # uint8 (N, 3, size, size)
    assert len(planes) == len(dataset.columns["a"]) == sum(dataset.report.parts)
    assert ((planes == 255).sum(1) == 1).all()
    assert ((planes == 0).sum(1) == 2).all()


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [(np.uint16, 0, 3000), (np.float32, -1000, 2000)]
)
def test_scenes_read_in_bands_have_the_sets_range(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: type, low: int, high: int
):
    for module in ("image_files", "strips"):
        monkeypatch.setattr(f"ganvas.io.{module}.MAX_PIXELS", 2000)
    monkeypatch.setattr("ganvas.data.parts.BAND", 1500)

    scene = RANDOM.integers(low, high, (64, 64)).astype(dtype)
    scene[0, 0], scene[40, 0], scene[63, 63] = low, low, high
    scene[:30] = scene[:30] // 10  # the first band holds less
    (tmp_path / "set").mkdir()
    Image.fromarray(scene).save(tmp_path / "set" / "1.tif")

    dataset = open_dataset(str(tmp_path / "set"), View(size=16, fit="tiles"))
    ((black, white, _),) = dataset.report.ranges.values()
    assert (black, white) == ((0, 4095) if dtype is np.uint16 else (low, high))
    wanted = (scene.astype(np.float64) - black) * (255 / (white - black))
    tiles = wanted.reshape(4, 16, 4, 16).swapaxes(1, 2).reshape(16, 16, 16)
    assert np.array_equal(dataset.columns["image"][:, 0], np.round(tiles))


def test_only_usual_values_are_decoded_at_a_fraction():
    file = io.BytesIO()
    Image.fromarray(RANDOM.integers(0, 256, (64, 64, 3)).astype(np.uint8)).save(file, "JPEG")
    content = file.getvalue()
    assert image_files.read(content, 3, least=16).pixels.shape == (3, 16, 16)
    reading = Reading(ValueRange(0, 100, every=True))
    read = image_files.read(content, 3, least=16, reading=reading)
    assert (read.pixels.shape, read.size) == ((3, 64, 64), (64, 64))
