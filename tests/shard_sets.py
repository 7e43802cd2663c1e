"""A small set of images as shards, and what tests do with it."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image
from short_runs import train_tiny

import ganvas
from ganvas.data import View, open_dataset
from ganvas.data.dataset import Dataset
from ganvas.data.loader import Loader
from ganvas.data.shards.cache import ShardColumn
from ganvas.data.shards.write import pack_dataset
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import change
from ganvas.training.engine import Engine

VIEW = View(size=16)
COUNT, EACH = 50, 8  # images, and images of a shard: six of 8 and one of 2


def draw_noise(seed: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)


def write_shards(source: Path | str, out: Path, each: int | None = EACH, view: View = VIEW) -> Path:
    asked = view.model_copy(update={"labels": "folders"}) if isinstance(source, Path) else view
    pack_dataset(
        str(source), asked, out, shards=True, shard_images=each, strict=True, progress=False
    )
    return out


def copy_shards(packed: Path, place: Path) -> Path:
    """The shards where they may be damaged."""
    place.mkdir()
    for file in packed.iterdir():
        (place / file.name).write_bytes(file.read_bytes())
    return place


def open_shards(place: Path | str, view: View = VIEW) -> Dataset:
    return open_dataset(f"shards:{place}", view)


def image_column(dataset: Dataset) -> ShardColumn:
    values = dataset.columns["image"]
    assert isinstance(values, ShardColumn)
    return values


def edit_index(place: Path, **changes: object) -> None:
    index = json.loads((place / "index.json").read_text())
    (place / "index.json").write_text(json.dumps(index | changes))


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return path


def encode_image(seed: int, form: str = "png", size: int = 16) -> bytes:
    file = io.BytesIO()
    Image.fromarray(draw_noise(seed, size)).save(file, form)
    return file.getvalue()


def make_loader(place: Path, rank: int = 0, world: int = 1, **changes: object) -> Loader:
    recipe = change(
        get_recipe("dcgan-64"), {"data": f"shards:{place}", "size": 16, "batch": 8} | changes
    )
    engine = Engine("cpu")
    engine.rank, engine.world = rank, world
    return Loader(open_shards(place), recipe.sampling, engine.placement)


def train_on(place: Path | str, out: Path) -> ganvas.Run:
    settings = {"size": 8, "options.width": 4}
    return train_tiny("dcgan-64", out, 54, f"shards:{place}", **settings)
