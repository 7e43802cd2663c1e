"""Files that give several images: frames, pages, films, and tiles of large scenes."""

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.data import View, open_dataset
from ganvas.data.split import split
from ganvas.data.tiles import Tile, list_tiles
from ganvas.errors import UserError
from ganvas.io import formats, image_files, strips

SIDE = 16


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "set").mkdir()
    return tmp_path / "set"


def grey(value: int) -> Image.Image:
    return Image.new("L", (SIDE, SIDE), value)


def save_pages(path: Path, values: list[int], **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = map(grey, values)
    first.save(path, save_all=True, append_images=others, **options)


def values_of(spec: Path | str, **look) -> list[int]:
    """The grey value of each row, in the middle."""
    found = open_dataset(str(spec), View(channels=1, **look))
    return next(iter(found.columns.values()))[:, 0, 8, 8].tolist()


# Frames and pages


def test_one_page_of_each_is_used_and_said_so(folder):
    save_pages(folder / "a.tif", [0, 50, 100])
    save_pages(folder / "b.gif", [10, 60])
    grey(200).save(folder / "c.png")
    report = open_dataset(str(folder), View()).report
    assert values_of(folder) == [0, 10, 200]
    assert report.notes == [
        "2 files hold 5 frames or pages; one of each is used; --frames all uses all"
    ]


def test_all_frames_are_rows(folder):
    save_pages(folder / "a.tif", [0, 50, 100])
    save_pages(folder / "b.gif", [10, 60])
    grey(200).save(folder / "c.png")
    assert values_of(folder, frames="all") == [0, 50, 100, 10, 60, 200]
    assert values_of(folder, frames=2) == [0, 100, 10, 200]
    report = open_dataset(str(folder), View(frames="all")).report
    assert (report.found, report.used, report.notes) == (6, 6, [])
    assert "2 files give 5 frames or pages" in report.steps


def test_labels_are_those_of_the_file_and_frames_have_names(folder):
    save_pages(folder / "dogs" / "a.gif", [10, 60, 10])
    save_pages(folder / "cats" / "b.tif", [5, 5])
    found = open_dataset(str(folder), View(frames="all", labels="folders"))
    assert found.labels is not None
    assert found.labels.tolist() == [0, 0, 1, 1, 1]
    assert found.report.classes == {"cats": 2, "dogs": 3}
    assert found.report.copies == [
        ["cats/b.tif#1", "cats/b.tif#2"],
        ["dogs/a.gif#1", "dogs/a.gif#3"],
    ]


def test_pages_of_pairs_belong_together(folder):
    save_pages(folder / "A" / "1.tif", [0, 50])
    save_pages(folder / "B" / "1.tif", [100, 150])
    save_pages(folder / "A" / "2.tif", [7, 8])
    save_pages(folder / "B" / "2.tif", [9])
    found = open_dataset(f"pairs:{folder}", View(frames="all", channels=1))
    a, b = found.columns["a"][:, 0, 0, 0].tolist(), found.columns["b"][:, 0, 0, 0].tolist()
    assert (a, b) == ([0, 50, 7], [100, 150, 9])
    (skipped,) = found.report.skipped
    assert skipped.reason == "after #1: its files differ in their frames: one ends after 1"


def test_what_gives_one_image_a_file_takes_no_frames():
    with pytest.raises(UserError, match="--frames all is for folders"):
        open_dataset("digits", View(frames="all"))
    with pytest.raises(UserError, match="--fit tiles is for folders"):
        open_dataset("figures", View(fit="tiles", size=8))
    with pytest.raises(ValueError, match="overlap is for fit=tiles"):
        View(overlap=0.5)


# Films


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """Ten frames that grow lighter."""
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    path = tmp_path_factory.mktemp("film") / "clip.mp4"
    writer = ffmpeg.write_frames(str(path), (32, 16), fps=10, macro_block_size=16)
    writer.send(None)
    for number in range(10):
        writer.send(np.full((16, 32, 3), 20 * number + 10, np.uint8))
    writer.close()
    return path


def test_films_are_read_where_frames_are_wanted(folder, film):
    for number in range(2):
        grey(number).save(folder / f"{number}.png")
    shutil.copy(film, folder / "clip.mp4")
    (folder / "broken.mov").write_bytes(film.read_bytes()[:100])
    (folder / "list.avi").write_text("#EXTM3U\nhttp://127.0.0.1/x.ts\n")

    report = open_dataset(str(folder), View(size=SIDE)).report
    assert report.used == 2
    assert "3 films are not read; --frames all reads all frames" in report.notes

    found = open_dataset(str(folder), View(size=SIDE, frames=3, channels=1))
    assert sorted(found.images[:, 0, 8, 8].tolist())[2:] == pytest.approx([10, 70, 130, 190], abs=3)
    reasons = {item.file: item.reason for item in found.report.skipped}
    assert reasons["broken.mov"].startswith("broken")
    assert reasons["list.avi"].startswith("not a film")


def test_a_folder_of_films_alone(folder, film, monkeypatch):
    shutil.copy(film, folder / "clip.mp4")
    assert len(open_dataset(str(folder), View(size=SIDE, frames="all"))) == 10
    with pytest.raises(UserError, match=r"1 film; --frames all reads all frames"):
        open_dataset(str(folder), View(size=SIDE))
    with pytest.raises(UserError, match=r"32x16.*--size 16"):
        open_dataset(str(folder), View(frames="all"))


def test_without_ffmpeg_films_are_named_with_the_command(folder, film, monkeypatch):
    for number in range(2):
        grey(number).save(folder / f"{number}.png")
    shutil.copy(film, folder / "clip.mp4")
    view = View(size=SIDE, frames=5, channels=1)
    with monkeypatch.context() as without:
        without.setitem(formats.MODULES, "video", "a_module_that_is_not_there")
        report = open_dataset(str(folder), view).report
        assert report.used == 2
        assert 'pip install "ganvas[video]"' in report.skipped[0].reason
    # once it is installed, what was packed without it is made again
    assert open_dataset(str(folder), view).report.used == 4


def test_frames_of_one_file_are_held_out_together(folder):
    for number in range(8):
        save_pages(folder / f"{number}.gif", [10 * number, 10 * number + 3, 10 * number + 6])
    found = open_dataset(str(folder), View(frames="all"))
    assert found.report.parts == [3] * 8
    shown, held_out = split(len(found), 7, parts=found.report.parts)
    assert sorted([*shown, *held_out]) == list(range(24))

    files = {row // 3 for row in held_out}
    assert len(held_out) == 7 and len(files) == 3
    torn = files & {row // 3 for row in shown}  # two files are whole, of the third the last frame
    assert len(torn) == 1
    assert set(held_out) & {3 * file + 2 for file in torn}


# Tiles


def test_tiles_cover_all_of_an_image():
    assert list_tiles(8, 8, 8, 0, None) == [Tile(1, 1, 0, 0)]
    lefts = [tile.left for tile in list_tiles(8, 27, 8, 0, None)]
    assert lefts == [0, 8, 16, 19]  # the last one lies at the edge
    assert [tile.left for tile in list_tiles(8, 16, 8, 0.5, None)] == [0, 4, 8]
    assert [tile.row for tile in list_tiles(72, 8, 8, 0, 3)] == [1, 5, 9]
    seen = np.zeros((50, 33), bool)
    for tile in list_tiles(50, 33, 8, 0.25, None):
        seen[tile.top : tile.top + 8, tile.left : tile.left + 8] = True
    assert seen.all()


def scene(height: int = 50, width: int = 70, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_scenes_are_cut_into_tiles(folder):
    pixels = [scene(seed=seed) for seed in (0, 1)]
    for number, one in enumerate(pixels):
        Image.fromarray(one).save(folder / f"{number}.png")
    Image.fromarray(pixels[0]).save(folder / "again.bmp")
    found = open_dataset(str(folder), View(size=SIDE, fit="tiles"))

    assert found.images.shape == (3 * 4 * 5, 3, SIDE, SIDE)
    assert found.report.steps == ["3 images cut into 60 tiles of 16x16"]
    assert found.report.sizes == {"70x50": 3}
    last = found.images[19].transpose(1, 2, 0)  # of the first file
    assert np.array_equal(last, pixels[0][-SIDE:, -SIDE:])
    # the same file twice is a copy, tile by tile
    assert found.report.copies is not None
    assert len(found.report.copies) == 20
    assert found.report.copies[7] == ["0.png#2,3", "again.bmp#2,3"]

    some = open_dataset(str(folder), View(size=SIDE, fit="tiles", overlap=0.5, tiles=4))
    assert len(some) == 12


def test_small_scenes_are_enlarged_and_tiles_need_a_size(folder):
    for number in range(2):
        Image.fromarray(scene(12, 30)).save(folder / f"{number}.png")
    found = open_dataset(str(folder), View(size=SIDE, fit="tiles"))
    assert len(found) == 2 * 3  # 16x40
    assert "2 images enlarged until the shorter side is 16" in found.report.steps
    with pytest.raises(UserError, match="how large the tiles are, for instance --size 8"):
        open_dataset(str(folder), View(fit="tiles"))


def test_tiles_of_pairs_show_the_same_place(folder):
    for number in range(2):
        for column in "AB":
            path = folder / column / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            pixels = scene(seed=number)
            Image.fromarray(pixels if column == "A" else 255 - pixels).save(path)
    found = open_dataset(f"pairs:{folder}", View(size=SIDE, fit="tiles"))
    assert len(found) == 40
    assert np.array_equal(found.columns["a"][:], 255 - found.columns["b"][:])


# Scenes that are too large to be decoded at once


def write_tiled_tiff(path: Path, pixels: np.ndarray, side: int) -> None:
    """A TIFF in tiles, which Pillow reads but does not write; big-endian."""
    height, width, channels = pixels.shape
    down, across = -(-height // side), -(-width // side)
    padded = np.zeros((down * side, across * side, channels), np.uint8)
    padded[:height, :width] = pixels
    tiles = padded.reshape(down, side, across, side, channels).swapaxes(1, 2)
    count, size = down * across, side * side * channels

    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, channels, None), (259, 3, 1, 1)]
    entries += [(262, 3, 1, 2), (277, 3, 1, channels), (322, 4, 1, side), (323, 4, 1, side)]
    entries += [(324, 4, count, None), (325, 4, count, None)]
    start = 8 + 2 + 12 * len(entries) + 4
    bits = struct.pack(f">{channels}H", *[8] * channels)
    first = start + len(bits) + 8 * count
    offsets = struct.pack(f">{count}L", *(first + number * size for number in range(count)))
    places = {258: start, 324: start + len(bits), 325: start + len(bits) + len(offsets)}
    content = b"MM\0*" + struct.pack(">LH", 8, len(entries))
    for tag, kind, number, value in entries:
        field = struct.pack(">HH", value, 0) if kind == 3 and value is not None else b""
        field = field or struct.pack(">L", places[tag] if value is None else value)
        content += struct.pack(">HHL", tag, kind, number) + field
    content += struct.pack(">L", 0) + bits + offsets + struct.pack(f">{count}L", *[size] * count)
    path.write_bytes(content + tiles.tobytes())


def save_tiff(path: Path, pixels: np.ndarray, layout: str) -> None:
    picture = Image.fromarray(pixels)
    if layout == "tiled":
        write_tiled_tiff(path, pixels, 32)
    elif layout == "grey16":
        Image.fromarray(pixels[..., 0].astype(np.uint16) * 257).save(
            path, compression="tiff_lzw", strip_size=2000
        )
    elif layout == "plain":
        picture.save(path)
    else:
        picture.save(path, compression=layout, strip_size=70 * 3 * 8)


@pytest.mark.parametrize("layout", ["plain", "tiff_lzw", "tiff_deflate", "tiled", "grey16"])
def test_large_tiffs_are_read_in_bands(folder, monkeypatch, layout):
    """With equal tiles, in any layout of the file."""
    for number in range(2):
        save_tiff(folder / f"{number}.tif", scene(150, 70, number), layout)
    view = View(size=SIDE, fit="tiles", overlap=0.3)
    whole = open_dataset(str(folder), view)

    monkeypatch.setenv("GANVAS_CACHE", str(folder.parent / "other"))
    for module in (image_files, strips):
        monkeypatch.setattr(module, "MAX_PIXELS", 9000)
    monkeypatch.setattr("ganvas.data.parts.BAND", 70 * 40)
    bands = open_dataset(str(folder), view)
    assert np.array_equal(whole.images[:], bands.images[:])
    assert whole.report.sizes == bands.report.sizes
    assert whole.report.steps == bands.report.steps


def test_large_images_in_one_piece_are_refused_with_a_remedy(folder, monkeypatch):
    Image.fromarray(scene()).save(folder / "a.tif", compression="tiff_lzw", strip_size=10**6)
    Image.fromarray(scene()).save(folder / "b.png")
    for number in range(2):
        Image.fromarray(scene(20, 20)).save(folder / f"c{number}.png")
    for module in (image_files, strips):
        monkeypatch.setattr(module, "MAX_PIXELS", 3000)
    report = open_dataset(str(folder), View(size=SIDE, fit="tiles")).report
    reasons = {item.file: item.reason for item in report.skipped}
    assert reasons["a.tif"].endswith(
        "save it again as a TIFF in strips or tiles, or cut it into parts"
    )
    assert reasons["b.png"].endswith("save it as a TIFF and use --fit tiles")
