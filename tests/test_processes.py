"""Several processes through torchrun: one game, and one end."""

import os
import subprocess
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

from ganvas.checkpoint import checkpoints

RECIPE = ["mnist-mlp", "--data", "digits", "--size", "8", "--device", "cpu", "--quiet", "--set", "stop_below={}"]
FAILING = """
import os
from ganvas import trainer
from ganvas.cli import main
from ganvas.errors import UserError

play = trainer.play_round

def fail_in_one(gan, batch, clock, *others):
    if os.environ["RANK"] == "1" and clock.rounds == 3:
        raise UserError("the disk of process 1 is on fire")
    return play(gan, batch, clock, *others)

trainer.play_round = fail_in_one
main()
"""


def torchrun(*arguments: str, script: tuple[str, ...] = ("-m", "ganvas")) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *script, "train"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run([*command, *arguments], capture_output=True, text=True, env=environment, timeout=300)


def alone(*arguments: str) -> None:
    command = [sys.executable, "-m", "ganvas", "train", *arguments]
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


def assert_equal_weights(one: Path, other: Path) -> None:
    """Weights and optimizer states of the newest checkpoints agree to 1e-6."""
    newest = [checkpoints(run / "checkpoints")[-1] for run in (one, other)]
    assert newest[0].name == newest[1].name
    for file in ("gan.safetensors", "training.safetensors"):
        left, right = (load_file(path / file) for path in newest)
        assert left.keys() == right.keys()
        for name in left:
            torch.testing.assert_close(left[name], right[name], rtol=1e-6, atol=1e-6)


def test_two_processes_equal_one_and_a_run_may_change_between_them(tmp_path: Path):
    """Two, then one, then two processes on one run: the same weights as one process all the way."""
    for images, start in ((1280, torchrun), (2560, alone), (3840, torchrun)):
        start(*RECIPE, "--images", str(images), "--out", str(tmp_path / "changing"))
        assert checkpoints(tmp_path / "changing" / "checkpoints")[-1].name == f"{images:012d}"
    alone(*RECIPE, "--images", "3840", "--out", str(tmp_path / "one"))
    assert_equal_weights(tmp_path / "changing", tmp_path / "one")


def test_failure_of_one_process_ends_all_and_shows_the_first_error(tmp_path: Path):
    script = tmp_path / "failing.py"
    script.write_text(FAILING)
    started = time.monotonic()
    answer = torchrun(*RECIPE, "--images", "128000", "--out", str(tmp_path / "run"), script=(str(script),))
    assert answer.returncode != 0
    assert "the disk of process 1 is on fire" in answer.stderr
    assert "Traceback" not in answer.stderr.partition("on fire")[0]
    assert time.monotonic() - started < 240  # it does not wait for a time-out


def test_batch_that_cannot_be_divided_is_refused(tmp_path: Path):
    answer = torchrun(*RECIPE, "--set", "batch=7", "--out", str(tmp_path / "run"))
    assert answer.returncode != 0
    assert "batch=7 cannot be divided among 2 processes" in answer.stderr
