"""The command line as a whole: help, lists, and errors that say what to do."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from commands import Command
from PIL import Image
from safetensors.torch import save_file
from wrong_commands import WRONG

from ganvas.recipes import RECIPES
from ganvas.runs.locate import find_checkpoints


def test_help_needs_no_torch():
    code = (
        "import sys; sys.argv = ['ganvas', '--help']; from ganvas.cli import main; main(); "
        "assert 'torch' not in sys.modules"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "train" in answer.stdout


def test_recipes_are_listed_and_shown(ganvas: Command):
    status, listed, _ = ganvas("recipes")
    assert status == 0
    for name in RECIPES:
        assert name in listed
    status, shown, _ = ganvas("recipes", "avatars-dcgan")
    assert status == 0
    assert "optimizers.generator.lr = 0.0002" in shown
    assert "options.generator_updates = 2" in shown


def spoiled_run(tmp_path: Path, run: Path) -> Path:
    """A copy of a run whose newest checkpoint is damaged."""
    shutil.copytree(run, tmp_path / "spoiled")
    weights = find_checkpoints(tmp_path / "spoiled" / "checkpoints")[-1] / "gan.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    return tmp_path / "spoiled"


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_gets_one_line_and_status_2(
    case: str, ganvas: Command, run: Path, tmp_path: Path
):
    (tmp_path / "empty").mkdir()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "file").touch()
    for number in range(3):
        Image.new("RGB", (20, 20), (number, 0, 0)).save(tmp_path / "pictures" / f"{number}.png")
    for folder in ("two/trainA", "two/trainB", "faces"):
        shutil.copytree(tmp_path / "pictures", tmp_path / folder)
    rows = ["3", "Bald Old", "0.png 1 -1", "1.png -1 1", "2.png -1 -1"]
    (tmp_path / "faces" / "list_attr.txt").write_text("\n".join(rows))
    Image.new("L", (8, 8), 255).save(tmp_path / "mask.png")
    arguments, expected = WRONG[case]
    places = {
        "tmp": tmp_path,
        "run": run,
        "begun": tmp_path / "begun",
        "weights": tmp_path / "weights.safetensors",
    }
    save_file({"weight": torch.zeros(2)}, places["weights"])
    places["begun"].mkdir()
    (places["begun"] / "recipe.json").write_text((run / "recipe.json").read_text())
    if any("{spoiled}" in argument for argument in arguments):
        places["spoiled"] = spoiled_run(tmp_path, run)
    out = [] if "--out" in arguments or arguments[0] != "train" else ["--out", tmp_path / "out"]
    filled = [
        argument if argument.endswith("]") else argument.format(**places) for argument in arguments
    ]
    status, output, error = ganvas(*filled, *out)

    assert status == 2
    assert output == ""
    assert expected.format(**places) in error
    assert error.count("\n") == 1, error
    assert not (tmp_path / "out" / "checkpoints").exists()


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (MemoryError("too much"), "use a smaller --set batch"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "use a smaller --set batch"),
        (RuntimeError("can't allocate memory: you tried to"), "use a smaller --set batch"),
        (OSError("the shared memory folder is missing"), "folder is missing\n"),
    ],
)
def test_only_exhausted_memory_gets_advice_about_it(
    ganvas: Command, monkeypatch: pytest.MonkeyPatch, error: Exception, advice: str
):
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("ganvas.training.trainer.train", fail)
    status, _, message = ganvas("train", "digits", "--out", "absent")
    assert (status, message.count("\n")) == (2, 1)
    assert advice in message


def test_debug_shows_where_an_error_came_from(ganvas: Command):
    status, _, error = ganvas("train", "digts", "--debug")
    assert status == 2
    assert "Traceback" in error
