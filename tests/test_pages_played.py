"""The commands of the pages, run one after the other as a reader would, on small images.

Each training takes two steps with narrow networks; the words of all commands stay. What needs the
network or another program's account is left out, and so are the placeholders of tables.
"""

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DATA
from pages import PAGES, text
from reader_folder import make_reader_folder
from test_docs import command_lines
from tiny import OPTIONS

from ganvas.cli import main
from ganvas.recipes import RECIPES

pytestmark = pytest.mark.slow

# Pages that name commands of others, or that report what was measured with other data.
OTHERS = {"CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/api.md", "docs/results.md"}
OTHERS |= {"docs/index.md", "docs/course/index.md"}
# The steps of the course go on with each other's runs.
COURSE = sorted(
    (page for page in PAGES if re.match(r"docs/course/\d+[^.]*\.md", page)),
    key=lambda page: int(re.findall(r"\d+", page)[0]),
)
PLACEHOLDER = re.compile(r"(?<![-\w./])(RUN|DATA|PLACE|IMAGES|NAME|FOLDER)\b|hf:OWNER|\.\.\.")
# The network, an account, a package that is not among those of the tests, no end, minutes for a
# classifier of all of MNIST, or a generator that has learned something.
OUTSIDE = re.compile(
    r"hf:|hub:|https?:|wandb|trackio|--weights|--to page|ganvas studio|lite0|cifar10-r3gan"
    r"|evaluate .*(mnist|clothes)|--direction Eyeglasses"
)
INPAINTING = {"runs/inpaint", "runs/holes"}  # they fill a hole in one way, without steps
# Runs that a page takes for granted, and how another page makes them.
MADE = {
    "faces": "train avatars-fast --data ./faces",
    "avatars": "train avatars-fast --data ./faces",
    "digits": "train digits",
    "digits-run": "train digits",
    "demo": "train digits",
    "quick": "train digits",
    "facades": "train pix2pix-fast --data pairs:./facades --set options.direction=b-to-a",
    "colour": "train pix2pix-fast --data pairs:grey:./faces",
    "hair": "train stargan-fast --data attributes:./celeba",
    "birds": "train gawwn-keypoints",
    "inpaint": "train inpaint-fast --data ./faces",
}
VALUES = ("--images", "--epochs", "--minutes", "--until", "--count", "--steps")  # left out
SHORT = {
    "train": "--set batch=4 --images 8 --set held_out=4 --device cpu",
    "resume": "--images 16",
    "evaluate": "--count 16",
    "directions": "--count 3",
    "restore": "--steps 2",
    "theory": "--steps 20",
    "whatif": "--images 64",
    "sample": "--count 24",
}


def list_commands(page: str) -> list[str]:
    """The commands of a page that can be run, without their comments."""
    lines = [re.split(r"  #| # ", line)[0].strip() for line in command_lines(text(page))]
    return [
        line
        for line in lines
        if len(line.split()) > 2 and not PLACEHOLDER.search(line) and not OUTSIDE.search(line)
    ]


ALONE = [
    page
    for page in PAGES
    if ".zh." not in page and page not in {*OTHERS, *COURSE} and list_commands(page)
]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with all data, where the pages' commands find it; MNIST is the real one."""
    if not (DATA / "mnist").is_dir():
        pytest.skip(f"needs the MNIST files in {DATA / 'mnist'}")
    root = tmp_path_factory.mktemp("reader")
    make_reader_folder(root / "data")
    for name in ("mnist", "MNIST_data"):
        shutil.copytree(DATA / "mnist", root / "data" / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANVAS_CACHE", str(root / "cache"))
        for name in ("mnist", "fashion-mnist"):
            shutil.copytree(DATA / name, root / "cache" / name)
        yield root


def shorten(words: list[str]) -> list[str]:
    """The words of a command that takes moments: trainings of two steps with narrow networks."""
    verb, *given = words
    kept, settings, skip = [], {}, False
    for word, following in zip(given, [*given[1:], ""], strict=True):
        if skip:
            skip = False
        elif word in VALUES:
            skip = True
        elif word == "--set" and verb == "train":
            skip = True
            key, _, value = following.partition("=")
            settings[key] = value
        else:
            kept.append(":20" if word == ":200" else word)

    kind = "resume" if verb == "train" and (not kept or kept[0] == "--out") else verb
    if kind == "train":
        recipe = kept[0] if not kept[0].startswith("-") else ""
        gan = RECIPES[recipe]().gan if recipe in RECIPES else ""
        for name, value in OPTIONS.get(gan, {}).items():
            settings[f"options.{name}"] = str(list(value) if isinstance(value, tuple) else value)
        for name in ("batch", "held_out"):
            settings.pop(name, None)
    own = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    short = SHORT.get(kind, "").split()
    if verb == "sample" and any(flag in words for flag in ("--seeds", "--noise", "--interpolate")):
        short = []
    if (verb == "restore" and INPAINTING & set(words)) or "--page" in words:
        short = []
    return [verb, *kept, *own, *short]


def run(words: list[str]) -> str:
    """Run a command; returns why it failed, or ""."""
    try:
        main(shorten(words))
    except SystemExit as ended:
        return "" if ended.code in (0, None) else f"exit status {ended.code}"
    return ""


def make_runs(words: list[str]) -> None:
    """Train the runs that a command reads and no command before it has made."""
    target = words[words.index("--out") + 1] if "--out" in words else ""
    new = words[0] == "train" and len(words) > 1 and not words[1].startswith("-")
    if new and target.startswith("runs/"):  # pages give the same name to runs of their own
        shutil.rmtree(target, ignore_errors=True)
    for name in re.findall(r"runs/([\w-]+)", " ".join(words)):
        folder = Path("runs", name)
        if name in MADE and not folder.exists() and not (new and Path(target) == folder):
            assert run([*shlex.split(MADE[name]), "--out", str(folder)]) == ""
            if name == "faces":
                assert run(["sample", "runs/faces"]) == ""


def test_most_commands_can_be_run():
    assert sum(len(list_commands(page)) for page in [*ALONE, *COURSE]) > 300


@pytest.mark.parametrize("pages", [[page] for page in ALONE] + [COURSE], ids=lambda pages: pages[0])
def test_commands_of_pages_run(
    pages: list[str],
    reader: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    few_figures: None,
):
    place = tmp_path / "reader"
    shutil.copytree(reader / "data", place, symlinks=True, copy_function=os.link)
    monkeypatch.chdir(place)
    failed = []
    for command in dict.fromkeys(command for page in pages for command in list_commands(page)):
        make_runs(shlex.split(command)[1:])
        capsys.readouterr()
        if reason := run(shlex.split(command)[1:]):
            failed.append(f"{command}: {reason}: {capsys.readouterr().err[-300:]}")
    assert not failed, "\n".join(failed)
