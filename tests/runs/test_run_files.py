"""Run folders that somebody else has written in: refused in one line, and what is not the run's
stays.
"""

import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import refused_in_one_line

import ganvas
from ganvas.data import open_dataset
from ganvas.data.shards.remote import evict_shards
from ganvas.io.files import DamagedFileError, find_leftovers, hash_file, read_json, remove
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import change
from ganvas.runs.checkpoint import FORMAT, CheckpointError, find_checkpoints
from ganvas.runs.folder import lock_folder, read_recipe
from ganvas.runs.log import read_log
from ganvas.runs.record import read_run
from ganvas.training.checkup import Checkup, features_shape
from ganvas.training.engine import Engine
from ganvas.training.speed.autotune import read_plan
from ganvas.training.state import list_optimizer_tensors, resume_checkpoint, save_checkpoint
from ganvas.training.trainer import Trainer

SETTINGS = {
    **{
        "batch": 6,
        "report_every": 12,
        "sample_every": 12,
        "checkpoint_every": 6,
        "health_every": 12,
        "ema_halflife": 12,
    },
    **{"options.hidden": 8, "stop_below": {}, "size": 8, "keep": 2},
}
DEEP = "[" * 100_000 + "]" * 100_000
LESS_DEEP = "[" * 500 + "]" * 500
BROKEN = {"not JSON": "{", "deep": DEEP, "less deep": LESS_DEEP, "long number": "1" * 5_000}


