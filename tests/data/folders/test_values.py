"""What the values of a set mean: one range, bands, opacity, and categories for all files alike."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.data import Dataset, View, open_dataset
from ganvas.data.report import WARNING
from ganvas.data.view import PinnedView, parse_range
from ganvas.errors import UserError
from ganvas.inference.inputs import read_planes
from ganvas.io.tiff import encode_bands

SIDE = 8
VIEW = View(size=SIDE)


def draw(seed: int, bands: int = 1) -> np.ndarray:
    """Smooth values in [0, 1], float64 (SIDE, SIDE, bands), with both ends."""
    y, x = np.mgrid[:SIDE, :SIDE]
    waves = [np.sin(x / (2 + band) + y / 3 + seed) for band in range(bands)]
    values = np.stack(waves, 2)
    return (values - values.min()) / (values.max() - values.min())


def write(folder: Path, images: list[np.ndarray], ending: str = "png") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for number, values in enumerate(images):
        file = folder / f"{len(list(folder.iterdir())):03}.{ending}"
        if values.ndim == 3 and values.shape[2] not in (3, 4):
            file.write_bytes(encode_bands(values))
        else:
            Image.fromarray(values).save(file)
        assert number < 100
    return str(folder)


def grey(count: int, scale: float, kind: type, offset: float = 0) -> list[np.ndarray]:
    return [(draw(seed)[:, :, 0] * scale + offset).astype(kind) for seed in range(count)]


def see(dataset: Dataset, scale: float, low: float, high: float, offset: float = 0) -> None:
    """Compare the pixels with those of the drawn values in a range, in float64."""
    for seed, image in enumerate(dataset.images):
        exact = (draw(seed)[:, :, 0] * scale + offset - low) / (high - low) * 255
        # half a step of rounding, and a value cut to a whole number
        assert np.abs(image[0] - exact).max() <= 0.5 + 255 / (high - low)


@pytest.mark.parametrize(
    ("scale", "kind", "offset", "ending", "found"),
    [
        (4080, np.uint16, 0, "png", (0, 4095)),
        (4080, np.uint16, 0, "tif", (0, 4095)),
        (3000, np.int32, -1024, "tif", (-1024, 1976)),
        (0.9, np.float32, 0, "tif", (0, 1)),
        (2, np.float32, -1, "tif", (-1, 1)),
        (200, np.float32, 0, "tif", (0, 255)),
    ],
)
def test_one_range_for_all_files(tmp_path, scale, kind, offset, ending, found):
    # the first images alone would look like another range: their values are a tenth
    images = grey(12, scale, kind, offset)
    images[:4] = [(image * 0.1).astype(kind) for image in images[:4]]
    spec = write(tmp_path / "set", images, ending)
    dataset = open_dataset(spec, VIEW)

    report = dataset.report
    low, high = found
    assert report.ranges == {"image": (low, high, False)}
    assert len(dataset) == 12 and not report.skipped
    assert f"8 bits: {low:g}..{high:g} become 0..255" in "\n".join(report.steps)
    assert dataset.schema.ranges == report.ranges
    assert dataset.images[0].max() <= max(26, dataset.images[5].max() / 5) or low < 0
    assert dataset.images[4:].max() > 190


def test_values_are_what_was_drawn(tmp_path):
    dataset = open_dataset(write(tmp_path / "set", grey(5, 4080, np.uint16)), VIEW)
    see(dataset, 4080, 0, 4095)
    given = open_dataset(str(tmp_path / "set"), View(size=SIDE, range=(0, 8000)))
    see(given, 4080, 0, 8000)
    assert given.fingerprint != dataset.fingerprint
    assert given.report.ranges == {"image": (0, 8000, True)}


def test_a_range_that_the_first_look_missed_is_widened(tmp_path, monkeypatch):
    monkeypatch.setattr("ganvas.data.folders.values.LOOKED_AT", 2)
    images = grey(9, 900, np.uint16)
    images[4] = (images[4] * 4).astype(np.uint16)  # neither the first nor the last
    dataset = open_dataset(write(tmp_path / "set", images), VIEW)
    assert dataset.report.ranges == {"image": (0, 4095, False)}
    assert dataset.images[4].max() == round(3600 / 4095 * 255)


def test_16_bits_under_another_name_are_found_out(tmp_path):
    spec = write(tmp_path / "set", grey(5, 4080, np.uint16))
    for file in Path(spec).iterdir():
        file.rename(file.with_suffix(".jpg"))
    dataset = open_dataset(spec, VIEW)
    see(dataset, 4080, 0, 4095)


def test_8_bits_beside_16_keep_their_own_range(tmp_path):
    folder = tmp_path / "set"
    write(folder, grey(3, 4080, np.uint16))
    dataset = open_dataset(write(folder, grey(3, 255, np.uint8)), VIEW)
    (note,) = [note for note in dataset.report.notes if "beside others" in note]
    assert note.startswith("3 images of 8 bits") and "here 0..4095" in note
    assert np.abs(dataset.images[:3].astype(int) - dataset.images[3:]).max() <= 1


def test_values_outside_a_given_range_are_counted(tmp_path):
    spec = write(tmp_path / "set", grey(4, 4080, np.uint16))
    dataset = open_dataset(spec, View(size=SIDE, range=(0, 2000)))
    (note,) = [note for note in dataset.report.notes if "clipped" in note]
    assert note.startswith("4 images with values outside 0..2000")
    assert note.endswith("from 0 to 4080")


def test_a_file_with_values_that_are_no_numbers_is_left_out(tmp_path):
    images = grey(4, 1, np.float32)
    images[1][0, 0] = np.nan
    report = open_dataset(write(tmp_path / "set", images, "tif"), VIEW).report
    assert report.used == 3
    assert report.skipped[0].reason == "holds values that are no numbers, or infinite"


def test_a_set_that_uses_little_of_its_range_is_a_warning(tmp_path):
    dim = write(tmp_path / "dim", grey(4, 20, np.uint8))
    (note,) = open_dataset(dim, VIEW).report.notes
    assert note.startswith(WARNING) and "less than a tenth of 0..255" in note
    assert "--range 0,20" in note and "--categories image" in note

    given = open_dataset(dim, View(size=SIDE, range=(0, 20)))
    assert given.report.notes == []
    assert np.ptp(given.images) > 200
    bright = write(tmp_path / "bright", grey(4, 40, np.uint8))
    assert open_dataset(bright, VIEW).report.notes == []


@pytest.mark.parametrize("text", ["5", "1,2,3", "low,high", "", "0,"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(UserError, match="write LOW,HIGH"):
        parse_range(text)


@pytest.mark.parametrize("bounds", [(5, 5), (9, 2), (0, float("nan"))])
def test_ranges_have_a_width(bounds):
    with pytest.raises(ValueError, match="LOW,HIGH"):
        View(range=bounds)


# Bands and opacity


def bands(count: int, number: int = 5) -> list[np.ndarray]:
    return [(draw(seed, number) * 255).astype(np.uint8) for seed in range(count)]


def test_bands_are_used_as_far_as_channels_ask(tmp_path):
    spec = write(tmp_path / "five", bands(4), "tif")
    for channels, used in ((None, 3), (3, 3), (1, 1), (2, 2), (5, 5)):
        dataset = open_dataset(spec, View(size=SIDE, channels=channels))
        assert dataset.images.shape[1] == used and dataset.kind == "image"
        for image, values in zip(dataset.images, bands(4)):
            assert np.array_equal(image, values.transpose(2, 0, 1)[:used])
        dropped = [note for note in dataset.report.notes if "--channels 5" in note]
        assert len(dropped) == (used < 5)
    assert open_dataset(spec, View(size=SIDE, channels=5)).describe() == "8x8 of 5 bands"

    with pytest.raises(UserError, match="has 5 bands, not 6"):
        open_dataset(spec, View(size=SIDE, channels=6))


def rgba(count: int) -> list[np.ndarray]:
    """Opaque discs on nothing."""
    images = [(draw(seed, 4) * 255).astype(np.uint8) for seed in range(count)]
    for image in images:
        image[:, :, 3] = np.where(image[:, :, 3] > 120, 255, 0)
    return images


def test_opacity_is_kept_with_four_channels(tmp_path):
    dataset = open_dataset(write(tmp_path / "set", rgba(4)), View(size=SIDE, channels=4))
    assert dataset.schema.planes("image").kind == "alpha"
    assert dataset.describe() == "8x8 rgba"
    assert "4 images transparent: opacity is kept" in dataset.report.steps[0]
    for image, values in zip(dataset.images, rgba(4)):
        assert np.array_equal(image[3], values[:, :, 3])
        assert (image[:3, values[:, :, 3] == 0] == 0).all()

    opaque = write(tmp_path / "opaque", [image[:, :, :3] for image in rgba(3)])
    dataset = open_dataset(opaque, View(size=SIDE, channels=4))
    assert (dataset.images[:, 3] == 255).all()
    assert any("no image has transparency" in note for note in dataset.report.notes)


def test_a_measured_fourth_band_is_no_opacity(tmp_path):
    spec = write(tmp_path / "set", bands(4, 6), "tif")
    dataset = open_dataset(spec, View(size=SIDE, channels=4))
    assert dataset.schema.planes("image").kind == "bands"
    assert np.array_equal(dataset.images[0], bands(1, 6)[0].transpose(2, 0, 1)[:4])


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize(("channels", "kind"), [(3, "colour"), (4, "bands")])
def test_declared_opacity_is_a_band_on_request(tmp_path, ending, channels, kind):
    spec = write(tmp_path / "set", rgba(3), ending)
    usual = open_dataset(spec, View(size=SIDE, channels=channels))
    dataset = open_dataset(spec, View(size=SIDE, channels=channels, ignore_alpha=True))
    assert dataset.schema.planes("image").kind == kind
    assert not any("transparent:" in step for step in dataset.report.steps)
    assert any("is ignored" in step for step in dataset.report.steps)
    assert not np.array_equal(dataset.images[0], usual.images[0])
    for image, values in zip(dataset.images, rgba(3)):
        assert np.array_equal(image, values.transpose(2, 0, 1)[:channels])

    # other files are read alike by what is trained on it
    content = (tmp_path / "set" / f"000.{ending}").read_bytes()
    planes = read_planes(content, dataset.schema, "image")
    assert np.array_equal(planes.numpy(), dataset.images[0])


def test_grey_with_declared_opacity_is_grey_on_request(tmp_path):
    pictures = [Image.fromarray(image[:, :, 2:], "LA") for image in rgba(2)]
    for number, picture in enumerate(pictures):
        picture.save(tmp_path / f"{number}.png")
    dataset = open_dataset(str(tmp_path), View(size=SIDE, ignore_alpha=True))
    assert np.array_equal(dataset.images[0, 0], rgba(1)[0][:, :, 2])


def test_four_bands_beside_declared_opacity_are_four_bands(tmp_path):
    for number, values in enumerate(bands(2)):
        # the tag ExtraSamples of the bands beyond the first; 2 is opacity
        content = bytearray(encode_bands(values))
        (place,) = struct.unpack_from(
            "<I", content, content.index(struct.pack("<HHI", 338, 3, 4)) + 8
        )
        struct.pack_into("<4H", content, place, 0, 0, 0, 2)
        (tmp_path / f"{number}.tif").write_bytes(content)
    dataset = open_dataset(str(tmp_path), View(size=SIDE, channels=4))
    assert dataset.report.modes == {"LA+3": 2}
    assert dataset.schema.planes("image").kind == "bands"
    assert np.array_equal(dataset.images[0], bands(1)[0].transpose(2, 0, 1)[:4])


def test_ignoring_opacity_is_for_files():
    with pytest.raises(UserError, match="--ignore-alpha is for image files"):
        open_dataset("digits", View(ignore_alpha=True))


# Label maps


@pytest.fixture
def pairs(tmp_path) -> Path:
    """Maps of the labels 0, 4 and 9 beside images, with a test set that lacks one of them."""
    for split, labels in (("train", [0, 4, 9]), ("test", [0, 9])):
        for number in range(4):
            y, x = np.mgrid[:16, :16]
            which = ((x // 5 + y // 6 + number) % len(labels)).astype(int)
            maps = np.array(labels, np.uint8)[which]
            (tmp_path / split / "A").mkdir(parents=True, exist_ok=True)
            (tmp_path / split / "B").mkdir(parents=True, exist_ok=True)
            Image.fromarray(maps).save(tmp_path / split / "A" / f"{number}.png")
            image = np.repeat(maps[:, :, None] * 20, 3, axis=2)
            Image.fromarray(image).save(tmp_path / split / "B" / f"{number}.png")
    return tmp_path


def test_labels_become_planes(pairs):
    view = View(size=8, categories="a", channels=3)
    dataset = open_dataset(f"pairs:{pairs}", view)
    assert dataset.report.categories == {"a": ("0", "4", "9")}
    assert dataset.schema.names["a"] == ("0", "4", "9")
    assert dataset.schema.channels == {"a": 3, "b": 3}
    assert dataset.channels == 3

    # each pixel is of one category, and that of the nearest pixel of the file
    planes = np.asarray(dataset.columns["a"])
    assert set(np.unique(planes)) == {0, 255}
    assert (planes.sum(1, dtype=int) == 255).all()
    labels = np.asarray(Image.open(pairs / "train" / "A" / "0.png"))
    assert np.array_equal(np.array([0, 4, 9])[planes[0].argmax(0)], labels[1::2, 1::2])


def test_a_test_set_has_the_planes_of_its_training_set(pairs):
    train = open_dataset(f"pairs:{pairs}", View(size=16, categories="a"))
    view = View(size=16, categories="a")
    seen = view.pinned(train.report.ranges, train.report.categories)
    assert isinstance(seen, PinnedView)
    test = open_dataset(f"pairs-test:{pairs}", seen)
    assert test.schema.channels == {"a": 3, "b": 3} and test.schema.names["a"] == ("0", "4", "9")
    assert not test.columns["a"][:, 1].any()  # no pixel is 4 there

    Image.fromarray(np.full((16, 16), 5, np.uint8)).save(pairs / "test" / "A" / "0.png")
    skipped = open_dataset(f"pairs-test:{pairs}", seen).report.skipped
    assert [item.file for item in skipped] == ["0"]
    assert "none of the categories 0, 4, 9" in skipped[0].reason


def test_labels_of_halves(tmp_path):
    for number in range(3):
        halves = np.zeros((8, 16, 3), np.uint8)
        halves[:, :4] = (0, 0, 200)
        halves[:, 8:] = np.random.default_rng(number).integers(0, 256, (8, 8, 3))
        Image.fromarray(halves).save(tmp_path / f"{number}.png")
    dataset = open_dataset(f"pairs:{tmp_path}", View(size=8, categories="a"))
    assert dataset.schema.names["a"] == ("#000000", "#0000c8")
    assert dataset.columns["a"][0].argmax(0).tolist() == [[1] * 4 + [0] * 4] * 8


def test_maps_that_are_none_are_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (3, 16, 16), np.uint8)
    spec = write(tmp_path / "smooth", list(noise))
    with pytest.raises(UserError, match="different values, and 64 categories are the most"):
        open_dataset(spec, View(size=SIDE, categories="image"))
    with pytest.raises(UserError, match=r"no such column of images; it has image"):
        open_dataset(spec, View(size=SIDE, categories="a"))
    with pytest.raises(UserError, match="is no folder or zip"):
        open_dataset("digits", View(categories="image"))
    with pytest.raises(UserError, match="--range is for the values of files and arrays"):
        open_dataset("digits", View(range=(0, 3)))


def test_random_crops_never_mix_labels(pairs):
    dataset = open_dataset(f"pairs:{pairs}", View(size=8, categories="a", load_scale=1.25))
    batch = dataset.batch(np.arange(4))
    assert set(torch.unique(batch["a"]).tolist()) == {0, 255}
