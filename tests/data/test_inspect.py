"""The data doctor."""

import io
import json
from pathlib import Path

import pytest
from PIL import Image

import ganvas
from ganvas.data import View
from ganvas.data.contact_sheet import draw_contact_sheet
from ganvas.data.inspect import examine_data, print_examination, run_doctor
from ganvas.data.report import DataReport
from ganvas.errors import UserError
from ganvas.io.cache import cache_folder
from ganvas.io.console import PlainConsole


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path) -> Path:
    """Six images of two sizes in two folders, of which two are equal, and a broken one."""
    folder = tmp_path / "set"
    for name in ("cats", "dogs"):
        (folder / name).mkdir(parents=True)
        for number in range(3):
            side = 40 if number == 2 else 32
            Image.new("RGB", (side, side), (number * 60, 40, len(name) * number)).save(
                folder / name / f"{number}.png"
            )
    (folder / "cats" / "broken.png").write_text("no image")
    return folder


def test_what_is_found(folder):
    examination, dataset = examine_data(str(folder), View())
    assert (examination.size, examination.channels) == (32, 3)
    assert (examination.found, examination.used) == (7, 6)
    assert [item.file for item in examination.skipped] == ["cats/broken.png"]
    pairs = [[f"cats/{number}.png", f"dogs/{number}.png"] for number in range(3)]
    assert examination.copies == pairs
    assert len(dataset) == 6
    assert "share no square size" in examination.notes[0]
    with pytest.raises(UserError, match="1 of 7 files"):
        examine_data(str(folder), View(), strict=True)


def test_report_is_readable_on_80_columns(folder):
    file = io.StringIO()
    print_examination(
        examine_data(str(folder), View(size=32, labels="folders"))[0],
        PlainConsole(file=file, width=80),
    )
    text = file.getvalue()

    for words in (
        "7 images; 6 can be used",
        "32x32 rgb",
        "cats (3), dogs (3)",
        "3 of the files are copies",
    ):
        assert words in text
    assert "cats/broken.png: not an image" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_json_and_contact_sheet(folder, tmp_path, capsys):
    sheet = tmp_path / "out" / "sheet.png"
    run_doctor(str(folder), View(size=32), sheet, strict=False, json=True)
    printed = json.loads(capsys.readouterr().out)
    assert printed["used"] == 6
    with Image.open(sheet) as picture:
        assert picture.width > 100


def test_without_a_place_the_contact_sheet_lies_in_the_cache(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    run_doctor(str(folder), View(size=32), None, strict=False, json=False)
    text = capsys.readouterr().out
    assert "Worth knowing" in text
    assert set(tmp_path.iterdir()) - before <= {tmp_path / "cache"}
    file = Path(text.splitlines()[-1].removeprefix("How training sees them: "))
    assert file.is_relative_to(cache_folder())
    with Image.open(file) as picture:
        assert picture.width > 100

    # a name with an ending is a file, any other a folder
    run_doctor(str(folder), View(size=32), tmp_path / "out", strict=False, json=False)
    assert (tmp_path / "out" / "contact-sheet.png").is_file()


def test_labelled_sheet_has_a_row_for_each_class():
    _, digits = examine_data("digits", View())
    assert draw_contact_sheet(digits).height > 10 * 50


# From Python


def test_the_function_writes_only_where_it_is_told(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    found = ganvas.data(folder, size=32, labels="folders")
    assert isinstance(found, DataReport)
    assert (found.used, found.size, found.classes) == (6, 32, {"cats": 3, "dogs": 3})
    assert [item.file for item in found.skipped] == ["cats/broken.png"]
    assert set(tmp_path.iterdir()) - before <= {tmp_path / "cache"}
    assert capsys.readouterr().out == ""

    ganvas.data(folder, size=32, out=tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").is_file()
    with pytest.raises(UserError, match="1 of 7 files"):
        ganvas.data(folder, size=32, strict=True)
    with pytest.raises(UserError, match="fit"):
        ganvas.data(folder, fit="squeeze")


def test_a_report_prints_and_shows(folder):
    nasty = folder / "cats" / "<img src=x>.png"
    nasty.write_text("no image")
    found = ganvas.data(folder, size=32, labels="folders")
    assert "cats (3), dogs (3)" in repr(found)

    page = found._repr_html_()
    assert page.count("<img") == 1  # the contact sheet
    assert "&lt;img src=x&gt;.png" in page
    assert "cats (3), dogs (3)" in page

    plain = DataReport(**found.model_dump(include=set(DataReport.model_fields)))
    assert "&lt;img src=x&gt;.png" in plain._repr_html_()
    assert "<img" not in plain._repr_html_()
