"""What the tests of shards share: a cache for each test, a folder of images, its shards."""

from pathlib import Path

import pytest
from PIL import Image
from shard_sets import COUNT, draw_noise, write_shards


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of two classes."""
    place = tmp_path_factory.mktemp("pictures")
    for number in range(COUNT):
        path = place / ("cat", "dog")[number % 2] / f"{number:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(draw_noise(number, 16)).save(path)
    return place


@pytest.fixture(scope="session")
def packed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as shards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANVAS_CACHE", str(tmp_path_factory.mktemp("cache")))
        return write_shards(folder, tmp_path_factory.mktemp("shards") / "pets")