def train(out: Path, images: int = 18, **more: Any) -> ganvas.Run:
    settings = SETTINGS | more
    return ganvas.train(
        "mnist-mlp",
        data="digits",
        out=out,
        images=images,
        device="cpu",
        settings=settings,
        quiet=True,
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose newest checkpoint, of 18 images, has means of a round."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(folder)
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoiled."""
    return shutil.copytree(trained, tmp_path / "run")


def newest(run: Path) -> Path:
    return find_checkpoints(run / "checkpoints")[-1]


def seal(path: Path) -> None:
    """Write the digests of all files of a checkpoint anew."""
    about = json.loads((path / "about.json").read_text())
    about["files"] = {
        file.name: hash_file(file) for file in path.iterdir() if file.name != "about.json"
    }
    (path / "about.json").write_text(json.dumps(about))


def edit(file: Path, change: Callable[[Any], Any]) -> None:
    """Change the JSON of a file; what `change` returns takes its place, unless it is None."""
    values = json.loads(file.read_text())
    changed = change(values)
    file.write_text(json.dumps(values if changed is None else changed))


# What is restored


def replace(name: str, value: torch.Tensor) -> Callable[[dict[str, torch.Tensor]], object]:
    return lambda tensors: tensors.update({name: value})


def drop(part: str) -> Callable[[dict[str, torch.Tensor]], object]:
    return lambda tensors: [tensors.pop(name) for name in list(tensors) if part in name]


SPOILED_TENSORS = {
    "moments of another shape": (
        "training",
        replace("generator/0/exp_avg", torch.zeros(3)),
        r"generator/0/exp_avg is \(3,\)",
    ),
    "moments of another type": (
        "training",
        replace("generator/1/exp_avg_sq", torch.zeros(8).double()),
        "exp_avg_sq .*float64",
    ),
    "a step with a size": (
        "training",
        replace("discriminator/0/step", torch.zeros(1)),
        r"discriminator/0/step is \(1,\)",
    ),
    "no second moment": (
        "training",
        drop("generator/0/exp_avg_sq"),
        "generator/0/exp_avg_sq is missing",
    ),
    "no step": ("training", drop("generator/1/step"), "generator/1/step is missing"),
    "no state of a parameter": ("training", drop("generator/1/"), "generator/1/exp_avg is missing"),
    "no state of a player": ("training", drop("generator/"), "generator/0/exp_avg is missing"),
    "an unknown player": (
        "training",
        replace("critic/0/step", torch.zeros(())),
        "it has critic/0/step, which",
    ),
    "an unknown parameter": (
        "training",
        replace("generator/99/step", torch.zeros(())),
        "it has generator/99/step, which",
    ),
    "an unknown quantity": (
        "training",
        replace("generator/0/max_exp_avg_sq", torch.zeros(3)),
        "it has generator/0/max_exp",
    ),
    "another name": ("training", replace("generator", torch.zeros(3)), "it has generator, which"),
    "weights missing": ("gan", drop("generator"), r"generator\S* is missing"),
    "weights too much": (
        "gan",
        replace("generator.more", torch.zeros(3)),
        "it has generator.more, which",
    ),
    "averages missing": ("ema", drop("generator"), r"generator\S* is missing"),
    "no features": ("checkup", drop("features"), "features is missing"),
    "features of fewer samples": (
        "checkup",
        replace("features", torch.zeros(3, 256)),
        r"features is \(3, 256\) .*\(128, 256\)",
    ),
    "features of another type": (
        "checkup",
        replace("features", torch.zeros(128, 256).half()),
        "features is .*float16",
    ),
}


@pytest.mark.parametrize("case", SPOILED_TENSORS)
def test_tensors_that_do_not_fit_are_refused_by_name(run: Path, case: str):
    name, spoil, told = SPOILED_TENSORS[case]
    file = newest(run) / f"{name}.safetensors"
    tensors = load_file(file)
    spoil(tensors)
    save_file(tensors, file)
    seal(newest(run))
    refused_in_one_line(
        lambda: train(run, 24), rf"{name}\.safetensors belongs to another GAN: .*{told}"
    )
    with pytest.raises(CheckpointError):
        train(run, 24)


@pytest.mark.parametrize("name", ["gan", "ema"])
def test_weights_of_another_type_are_refused(run: Path, name: str):
    file = newest(run) / f"{name}.safetensors"
    save_file({key: value.double() for key, value in load_file(file).items()}, file)
    seal(newest(run))
    refused_in_one_line(
        lambda: train(run, 24),
        rf"{name}\.safetensors belongs to another GAN: \S+ is .*float64, not .*float32",
    )
    refused_in_one_line(lambda: ganvas.load(run), rf"{name}\.safetensors belongs to another GAN")


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff" * 20, struct.pack("<Q", 9) + b'{"a":{}}}'],
    ids=["empty", "long", "header"],
)
def test_files_that_are_not_tensors_are_refused(run: Path, content: bytes):
    for name in ("training", "gan"):
        (newest(run) / f"{name}.safetensors").write_bytes(content)
        seal(newest(run))
        refused_in_one_line(
            lambda: train(run, 24), rf"{name}\.safetensors is damaged: .*remove the folder"
        )


def test_files_without_use_are_refused(run: Path):
    shutil.copy(newest(run) / "gan.safetensors", newest(run) / "more.safetensors")
    seal(newest(run))
    refused_in_one_line(lambda: train(run, 24), r"more\.safetensors is of another run")


def test_players_that_never_moved_go_on_as_if_they_began(tmp_path: Path):
    """A fresh optimizer has no state; its checkpoint has the zeros that Adam begins with, and
    nothing else may be missing.
    """
    recipe = change(get_recipe("mnist-mlp"), SETTINGS | {"data": "digits", "images": 24})
    assert recipe.data
    dataset = open_dataset(recipe.data, recipe.view)

    def begin(name: str) -> Trainer:
        (tmp_path / name).mkdir()
        return Trainer(recipe, dataset, tmp_path / name, Engine("cpu"), quiet=True)

    whole, stopped, resumed = (begin(name) for name in ("whole", "stopped", "resumed"))
    path = save_checkpoint(tmp_path / "saved", stopped.state, {}, recipe, dataset)
    moments = load_file(path / "training.safetensors")
    assert len(moments) == 3 * len(list(stopped.state.gan.parameters()))
    assert not any(value.any() for value in moments.values())
    resume_checkpoint(tmp_path / "saved", resumed.state)
    for trainer in (whole, resumed):
        trainer.step()
    after = [list_optimizer_tensors(trainer.state.optimizers) for trainer in (whole, resumed)]
    assert after[0].keys() == after[1].keys()
    assert all(torch.equal(value, after[1][name]) for name, value in after[0].items())
    assert all(value.any() for name, value in after[0].items() if name.endswith("step"))


@pytest.mark.parametrize("name", ["mnist-mlp", "rings", "inpaint"])
def test_the_shape_of_what_the_doctor_remembers(name: str, tmp_path: Path):
    data, more = ("rings", {}) if name == "rings" else ("digits", {"size": 8})
    recipe = change(get_recipe(name), {"data": data, "batch": 4, **more})
    trainer = Trainer(recipe, open_dataset(data, recipe.view), tmp_path, Engine("cpu"), quiet=True)
    gan = trainer.state.gan
    checkup = Checkup(
        recipe, gan, trainer.context.dataset, trainer.loader, trainer.context.engine.device
    )
    features = checkup.measure(gan, gan, None)[1]
    assert features.shape == features_shape(gan, trainer.loader)
    assert features.dtype == torch.float32


# JSON


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
    "a mean of many": put("means.generator", [1.0, 10**400]),
    "a mean of null": put("means.generator", [None, 1]),
    "an infinite mean": put("means.generator", [float("inf"), 1]),
    "NaN": put("means.generator", [float("nan"), 1]),
    "beyond float32": put("means.generator", [1e300, 1]),
    "stopped by null": put("stopped", None),
    "stopped by a number": put("stopped", 3),
}


@pytest.mark.parametrize("case", SPOILED_POSITIONS)
def test_a_spoiled_position_is_refused(run: Path, case: str):
    edit(newest(run) / "training.json", SPOILED_POSITIONS[case])
    seal(newest(run))
    refused_in_one_line(lambda: train(run, 24), r"training\.json is damaged: .*; remove the folder")
    with pytest.raises(CheckpointError):
        train(run, 24)


def test_the_folders_name_counts(run: Path):
    newest(run).rename(run / "checkpoints" / "000000000024")
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
    edit(newest(run) / "about.json", SPOILED_ABOUTS[case])
    refused_in_one_line(
        lambda: ganvas.load(run),
        r"about\.json( is damaged: |: GAN | describes a GAN that cannot be built)",
    )
    with pytest.raises(CheckpointError):
        ganvas.load(run)


def test_a_spoiled_recipe_in_a_checkpoint_is_one_line(run: Path):
    edit(newest(run) / "about.json", put("recipe.batch", None))
    refused_in_one_line(lambda: ganvas.evaluate(run), r"about\.json: the recipe is damaged .*batch")
    edit(newest(run) / "about.json", put("recipe.batch", 6))
    edit(newest(run) / "about.json", put("recipe.gan", "nothing"))
    refused_in_one_line(
        lambda: ganvas.evaluate(run), r"about\.json: the recipe is damaged .*nothing"
    )


@pytest.mark.parametrize("case", BROKEN)
def test_files_that_do_not_hold_json_are_one_line(run: Path, case: str):
    content, path = BROKEN[case], newest(run)
    (path / "training.json").write_text(content)
    seal(path)
    refused_in_one_line(
        lambda: train(run, 24), r"training\.json cannot be read: .*; remove the folder"
    )
    (path / "about.json").write_text(content)
    for call in (lambda: train(run, 24), lambda: ganvas.load(run), lambda: read_run(run)):
        refused_in_one_line(call, r"about\.json cannot be read: .*; remove the folder")
    (run / "speed.json").write_text(content)
    refused_in_one_line(lambda: read_plan(run), r"speed\.json is damaged .* delete it")
    (run / "data.json").write_text(content)
    for call in (lambda: train(run, 24), lambda: read_run(run)):
        refused_in_one_line(call, r"data\.json cannot be read: ")
    (run / "recipe.json").write_text(content)
    refused_in_one_line(lambda: train(run, 24), r"recipe\.json cannot be read: ")
    refused_in_one_line(lambda: read_json(run), "cannot be read: ")
    with pytest.raises(DamagedFileError):
        read_json(run / "recipe.json")


def test_text_that_is_not_utf8_is_one_line(run: Path):
    (newest(run) / "about.json").write_bytes(b'{"a": "\xff"}')
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
        refused_in_one_line(call, r"data\.json is damaged ")


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


# What is removed


def test_resume_removes_only_grids_that_the_log_names(run: Path):
    samples = run / "samples"
    grid = (samples / "000000000018.png").read_bytes()
    own = [
        "20261128.png",
        "favourite.png",
        "000000000030.png",
        ".partial-mine.png",
        "000000000024 (copy).png",
    ]
    for name in (*own, "000000000024.png", ".partial-7-0a-000000000024.png"):
        (samples / name).write_bytes(grid)
    (samples / "000000000042.png").mkdir()  # a folder, and a link, of the user's with a grid's name
    (samples / "000000000048.png").symlink_to(samples / "favourite.png")
    with (run / "log.jsonl").open("a") as log:
        # a killed process had come so far; the second was not written any more
        for images in (24, 36, 42, 48):
            log.write(json.dumps({"images": images, "kind": "samples"}) + "\n")
    before = {path.name for path in samples.iterdir()} - {
        "000000000024.png",
        ".partial-7-0a-000000000024.png",
    }
    train(run, 18)
    assert {path.name for path in samples.iterdir()} == before
    assert "24 images" not in (run / "summary.html").read_text(encoding="utf-8")
    train(run, 24)
    named = [entry["images"] for entry in read_log(run / "log.jsonl") if entry["kind"] == "samples"]
    assert named == [0, 12, 18, 24]


def test_nothing_is_removed_through_a_link(run: Path, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    (run / "samples").rename(elsewhere)
    (run / "samples").symlink_to(elsewhere)
    shutil.copy(elsewhere / "000000000018.png", elsewhere / "000000000024.png")
    (elsewhere / ".partial-7-0a-000000000024.png").write_bytes(b"mine")
    with (run / "log.jsonl").open("a") as log:
        log.write('{"images": 24, "kind": "samples"}\n')
    there = {path.name for path in elsewhere.iterdir()}
    train(run, 18)
    assert {path.name for path in elsewhere.iterdir()} == there


def test_checkpoints_have_twelve_digits_and_all_else_stays(run: Path, tmp_path: Path):
    folder = run / "checkpoints"
    own = [
        "000000000018 (copy)",
        "000000000018.bak",
        "00000000000018",
        "18",
        "٠٠٠٠٠٠٠٠٠٠١٨",
        ".partial-mine",
    ]
    for name in own:
        shutil.copytree(newest(run), folder / name)
    (folder / "000000000001").write_text("a file")
    shutil.copytree(newest(run), tmp_path / "linked")
    (folder / "000000000006").symlink_to(tmp_path / "linked")
    (folder / ".partial-7-0a-000000000024").mkdir()
    assert newest(run).name == "000000000018"
    assert ganvas.load(run).about["images"] == 18
    train(run, 48)
    kept = {path.name for path in folder.iterdir()}
    assert kept == {*own, "000000000001", "000000000006", "000000000042", "000000000048"}
    assert all(
        len(list(path.iterdir())) == 6
        for path in [*(folder / name for name in own), tmp_path / "linked"]
    )
    assert read_run(run).checkpoint == folder / "000000000048"


def test_checkpoints_behind_a_link_are_not_pruned(run: Path, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    (run / "checkpoints").rename(elsewhere)
    (elsewhere / ".partial-7-0a-000000000024").mkdir()
    (run / "checkpoints").symlink_to(elsewhere)
    there = {path.name for path in elsewhere.iterdir()}
    train(run, 30)
    assert {path.name for path in elsewhere.iterdir()} == there | {"000000000024", "000000000030"}


def test_a_folder_of_the_users_stays_when_a_run_is_refused(tmp_path: Path):
    made, empty, target = tmp_path / "made", tmp_path / "empty", tmp_path / "target"
    empty.mkdir()
    target.mkdir()
    link = tmp_path / "link"
    link.symlink_to(target)
    for folder in (made, empty, link):
        with lock_folder(folder):
            pass
    assert {path.name for path in tmp_path.iterdir()} == {"empty", "target", "link"}
    assert not list(empty.iterdir())
    assert not list(target.iterdir())


def test_a_link_is_removed_as_a_link(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "link").symlink_to(tmp_path / "folder")
    remove(tmp_path / "link")
    remove(tmp_path / "other")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "file"]
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "folder" / ".partial-7-0a-x").write_text("left")
    assert find_leftovers(tmp_path / "link", "x") == []
    assert [path.name for path in find_leftovers(tmp_path / "folder", "x")] == [".partial-7-0a-x"]
    assert (
        find_leftovers(tmp_path / "folder", "y") == find_leftovers(tmp_path / "nowhere", "x") == []
    )


def test_making_room_removes_only_what_was_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cache = tmp_path / "cache"
    monkeypatch.setenv("GANVAS_CACHE", str(cache))
    monkeypatch.setenv("GANVAS_SHARD_CACHE", "1k")
    fetched, own, elsewhere = (
        cache / "shards" / ("0a" * 16),
        cache / "shards" / "mine",
        tmp_path / "elsewhere",
    )
    for folder in (fetched, own, elsewhere):
        folder.mkdir(parents=True)
        (folder / "a.tar").write_bytes(bytes(2_000))
        os.utime(folder / "a.tar", (0, 0))
    (cache / "shards" / ("0b" * 16)).symlink_to(elsewhere)
    evict_shards(100)
    assert [folder.name for folder in (fetched, own, elsewhere) if (folder / "a.tar").exists()] == [
        "mine",
        "elsewhere",
    ]


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
