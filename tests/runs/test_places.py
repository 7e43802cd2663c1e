"""Runs that are called by name: found from every verb, and never written to."""

import shutil
from pathlib import Path

import pytest
import torch
from short_runs import train_mlp
from tiny import refused_in_one_line

import ganvas
from ganvas.cli import main
from ganvas.errors import UserError
from ganvas.runs import places, pull
from ganvas.runs.places import RunPlace, find_place


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_mlp(tmp_path_factory.mktemp("zoo") / "tiny", 12).folder


@pytest.fixture
def zoo(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zoo of one run, that nobody writes to; the current folder is another, empty one."""
    root = tmp_path / "package" / "zoo"
    shutil.copytree(trained, root / "tiny")
    monkeypatch.setattr(places, "ZOO_FOLDER", root)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return root


def list_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def test_a_named_run_is_the_run_and_its_results_go_to_the_current_folder(zoo, trained):
    before = list_files(zoo)
    run = ganvas.load("zoo:tiny")
    assert run.name == "zoo:tiny"
    assert torch.equal(run.sample(2), ganvas.load(trained).sample(2))

    main(["sample", "zoo:tiny", "--count", "2"])
    main(["sample", "zoo:tiny", "--count", "2"])
    main(["evaluate", "zoo:tiny", "--count", "20", "--features", "pixels", "--metrics", "fd"])

    results = {"generated/1/00001.png", "generated/2/00001.png", "evaluations.jsonl"}
    made = {file.relative_to("zoo-tiny").as_posix() for file in list_files(Path("zoo-tiny"))}
    assert results <= made
    assert list_files(zoo) == before


def test_exports_and_directions_of_a_named_run_go_to_the_current_folder(zoo):
    before = list_files(zoo)
    main(["export", "zoo:tiny", "--to", "safetensors"])
    run = ganvas.load("zoo:tiny")
    run.device = torch.device("cuda")  # from which a copy is exported
    ganvas.export(run, to="safetensors")
    main(["directions", "zoo:tiny", "--by", "layer", "--count", "1"])

    made = {file.relative_to("zoo-tiny").as_posix() for file in list_files(Path("zoo-tiny"))}
    expected = {"exported/1/model.py", "exported/2/model.py", "directions/1/overview.png"}
    assert expected <= made
    assert list_files(zoo) == before


def test_a_named_run_has_a_title_of_one_word(zoo, trained):
    run = ganvas.load("zoo:tiny")
    assert run.title == "tiny"
    assert ganvas.load(trained).title == trained.name
    assert ganvas.load(zoo / "tiny").title == "zoo-tiny"
    commit = Path("0123abcd")
    for name in ("hf:me/faces", "hf:me/faces@v2", "hf:me/faces@refs/pr/1"):
        run.place = RunPlace(commit, name, Path("hf-me-faces"))
        assert run.title == "faces"
    run.place = RunPlace(commit, outputs=Path("hf-me-faces"))
    assert run.title == "hf-me-faces"


def test_a_path_into_the_zoo_is_as_safe_as_a_name(zoo):
    before = list_files(zoo)
    main(["sample", str(zoo / "tiny"), "--count", "1"])
    main(["sample", str(next((zoo / "tiny" / "checkpoints").iterdir())), "--count", "1"])
    assert list_files(zoo) == before
    assert Path("zoo-tiny/generated/2/00000.png").exists()


def test_a_run_in_a_folder_keeps_its_results_and_its_name(zoo, trained):
    run = ganvas.load(trained)
    assert run.name == str(trained)
    assert run.outputs == trained
    # a folder of that name comes first
    shutil.copytree(trained, "zoo:tiny")
    assert ganvas.load("zoo:tiny").outputs == Path("zoo:tiny")


def test_a_training_begins_with_a_named_run(zoo, tmp_path):
    options = {"batch": 6, "size": 8, "options.hidden": 8, "stop_below": {}}
    run = ganvas.train(
        from_="zoo:tiny", out=tmp_path / "new", images=6, settings=options, quiet=True
    )
    assert str(zoo / "tiny") in (run.folder / "origin.json").read_text()


def test_health_and_log_refuse_a_ready_made_run(zoo, trained, capsys, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")  # where nothing can be fetched
    before = list_files(zoo)
    for what in ("zoo:tiny", str(zoo / "tiny"), "hf:nobody/nothing"):
        message = f"{what} is a ready-made run, which has no log"
        with pytest.raises(UserError, match=message):
            ganvas.health(what)
        for words in (["health"], ["log"], ["log", "--to", "tensorboard"]):
            with pytest.raises(SystemExit):
                main([*words[:1], what, *words[1:]])
            assert message in " ".join(capsys.readouterr().err.split())
    assert list_files(zoo) == before

    assert ganvas.health(trained).images == 12
    shutil.copytree(trained, "copy")
    Path("copy/log.jsonl").unlink()
    refused_in_one_line(lambda: ganvas.health("copy"), "copy has no log.jsonl")


def test_names_that_are_not_there_and_places_that_cannot_be_trained(zoo):
    refused_in_one_line(
        lambda: ganvas.load("zoo:tinny"), "there is no zoo:tinny; did you mean tiny"
    )
    refused_in_one_line(lambda: ganvas.load("zoo:../zoo/tiny"), "there is no zoo:../zoo/tiny")
    refused_in_one_line(lambda: ganvas.train("digits", out="zoo:tiny"), "--from zoo:tiny")
    refused_in_one_line(lambda: ganvas.train("digits", out=zoo / "tiny"), "cannot be changed")
    assert find_place("runs/x").folder == Path("runs/x")


def test_no_two_named_runs_share_a_folder_for_their_results(tmp_path, monkeypatch):
    monkeypatch.setattr(pull, "cache_folder", lambda: tmp_path)

    def outputs(name: str) -> Path | None:
        return find_place(pull.pulled_folder() / name / ("0" * 40)).outputs

    assert outputs("a/b-c") == Path("hf-a+b-c")
    assert outputs("a-b/c") == Path("hf-a-b+c")
    monkeypatch.setitem(places.SHELVES, "hf", places.Shelf(Path, pull.pulled_folder, 2))
    named = [find_place(f"hf:a/b{end}").outputs for end in ("", "@x/y", "@x-y", "-x-y")]
    assert len({*named}) == 4 and named[0] == outputs("a/b")


def test_an_empty_zoo_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "ZOO_FOLDER", tmp_path / "none")
    refused_in_one_line(lambda: ganvas.load("zoo:mnist"), "has no ready-made generators")
