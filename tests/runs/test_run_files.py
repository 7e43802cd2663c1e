"""JSON files of a run that somebody changed or damaged: refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from run_files import edit, newest_checkpoint, seal, train
from tiny import refused_in_one_line

import ganvas
from ganvas.io.reading import DamagedFileError, read_json
from ganvas.runs.checkpoint import FORMAT, CheckpointError
from ganvas.runs.folder import read_recipe
from ganvas.runs.log import read_log
from ganvas.runs.record import read_run
from ganvas.training.speed.autotune import read_plan

DEEP = "[" * 100_000 + "]" * 100_000
LESS_DEEP = "[" * 500 + "]" * 500
BROKEN = {"not JSON": "{", "deep": DEEP, "less deep": LESS_DEEP, "long number": "1" * 5_000}


def put(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(values: dict[str, Any]) -> None:
        *path, last = key.split(".")
        for part in path:
            values = values[part]
        values[last] = value

    return change


def take(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda values: (values.pop(key), None)[1]


SPOILED_POSITIONS = {
    "nothing": lambda _: [],
    "null": put("images", None),
    "text": put("images", "18"),
    "half": put("images", 18.5),
    "negative": put("images", -6),
    "other images": put("images", 12),
    "many images": put("images", 10**30),
    "true": put("images", True),
    "missing": take("means"),
    "more": put("more", 1),
    "means of lists": put("means", []),
    "a mean of one": put("means.generator", [1.0]),
    "a mean of none": put("means.generator", [1.0, 0]),
    "a mean of text": put("means.generator", ["1", 1]),
    "a mean of many": put("means.generator", [1.0, 10**250]),
    "a mean of null": put("means.generator", [None, 1]),
    "an infinite mean": put("means.generator", [float("inf"), 1]),
    "NaN": put("means.generator", [float("nan"), 1]),
    "beyond float32": put("means.generator", [1e300, 1]),
    "stopped by null": put("stopped", None),
    "stopped by a number": put("stopped", 3),
}


@pytest.mark.parametrize("case", SPOILED_POSITIONS)
def test_a_spoiled_position_is_refused(run: Path, case: str):
    edit(newest_checkpoint(run) / "training.json", SPOILED_POSITIONS[case])
    seal(newest_checkpoint(run))
    refused_in_one_line(lambda: train(run, 24), r"training\.json is damaged: .*; remove the folder")
    with pytest.raises(CheckpointError):
        train(run, 24)


def test_the_folders_name_counts(run: Path):
    newest_checkpoint(run).rename(run / "checkpoints" / "000000000024")
    refused_in_one_line(
        lambda: train(run, 30), r"training\.json is damaged: it says 18 images, .*000000000024"
    )
    assert ganvas.load(run).about["images"] == 18


SPOILED_ABOUTS = {
    "null": lambda values: None if values.clear() else {"format": FORMAT},
    "recipe": put("recipe", None),
    "length": put("recipe.images", "18"),
    "length of null": put("recipe", {}),
    "images": put("images", "18"),
    "many images": put("images", 10**30),
    "data": put("data", {}),
    "fingerprint": put("data.fingerprint", 3),
    "files": put("files", {"gan.safetensors": None}),
    "versions": put("versions", []),
    "GAN": put("gan.name", ["mlp"]),
    "schema": put("gan.data", {"size": None}),
    "size": put("gan.data.size", 10**30),
    "large size": put("gan.data.size", 10**9),
    "names": put("gan.data.names", {"label": [1, 2]}),
    "options": put("gan.options", []),
    "option": put("gan.options.hidden", "many"),
    "large option": put("gan.options.hidden", 10**30),
    "unknown option": put("gan.options.depth", 3),
}


@pytest.mark.parametrize("case", SPOILED_ABOUTS)
def test_a_spoiled_description_is_refused(run: Path, case: str):
    edit(newest_checkpoint(run) / "about.json", SPOILED_ABOUTS[case])
    refused_in_one_line(
        lambda: ganvas.load(run),
        r"about\.json( is damaged: |: GAN | describes a GAN that cannot be built)",
    )
    with pytest.raises(CheckpointError):
        ganvas.load(run)


def test_a_spoiled_recipe_in_a_checkpoint_is_one_line(run: Path):
    edit(newest_checkpoint(run) / "about.json", put("recipe.batch", None))
    refused_in_one_line(lambda: ganvas.evaluate(run), r"about\.json: the recipe is damaged .*batch")
    edit(newest_checkpoint(run) / "about.json", put("recipe.batch", 6))
    edit(newest_checkpoint(run) / "about.json", put("recipe.gan", "nothing"))
    refused_in_one_line(
        lambda: ganvas.evaluate(run), r"about\.json: the recipe is damaged .*nothing"
    )


@pytest.mark.parametrize("case", BROKEN)
def test_files_that_do_not_hold_json_are_one_line(run: Path, case: str):
    content, path = BROKEN[case], newest_checkpoint(run)
    (path / "training.json").write_text(content)
    seal(path)

    refused_in_one_line(
        lambda: train(run, 24), r"training\.json cannot be read: .*; remove the folder"
    )

    (path / "about.json").write_text(content)
    for call in (lambda: train(run, 24), lambda: ganvas.load(run), lambda: read_run(run)):
        refused_in_one_line(call, r"about\.json cannot be read: .*; remove the folder")

    (run / "speed.json").write_text(content)
    refused_in_one_line(lambda: read_plan(run), r"speed\.json cannot be read: .* delete it")

    (run / "data.json").write_text(content)
    for call in (lambda: train(run, 24), lambda: read_run(run)):
        refused_in_one_line(call, r"data\.json cannot be read: ")

    (run / "recipe.json").write_text(content)
    refused_in_one_line(lambda: train(run, 24), r"recipe\.json cannot be read: ")
    refused_in_one_line(lambda: read_json(run), "cannot be read: ")
    with pytest.raises(DamagedFileError):
        read_json(run / "recipe.json")


def test_text_that_is_not_utf8_is_one_line(run: Path):
    (newest_checkpoint(run) / "about.json").write_bytes(b'{"a": "\xff"}')
    refused_in_one_line(lambda: ganvas.load(run), r"about\.json cannot be read: .*utf-8")


@pytest.mark.parametrize(
    "spoil",
    [
        put("images", None),
        put("gan", "nothing"),
        put("options.hidden", {}),
        put("batch", [[]]),
        lambda _: 3,
    ],
)
def test_a_spoiled_recipe_is_refused_by_its_file(run: Path, spoil: Callable[[Any], Any]):
    edit(run / "recipe.json", spoil)
    refused_in_one_line(
        lambda: read_recipe(run), r"recipe\.json is of another version of ganvas or damaged: "
    )


@pytest.mark.parametrize(
    "spoil", [put("used", "many"), put("fingerprint", None), take("spec"), lambda _: [1]]
)
def test_a_spoiled_data_report_is_refused_by_its_file(run: Path, spoil: Callable[[Any], Any]):
    edit(run / "data.json", spoil)
    for call in (lambda: train(run, 24), lambda: read_run(run)):
        refused_in_one_line(call, r"data\.json is damaged: ")


@pytest.mark.parametrize(
    "line",
    ["null", "3", "[]", '{"images": "6", "kind": "losses"}', '{"images": 6}', "1" * 5_000, DEEP],
)
def test_a_line_of_the_log_that_is_no_entry_is_one_line(run: Path, line: str):
    log = run / "log.jsonl"
    entries = read_log(log)
    with log.open("a") as file:
        file.write('{"images": 18, "ki')  # cut short by a crash
    assert read_log(log) == entries
    with log.open("a") as file:
        file.write(f"\n{line}\n")
    refused_in_one_line(lambda: read_log(log), rf"log\.jsonl is damaged: line {len(entries) + 2}")
    refused_in_one_line(lambda: train(run, 24), r"log\.jsonl is damaged")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"kind": "evaluated", "features": "random"}, "'evaluated' needs distance, not None"),
        ({"kind": "evaluated", "distance": "near", "features": ""}, "needs distance, not 'near'"),
        ({"kind": "speed"}, "'speed' needs images_per_second"),
        ({"kind": "stopped", "reason": 3}, "'stopped' needs reason, not 3"),
        ({"kind": "condition", "state": "ended"}, "'condition' needs condition"),
    ],
)
def test_an_entry_without_what_its_kind_needs_is_one_line(
    run: Path, entry: dict[str, Any], reason: str
):
    with (run / "log.jsonl").open("a") as log:
        log.write(json.dumps({"images": 18, **entry}) + "\n")
    for call in (lambda: read_run(run), lambda: train(run, 24)):
        refused_in_one_line(call, rf"log\.jsonl is damaged: line \d+: .*{reason}")
