"""A folder as readers of the pages have it: all that their commands read, small and drawn."""

import json
import shutil
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow
from drawn_images import draw_images
from idx_files import write_idx
from PIL import Image
from pyarrow import parquet

from ganvas.io.tiff import encode_bands

COUNT = 24  # images of a set
SIDE = 64
ATTRIBUTES = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Ginger_Hair", "Gray_Hair", "Eyeglasses")
ATTRIBUTES = (*ATTRIBUTES, "Smiling", "Male", "Young", "Happy")
CAPTIONS = ("a smiling face with red hair", "a blue bird looking left", "a red apple")


def make_reader_folder(root: Path) -> None:
    """Fill a new folder."""
    pictures = [image.transpose(1, 2, 0) for image in draw_images(COUNT, SIDE).numpy()]
    _write_plain(root, pictures)
    _write_classes(root, pictures)
    _write_labelled(root, pictures)
    _write_pairs(root, pictures)
    _write_values(root, pictures)
    _write_arrays(root, pictures)
    for name in ("me.jpg", "photo.jpg", "photo.png", "grandmother.jpg", "portrait.png"):
        Image.fromarray(pictures[0]).resize((100, 120)).save(root / name)
    for name in ("drawing.png", "face.png", "more/1.png"):
        (root / name).parent.mkdir(exist_ok=True)
        Image.fromarray(pictures[1]).save(root / name)
    Image.fromarray(pictures[2][:28, :28, 0]).save(root / "digit.png")
    mask = np.zeros((120, 100), np.uint8)
    mask[40:80, 30:60] = 255
    Image.fromarray(mask).save(root / "mask.png")
    _save(root / "masks", [np.array(Image.fromarray(mask).resize((SIDE, SIDE)))] * COUNT)


def _save(folder: Path, pictures: Iterable[np.ndarray], ending: str = "png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{number}.{ending}")


def _zip(folder: Path, file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(folder).as_posix())


def _write_plain(root: Path, pictures: Sequence[np.ndarray]) -> None:
    """Folders and zips of images, in which nothing else is meant."""
    _save(root / "faces", pictures, "jpg")
    for name in ("few", "photographs", "pictures", "anime", "chosen", "FEW", "ANYTHING"):
        _save(root / name, pictures[::-1])
    shutil.copytree(root / "pictures", root / "elsewhere" / "linked")
    (root / "chosen" / "linked").symlink_to(root / "elsewhere" / "linked")
    _save(root / "more", [np.roll(picture, 9, 0) for picture in pictures])


def _write_classes(root: Path, pictures: Sequence[np.ndarray]) -> None:
    """Folders that are classes or splits, and tables that say the same."""
    for name, classes in (("flowers", ("rose", "tulip", "daisy")), ("pets", ("beagle", "poodle"))):
        rows = ["file,owner,breed" if name == "pets" else "file,label"]
        for shift, label in enumerate(classes):
            _save(root / name / label, [np.roll(one, shift, 1) for one in pictures])
            for number in range(COUNT):
                owner = f"owner {shift}-{number}," if name == "pets" else ""
                rows.append(f"{label}/{number}.png,{owner}{label}")
        (root / name / "labels.csv").write_text("\n".join(rows))
    for split, shift in (("train", 0), ("val", 1), ("test", 2)):
        for label in ("NORMAL", "ILL"):
            moved = [np.roll(one, (shift, len(label)), (0, 1)) for one in pictures]
            _save(root / "xray" / split / label, moved)


