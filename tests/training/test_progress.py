"""What training shows on a terminal and in a file."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import PROGRAM
from short_runs import MLP, TINY
from stopping import interrupted_after

import ganvas
from ganvas.io.console import PlainConsole
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import change
from ganvas.runs.folder import read_recipe
from ganvas.runs.locate import find_checkpoints
from ganvas.training.clock import RunClock
from ganvas.training.progress import STOPPING, Meter
from ganvas.training.signals import InterruptedRun, StopSignals

HANGUP = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")


def make_meter(width: int, lines: bool = False, total: int = 12_800_000) -> tuple[Meter, Callable]:
    """A meter on a terminal of that width, and what is drawn on it, line by line."""
    clock = RunClock(batch=128, total=total, images=total // 2)
    players = ["text", "generator", "discriminator", "keypoint_generator"]
    meter = Meter(clock, 60_000, players, shown=True, lines=lines)
    settings = {"width": width, "force_terminal": True, "legacy_windows": False, "record": True}
    meter.console = PlainConsole(file=io.StringIO(), color_system=None, **settings)
    # Only the bar decides at its making where it is drawn.
    meter.bar.live.console = meter.console
    meter.bar.disable = False

    def draw() -> list[str]:
        with meter.console.capture() as captured:
            meter.console.print(meter.bar.get_renderable())
        return captured.get().splitlines()

    meter.live = not lines
    meter.started -= 500
    meter.start_images = 0
    return meter, draw


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_bar_fits_the_terminal(width: int):
    meter, draw = make_meter(width)
    meter.last_line = 0
    meter.update()
    meter.report(dict.fromkeys(meter.players, -1234.5))
    meter.note = "mode collapse; discriminator wins; discriminator memorises"
    drawn = draw()
    assert max(map(len, drawn)) <= width
    assert "━" * 4 in drawn[0]
    assert " 50% 6,400,000 of 12,800,000 images  0:08:20 left" in drawn[0]
    shown = " ".join(" ".join(drawn).split())
    assert "epoch 106.7 of 213.3 12,800 images/s text -1234.50 generator" in shown
    assert "doctor: mode collapse; discriminator wins; discriminator memorises" in shown


def test_the_bar_ends_full():
    meter, draw = make_meter(80, total=200)
    meter.clock.images = 160
    meter.last_line = 0
    meter.update()
    meter.clock.images = 200  # within the same tenth of a second
    meter.update()
    assert "160 of 200 images" in draw()[0]
    with meter:
        pass
    assert "100% 200 of 200 images" in draw()[0]


def test_the_lines_in_a_file_end_full(capfd: pytest.CaptureFixture[str]):
    for seconds, expected in ((40, ["160/200 images", "200/200 images"]), (0, [])):
        clock = RunClock(batch=40, total=200, images=160)
        meter = Meter(clock, 60_000, ["generator"], shown=True)
        with meter:
            meter.last_line -= seconds
            meter.update()
            clock.images = 200
            meter.update()
        lines = capfd.readouterr().err.splitlines()
        assert [line.partition("  ")[0] for line in lines] == expected


def test_a_stop_is_shown_at_once(capfd: pytest.CaptureFixture[str]):
    meter, draw = make_meter(80)
    assert STOPPING not in "".join(draw())
    meter.announce_stop()
    assert draw()[-1].rstrip() == STOPPING

    # Without a bar it is written: to a pipe, or where each report is a line.
    meter.live = False
    meter.announce_stop()
    assert capfd.readouterr().err == f"{STOPPING}\n"


def test_lines_of_reports(capfd: pytest.CaptureFixture[str]):
    meter = Meter(
        RunClock(128, 256_000, 128_000), 60_000, ["generator", "discriminator"], True, True
    )
    meter.start_images = 128_000
    values = {"discriminator": 0.3141, "generator": 2.98, "generator/adversarial": 1.0}
    meter.report(values | {"largest_pixel": 254.04})
    meter.last_line = 0
    meter.update()  # no other lines between them
    assert capfd.readouterr().err == (
        "step 1,000  generator 2.98  discriminator 0.31  largest_pixel 254  ? images/s\n"
    )


def test_tutorials_print_lines_and_a_flag_decides(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    assert get_recipe("mnist-mlp").log == get_recipe("mnist-cdcgan").log == "lines"
    assert get_recipe("digits").log == "bar"

    settings = TINY | MLP | {"size": 8, "report_every": 12}
    recipe = change(get_recipe("mnist-mlp"), {"data": "digits", **settings})
    ganvas.train(recipe, out=tmp_path / "run", images=24, device="cpu")
    lines = re.findall(r"^step .*", capfd.readouterr().err, re.MULTILINE)
    assert len(lines) == 2  # a report every 12 images, of 6 a step
    assert re.fullmatch(
        r"step 4  generator \d\.\d\d  discriminator \d\.\d\d  [\d.,]+ images/s", lines[1]
    )

    # What is shown may differ when the run is resumed.
    ganvas.train(recipe, out=tmp_path / "run", images=36, device="cpu", settings={"log": "bar"})
    assert "\nstep " not in capfd.readouterr().err
    resumed = read_recipe(tmp_path / "run")
    assert resumed
    assert resumed.log == "bar"


def test_a_finished_run_says_how_to_go_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    settings = TINY | MLP | {"size": 8}
    recipe = change(get_recipe("mnist-mlp"), {"data": "digits", **settings})
    ganvas.train(recipe, out=tmp_path / "run", images=24, device="cpu")
    assert "done: 24 images; see " in capfd.readouterr().err
    ganvas.train(out=tmp_path / "run", device="cpu")
    said = capfd.readouterr().err
    assert "finished; add --images 48 to go on (24 images so far; see " in said
    assert "watch:" not in said


def test_a_terminal_that_is_gone_does_not_end_the_training():
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    meter = Meter(RunClock(1, 10), 10, [], shown=True)
    meter.console.file = Gone()
    meter.say("hello")
    meter.say("nobody listens")
    assert not meter.shown
    with meter:
        meter.update()


# Signals


@HANGUP
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_are_noted_and_announced_once(name: str):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    announced: list[str] = []
    signals = StopSignals(lambda: announced.append(name))
    with signals:
        os.kill(os.getpid(), number)
    assert (signals.number, announced) == (number, [name])
    after = signal.getsignal(number)
    signal.signal(number, before)
    # The next SIGHUP of a closed terminal must not end the report.
    assert after == (signal.SIG_IGN if name == "SIGHUP" else before)


@HANGUP
def test_a_closed_terminal_sends_several_hangups():
    before = signal.getsignal(signal.SIGHUP)
    with StopSignals(lambda: None) as signals:
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)
    signal.signal(signal.SIGHUP, before)
    assert signals.number == signal.SIGHUP


@HANGUP
def test_nohup_is_respected():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals(lambda: None) as signals:
            os.kill(os.getpid(), signal.SIGHUP)
        assert signals.number == 0
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_interrupted_run_says_so_at_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    settings = TINY | MLP | {"size": 8}
    recipe = change(get_recipe("mnist-mlp"), {"data": "digits", **settings})
    with interrupted_after(3, tmp_path / "run"), pytest.raises(InterruptedRun):
        ganvas.train(recipe, out=tmp_path / "run", images=60, device="cpu")
    assert capfd.readouterr().err.count(STOPPING) == 1


LONG = 100_000_000  # images


@pytest.mark.slow
@HANGUP
def test_a_closed_terminal_saves_and_stops(tmp_path: Path):
    """On a real terminal, which is gone while the run trains."""
    import pty

    ours, theirs = pty.openpty()
    # so long that it cannot end by itself, however slowly the bar is drawn
    long = ["--images", str(LONG)]
    command = [*PROGRAM, "train", *long, "--out", str(tmp_path / "run"), "--device", "cpu"]
    # A session of its own, whose terminal this is: closing it sends SIGHUP.
    start = [sys.executable, "-c", CONTROLLING, *command]
    process = subprocess.Popen(
        start, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    drawn = b""
    while b"watch: open" not in drawn:
        drawn += os.read(ours, 65536)
    while len(drawn) < 4000:  # the bar moves
        drawn += os.read(ours, 65536)
    os.close(ours)

    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process.poll() is not None
    assert process.returncode != -signal.SIGHUP
    (newest,) = find_checkpoints(tmp_path / "run" / "checkpoints")[-1:]
    assert 0 < int(newest.name) < LONG
    page = (tmp_path / "run" / "summary.html").read_text(encoding="utf-8")
    assert "Interrupted at" in page


# Makes standard input the session's terminal, and becomes the command.
CONTROLLING = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.environ["OMP_NUM_THREADS"] = "1"
os.execv(sys.argv[1], sys.argv[1:])
"""
