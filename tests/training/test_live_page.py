"""The page of a run in training: when it is written, and that it costs little."""

import shutil
from pathlib import Path

import pytest
from short_runs import TINY, train_mlp
from stopping import interrupted_after
from written_runs import write_run

import ganvas
from ganvas.training import live_page
from ganvas.training.live_page import LivePage, Pace
from ganvas.training.signals import InterruptedRun


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only the test moves."""
    now = [100.0]
    monkeypatch.setattr(live_page.time, "monotonic", lambda: now[0])
    return now


def test_what_takes_long_is_done_rarely(clock: list[float]):
    pace = Pace(share=0.01, pause=5)
    assert pace.is_due()
    with pace.timed():
        clock[0] += 3  # the first time: imports
    clock[0] += 4.9
    assert not pace.is_due()
    clock[0] += 0.1
    assert pace.is_due()

    with pace.timed():
        clock[0] += 2
    clock[0] += 199
    assert not pace.is_due()
    clock[0] += 1
    assert pace.is_due()

    with pace.timed():
        clock[0] += 1000  # the disk was asleep
    clock[0] += live_page.LONGEST
    assert pace.is_due()


def test_a_page_is_written_at_once_and_its_plot_later(tmp_path: Path, clock: list[float]):
    folder = write_run(tmp_path / "run")
    page = LivePage(folder)
    page.refresh()
    first = page.path.read_bytes()
    assert b"http-equiv" in first
    assert not (folder / "losses.png").exists()

    page.path.unlink()
    clock[0] += 1
    page.refresh()  # too early
    assert not page.path.exists()
    clock[0] += live_page.PLOT_PAUSE
    page.refresh()
    assert page.path.exists()
    assert (folder / "losses.png").exists()
    assert not (folder / "timelapse.gif").exists()


def test_a_page_that_cannot_be_written_ends_no_training(tmp_path: Path):
    folder = write_run(tmp_path / "run")
    shutil.rmtree(folder / "samples")
    (folder / "data.json").write_text("damaged")
    page = LivePage(folder)
    page.refresh()
    assert not page.path.exists()


def test_a_run_has_its_page_from_the_first_grid_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Also one that is resumed; and the last page says how it ended."""
    written: list[str] = []
    original = live_page.write_live_page

    def note(folder: Path) -> None:
        original(folder)
        written.append((folder / "summary.html").read_text(encoding="utf-8"))

    monkeypatch.setattr(live_page, "write_live_page", note)
    run = tmp_path / "run"
    with interrupted_after(3, run), pytest.raises(InterruptedRun):
        train_mlp(run, 60)
    assert "In training: 0 of 60 images." in written[0]
    assert "Interrupted at 18 of 60 images" in (run / "summary.html").read_text(encoding="utf-8")

    written.clear()
    settings = TINY | {"size": 8, "options.hidden": 8, "stop_below": {}}
    ganvas.train("mnist-mlp", data="digits", out=run, device="cpu", settings=settings, quiet=True)
    assert "In training: 18 of 60 images" in written[0]
    assert "Finished: 60 images shown." in (run / "summary.html").read_text(encoding="utf-8")
