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
from ganvas.runs.record import read_run
from ganvas.runs.summary import collect_instructions
from ganvas.runs.usage import describe_use, suggest_command


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "a run")


@pytest.mark.parametrize("name", GANS)
def test_the_command_fits_the_gan(run, name):
    """Each verb accepts the runs that the page names it for.

    It refuses others and names the command that fits.
    """
    gan = make_gan(name)
    about = json.loads((run / "checkpoints" / f"{TOTAL:012d}" / "about.json").read_text())
    about["gan"] = {"name": name, "data": gan.schema.model_dump(), "options": OPTIONS[name]}
    (run / "checkpoints" / f"{TOTAL:012d}" / "about.json").write_text(json.dumps(about))
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


def test_a_gan_that_no_verb_takes_is_used_from_python(run):
    data = make_schema(8, 3).model_dump() | {
        "names": {"attributes": ("0", "1"), "known": ("0", "1")}
    }
    gan = build_gan("stargan", data, OPTIONS["stargan"])
    assert suggest_command(gan, run) == []
    assert describe_use(gan, run) == f"use ganvas.load({str(run)!r}).make from Python"


def test_a_walk_needs_noise_alone(run):
    with pytest.raises(UserError, match="not from noise: use ganvas translate"):
        Run(run, make_gan("pix2pix"), {}, torch.device("cpu")).walk(3)
