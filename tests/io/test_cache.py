"""Cache entries: found by their settings, made anew when they are damaged, whole or absent."""

from pathlib import Path

import pytest

from ganvas.errors import UserError
from ganvas.io.cache import cache_entry, cache_folder, load_or_make


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path))
    return tmp_path


def read(path: Path) -> str:
    text = path.read_text()
    if not text.endswith("."):
        raise UserError(f"{path} is damaged")
    return text


def test_the_folder_is_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert cache_folder() == tmp_path
    monkeypatch.delenv("GANVAS_CACHE")
    assert cache_folder().name in ("ganvas", "cache")


def test_an_entry_is_named_by_its_settings(tmp_path: Path):
    entry = cache_entry("kind", [1, {"a": 1, "b": 2}], ".txt")
    assert entry.parent == tmp_path / "kind"
    assert entry.suffix == ".txt"
    assert entry == cache_entry("kind", [1, {"b": 2, "a": 1}], ".txt")
    assert entry != cache_entry("kind", [2, {"a": 1, "b": 2}], ".txt")


def test_an_entry_is_made_once_and_again_when_it_is_damaged():
    made = []

    def make(path: Path) -> None:
        made.append(path)
        path.write_text("whole.")

    entry = cache_entry("kind", "settings")
    assert [load_or_make(entry, make, read) for _ in range(2)] == ["whole."] * 2
    assert len(made) == 1
    entry.write_text("who")
    assert load_or_make(entry, make, read) == "whole."
    assert len(made) == 2
    assert list(entry.parent.iterdir()) == [entry]


def test_a_folder_that_another_process_made_first_stays():
    entry = cache_entry("kind", "settings")

    def make(path: Path) -> None:
        for place in (path, entry):
            place.mkdir()
        (path / "content").write_text("mine.")
        (entry / "content").write_text("theirs.")

    assert load_or_make(entry, make, lambda path: read(path / "content")) == "theirs."
    assert list(entry.parent.iterdir()) == [entry]


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"cannot write .*set GANVAS_CACHE to a folder elsewhere"):
        load_or_make(cache_entry("kind", "settings"), Path.touch, read)


def test_what_breaks_off_leaves_nothing():
    entry = cache_entry("kind", "settings")

    def make(path: Path) -> None:
        path.write_text("who")
        raise UserError("no more")

    with pytest.raises(UserError, match="no more"):
        load_or_make(entry, make, read)
    assert not list(entry.parent.iterdir())


def test_an_entry_may_be_a_folder():
    def make(path: Path) -> None:
        path.mkdir()
        (path / "part").write_text("whole.")

    entry = cache_entry("kind", "settings")
    assert load_or_make(entry, make, lambda path: read(path / "part")) == "whole."
    (entry / "part").write_text("who")
    assert load_or_make(entry, make, lambda path: read(path / "part")) == "whole."
