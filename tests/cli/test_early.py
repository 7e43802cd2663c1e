"""What is wrong in a command is said without importing torch, in the words of the engine."""

import subprocess
import sys
from pathlib import Path

import pytest
from commands import Command
from tiny import refused_in_one_line

from ganvas.data import View, open_dataset
from ganvas.data.kinds import KINDS
from ganvas.data.names import NAMED
from ganvas.evaluation.tables import print_evaluations
from ganvas.export.destination import ENDINGS
from ganvas.export.export import FORMATS
from ganvas.inference.run import load
from ganvas.recipes import get_recipe
from ganvas.runs.record import read_run

# Commands, and what their errors hold.
WRONG = {
    "train nosuch": "unknown recipe 'nosuch'",
    "train --data nosuch": "no data set and no file or folder is called 'nosuch'",
    "train --from nosuch": "there is no run folder nosuch",
    "train --from zoo:nosuch": "there is no zoo:nosuch",
    "train digits --log-to nosuch": "there is no logger 'nosuch'",
    "recipes nosuch": "unknown recipe 'nosuch'",
    "sample nosuch": "there is no run folder nosuch",
    "sample zoo:nosuch": "there is no zoo:nosuch",
    "sample nosuch --caption bird": "there is no run folder nosuch",
    "directions nosuch": "there is no run folder nosuch",
    "directions zoo:mnist --data nosuch": "no data set and no file or folder",
    "restore nosuch image.png": "there is no run folder nosuch",
    "translate nosuch image.png": "there is no run folder nosuch",
    "export nosuch --to onnx": "there is no run folder nosuch",
    "export zoo:mnist --to nosuch": "--to nosuch: unknown format",
    "export zoo:mnist --to onnx --out here.html": "writes a .onnx file or a folder",
    "evaluate nosuch": "there is no run folder nosuch",
    "evaluate nosuch mnist": "no data set and no file or folder is called 'nosuch'",
    "evaluate zoo:mnist --data nosuch": "no data set and no file or folder is called 'nosuch'",
    "health nosuch": "nosuch is not a run folder",
    "log nosuch": "nosuch is not a run folder",
    "data nosuch": "no data set and no file or folder is called 'nosuch'",
    "pack nosuch": "no data set and no file or folder is called 'nosuch'",
    "zoo nosuch": "there is no zoo:nosuch",
    "push nosuch here": "'here' is no place to publish to",
    "push nosuch hf:me/faces": "--licence is needed",
    "push nosuch hf:me/faces --licence mit": "there is no run folder nosuch",
    "cache nosuch": "the cache has no kind 'nosuch'",
}
# Runs all of these commands in one process, which says after which one torch was there.
CODE = """
import sys
from ganvas.cli import main
for command in sys.stdin.read().splitlines():
    try:
        main(command.split())
    except SystemExit as end:
        print(end.code, "torch" if "torch" in sys.modules else "light", file=sys.stderr)
"""


def test_wrong_words_are_refused_without_torch(tmp_path: Path):
    answer = subprocess.run(
        [sys.executable, "-c", CODE],
        input="\n".join(WRONG),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    lines = answer.stderr.splitlines()
    assert len(lines) == 2 * len(WRONG), answer.stderr
    for command, error, state in zip(WRONG, lines[::2], lines[1::2]):
        assert WRONG[command] in error, command
        assert state == "2 light", command
    assert not [*tmp_path.iterdir()]


def test_python_gets_the_same_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    refused_in_one_line(lambda: get_recipe("nosuch"), WRONG["train nosuch"])
    refused_in_one_line(lambda: open_dataset("nosuch", View()), WRONG["train --data nosuch"])
    refused_in_one_line(lambda: load("nosuch"), WRONG["sample nosuch"])
    refused_in_one_line(lambda: read_run("nosuch"), WRONG["health nosuch"])
    refused_in_one_line(
        lambda: print_evaluations(("nosuch",), None, False), WRONG["evaluate nosuch"]
    )


def test_the_tables_of_names_are_those_of_what_they_name():
    assert list(NAMED) == list(KINDS)
    assert list(ENDINGS) == list(FORMATS)


def test_publishing_complains_of_the_place_before_the_licence(ganvas: Command):
    for licence in ([], ["--licence", "nosuch"]):
        status, _, error = ganvas("push", "zoo:mnist", "me/faces", *licence)
        assert status == 2
        assert "'me/faces' is no place to publish to; write hf:OWNER/NAME" in error
