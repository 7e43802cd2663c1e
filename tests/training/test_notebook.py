"""What training shows in a notebook."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from written_runs import write_run

import ganvas
from ganvas.training.clock import RunClock
from ganvas.training.notebook import NotebookMeter, Throttle, choose_meter
from ganvas.training.progress import Meter

TRAINING = """
import ganvas
settings = {"batch": 6, "report_every": 12, "sample_every": 24, "options.width": 2}
run = ganvas.train("digits", out="RUN", images=48, device="cpu", settings=settings)
run
"""
QUIET = """
again = ganvas.train(out="RUN", images=60, quiet=True)
ganvas.load("nothing")
"""


def test_drawing_takes_a_small_share_of_the_time():
    throttle = Throttle(pause=1, share=0.1)
    assert throttle.due(5)
    throttle.note(5, 5.01)  # quick: the pause counts
    assert [throttle.due(now) for now in (5.5, 6, 6.02)] == [False, False, True]
    throttle.note(10, 11)  # slow: ten times as long
    assert [throttle.due(now) for now in (13, 20, 21)] == [False, False, True]


def test_a_terminal_has_the_usual_meter(tmp_path: Path):
    assert choose_meter(tmp_path) is Meter


@pytest.fixture
def meter(tmp_path: Path) -> NotebookMeter:
    """Of a run that is written by hand, in the middle."""
    clock = RunClock(50, 1000)
    clock.images = 500
    players = ["generator", "discriminator"]
    return NotebookMeter(write_run(tmp_path / "<run>"), clock, 500, players, shown=False)


def test_the_bar_shows_progress_and_what_was_said(meter: NotebookMeter):
    meter.say("data: <digits>")
    assert "epoch" not in meter.draw_bar()  # nothing to show before the first step
    with meter:
        meter.say("doctor: <mode collapse>")
        meter.note = "<mode collapse>"
        page = meter.draw_bar()

    assert "width:50.0%" in page
    assert "500/1,000 images" in page
    assert page.count("&lt;mode collapse&gt;") == 2
    assert page.index("doctor") < page.index("data: &lt;digits&gt;")
    assert "&lt;run&gt;" in page
    assert "<run>" not in page


def test_the_pictures_are_the_newest_grid_and_the_losses(meter: NotebookMeter):
    page = meter.draw_pictures()
    assert "samples after 1,000 images" in page
    assert page.count("<img") == 1
    assert page.count("<path") == 2
    assert ">generator<" in page


def test_a_run_without_samples_and_losses(tmp_path: Path):
    clock = RunClock(50, 1000)
    meter = NotebookMeter(tmp_path, clock, 500, ["generator"], shown=True)
    assert "<img" not in meter.draw_pictures()


@pytest.mark.slow
def test_training_in_a_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A real kernel: the cell shows both areas in their last state, and the run its samples."""
    monkeypatch.setenv("PYTHONPATH", str(Path(ganvas.__file__).parents[1]))  # the same source
    cells = [
        nbformat.v4.new_code_cell(code.replace("RUN", str(tmp_path / "run")))
        for code in (TRAINING, QUIET)
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(notebook, timeout=120, allow_errors=True, kernel_name="python3")
    client.execute(cwd=str(tmp_path))

    outputs = notebook.cells[0].outputs
    assert len(outputs) == 3, outputs
    bar, pictures, run = outputs
    assert "48/48 images" in bar.data["text/html"]
    assert "done: 48 images" in bar.data["text/html"]
    assert "samples after 48 images" in pictures.data["text/html"]
    assert pictures.data["text/html"].count("<path") == 2
    assert run.data["text/plain"].startswith("<Run of relativistic")
    assert "data:image/png" in run.data["text/html"]

    # Nothing is shown of a quiet training, and errors of the user are one line.
    (error,) = notebook.cells[1].outputs
    assert error.ename == "UserError"
    assert error.traceback == [f"UserError: {error.evalue}"]
