"""The command that fits a trained GAN."""

import json
import re
import shlex

import pytest
import torch
from tiny import OPTIONS, make_gan, make_schema
from written_runs import TOTAL, write_run

from ganvas.cli import app
from ganvas.errors import UserError
from ganvas.gans import GANS
from ganvas.gans.options import build_gan
from ganvas.inference.inpaint import InpaintTask
from ganvas.inference.layout import LayoutTask
from ganvas.inference.layout_inputs import read_box, read_keypoints
from ganvas.inference.run import Run
from ganvas.inference.translate import TranslateTask
from ganvas.runs.instructions import collect_instructions
from ganvas.runs.record import read_run
from ganvas.runs.usage import describe_use, suggest_command


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "a run")


def change_gan(run, gan):
    """Write another GAN into the run's checkpoint, and return what it says of itself."""
    file = run / "checkpoints" / f"{TOTAL:012d}" / "about.json"
    about = json.loads(file.read_text())
    about["gan"] = gan | {"data": gan["data"].model_dump()}
    file.write_text(json.dumps(about))
    return about


@pytest.mark.parametrize("name", GANS)
def test_the_command_fits_the_gan(run, name):
    """Each verb accepts the runs that the page names it for.

    It refuses others and names the command that fits.
    """
    gan = make_gan(name)
    about = change_gan(run, {"name": name, "data": gan.schema, "options": OPTIONS[name]})
    words = suggest_command(gan, run)
    assert shlex.join(words) in [step.command for step in collect_instructions(read_run(run))]

    verb, given, _ = app.parse_args(words[1:], exit_on_error=False, print_error=False)
    loaded = Run(run, gan, about, torch.device("cpu"))
    given = given.arguments
    uses = {
        "sample": lambda: next(loaded.chunks(1)),
        "translate": lambda: TranslateTask().check(loaded),
        "restore": lambda: InpaintTask().check(loaded),
    }
    if "box" in given and verb.__name__ == "sample":
        read_box(given["box"], gan.size)
    if "keypoints" in given:
        assert (
            read_keypoints(given["keypoints"], gan.inputs["keypoints"].parts, gan.size)[
                ..., 2
            ].sum()
            == 1
        )
    if "caption" in given:
        uses["sample"] = lambda: LayoutTask(caption=given["caption"]).check(loaded)
    uses.pop(verb.__name__)()
    if gan.unconditional:
        uses.pop("restore")  # of these it is a second use, or none: points
    for other in uses.values():
        with pytest.raises(UserError, match=re.escape(shlex.join(words))):
            other()


TEXTS = {
    "points": "Generate points:",
    "cyclegan": "Translate an image:",
    "cut": "Translate an image:",
    "stargan": "Change the attributes of an image, each in turn:",
    "stargan-relativistic": "Change the attributes of an image, each in turn:",
    "pix2pix": "Translate an image:",
    "inpaint": "Fill the hole of an image, which is white in the mask:",
    "gawwn-box": "Draw a caption, in words like those of the training captions:",
    "dcgan": "Generate images:",
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_page_says_what_the_command_does(run, name):
    change_gan(run, {"name": name, "data": make_gan(name).schema, "options": OPTIONS[name]})
    assert collect_instructions(read_run(run))[0].text == TEXTS[name]


def test_the_page_names_one_class(run):
    change_gan(run, {"name": "cdcgan", "data": make_schema(8, 1), "options": OPTIONS["cdcgan"]})
    commands = [step.command for step in collect_instructions(read_run(run))]
    assert shlex.join(["ganvas", "sample", str(run), "--label", "0"]) in commands


def test_a_gan_that_no_verb_takes_is_used_from_python(run):
    data = make_schema(8, 3).model_dump() | {
        "names": {"attributes": ("0", "1"), "known": ("0", "1")}
    }
    gan = build_gan("stargan", data, OPTIONS["stargan"])
    assert suggest_command(gan, run) == []
    assert describe_use(gan, run) == f"use ganvas.load({str(run)!r}).make from Python"
    change_gan(run, {"name": "stargan", "data": gan.schema, "options": OPTIONS["stargan"]})
    first = collect_instructions(read_run(run))[0]
    assert (first.text, first.command) == (f"Use ganvas.load({str(run)!r}).make from Python.", "")


def test_a_walk_needs_noise_alone(run):
    with pytest.raises(UserError, match="not from noise: use ganvas translate"):
        Run(run, make_gan("pix2pix"), {}, torch.device("cpu")).walk(3)
