"""What is printed: text from outside stays text, on any terminal; and counts with their nouns."""

import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.progress import Progress
from rich.styled import Styled
from rich.table import Table

import ganvas
from ganvas.cli import main
from ganvas.io.console import (
    PlainConsole,
    count_noun,
    describe_duration,
    describe_rate,
    escape_text,
    print_json,
    print_text,
    wrap_words,
)
from ganvas.runs.log import Log
from ganvas.training.clock import RunClock
from ganvas.training.progress import Meter

NAMES = [
    "[/x]",
    "[red]a",
    "[link=http://x.y]b",
    "b\x1b]0;title\x07",
    "中文",
    "caf\udce9",
    "n\nl",
    "c\x9b31m",
    "plain",
]
SHOWN = [
    "[/x]",
    "[red]a",
    "[link=http://x.y]b",
    "b\\u001b]0;title\\u0007",
    "中文",
    "caf\\udce9",
    "n\\nl",
    "c\\u009b31m",
    "plain",
]


class Terminal(io.TextIOWrapper):
    """A terminal of an encoding, as strict as a console of Windows."""

    def __init__(self, encoding: str = "utf-8"):
        super().__init__(io.BytesIO(), encoding, errors="strict")

    def isatty(self) -> bool:
        return True

    def text(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Four images a class, their classes in a table; and a file whose name is not UTF-8, where
    the disk allows it.
    """
    folder, rows = tmp_path / "set", []
    folder.mkdir()
    # what a table in UTF-8 can hold
    names = [name for name in NAMES if name.isprintable() or "\x1b" in name]
    for number, picture in enumerate(
        np.random.default_rng(0).integers(0, 255, (4 * len(names), 8, 8, 3), dtype=np.uint8)
    ):
        Image.fromarray(picture).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{names[number // 4]}")
    (folder / "labels.csv").write_text("file,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    try:
        (Path(os.fsdecode(bytes(folder) + b"/bad\xe9\x1b[31m.png"))).write_bytes(b"no image")
    except OSError:
        pytest.skip("the disk takes no names that are not UTF-8")
    return folder


def run(monkeypatch: pytest.MonkeyPatch, encoding: str, *arguments: object) -> tuple[str, str]:
    """The command line on terminals of an encoding: what it writes on stdout and stderr."""
    out, error = Terminal(encoding), Terminal(encoding)
    monkeypatch.setenv("TERM", "dumb")  # no colours, and no bars that move
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", error)
    main([str(argument) for argument in arguments])
    return out.text(), error.text()


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_the_data_doctor_shows_names_as_they_are(
    pictures: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str
):
    arguments = ("data", pictures, "--labels", "labels.csv", "--out", tmp_path / "sheet.png")
    shown, _ = run(monkeypatch, encoding, *arguments)
    chinese = "中文" if encoding == "utf-8" else "\\u4e2d\\u6587"

    for name in (
        "[/x] (4)",
        "[red]a (4)",
        "[link=http://x.y]b (4)",
        "b\\u001b]0;title\\u0007 (4)",
        f"{chinese} (4)",
    ):
        assert name in shown
    assert "bad\\xe9\\u001b[31m.png: not named in labels.csv" in " ".join(shown.split())
    assert not set(shown) & set("\x1b\x07\x9b")

    shown, _ = run(monkeypatch, encoding, *arguments, "--json")
    report = json.loads(shown)
    assert set(report["classes"]) == {
        "[/x]",
        "[red]a",
        "[link=http://x.y]b",
        "b\x1b]0;title\x07",
        "中文",
        "plain",
    }
    assert report["skipped"][0]["file"] == "bad\\xe9\x1b[31m.png"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_training_health_and_evaluation_show_names_as_they_are(
    pictures: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str
):
    out = tmp_path / "run"
    settings = [
        f"--set={key}"
        for key in ("channels=3", "options.width=4", "batch=8", "report_every=32", "held_out=2")
    ]
    arguments = (
        "--data",
        pictures,
        "--labels",
        "labels.csv",
        "--images",
        32,
        "--out",
        out,
        "--device",
        "cpu",
        *settings,
    )
    _, shown = run(monkeypatch, encoding, "train", "digits", *arguments)

    assert "left out: 1 file; " in shown

    diagnosis = {f"{name}": number / 100 for number, name in enumerate(NAMES)}
    Log(out / "log.jsonl").add(32, "health", {"agreement": diagnosis})
    shown, _ = run(monkeypatch, encoding, "health", out)

    for name in (
        "[/x]: 0.00",
        "[red]a: 0.01",
        "[link=http://x.y]b: 0.02",
        "b\\u001b]0;title\\u0007: 0.03",
    ):
        assert name in shown
    assert "\x1b" not in shown
    assert (
        json.loads(run(monkeypatch, encoding, "health", out, "--json")[0])["checkup"]["agreement"]
        == diagnosis
    )

    shown, notes = run(
        monkeypatch,
        encoding,
        "evaluate",
        out,
        "--metrics",
        "fd",
        "--features",
        "pixels",
        "--count",
        8,
    )

    assert "lower is better" in shown
    assert "\x1b" not in shown + notes


def test_errors_are_one_line_without_control_characters(monkeypatch: pytest.MonkeyPatch):
    error = Terminal("cp1252")
    monkeypatch.setattr(sys, "stderr", error)
    monkeypatch.setenv("COLUMNS", "500")
    with pytest.raises(SystemExit) as status:
        main(["data", "[/x]\x1b]0;title\x07中\udce9", "--debug"])
    assert status.value.code == 2
    assert (
        error.text()
        .splitlines()[-1]
        .startswith("ganvas: no data set and no file or folder is called '[/x]")
    )
    assert not set(error.text()) & set("\x1b\x07")


def test_folders_of_runs_have_names_in_utf_8(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as status:
        main(["train", "digits", "--out", f"{tmp_path}/caf\udce9", "--images", "50"])
    assert status.value.code == 2
    assert f"the name of {tmp_path}/caf\\udce9 is not UTF-8" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "shown"), [*zip(NAMES, SHOWN)])
def test_escapes(name: str, shown: str):
    assert escape_text(name) == shown
    assert escape_text(shown) == shown


def test_what_is_harmless_stays():
    for text in ("C:\\pictures\\новый", "naïve – 中文", "👩‍👧", "می‌خواهم", "a　b"):
        assert escape_text(text) == text
    assert escape_text("a\u202egnp.exe") == "a\\u202egnp.exe"  # would be shown from right to left
    assert escape_text("中é", "cp1252") == "\\u4e2dé"


def test_a_line_is_a_line(monkeypatch: pytest.MonkeyPatch):
    out = Terminal("cp1252")
    monkeypatch.setattr(sys, "stdout", out)
    print_text("a\nganvas: all is well", "", "中")
    assert out.text() == "a\\nganvas: all is well\n\n\\u4e2d\n"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_json_is_read_back_as_it_was(monkeypatch: pytest.MonkeyPatch, encoding: str):
    out = Terminal(encoding)
    monkeypatch.setattr(sys, "stdout", out)
    values = {name: [name, 1, None] for name in [*NAMES, "👩", "\u2028"]}
    print_json(values)
    assert json.loads(out.text()) == values
    assert not set(out.text()) & set("\x1b\x07\x9b\u2028")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_tables_and_bars_show_text(encoding: str):
    terminal = Terminal(encoding)
    console = PlainConsole(
        file=terminal, width=100, force_terminal=True, color_system=None, legacy_windows=False
    )
    table = Table("[b]heading", title="[i]title")
    for name in NAMES:
        table.add_row(name)
    console.print(table)
    console.print(Styled("[/x]\x1b]0;", "yellow"), soft_wrap=True)
    shown = terminal.text()

    assert "[b]heading" in shown
    assert "[i]title" in shown
    assert "\x1b" not in shown.replace("\x1b[3m", "").replace("\x1b[0m", "")
    for name in SHOWN:
        assert escape_text(name, encoding) in shown

    with Progress("{task.description}", console=console) as progress:
        progress.add_task("[/x]\x07中\x1b]0;")
    assert escape_text("[/x]\x07中\x1b]0;", encoding) in terminal.text()


def test_counts_and_rates():
    assert count_noun(1, "checkup") == "1 checkup"
    assert count_noun(0, "checkup") == "0 checkups"
    assert count_noun(2_000, "class", "classes") == "2,000 classes"

    assert [describe_rate(rate) for rate in (0, 0.04, 0.42, 3.16, 9.99, 41.6, 1234.5)] == [
        *(
            "? images/s",
            "0.04 images/s",
            "0.42 images/s",
            "3.2 images/s",
            "10 images/s",
            "42 images/s",
            "1,234 images/s",
        ),
    ]


def test_durations():
    seconds = (1, 119.6, 150, 7199, 7200, 100_000, 180_000, 4e6)
    assert [describe_duration(number) for number in seconds] == [
        *("1 second", "120 seconds", "2 minutes", "120 minutes"),
        *("2.0 hours", "27.8 hours", "2.1 days", "46.3 days"),
    ]


def test_lines_are_broken_between_words():
    line = "note: a few words and /a/path/that/is/longer/than/that and the end"
    assert wrap_words(line, None) == [line]
    assert wrap_words(line, 100) == [line]
    assert wrap_words(line, 22) == [
        "note: a few words and",
        "  /a/path/that/is/longer/than/that",
        "  and the end",
    ]
    # Further parts stand two to the right; spaces within a part stay.
    assert wrap_words("    # one  two three", 14) == ["    # one  two", "      three"]
    # Chinese characters are two columns wide.
    assert wrap_words("中文 中文 中文", 9) == ["中文 中文", "  中文"]
    assert wrap_words("", 5) == [""]


def test_only_terminals_break_lines(monkeypatch: pytest.MonkeyPatch):
    line = "word " * 30 + "end"
    monkeypatch.setenv("COLUMNS", "40")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    print_text(line)
    print_text(line, wrap=False)
    lines = terminal.text().splitlines()
    assert lines[-1] == line
    assert len(lines) == 6
    assert max(map(len, lines[:-1])) <= 40

    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stdout", pipe)
    print_text(line)
    assert pipe.getvalue() == line + "\n"


def test_all_public_names_are_listed():
    assert {"train", "load", "evaluate", "Run", "RECIPES", "UserError"} <= set(dir(ganvas))
    assert set(ganvas.__all__) == {*ganvas.HOMES, *ganvas.CALLABLE}
    assert all(getattr(ganvas, name) is not None for name in ganvas.__all__)


def test_the_line_of_a_training_that_has_just_begun_or_is_slow():
    meter = Meter(RunClock(batch=1, total=100), epoch=10, players=[], shown=False)
    assert "  ?/s  ? left" in meter.line()
    meter.clock.images = 2
    meter.started -= 5
    assert "  0.4/s  0:04:0" in meter.line()


def test_a_closed_pipe_is_an_error_that_training_can_ignore():
    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):  # rich itself would end the process
        PlainConsole(file=Closed()).print_line("loss")
