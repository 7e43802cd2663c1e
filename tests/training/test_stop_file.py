"""Stop a training by a file in its folder, wherever it was started."""

import threading
import time
from pathlib import Path

import pytest
from short_runs import train_mlp

import ganvas
from ganvas.errors import UserError
from ganvas.runs.folder import is_going, is_stopping, request_stop
from ganvas.training.signals import InterruptedRun
from ganvas.training.stop_file import PAUSE, StopFile


def test_a_request_saves_and_stops_and_the_run_resumes(tmp_path: Path):
    folder = tmp_path / "run"
    seldom = {"checkpoint_every": 600, "sample_every": 6_000}

    def ask() -> None:
        while not (folder / "checkpoints").exists():
            time.sleep(0.01)
        request_stop(folder)

    asker = threading.Thread(target=ask)
    asker.start()
    with pytest.raises(InterruptedRun, match="everything is saved"):
        train_mlp(folder, 10**7, **seldom)
    asker.join()
    assert not is_stopping(folder) and not is_going(folder)

    stopped = ganvas.load(folder).about["images"]
    assert stopped > 0
    train_mlp(folder, stopped + 6, **seldom)
    assert ganvas.load(folder).about["images"] > stopped


def test_a_request_for_an_older_training_is_forgotten(tmp_path: Path):
    train_mlp(tmp_path / "run", 12)
    (tmp_path / "run" / "stop").touch()
    train_mlp(tmp_path / "run", 24)  # not interrupted
    assert not is_stopping(tmp_path / "run")


def test_only_what_is_in_training_can_be_asked(tmp_path: Path):
    with pytest.raises(UserError, match="not in training"):
        request_stop(tmp_path)


def test_it_is_announced_once(tmp_path: Path):
    announced: list[bool] = []
    stop = StopFile(tmp_path, lambda: announced.append(True))
    assert not stop.asked()
    (tmp_path / "stop").touch()
    assert not stop.asked()  # it has just looked
    stop.next_look -= 2 * PAUSE
    assert stop.asked() and stop.asked()
    assert announced == [True]
