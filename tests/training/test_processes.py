"""Several processes through torchrun: one training, and one end."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import shared_steps
import torch
from PIL import Image
from safetensors.torch import load_file

from ganvas.runs.locate import find_checkpoints
from ganvas.training.engine import Engine

RECIPE = [
    "mnist-mlp",
    "--data",
    "digits",
    "--size",
    "8",
    "--device",
    "cpu",
    "--quiet",
    "--set",
    "stop_below={}",
]
FAILING = """
import os
from ganvas.training import step
from ganvas.cli import main
from ganvas.errors import UserError

take = step.take_step

def fail_in_one(context, batch, clock, *others):
    if os.environ["RANK"] == "1" and clock.steps == 3:
        raise UserError("the disk of process 1 is on fire")
    return take(context, batch, clock, *others)

step.take_step = fail_in_one
main()
"""

APART = """
import os
from pathlib import Path
from ganvas.cli import main

os.chdir(Path(__file__).with_name(os.environ["RANK"]))
main()
"""


def torchrun(
    *arguments: str, script: tuple[str, ...] = ("-m", "ganvas", "train")
) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        *script,
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, *arguments], capture_output=True, text=True, env=environment, timeout=300
    )


def alone(*arguments: str) -> None:
    command = [sys.executable, "-m", "ganvas", "train", *arguments]
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


def assert_equal_weights(one: Path, other: Path) -> None:
    """Weights and optimizer states of the newest checkpoints agree to 1e-6."""
    newest = [find_checkpoints(run / "checkpoints")[-1] for run in (one, other)]
    assert newest[0].name == newest[1].name
    for file in ("gan.safetensors", "training.safetensors"):
        left, right = (load_file(path / file) for path in newest)
        assert left.keys() == right.keys()
        for name in left:
            torch.testing.assert_close(left[name], right[name], rtol=1e-6, atol=1e-6)


@pytest.mark.slow
def test_two_processes_equal_one_and_a_run_may_change_between_them(tmp_path: Path):
    """Two, then one, then two processes on one run: the same weights as one process all the way."""
    for images, start in ((1280, torchrun), (2560, alone), (3840, torchrun)):
        start(*RECIPE, "--images", str(images), "--out", str(tmp_path / "changing"))
        assert find_checkpoints(tmp_path / "changing" / "checkpoints")[-1].name == f"{images:012d}"
    alone(*RECIPE, "--images", "3840", "--out", str(tmp_path / "one"))
    assert_equal_weights(tmp_path / "changing", tmp_path / "one")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes wrote by `shared_steps.py`: weights of each, errors of gradients."""
    folder = tmp_path_factory.mktemp("shared")
    answer = torchrun(str(folder), script=(shared_steps.__file__,))
    assert answer.returncode == 0, answer.stderr
    return folder


@pytest.mark.slow
def test_two_processes_equal_one(shared: Path):
    """Simultaneous updates, lazy penalties, what adapts, parameters without a gradient: as in one
    process, and alike in both.
    """
    torch.set_default_dtype(torch.float64)
    try:
        first, alone = shared_steps.build_gans(), shared_steps.all_weights(Engine("cpu"))
    finally:
        torch.set_default_dtype(torch.float32)

    for rank in (0, 1):
        together = load_file(shared / f"{rank}.safetensors")
        assert together.keys() == alone.keys()
        for name, weight in alone.items():
            torch.testing.assert_close(together[name], weight, rtol=1e-9, atol=1e-9)

    start = {
        f"{key}.{name}": weight
        for key, gan in first.items()
        for name, weight in gan.state_dict().items()
    }
    unmoved = {name for name, weight in start.items() if weight.equal(alone[name])}

    assert unmoved == {"resting.generator.never.weight", "resting.generator.never.bias"}


@pytest.mark.slow
def test_averaged_gradients_are_exact_where_a_wrapper_is_silently_wrong(shared: Path):
    """Why the networks stay plain modules: docs/scaling.md."""
    for rank in (0, 1):
        errors = json.loads((shared / f"{rank}.json").read_text())
        assert errors["ours"] < 1e-12
        assert errors["static graph"] > 1e-2


@pytest.mark.slow
def test_failure_of_one_process_ends_all_and_shows_the_first_error(tmp_path: Path):
    script = tmp_path / "failing.py"
    script.write_text(FAILING)
    started = time.monotonic()
    answer = torchrun(
        *RECIPE, "--images", "128000", "--out", str(tmp_path / "run"), script=(str(script), "train")
    )
    assert answer.returncode != 0
    assert "the disk of process 1 is on fire" in answer.stderr
    assert "Traceback" not in answer.stderr.partition("on fire")[0]
    assert time.monotonic() - started < 240  # it does not wait for a time-out


@pytest.mark.slow
def test_batch_that_cannot_be_divided_is_refused(tmp_path: Path):
    answer = torchrun(*RECIPE, "--set", "batch=7", "--out", str(tmp_path / "run"))
    assert answer.returncode != 0
    assert "batch=7 cannot be divided among 2 processes" in answer.stderr


@pytest.fixture
def apart(tmp_path: Path) -> str:
    """A script for processes on two machines that share no files; their folders are `0` and `1`."""
    for machine in "01":
        (tmp_path / machine).mkdir()
    (tmp_path / "apart.py").write_text(APART)
    return str(tmp_path / "apart.py")


@pytest.mark.slow
def test_run_folder_that_one_machine_does_not_see_is_refused(apart: str, tmp_path: Path):
    """On resuming, one process would begin anew while the other continues."""
    alone(*RECIPE, "--images", "1280", "--out", str(tmp_path / "0" / "run"))
    answer = torchrun(*RECIPE, "--images", "2560", "--out", "run", script=(apart, "train"))
    assert answer.returncode != 0
    assert "the processes do not see the same checkpoints in run" in answer.stderr


@pytest.mark.slow
def test_data_that_differs_between_machines_is_refused(apart: str, tmp_path: Path):
    for machine, shade in (("0", 0), ("1", 255)):
        (tmp_path / machine / "data").mkdir()
        for name in "ab":
            Image.new("L", (8, 8), shade).save(tmp_path / machine / "data" / f"{name}.png")
    recipe = ["data" if word == "digits" else word for word in RECIPE]
    answer = torchrun(*recipe, "--set", "batch=2", "--out", "run", script=(apart, "train"))
    assert answer.returncode != 0
    assert "--data data is not the same for all processes" in answer.stderr
