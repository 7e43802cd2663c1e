"""The benchmark for GPUs, tried on a CPU: what it measures there, and what a part that fails does
to the others. The plain scripts of the quick recipes; how time to quality scores GANs that need
rows.
"""

import importlib
import importlib.util
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from ganvas.errors import UserError
from ganvas.evaluation.metrics.features import Pixels
from ganvas.gans import GANS
from ganvas.gans.options import build_gan, option_defaults
from ganvas.gans.stargan.relativistic import RelativisticStarGAN
from ganvas.recipes import fast_translation, get_recipe
from ganvas.recipes.recipe import change

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module `benchmarks/gpu.py`, which looks at its parts more often than usual."""
    spec = importlib.util.spec_from_file_location("gpu", BENCHMARKS / "gpu.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "TICK", 0.05)
    monkeypatch.setattr(module, "GRACE", 0.0)
    return module


# Results are written whole, as the parts do it: the file may be read at any moment.
PREAMBLE = """
import os, pathlib, time

def write(text):
    partial = pathlib.Path({file!r} + ".partial")
    partial.write_text(text)
    partial.replace({file!r})

"""


def run_code(gpu: ModuleType, folder: Path, code: str, budget: float) -> dict[str, Any]:
    """The entry of a part that is that code, with `write` for its results."""
    file, report = folder / "part.json", {"parts": {}}
    entry = report["parts"]["part"] = {"status": "running"}
    command = [sys.executable, "-c", PREAMBLE.format(file=str(file)) + code]
    gpu.run_part(
        command, budget, file, entry, lambda: gpu.write_report(folder / "all.json", report)
    )
    assert json.loads((folder / "all.json").read_text()) == report
    assert {path.name for path in folder.iterdir()} <= {"part.json", "all.json"}
    return entry


WRITE = """write('{"results": {"rate": 3.5}}')\n"""


def test_a_part_that_ends_well(gpu: ModuleType, tmp_path: Path):
    entry = run_code(gpu, tmp_path, WRITE, 60)
    assert entry["status"] == "done"
    assert entry["results"] == {"rate": 3.5}
    assert "error" not in entry


def test_a_part_that_fails_keeps_what_it_measured(gpu: ModuleType, tmp_path: Path):
    entry = run_code(gpu, tmp_path, WRITE + "raise RuntimeError('no such kernel')", 60)
    assert entry["status"] == "failed"
    assert entry["results"] == {"rate": 3.5}
    assert "Traceback" in entry["error"]
    assert "RuntimeError: no such kernel" in entry["error"]


def test_a_part_that_crashes(gpu: ModuleType, tmp_path: Path):
    entry = run_code(gpu, tmp_path, "os.abort()", 60)
    assert entry["status"] == "failed"
    assert "exit status -6" in entry["error"]


def test_a_part_that_never_ends_is_ended_with_all_that_it_started(gpu: ModuleType, tmp_path: Path):
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        """write('{"results": {"child": %d}}' % child.pid)\n"""
        "time.sleep(600)"
    )
    entry = run_code(gpu, tmp_path, code, 2.0)
    assert entry["status"] == "out of time"
    # killed by now, but the system may take a moment to end it
    last = time.monotonic() + 30
    while is_alive(entry["results"]["child"]):
        assert time.monotonic() < last
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_errors_are_counted_wherever_they_are(gpu: ModuleType):
    results = {"mlp": {"steps": 0.1, "bf16": {"error": "..."}}, "data": {"error": "..."}, "n": 3}
    assert gpu.count_errors(results) == 2
    assert gpu.count_errors({"n": 3, "text": "error"}) == 0


def run_script(*flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`benchmarks/gpu.sh` with this interpreter."""
    return subprocess.run(
        ["bash", str(BENCHMARKS / "gpu.sh"), *flags],
        env=os.environ | {"PYTHON": sys.executable, "OMP_NUM_THREADS": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_whole_script_on_a_cpu(tmp_path: Path):
    out = tmp_path / "gpu.json"
    done = run_script("--device", "cpu", "--tiny", "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "error" not in done.stdout

    parts = json.loads(out.read_text())["parts"]
    assert {name: entry["status"] for name, entry in parts.items()} == dict.fromkeys(
        ("machine", "contract", "speed", "mnist-fast", "r3gan"), "done"
    )
    results = {name: entry["results"] for name, entry in parts.items()}

    assert results["machine"]["products_tflops"]["float32"] > 0
    # The same device on both sides: no difference at all.
    assert results["contract"].pop("failed") == []
    same = {"steps": 0.0, "samples": 0.0, "bf16": "finite"}
    assert results["contract"] == dict.fromkeys(GANS, same)
    for recipe in results["speed"].values():
        assert recipe["script"]["images_per_s"] > 0
        assert recipe["plain"]["images_per_s"] > 0
        assert recipe["bf16"]["images_per_s"] > 0
        assert recipe["graphs"] == "graphs does not work for this GAN on this device"
    assert results["mnist-fast"]["images"] == 400
    assert results["mnist-fast"]["checkup"]["images"] == 400
    assert results["r3gan"]["ways"]["channels_last"]["images_per_s"] > 0
    assert results["r3gan"]["training"]["checkup"]["diversity"] > 0


@pytest.mark.slow
def test_without_a_gpu_the_report_says_so(tmp_path: Path):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    out = tmp_path / "gpu.json"
    assert run_script("--parts", "machine", "contract", "--out", str(out)).returncode == 1
    for entry in json.loads(out.read_text())["parts"].values():
        assert entry["status"] == "failed"
        assert "this machine has no cuda" in entry["error"]


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Imports a module of `benchmarks`, which import one another by their bare names."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module


# Recipes for rows of data that are tuned for a CPU, tiny.
QUICK: dict[str, dict[str, Any]] = {
    "pix2pix-fast": {"options.width": 8, "options.discriminator_width": 8},
    "cyclegan-fast": {"options.width": 8, "options.discriminator_width": 8},
    "stargan-fast": {"options.width": 8, "options.discriminator_width": 8},
    "inpaint-fast": {"options.width": 8},
    "gawwn-fast": {"options.width": 8},
}


def test_every_quick_recipe_for_rows_has_a_plain_script(benchmarks: Callable[[str], ModuleType]):
    quick = {name.replace("_", "-") for name in fast_translation.__all__}
    assert {*benchmarks("plain_quick").QUICK_SCRIPTS} == {*QUICK} == quick


@pytest.mark.parametrize("name", QUICK)
def test_plain_scripts_of_quick_recipes(
    name: str, benchmarks: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(benchmarks("random_data"), "ROWS", 8)
    speed = benchmarks("step_speed")
    recipe = change(speed.small(name), {"size": 16, "batch": 2} | QUICK[name])
    assert speed.period_of(recipe) == option_defaults(recipe.gan)["penalty_every"] > 1

    dataset = benchmarks("random_data").random_data(recipe)
    step = speed.plain_step(recipe, dataset, torch.device("cpu"))
    # the first step has a gradient penalty, the second has none
    for _ in range(2):
        assert all(map(math.isfinite, step()))


def test_steps_repeat_after_a_penalty_or_several_critic_steps(
    benchmarks: Callable[[str], ModuleType],
):
    period_of = benchmarks("step_speed").period_of
    recipes = ("mnist-mlp", "stargan", "inpaint")
    assert [period_of(get_recipe(name)) for name in recipes] == [1, 5, 8]


def test_rows_are_scored_by_the_real_images_of_their_target(
    benchmarks: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(benchmarks("random_data"), "ROWS", 32)
    settings = {"size": 16, "channels": 3} | QUICK["stargan-fast"]
    recipe = change(get_recipe("stargan-fast"), settings)
    dataset = benchmarks("random_data").random_data(recipe)
    gan = build_gan(recipe.gan, dataset.schema, recipe.options)
    assert isinstance(gan, RelativisticStarGAN)

    rows = dataset.batch(np.arange(32))
    yardstick = benchmarks("yardsticks").RowsYardstick(Pixels(), rows, "image")
    assert yardstick.about == "kernel distance on 32 unseen rows, pixels features"

    # what it adds to each image: nothing, then white
    unfolding = gan.generator.last[-1].requires_grad_(False)
    unfolding.weight.zero_()
    unfolding.bias.zero_()
    assert abs(yardstick.score(gan)) < 0.1
    unfolding.bias.fill_(10)
    assert yardstick.score(gan) > 1


def test_recipes_that_no_yardstick_fits_are_refused(benchmarks: Callable[[str], ModuleType]):
    """One generates from noise, the other from rows."""
    candidates = []
    for name in ("stargan-fast", "avatars-fast"):
        recipe = change(get_recipe(name), {"size": 16, "channels": 3, "data": "random"})
        dataset = benchmarks("random_data").random_data(recipe)
        candidates.append((recipe, build_gan(recipe.gan, dataset.schema, recipe.options)))
    with pytest.raises(UserError, match="what they generate from is rows of data and noise"):
        benchmarks("yardsticks").make_yardstick(candidates, None, None, 100)
