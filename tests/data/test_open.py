"""The table of kinds of data."""

import pytest

from ganvas.cli.pictures import data
from ganvas.cli.training import train
from ganvas.data import NAMES, View, find_kind, open_dataset
from ganvas.data.arrays.memory import MEMORY
from ganvas.data.kinds import KINDS
from ganvas.errors import UserError


@pytest.mark.parametrize("command", [data, train])
def test_the_help_of_the_commands_names_every_kind(command):
    words = (command.__doc__ or "").replace(",", " ").replace(";", " ").replace(":", " ").split()
    # only a program can have images in memory
    assert KINDS.keys() - {word.strip(".") for word in words} <= {MEMORY}


@pytest.mark.parametrize(
    ("spec", "prefix"),
    [
        ("digits", "digits"),
        ("mnist-test:here", "mnist"),
        ("fashion-mnist", "fashion-mnist"),
        ("stacked-mnist:here", "stacked-mnist"),
        ("pairs-test:here", "pairs"),
        ("pairs-other:here", "pairs"),
        ("shards:https://here/", "shards"),
    ],
)
def test_a_name_has_its_kind(spec, prefix):
    assert find_kind(spec) is KINDS[prefix]


@pytest.mark.parametrize("spec", ["digits:here", "digits-test", "pairs", "idx", "rings:1", "here"])
def test_other_names_are_of_no_kind(spec):
    assert find_kind(spec) is None
    with pytest.raises(UserError, match="no data set and no file or folder"):
        open_dataset(spec, View())


def test_a_file_may_be_called_like_a_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs:1").mkdir()
    assert find_kind("pairs:1") is None


def test_names_are_written_as_people_write_them():
    assert {"mnist-test", "cifar10-test", "idx:FOLDER", "shards:PLACE", "rings"} <= set(NAMES)
    assert "stacked-mnist-test" not in NAMES
