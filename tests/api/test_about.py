"""What this installation is, and what can be added."""

import json
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import torch

import ganvas
from ganvas.api.about import HIDDEN, PURPOSES, Extra, _find_notes
from ganvas.cli import main
from ganvas.io.cache import cache_folder

ROOT = Path(__file__).parents[2]


def test_it_says_what_is_there():
    found = ganvas.about()
    assert found.versions["ganvas"] == ganvas.__version__
    assert found.versions["torch"] == torch.__version__
    assert found.threads == torch.get_num_threads()
    assert list(found.devices)[-1] == "cpu"
    assert found.cache == cache_folder()
    assert f"torch {torch.__version__}" in repr(found)


def test_the_verb_prints_it(capsys: pytest.CaptureFixture[str]):
    main(["about"])
    assert capsys.readouterr().out.splitlines() == ganvas.about().describe()
    main(["about", "--json"])
    assert json.loads(capsys.readouterr().out)["versions"] == ganvas.about().versions


def test_every_extra_has_a_purpose():
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    assert extras.keys() - HIDDEN == PURPOSES.keys()


def test_extras_are_those_of_the_installed_package(monkeypatch: pytest.MonkeyPatch):
    lines = [
        "torch>=2",
        "numpy>=1; python_version > '3'",
        'no-such-package>=1; extra == "heic"',
        'pillow>=12; extra == "heic"',
        "pyarrow>=15 ; (python_version > '3') and extra == 'parquet'",
        'pytest; extra == "dev"',
    ]
    monkeypatch.setattr(metadata, "requires", lambda name: lines)
    heic, parquet = ganvas.about().extras
    assert heic.missing == ["no-such-package"]
    assert heic.installed == {"pillow": metadata.version("pillow")}
    assert parquet.name == "parquet"
    assert 'photographs of iPhones: missing: pip install "ganvas[heic]"' in repr(ganvas.about())


@pytest.mark.parametrize(
    ("system", "machine", "words"),
    [
        ("darwin", "x86_64", "Intel Macs"),
        ("win32", "ARM64", "Windows on Arm"),
        ("linux", "x86_64", None),
        ("darwin", "arm64", None),
    ],
)
def test_platforms_without_torch_are_named(system: str, machine: str, words: str | None):
    notes = _find_notes([Extra("jpeg", "", {"simplejpeg": "1"}, [])], system, machine)
    assert len(notes) == (words is not None)
    assert words is None or words in notes[0]


def test_a_missing_decoder_is_named():
    (note,) = _find_notes([Extra("jpeg", "", {}, ["simplejpeg"])], "linux", "x86_64")
    assert note.startswith("JPEGs are read by Pillow here") and 'pip install "ganvas[jpeg]"' in note
