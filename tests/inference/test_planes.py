"""Runs whose images have bands, opacity or categories: sampled, written, translated, evaluated."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from short_runs import train_tiny, train_two_steps

import ganvas
from ganvas.errors import UserError
from ganvas.inference.inputs import InputFiles, read_planes
from ganvas.inference.run import Run, load
from ganvas.inference.sample import SampleTask
from ganvas.inference.translate import TranslateTask
from ganvas.inference.write import Output, write
from ganvas.io.image_files import read_raster
from ganvas.io.images import UnreadableError
from ganvas.io.tiff import encode_bands
from ganvas.schema import Schema, read_schema

RANDOM = np.random.default_rng(0)
LABELS = np.array([0, 4, 9], np.uint8)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("planes")
    for folder in ("bands", "sprites", "pairs/A", "pairs/B"):
        (place / folder).mkdir(parents=True)
    for number in range(8):
        bands = RANDOM.integers(0, 256, (8, 8, 5), np.uint8)
        (place / "bands" / f"{number}.tif").write_bytes(encode_bands(bands))
        Image.fromarray(bands[:, :, :4]).save(place / "sprites" / f"{number}.png")
        labels = LABELS[RANDOM.integers(0, 3, (16, 16))]
        Image.fromarray(labels).save(place / "pairs" / "A" / f"{number}.png")
        image = RANDOM.integers(0, 256, (16, 16, 3), np.uint8)
        Image.fromarray(image).save(place / "pairs" / "B" / f"{number}.png")
    return place


def train_sampler(place: Path, name: str, channels: int) -> Run:
    settings = {"size": 8, "options.hidden": 8, "stop_below": {}, "channels": channels}
    return train_tiny("mnist-mlp", place / f"{name}-run", 12, place / name, **settings)


@pytest.fixture(scope="module")
def bands(place: Path) -> Run:
    return train_sampler(place, "bands", 5)


@pytest.fixture(scope="module")
def sprites(place: Path) -> Run:
    return train_sampler(place, "sprites", 4)


@pytest.fixture(scope="module")
def labels(place: Path) -> Run:
    """Label maps to images."""
    spec = f"pairs:{place / 'pairs'}"
    return train_two_steps("pix2pix-fast", place / "labels-run", spec, categories="a")


def test_bands_are_written_as_tiff(bands: Run, tmp_path: Path):
    assert bands.sample(2).shape == (2, 5, 8, 8)
    assert bands.grid(4).mode == "RGB"

    *_, line = write(SampleTask(3), bands, Output(tmp_path / "out"))
    assert "3 images" in " ".join(write(SampleTask(3), bands, Output(tmp_path / "again"))) and line
    files = sorted((tmp_path / "out").glob("*.tif"))
    assert len(files) == 3 and (tmp_path / "out" / "sheets" / "grid.png").exists()
    values = read_raster(files[0].read_bytes()).values
    pixels = (bands.sample(1)[0].permute(1, 2, 0).numpy() + 1) * 127.5
    assert values.shape == (8, 8, 5)
    assert np.abs(values - pixels).max() <= 0.5 + 1e-3

    # they are data again
    assert ganvas.data(tmp_path / "out", channels=5).used == 3


def test_bands_in_another_format_are_refused(bands: Run, sprites: Run, tmp_path: Path):
    for run, message in ((bands, "written as TIFF"), (sprites, "no transparency")):
        output = Output(tmp_path / "out", "jpg")
        with pytest.raises(UserError, match=message):
            list(write(SampleTask(1), run, output))


def test_bands_are_evaluated(bands: Run):
    found = ganvas.evaluate(bands, count=64, metrics="density", features="random")
    assert "density" in str(found)
    with pytest.raises(UserError, match="these have 5 channels: use --features random"):
        ganvas.evaluate(bands, count=64, features="lite0")


def test_sprites_have_transparency(sprites: Run, tmp_path: Path):
    list(write(SampleTask(2), sprites, Output(tmp_path / "out")))
    with Image.open(sorted((tmp_path / "out").glob("*.png"))[0]) as written:
        assert written.mode == "RGBA"
    (picture,) = sprites.sample(1, as_images=True)
    assert picture.mode == "RGBA"
    assert sprites.grid(4).mode == "RGB"
    with pytest.raises(UserError, match="4 channels; grey and RGB can be restored"):
        ganvas.restore(sprites, tmp_path / "out", box="1,1,3,3")


def test_label_maps_are_translated_as_they_were_learnt(labels: Run, place: Path, tmp_path: Path):
    assert labels.gan.schema.names == {"a": ("0", "4", "9")}
    assert labels.gan.schema.channels == {"a": 3, "b": 3}
    task = TranslateTask(InputFiles((place / "pairs" / "A",)))
    list(write(task, load(labels.folder), Output(tmp_path / "out")))
    assert len(list((tmp_path / "out").glob("*.png"))) == 8
    sheet = Image.open(tmp_path / "out" / "sheets" / "sheet.png").convert("RGB")
    assert len({colour for _, colour in sheet.getcolors(2**24) or ()}) > 3

    # another map with a label that training did not see
    odd = tmp_path / "odd.png"
    Image.fromarray(np.full((16, 16), 7, np.uint8)).save(odd)
    lines = write(TranslateTask(InputFiles((odd,))), labels, Output(tmp_path / "odd"))
    with pytest.raises(UserError, match="did not see; it saw 0, 4, 9"):
        list(lines)


def test_images_become_label_maps(place: Path, tmp_path: Path):
    spec = f"pairs:{place / 'pairs'}"
    settings = {"categories": "a", "options.direction": "b-to-a"}
    run = train_two_steps("pix2pix-fast", place / "maps-run", spec, **settings)
    task = TranslateTask(InputFiles((place / "pairs" / "B" / "0.png",)))
    list(write(task, run, Output(tmp_path / "out")))
    with Image.open(tmp_path / "out" / "0.png") as written:
        assert written.mode == "P"
        assert set(np.unique(np.array(written))) <= set(LABELS.tolist())


def test_bands_are_translated(tmp_path: Path):
    data = tmp_path / "data"
    for side in ("A", "B"):
        (data / side).mkdir(parents=True)
        for number in range(4):
            bands = RANDOM.integers(0, 256, (16, 16, 5), np.uint8)
            (data / side / f"{number}.tif").write_bytes(encode_bands(bands))

    def translate(channels: int) -> list[tuple[int, ...]]:
        settings = {"channels": channels}
        place = tmp_path / str(channels)
        run = train_two_steps("pix2pix-fast", place / "run", f"pairs:{data}", **settings)
        list(write(TranslateTask(InputFiles((data / "A",))), run, Output(place / "out")))
        files = [file for file in sorted((place / "out").iterdir()) if file.is_file()]
        return [read_raster(file.read_bytes()).values.shape for file in files]

    assert translate(5) == [(16, 16, 5)] * 4
    assert translate(3) == [(16, 16, 3)] * 4  # of the first three bands


def test_new_files_are_read_in_the_range_of_training():
    schema = read_schema(
        {
            "size": 4,
            "channels": {"a": 1, "b": 3},
            "unpaired": False,
            "ranges": {"a": [-1000.0, 1000.0, False]},
        }
    )
    assert Schema(**schema.model_dump()) == schema
    file = io.BytesIO()
    Image.fromarray(np.array([[-1000, 0], [500, 2000]], np.int32)).save(file, "TIFF")
    assert read_planes(file.getvalue(), schema, "a").tolist() == [[[0, 128], [191, 255]]]
    with pytest.raises(UnreadableError):
        read_planes(file.getvalue(), schema, "b")
