"""The command line: valid commands work, and wrong ones get an error that says what to do."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from ganvas.cli import main
from ganvas.data import View, open_dataset
from ganvas.recipes import RECIPES
from ganvas.runs.checkpoint import find_checkpoints

Command = Callable[..., tuple[int, str, str]]
FAST = ["--images", "200", "--set", "options.width=4", "--device", "cpu", "--quiet"]


@pytest.fixture
def ganvas(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process: (status, standard output, standard error)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0
        output = capfd.readouterr()
        return status, output.out, output.err

    return run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run of the default recipe."""
    folder = tmp_path_factory.mktemp("run") / "digits"
    main(
        [
            "train",
            "--out",
            str(folder),
            "--images",
            "4000",
            "--set",
            "options.width=8",
            "--device",
            "cpu",
            "--quiet",
        ]
    )
    return folder


def test_first_run_on_built_in_data(
    ganvas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    status, _, error = ganvas("train", *FAST[:-1])
    assert status == 0, error
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.endswith("-digits")
    for name in (
        "recipe.json",
        "data.json",
        "log.jsonl",
        "losses.png",
        "timelapse.gif",
        "timelapse.webp",
        "summary.html",
    ):
        assert (folder / name).stat().st_size > 0, name
    assert "done: 200 images; see " in error


def test_fresh_folders_do_not_collide(
    ganvas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert ganvas("train", *FAST)[0] == ganvas("train", *FAST)[0] == 0
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_help_needs_no_torch():
    code = (
        "import sys; sys.argv = ['ganvas', '--help']; from ganvas.cli import main; main(); "
        "assert 'torch' not in sys.modules"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "train" in answer.stdout


def test_same_seed_same_pictures_whatever_the_count(ganvas: Command, run: Path, tmp_path: Path):
    assert ganvas("sample", run, "--count", 3, "--seed", 5, "--out", tmp_path / "few")[0] == 0
    assert ganvas("sample", run, "--count", 70, "--seed", 5, "--out", tmp_path / "many")[0] == 0
    assert ganvas("sample", run, "--count", 3, "--seed", 6, "--out", tmp_path / "others")[0] == 0
    for name in ("00000.png", "00001.png", "00002.png"):
        assert (tmp_path / "few" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()
        assert (tmp_path / "few" / name).read_bytes() != (tmp_path / "others" / name).read_bytes()
    assert len(list((tmp_path / "many").glob("*.png"))) == 70


def test_samples_are_balanced_and_labelled_and_train_again(
    ganvas: Command, run: Path, tmp_path: Path
):
    assert ganvas("sample", run, "--count", 40, "--out", tmp_path / "set")[0] == 0
    with (tmp_path / "set" / "labels.csv").open() as table:
        labels = [row["label"] for row in csv.DictReader(table)]
    assert {label: labels.count(label) for label in labels} == {
        str(digit): 4 for digit in range(10)
    }
    arguments = (
        "--data",
        tmp_path / "set",
        "--labels",
        "labels.csv",
        "--out",
        tmp_path / "again",
        *FAST,
    )
    status, _, error = ganvas("train", "digits", *arguments)
    assert status == 0, error


def test_samples_of_one_class(ganvas: Command, run: Path, tmp_path: Path):
    assert (
        ganvas(
            "sample",
            run,
            "--count",
            4,
            "--label",
            3,
            "--out",
            tmp_path / "threes",
            "--format",
            "jpg",
        )[0]
        == 0
    )
    assert set((tmp_path / "threes" / "labels.csv").read_text().split()[1:]) == {
        f"0000{i}.jpg,3" for i in range(4)
    }
    with Image.open(tmp_path / "threes" / "00000.jpg") as picture:
        assert (picture.size, picture.format) == ((8, 8), "JPEG")


def test_samples_of_each_call_are_a_set_of_their_own(ganvas: Command, run: Path, tmp_path: Path):
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    for count in (12, 5):
        assert ganvas("sample", copy, "--count", count)[0] == 0
    for number, count in (("1", 12), ("2", 5)):
        folder = copy / "generated" / number
        names = [f"{place:05d}.png" for place in range(count)]
        assert sorted(path.name for path in folder.iterdir()) == [*names, "labels.csv", "sheets"]
        assert [
            line.partition(",")[0] for line in (folder / "labels.csv").read_text().split()[1:]
        ] == names
        assert open_dataset(str(folder), View(labels="labels.csv")).report.used == count
    status, _, error = ganvas("sample", copy, "--count", 3, "--out", copy / "generated" / "2")
    assert status == 2
    assert "2 is not empty (it holds 00000.png); choose a new folder" in error
    assert len(list((copy / "generated" / "2").glob("*.png"))) == 5


def test_sheets_and_walks_are_never_counted_as_samples(ganvas: Command, run: Path, tmp_path: Path):
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    assert ganvas("sample", copy, "--count", 12)[0] == 0
    beside = copy / "generated" / "1"  # where a user may want them
    for name in ("a.png", "b.jpg", "c.webp"):
        assert ganvas("sample", copy, "--count", 4, "--grid", beside / name)[0] == 0
    for name in ("d.gif", "e.webp"):
        assert ganvas("sample", copy, "--label", 3, "--interpolate", beside / name)[0] == 0
    report = open_dataset(str(copy / "generated"), View()).report
    assert (report.found, report.used) == (18, 12)
    assert {item.reason for item in report.skipped} == {
        "not one image: a sheet of images, drawn by ganvas"
    }
    status, output, error = ganvas(
        "evaluate",
        copy / "generated",
        "digits",
        "--features",
        "pixels",
        "--metrics",
        "fd",
        "--json",
    )
    assert status == 0, error
    assert json.loads(output)[0]["protocol"]["count"] == 12
    status, _, error = ganvas("evaluate", copy / "samples", "digits")  # the grids of its training
    assert status == 2
    assert "a sheet of images, drawn by ganvas" in error


def test_two_rows_never_share_a_name(ganvas: Command, run: Path, tmp_path: Path):
    for folder in ("one", "other"):
        shutil.copytree(run, tmp_path / folder / "digits")
        assert ganvas("sample", run, "--count", 4, "--out", tmp_path / folder / "made")[0] == 0
    ganvas(
        "train",
        "--out",
        tmp_path / "one" / "digits",
        "--images",
        4200,
        "--device",
        "cpu",
        "--quiet",
    )
    first, last = find_checkpoints(tmp_path / "one" / "digits" / "checkpoints")[-2:]
    sets = [
        first,
        last,
        tmp_path / "other" / "digits",
        tmp_path / "one" / "made",
        tmp_path / "other" / "made",
        "noise",
    ]
    asked = ["--features", "pixels", "--count", 4, "--metrics", "fd"]
    status, output, error = ganvas("evaluate", *sets, "digits", *asked, "--json")
    assert status == 0, error
    before, after = (
        json.loads((path / "about.json").read_text())["images"] for path in (first, last)
    )
    one, other = tmp_path / "one", tmp_path / "other"
    names = [f"{one / 'digits'} @ {before:,} images", f"{one / 'digits'} @ {after:,} images"]
    names += [
        f"{other / 'digits'} @ {before:,} images",
        str(one / "made"),
        str(other / "made"),
        "noise",
    ]
    assert [each["name"] for each in json.loads(output)] == names
    # the same weights, named in two ways
    _, output, _ = ganvas("evaluate", last, last.parents[1], "digits", *asked)
    assert [line.split()[0] for line in output.splitlines()[1:3]] == [
        str(last),
        str(last.parents[1]),
    ]


@pytest.mark.slow
def test_every_column_can_be_asked_for_by_its_name(ganvas: Command, run: Path, tmp_path: Path):
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    asked = [copy, "--features", "classifier", "--count", 60, "--data", "digits"]
    status, output, error = ganvas("evaluate", *asked)
    assert status == 0, error
    for column in re.findall(r"(\w+) [↓↑→]", output.splitlines()[0]):
        status, output, error = ganvas("evaluate", *asked, "--metrics", column)
        assert status == 0, error
        assert column in output.splitlines()[0]
    _, output, _ = ganvas("evaluate", *asked, "--metrics", "copies,kl")
    assert output.splitlines()[0].split() == ["set", "copies", "↓", "kl", "↓"]
    error = ganvas("evaluate", *asked, "--metrics", "high_quality")[2]
    assert "--metrics high_quality: modes gives only modes, kl here" in error
    error = ganvas("evaluate", *asked, "--metrics", "trrtr")[2]
    assert "did you mean trtr? known: agreement, attributes, blur_l1," in error
    assert error.count("\n") == 1


def test_inverted_grid(ganvas: Command, run: Path, tmp_path: Path):
    plain, inverted = tmp_path / "plain.png", tmp_path / "inverted.png"
    assert ganvas("sample", run, "--count", 40, "--columns", 10, "--grid", plain)[0] == 0
    assert (
        ganvas("sample", run, "--count", 40, "--columns", 10, "--grid", inverted, "--invert")[0]
        == 0
    )
    with Image.open(plain) as one, Image.open(inverted) as other:
        assert one.size == other.size == (10 * 60 + 4, 4 * 60 + 4)
        inside = (slice(4, 60), slice(4, 60))
        total = np.asarray(one)[inside].astype(int) + np.asarray(other)[inside]
    assert abs(total - 255).max() <= 2  # each is rounded by itself


@pytest.mark.parametrize("name", ["walk.gif", "walk.webp"])
def test_walk_is_smooth_and_closed(name: str, ganvas: Command, run: Path, tmp_path: Path):
    assert ganvas("sample", run, "--label", 3, "--interpolate", tmp_path / name)[0] == 0
    with Image.open(tmp_path / name) as walk:
        frames = []
        for number in range(walk.n_frames):  # pyright: ignore[reportAttributeAccessIssue]
            walk.seek(number)
            frames.append(np.asarray(walk.convert("L")).astype(float))
    jumps = [abs(after - before).mean() for before, after in zip(frames, [*frames[1:], frames[0]])]
    far = max(abs(frame - frames[0]).mean() for frame in frames)
    assert len(frames) > 30  # equal neighbours are merged
    assert 0 < max(jumps) < far


def test_recipes_are_listed_and_shown(ganvas: Command):
    status, listed, _ = ganvas("recipes")
    assert status == 0
    for name in RECIPES:
        assert name in listed
    status, shown, _ = ganvas("recipes", "avatars-dcgan")
    assert status == 0
    assert "optimizers.generator.lr = 0.0002" in shown
    assert "options.generator_updates = 2" in shown


def test_dry_run_writes_nothing(ganvas: Command, tmp_path: Path):
    status, output, _ = ganvas(
        "train", "digits", "--dry-run", "--out", tmp_path / "run", "--epochs", "2"
    )
    assert status == 0
    assert "images = 3524" in output  # 35 of the 1,797 are held out
    assert "1,797 images" in output
    assert "generator 165,825" in output
    assert "memory:" in output
    assert "time:" in output
    assert not (tmp_path / "run").exists()


def test_epochs_are_passes_through_the_data(ganvas: Command, tmp_path: Path):
    arguments = [argument for argument in FAST if argument not in ("--images", "200")]
    assert (
        ganvas("train", "digits", "--out", tmp_path / "run", "--epochs", "0.5", *arguments)[0] == 0
    )
    assert find_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "000000000900"


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM]
)
def test_signal_finishes_the_round_saves_and_says_how_to_go_on(
    number: signal.Signals, tmp_path: Path
):
    command = [
        sys.executable,
        "-m",
        "ganvas",
        "train",
        "--out",
        str(tmp_path / "run"),
        "--device",
        "cpu",
    ]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    while not list(tmp_path.glob("run/samples/*.png")):
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "to resume: ganvas train --out" in error
    (newest,) = find_checkpoints(tmp_path / "run" / "checkpoints")[-1:]
    assert newest.name != "000000300000"
    assert (tmp_path / "run" / "summary.html").exists()


def spoiled_run(tmp_path: Path, run: Path) -> Path:
    """A copy of a run whose newest checkpoint is damaged."""
    shutil.copytree(run, tmp_path / "spoiled")
    weights = find_checkpoints(tmp_path / "spoiled" / "checkpoints")[-1] / "gan.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    return tmp_path / "spoiled"


WRONG = {
    "unknown recipe": (("train", "digts"), "unknown recipe 'digts'; did you mean digits"),
    "unknown key": (("train", "--set", "bacth=3"), "unknown key 'bacth'; did you mean batch?"),
    "unknown option": (
        ("train", "--set", "options.widht=3"),
        "unknown key 'options.widht'; did you mean options.width",
    ),
    "no value": (("train", "--set", "batch"), "--set batch has no value"),
    "not a number": (
        ("train", "--set", "batch=many"),
        "batch='many': input should be a valid integer",
    ),
    "unknown flag": (("train", "--bacth", "3"), "--bacth"),
    "unknown verb": (("trian",), "trian"),
    "missing folder": (("train", "dcgan-64", "--data", "{tmp}/none"), "{tmp}/none"),
    "empty folder": (
        ("train", "dcgan-64", "--data", "{tmp}/empty"),
        "{tmp}/empty holds no images",
    ),
    "no data": (("train", "dcgan-64"), "give a folder or zip with --data"),
    "labels absent": (
        ("train", "mnist-cdcgan", "--data", "{tmp}/pictures", "--size", "16"),
        "needs classes",
    ),
    "labels missing": (
        (
            "train",
            "mnist-cdcgan",
            "--data",
            "{tmp}/pictures",
            "--size",
            "16",
            "--labels",
            "folders",
        ),
        "has no sub-folders with images to be classes",
    ),
    "size too large": (
        ("train", "dcgan-64", "--data", "{tmp}/pictures"),
        "the largest size that would work is 20",
    ),
    "size a GAN cannot make": (("train", "digits", "--size", "7"), "size 7 cannot be made"),
    "odd size": (("train", "digits", "--size", "50"), "the nearest sizes that can: 48 and 56"),
    "fit": (("train", "digits", "--fit", "squash"), "fit='squash'"),
    "channels": (("train", "digits", "--channels", "2"), "channels=2"),
    "background": (("data", "{tmp}/pictures", "--background", "whiteish"), "whiteish"),
    "negative images": (("train", "--images", "-5"), "images=-5"),
    "both lengths": (("train", "--images", "5", "--epochs", "1"), "--images and --epochs"),
    "negative epochs": (("train", "--epochs", "-1"), "--epochs -1"),
    "device": (("train", "--device", "tpu"), "tpu"),
    "other settings": (
        ("train", "digits", "--out", "{run}", "--set", "batch=100", "--set", "options.width=8"),
        "batch is 50 there and 100 here",
    ),
    "a folder that is no run": (
        ("train", "digits", "--out", "{tmp}/pictures"),
        "is not a run folder",
    ),
    "a file": (("train", "digits", "--out", "{tmp}/file"), "is a file"),
    "damaged checkpoint": (("sample", "{spoiled}"), "gan.safetensors is damaged"),
    "damaged checkpoint, resumed": (
        ("train", "--out", "{spoiled}", "--images", "400"),
        "gan.safetensors is damaged",
    ),
    "no run": (("sample", "{tmp}/none"), "there is no run folder {tmp}/none"),
    "nothing to load": (("sample", "{tmp}/pictures"), "it is not a run folder"),
    "no such class": (
        ("sample", "{run}", "--label", "12"),
        "there is no class '12' among 10; the classes are 0, 1, 2",
    ),
    "negative class": (("sample", "{run}", "--label", "-1"), "-1"),
    "negative count": (("sample", "{run}", "--count", "-3"), "--count -3"),
    "no columns": (("sample", "{run}", "--columns", "0"), "--columns 0"),
    "walk of another kind": (
        ("sample", "{run}", "--interpolate", "{tmp}/walk.png"),
        "should end in one of .gif, .webp",
    ),
    "grid of another kind": (
        ("sample", "{run}", "--grid", "{tmp}/grid.tiff"),
        "should end in one of",
    ),
    "labels of a set that has its own": (
        ("train", "digits", "--labels", "folders"),
        "digits carries its own labels",
    ),
    "unknown colour": (("train", "digits", "--background", "blu"), "blu"),
    "unknown data": (("data", "mnits"), "mnist"),
    "nothing to judge": (("evaluate",), "name a run folder, or two sets of images"),
    "nothing to compare with": (("evaluate", "digits"), "ganvas evaluate digits REFERENCE"),
    "no run to judge": (("evaluate", "{tmp}/none"), "there is no run folder {tmp}/none"),
    "no set to judge": (
        ("evaluate", "{tmp}/none", "digits"),
        "no file or folder is called '{tmp}/none'",
    ),
    "run without checkpoints": (("evaluate", "{begun}"), "has no checkpoints"),
    "damaged run": (("evaluate", "{spoiled}"), "gan.safetensors is damaged"),
    "data moved": (
        ("evaluate", "{run}", "--data", "{tmp}/none"),
        "no file or folder is called '{tmp}/none'",
    ),
    "other sizes": (
        ("evaluate", "{tmp}/pictures", "digits"),
        "pictures holds 20x20 rgb and digits 8x8 grey; bring both to one",
    ),
    "empty folder, judged": (("evaluate", "{tmp}/empty", "digits"), "{tmp}/empty"),
    "too few for neighbours": (
        ("evaluate", "{run}", "--count", "3", "--metrics", "precision"),
        "needs at least 4",
    ),
    "one sample": (("evaluate", "{run}", "--count", "1"), "--count 1: evaluate at least 2"),
    "unknown metric": (
        ("evaluate", "{run}", "--metrics", "fd,recal"),
        "--metrics recal: unknown metric; did you mean recall",
    ),
    "unknown features": (
        ("evaluate", "{run}", "--features", "inceptoin"),
        "did you mean inception or",
    ),
    "published name": (
        ("evaluate", "{run}", "--metrics", "fid"),
        "--metrics fid: that name is for Inception features",
    ),
    "labels wanted": (
        ("evaluate", "noise", "digits", "--metrics", "agreement"),
        "noise was made without the labels of digits",
    ),
    "features of points": (
        ("evaluate", "noise", "rings", "--features", "inception"),
        "rings holds points",
    ),
    "no weights": (
        ("evaluate", "{run}", "--weights", "{tmp}/none.pth"),
        "--weights {tmp}/none.pth: there is no such file",
    ),
    "weights of nothing": (
        ("evaluate", "{run}", "--features", "random", "--weights", "{tmp}/file"),
        "random features have no weights",
    ),
    "weights of another network": (
        ("evaluate", "{run}", "--weights", "{weights}"),
        "holds the weights of another network",
    ),
    "weights of another network, classifier": (
        ("evaluate", "{run}", "--features", "classifier", "--weights", "{weights}"),
        "holds the weights of another network",
    ),
    "larger than the GAN makes": (
        ("evaluate", "{run}", "--size", "16"),
        "makes 8x8 grey; choose 8 or less",
    ),
    "other channels than the GAN makes": (
        ("evaluate", "{run}", "--channels", "3"),
        "makes 8x8 grey",
    ),
    "points for a recipe of images": (
        ("train", "digits", "--data", "rings"),
        "not images: size=8, channels=1 does not apply",
    ),
    "points for a GAN of images": (
        ("train", "rings", "--set", "gan=mlp"),
        "MLP makes images, not points",
    ),
    "images for a recipe of points": (
        ("train", "rings", "--data", "digits"),
        "channels=2 is only for points",
    ),
    "images for a GAN of points": (
        ("train", "mnist-mlp", "--data", "digits", "--size", "8", "--set", "gan=points"),
        "PointGAN makes points, not images: use --data rings",
    ),
    "size of points": (
        ("data", "grid", "--size", "28"),
        "grid holds points in the plane, not images: size=28 does not apply",
    ),
    "no packing": (("train", "rings", "--set", "options.packing=0"), "options.packing=0"),
    "grey stacks": (("train", "stacked-mnist", "--channels", "1"), "channels=1 is not possible"),
    "pairs wanted": (
        ("train", "pix2pix", "--data", "{tmp}/pictures", "--size", "16"),
        "needs images of two domains",
    ),
    "single images as pairs": (
        ("train", "pix2pix", "--data", "pairs:{tmp}/pictures", "--size", "16"),
        "is one image, not",
    ),
    "domains as pairs": (
        ("train", "pix2pix", "--data", "pairs:{tmp}/two", "--size", "16"),
        "use cyclegan with --data unpaired:",
    ),
    "unpaired for pix2pix": (
        ("train", "pix2pix", "--data", "unpaired:{tmp}/two", "--size", "16"),
        "pix2pix needs pairs of images",
    ),
    "one domain empty": (
        ("train", "cyclegan", "--data", "unpaired:{tmp}/pictures", "--size", "16"),
        "trainA",
    ),
    "no such pairs": (("data", "pairs:{tmp}/none"), "no file or folder '{tmp}/none'"),
    "no table": (
        ("train", "stargan", "--data", "attributes:{tmp}/pictures", "--size", "16"),
        "{tmp}/pictures has no table of attributes",
    ),
    "no captions": (("train", "gawwn-box", "--data", "captions:{tmp}/pictures"), "{tmp}/pictures"),
    "exclusive of nothing": (
        (
            "train",
            "stargan",
            "--data",
            "attributes:{tmp}/faces",
            "--size",
            "16",
            "--set",
            'options.exclusive=[["Bold", "Old"]]',
        ),
        "options.exclusive: the data has no attribute 'Bold'; did you mean Bald",
    ),
    "attribute not in the list": (
        (
            "train",
            "stargan",
            "--data",
            "attributes:{tmp}/faces",
            "--size",
            "16",
            "--set",
            'attributes=["Bold"]',
        ),
        "Bold",
    ),
    "no translator": (
        ("translate", "{run}", "{tmp}/pictures"),
        "does not translate images: use ganvas sample",
    ),
    "caption for digits": (("sample", "{run}", "--caption", "a five"), "--caption"),
    "box outside": (
        ("restore", "{run}", "{tmp}/pictures/0.png", "--box", "15,15,10,10"),
        "15,15,10,10",
    ),
    "mask of another size": (
        ("restore", "{run}", "{tmp}/pictures/0.png", "--mask", "{tmp}/mask.png"),
        "8x8",
    ),
    "mask and box": (
        (
            "restore",
            "{run}",
            "{tmp}/pictures/0.png",
            "--mask",
            "{tmp}/mask.png",
            "--box",
            "1,1,2,2",
        ),
        "--mask and --box",
    ),
    "theory of no target": (
        ("theory", "--target", "gausian"),
        "unknown target 'gausian'; did you mean gaussian?",
    ),
    "theory of no loss": (
        ("theory", "--loss", "wassertein"),
        "unknown loss 'wassertein'; did you mean wasserstein?",
    ),
    "theory without steps": (("theory", "--steps", "0"), "--steps 0"),
    "theory without moves": (("theory", "--d-steps", "0"), "--d-steps 0"),
    "theory paid for steepness": (("theory", "--penalty", "-1"), "--penalty -1"),
    "theory into a file": (("theory", "--out", "{tmp}/file"), "{tmp}/file"),
}


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


def test_evaluate_tells_values_and_protocol(ganvas: Command, run: Path, tmp_path: Path):
    copy = tmp_path / "digits"
    shutil.copytree(run, copy)
    status, output, error = ganvas("evaluate", copy, "--count", 40)
    assert status == 0, error
    for word in (
        "fd ↓",
        "kd ↓",
        "precision ↑",
        "memorisation",
        "agreement",
        "40 samples, seed 0",
        "1,762 8x8 images",
    ):
        assert word in output
    assert "classifier, trained on digits" in output
    assert error.count("note: digits has only 40 images: FD is biased upwards; prefer KD") == 1
    assert str(copy / "memorisation.png") in output
    assert (copy / "memorisation.png").exists()
    assert len((copy / "evaluations.jsonl").read_text().splitlines()) == 1


def test_evaluate_as_json_is_what_it_records(ganvas: Command, run: Path, tmp_path: Path):
    shutil.copytree(run, tmp_path / "one")
    status, output, error = ganvas(
        "evaluate", tmp_path / "one", "noise", "--data", "digits", "--count", 40, "--json"
    )
    assert status == 0, error
    first, second = json.loads(output)
    assert [first] == [
        json.loads(line)
        for line in (tmp_path / "one" / "evaluations.jsonl").read_text().splitlines()
    ]
    assert (first["name"], second["name"]) == ("one", "noise")
    assert first["protocol"] == second["protocol"]
    assert first["values"]["fd"] != second["values"]["fd"]


def test_sets_measured_in_different_ways_get_tables_of_their_own(ganvas: Command, tmp_path: Path):
    (tmp_path / "few").mkdir()
    for number in range(9):
        Image.new("L", (8, 8), 20 * number).save(tmp_path / "few" / f"{number}.png")
    arguments = (
        "noise",
        tmp_path / "few",
        "digits",
        "--count",
        20,
        "--features",
        "pixels",
        "--metrics",
        "fd",
    )
    status, output, error = ganvas("evaluate", *arguments)
    assert status == 0, error
    assert output.count("fd ↓") == 2
    assert "do not compare their values" in output
    assert "few has 9 images, not 20" in error


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


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a Linux")
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.slow
def test_full_disk_is_one_line_and_keeps_what_was_there(tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", disk], capture_output=True
    ).returncode:
        pytest.skip("may not mount a small disk here")
    try:
        command = [
            sys.executable,
            "-m",
            "ganvas",
            "train",
            "--out",
            str(disk / "run"),
            "--images",
            "3000",
            "--device",
            "cpu",
        ]
        answer = subprocess.run(
            [*command, "--set", "checkpoint_every=300"], capture_output=True, text=True
        )
        assert answer.returncode == 2
        assert "No space left on device" in answer.stderr.splitlines()[-1]
        assert "Traceback" not in answer.stderr
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        again = subprocess.run(
            [*command, "--set", "checkpoint_every=300"], capture_output=True, text=True
        )
        assert again.returncode == 0, again.stderr
        assert "resumed from" in again.stderr
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