def _write_labelled(root: Path, pictures: Sequence[np.ndarray]) -> None:
    """Images with attributes, and with captions and boxes."""
    for name in ("celeba", "expressions"):
        _save(root / name / "images", pictures, "jpg")
        rows = [f"{number}.jpg " + _draw_attributes(number) for number in range(COUNT)]
        head = [str(COUNT), " ".join(ATTRIBUTES)]
        (root / name / "list_attr_celeba.txt").write_text("\n".join([*head, *rows]))
    _zip(root / "celeba", root / "cartoon-faces.zip")
    for name in ("portraits", "captions"):
        _save(root / name / "images", pictures)
        rows = [
            {
                "file": f"images/{number}.png",
                "caption": CAPTIONS[number % len(CAPTIONS)],
                "bbox": [8, 8, 40, 48],
                "width": SIDE,
                "height": SIDE,
            }
            for number in range(COUNT)
        ]
        (root / name / "index.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for name in ("emoji.zip", "emoji-captions.zip"):
        _zip(root / "captions", root / name)


def _draw_attributes(number: int) -> str:
    """Values of 1 and -1: one colour of hair, and all others in turn."""
    hair = ["1" if number % 5 == one else "-1" for one in range(5)]
    others = ["1" if number >> one & 1 else "-1" for one in range(len(ATTRIBUTES) - 5)]
    return " ".join(hair + others)


def _write_pairs(root: Path, pictures: Sequence[np.ndarray]) -> None:
    """Pairs, two domains, and label maps with their images."""
    both = [np.concatenate([255 - picture, picture], 1) for picture in pictures]
    for split in ("train", "val"):
        _save(root / "facades" / split, both if split == "train" else both[:6], "jpg")
    for name in ("sketches", "photos"):
        _save(root / name, [255 - one if name == "sketches" else one for one in pictures])
    _save(root / "paintings", [picture[::-1] for picture in pictures])
    for name in ("summer2winter", "seasons"):
        for side in ("A", "B"):
            _save(
                root / name / f"train{side}",
                [one[::-1] if side == "B" else one for one in pictures],
            )
            _save(root / name / f"test{side}", [255 - picture for picture in pictures[:6]])

    maps = [(picture[..., 0] // 86).astype(np.uint8) for picture in pictures]
    _save(root / "streets" / "a", maps)
    _save(root / "streets" / "b", pictures)
    Image.fromarray(maps[0]).save(root / "labels.png")


def _write_values(root: Path, pictures: Sequence[np.ndarray]) -> None:
    """Scans, bands, transparency, frames, and scenes that are cut into tiles."""
    for name in ("scans", "satellite", "fields", "sprites", "clips"):
        (root / name).mkdir()
    for number, picture in enumerate(pictures):
        scan = picture[..., 0].astype(np.int32) * 10 - 1000
        Image.fromarray(scan).save(root / "scans" / f"{number}.tif")
        opaque = (picture[..., :1] > 60).astype(np.uint8) * 255
        Image.fromarray(np.concatenate([picture, opaque], 2)).save(
            root / "sprites" / f"{number}.png"
        )
        for name, bands in (("satellite", 5), ("fields", 4)):
            values = np.concatenate([picture, 255 - picture], 2)[..., :bands]
            (root / name / f"{number}.tif").write_bytes(encode_bands(values))
        frames = [Image.fromarray(np.roll(picture, 3 * frame, 1)) for frame in range(12)]
        frames[0].save(root / "clips" / f"{number}.gif", save_all=True, append_images=frames[1:])
    _save(root / "scenes", [np.tile(picture, (8, 8, 1)) for picture in pictures[:3]])


def _write_arrays(root: Path, pictures: Sequence[np.ndarray]) -> None:
    """Arrays, parquet and idx files."""
    values = np.stack(pictures)
    grey = values[:, ::2, ::2, 0][:, :28, :28]
    labels = np.arange(COUNT) % 10
    np.save(root / "faces.npy", values[:, ::2, ::2])
    np.savez(root / "digits.npz", images=grey, labels=labels)
    (root / "emnist").mkdir()
    for kind, array in (("images-idx3", grey), ("labels-idx1", labels + 1)):
        write_idx(root / "emnist" / f"emnist-letters-train-{kind}-ubyte.gz", array)
    mapping = [f"{number + 1} {65 + number} {97 + number}" for number in range(26)]
    (root / "emnist" / "emnist-letters-mapping.txt").write_text("\n".join(mapping))

    (root / "pets-hub").mkdir()
    files = sorted((root / "pets").rglob("*.png"))
    rows = {
        "image": [{"bytes": file.read_bytes(), "path": file.name} for file in files],
        "label": [file.parent.name == "poodle" for file in files],
    }
    table = pyarrow.table({"image": rows["image"], "label": list(map(int, rows["label"]))})
    parquet.write_table(table, root / "pets-hub" / "train-00000-of-00001.parquet")
