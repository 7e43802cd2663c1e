"""Data sets of the Hub: which files are fetched, in parts, checked, and opened as they are."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hub_server import FakeHub, serve_hub
from PIL import Image
from tiny import refused_in_one_line

from ganvas.cli import main
from ganvas.data import View, open_dataset
from ganvas.data.dataset import Dataset
from ganvas.data.open import survey_sizes
from ganvas.io.cache import cache_folder
from ganvas.io.files import write_json
from ganvas.io.hub import Repo, list_content

NAME = "data/train-00000-of-00001.parquet"


def draw_png(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (8, 8), shade).save(file, "png")
    return file.getvalue()


def write_parquet(shades: list[int]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    images = [{"bytes": draw_png(shade), "path": None} for shade in shades]
    file = io.BytesIO()
    columns = {"image": images, "label": [shade % 2 for shade in shades]}
    parquet.write_table(pa.table(columns), file)
    return file.getvalue()


def write_zip(shades: list[int]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for shade in shades:
            made.writestr(f"{shade}.png", draw_png(shade))
    return file.getvalue()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    """A Hub with a set of two splits, and an empty cache."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", "")
    with serve_hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        files = {NAME: write_parquet([10, 20, 31]), "README.md": b"a set"}
        files["data/test-00000-of-00001.parquet"] = write_parquet([40, 51])
        server.add("datasets", "you/greys", files)
        yield server


def shades_of(dataset: Dataset) -> list[int]:
    return np.asarray(dataset.columns["image"])[:, 0, 0, 0].tolist()


def fetched(hub: FakeHub) -> int:
    return sum(line.startswith("GET") and "/resolve/" in line for line in hub.asked)


def test_a_split_is_fetched_once_and_its_commit_is_told(hub):
    dataset = open_dataset("hub:you/greys", View())
    commit = hub.repos["datasets/you/greys"].head
    assert shades_of(dataset) == [10, 20, 31]
    assert dataset.report.spec == f"hub:you/greys@{commit}"
    assert fetched(hub) == 1

    assert open_dataset("hub:you/greys", View()).fingerprint == dataset.fingerprint
    assert fetched(hub) == 1
    # the set that judges is another split, at the commit that was trained on
    assert dataset.report.test == f"hub-test:you/greys@{commit}"
    assert dataset.report.test
    assert shades_of(open_dataset(dataset.report.test, View())) == [40, 51]
    assert shades_of(open_dataset("hub:you/greys", View(split="test"))) == [40, 51]


def test_the_page_of_a_commit_changes_no_data_but_its_images_do(hub):
    first = open_dataset("hub:you/greys", View())
    hub.add("datasets", "you/greys", {NAME: write_parquet([10, 20, 31]), "README.md": b"better"})
    assert open_dataset("hub:you/greys", View()).fingerprint == first.fingerprint
    hub.add("datasets", "you/greys", {NAME: write_parquet([10, 20, 99])})
    assert open_dataset("hub:you/greys", View()).fingerprint != first.fingerprint
    assert open_dataset(first.report.spec, View()).fingerprint == first.fingerprint


def test_the_verbs_take_it(hub, capsys, tmp_path):
    main(["data", "hub:you/greys", "--out", str(tmp_path / "sheet.png")])
    assert "hub:you/greys" in capsys.readouterr().out
    assert survey_sizes("hub:you/greys", View()) is not None


def test_several_sets_in_a_repository(hub):
    files = {"a/train.parquet": write_parquet([1, 2]), "b/train.parquet": write_parquet([3, 4])}
    hub.add("datasets", "you/both", files)
    refused_in_one_line(lambda: open_dataset("hub:you/both", View()), r"name one: hub:you/both/a")
    assert shades_of(open_dataset("hub:you/both/b", View())) == [3, 4]


def test_folders_and_revisions_whose_names_are_alike_are_not_mixed(hub, monkeypatch):
    files = {"a/b/train.parquet": write_parquet([1, 2]), "a_b/train.parquet": write_parquet([3, 4])}
    hub.add("datasets", "you/alike", files)
    assert shades_of(open_dataset("hub:you/alike/a/b", View())) == [1, 2]
    assert shades_of(open_dataset("hub:you/alike/a_b", View())) == [3, 4]

    # what the Hub answered for a branch is no answer for another one
    known = list_content(Repo.parse("dataset", "hub:you/alike"))
    repo = Repo.parse("dataset", "hub:you/alike@x/y")
    answer = {"commit": known.commit, "files": [list(file) for file in known.files.values()]}
    write_json(repo.folder / "x_y.json", answer)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    refused_in_one_line(lambda: list_content(repo), "nothing of it is in the cache")


def test_a_zip_of_images(hub):
    hub.add("datasets", "you/zips", {"one.zip": write_zip([5, 6]), "two.zip": write_zip([7, 8])})
    refused_in_one_line(lambda: open_dataset("hub:you/zips", View()), "2 zips")
    assert shades_of(open_dataset("hub:you/zips/two.zip", View())) == [7, 8]


def test_what_cannot_be_opened(hub, monkeypatch):
    def opening(spec: str):
        return lambda: open_dataset(spec, View())

    refused_in_one_line(opening("hub:you"), "is no name on the Hub")
    refused_in_one_line(opening("hub:you/none"), "is not on the Hub, or it is private")
    refused_in_one_line(opening("hub:you/greys/../x"), "is no name on the Hub|is no folder")
    refused_in_one_line(opening("hub-val:you/greys"), "has no split 'val'; it has train, test")
    hub.add("datasets", "you/photos", {"photos/1.jpg": b"x"})
    refused_in_one_line(opening("hub:you/photos"), "hf download you/photos --repo-type dataset")
    monkeypatch.setenv("GANVAS_HUB_LIMIT", "100")
    refused_in_one_line(opening("hub:you/greys"), "allow more with GANVAS_HUB_LIMIT")
    assert fetched(hub) == 0


def test_a_download_that_broke_off_goes_on(hub):
    content = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    file = io.BytesIO()
    Image.fromarray(content).save(file, "png")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for number in range(3):
            made.writestr(f"{number}.png", file.getvalue())
    hub.add("datasets", "you/long", {"images.zip": packed.getvalue()})
    hub.breaks["images.zip"] = 5000
    assert len(open_dataset("hub:you/long", View(channels=1))) == 3


def test_a_wrong_digest_is_refused_and_leaves_nothing(hub):
    hub.lies[NAME] = write_parquet([10, 20, 32])
    refused_in_one_line(lambda: open_dataset("hub:you/greys", View()), "not what the Hub says")
    assert not list(cache_folder().rglob("*.parquet"))
    hub.lies.clear()
    assert shades_of(open_dataset("hub:you/greys", View())) == [10, 20, 31]
