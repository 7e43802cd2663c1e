"""What precedes the first step."""

from pathlib import Path

import pytest
from short_runs import train_mlp
from torch import Tensor

import ganvas
from ganvas.data.loader import Loader
from ganvas.errors import UserError
from ganvas.runs.folder import read_recipe
from ganvas.training.engine import Engine
from ganvas.training.request import Request


def test_a_length_given_twice_is_refused_before_anything_is_made(tmp_path: Path):
    with pytest.raises(UserError, match="both set the length"):
        Request("digits", {"images": 100}, epochs=1)
    with pytest.raises(UserError, match="images and epochs both set the length"):
        ganvas.train("digits", images=100, epochs=1, out=tmp_path / "run")
    with pytest.raises(UserError, match="images is given in settings, but is an argument of its"):
        ganvas.train("digits", epochs=1, settings={"images": 100}, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_epochs_are_passes_through_the_images_trained_on(tmp_path: Path):
    settings = {"batch": 100, "held_out": 797, "options.width": 2}
    ganvas.train("digits", epochs=0.2, settings=settings, out=tmp_path, quiet=True)
    recipe = read_recipe(tmp_path)
    assert recipe
    assert recipe.images == 200  # of 1,797 images


@pytest.mark.parametrize(
    ("value", "images"), [("1epoch", 1000), ("2 epochs", 2000), ("0.1epochs", 100), ("epoch", 1000)]
)
def test_periods_are_given_in_epochs(value: str, images: int, tmp_path: Path):
    settings = {"batch": 100, "held_out": 797, "options.width": 2, "sample_every": value}
    for total in (100, 200):  # begun, and resumed by the same settings
        ganvas.train("digits", images=total, settings=settings, out=tmp_path, quiet=True)
        recipe = read_recipe(tmp_path)
        assert recipe
        assert (recipe.images, recipe.sample_every) == (total, images)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sample_every", "0epoch", "sample_every=0epoch: ask for more than 0"),
        ("sample_every", "1epic", "sample_every='1epic': a number is needed"),
        ("batch", "1epoch", "batch='1epoch'"),
    ],
)
def test_wrong_periods_are_refused(key: str, value: str, message: str, tmp_path: Path):
    with pytest.raises(UserError, match=message):
        ganvas.train("digits", settings={key: value}, out=tmp_path / "run", quiet=True)


def test_engines_are_copied_and_stay_as_they_are():
    engine = Engine("cpu")
    engine.rank, engine.world = 1, 2
    half, alone = engine.with_precision("bf16"), engine.alone()
    assert (half.precision, half.rank, half.world) == ("bf16", 1, 2)
    assert (alone.precision, alone.rank, alone.world) == ("fp32", 0, 1)
    assert (engine.precision, engine.rank, engine.world) == ("fp32", 1, 2)


def test_the_rehearsal_loads_its_rows_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A sharded set decodes a whole shard for them, which takes time and memory."""
    loaded: list[int] = []
    original = Loader.at

    def count(loader: Loader, images: int) -> dict[str, Tensor]:
        loaded.append(loader.sampling.batch)
        return original(loader, images)

    monkeypatch.setattr(Loader, "at", count)
    ganvas.train("digits", images=50, out=tmp_path, settings={"options.width": 2}, quiet=True)
    assert loaded.count(2) == 1  # the rehearsal's batch
    assert loaded.count(50) == 1


@pytest.mark.parametrize("size", [3_000, pytest.param(45_000, marks=pytest.mark.slow)])
def test_a_full_disk_leaves_nothing_behind(size: int, tmp_path: Path):
    """At the rehearsal, or at a later checkpoint; the same command goes on when there is room."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        with pytest.raises(UserError, match=r"cannot write .*; free some space"):
            train_mlp(tmp_path / "run", 24)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".partial-")]
    train_mlp(tmp_path / "run", 24)
