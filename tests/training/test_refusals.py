"""Trainings that are refused: other settings, other data, two processes, no labels."""

from pathlib import Path

import pytest
from short_runs import MLP, TINY, train_mlp, train_tiny

import ganvas
from ganvas.errors import UserError
from ganvas.runs.folder import lock_folder
from ganvas.runs.locate import find_checkpoints
from ganvas.training.engine import Engine


def test_other_settings_are_refused_with_the_difference(tmp_path: Path):
    train_mlp(tmp_path / "run", 12)
    with pytest.raises(
        UserError, match=r"batch is 6 there and 8 here; options\.hidden is 8 there and 9 here"
    ):
        train_mlp(tmp_path / "run", 12, batch=8, **{"options.hidden": 9})


def test_changed_data_is_refused(tmp_path: Path, pictures: Path):
    settings = {"options.width": 4, "size": 16}
    changing = tmp_path / "pictures"
    changing.mkdir()
    for file in list(pictures.iterdir())[:10]:
        (changing / file.name).write_bytes(file.read_bytes())
    train_tiny("dcgan-64", tmp_path / "run", 12, changing, **settings)
    (changing / "another.png").write_bytes(next(pictures.iterdir()).read_bytes())
    with pytest.raises(UserError, match=r"begun with other data: 10 images .* there, 11 "):
        train_tiny("dcgan-64", tmp_path / "run", 24, changing, **settings)


def test_run_keeps_its_length_and_cannot_become_shorter_than_it_is(tmp_path: Path):
    train_mlp(tmp_path / "run", 24)
    settings = TINY | {"size": 8} | MLP
    ganvas.train(
        "mnist-mlp",
        data="digits",
        out=tmp_path / "run",
        device="cpu",
        settings=settings,
        quiet=True,
    )

    assert find_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "000000000024"
    with pytest.raises(
        UserError, match=r"is already trained on 24 images; ask for more, e\.g\. --images 48"
    ):
        train_mlp(tmp_path / "run", 12)


def test_refused_run_leaves_no_folder(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="needs classes"):
        ganvas.train("mnist-cdcgan", data=pictures, settings={"size": 8}, quiet=True)
    assert not list((tmp_path / "runs").iterdir())


def test_run_needs_labels(tmp_path: Path, pictures: Path):
    with pytest.raises(UserError, match=r"needs classes: .*--labels folders"):
        ganvas.train(
            "mnist-cdcgan", data=pictures, out=tmp_path / "run", settings={"size": 16}, quiet=True
        )
    assert not (tmp_path / "run").exists()


def test_two_trainings_in_one_folder_are_refused(tmp_path: Path):
    with (
        lock_folder(tmp_path / "run"),
        pytest.raises(UserError, match="being trained by another process"),
    ):
        train_mlp(tmp_path / "run", 12)


@pytest.mark.parametrize(
    ("rank", "world"),
    [("0", ""), ("", "2"), ("a", "2"), ("2", "2"), ("0", "abc"), ("-1", "2"), ("0", "0")],
)
def test_a_place_among_processes_that_cannot_be(
    rank: str, world: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", world)
    with pytest.raises(UserError, match="are no place among processes; both are set by torchrun"):
        Engine("cpu")
