"""What a dry run prints: four lines first, then advice and everything else."""

import re

import pytest

from ganvas.cli import main
from ganvas.recipes import RECIPES, get_recipe
from ganvas.recipes.explain import explain_choices
from ganvas.recipes.quicker import LONG, QUICKER, advise_quicker
from ganvas.recipes.recipe import change
from ganvas.training import dry_run
from ganvas.training.budget import Costs


def plan(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    main(["train", *arguments, "--dry-run", "--device", "cpu", "--set", "options.width=4"])
    return capsys.readouterr().out.splitlines()


def test_four_lines_come_first(capsys: pytest.CaptureFixture[str]):
    lines = plan(capsys, "auto", "--data", "digits", "--images", "2000")
    assert lines[0] == "train: auto, the GAN relativistic, 2,000 images in batches of 50"
    assert lines[1] == "data: digits, 1,797 images, 8x8 grey, 10 classes"
    assert re.fullmatch(
        r"time: about .+, [\d.,]+ images/s; .+ of it for samples, checkups and checkpoints; .+",
        lines[2],
    )
    assert re.fullmatch(r"memory: about [\d,]+ MiB on cpu", lines[3])
    assert lines[4] == ""
    assert "The run shows 2,000 images in all: as requested." in lines
    assert lines.index("All settings:") > 8
    # The time is said once, by what was measured here.
    assert not [line for line in lines[4:] if re.search(r"about \d+ (minutes|hours)", line.lower())]


def test_a_training_of_days_gets_advice(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dry_run, "time_steps", lambda *_: 8_000.0)  # seconds
    lines = plan(capsys, "mnist-cdcgan", "--data", "digits", "--size", "64", "--epochs", "60")
    assert re.fullmatch(r"time: about 97\.. days, 0\.013 images/s", lines[2])
    assert lines[5:9] == [
        "This is a long training. To make it shorter:",
        "  ganvas train mnist-fast --data digits  # the quick recipe for this",
        "  --minutes 60  # as much as can be learned in an hour",
        "  --size 32  # smaller images, about four times as fast",
    ]


def test_advice_names_what_there_is():
    assert advise_quicker(get_recipe("pix2pix"), LONG - 1) == []
    pairs = change(get_recipe("pix2pix"), {"data": "pairs:my set"})
    advice = advise_quicker(pairs, LONG)
    assert advice[1].strip().startswith("ganvas train pix2pix-fast --data 'pairs:my set'  # ")
    assert "--size 128" in advice[-1]
    assert len(advise_quicker(get_recipe("rings"), LONG)) == 3  # points have no size
    assert len(advise_quicker(get_recipe("rings-fast"), LONG)) == 2  # nothing is quicker


def test_quick_recipes_exist_and_train_the_same_kind_of_data():
    for name, quick in QUICKER.items():
        slow, fast = RECIPES[name](), RECIPES[quick]()
        assert (slow.gan.startswith("points"), slow.channels) == (
            fast.gan.startswith("points"),
            fast.channels,
        )
        assert fast.data in (None, slow.data)


def test_the_parts_of_a_run_add_up():
    recipe = change(
        get_recipe("digits"),
        {"images": 1000, "sample_every": 100, "health_every": 250, "checkpoint_every": 500},
    )
    costs = Costs(step=1.0, grid=0.5, checkup=2.0, save=3.0, start=4.0)
    assert costs.besides(recipe) == pytest.approx(costs.once() + 10 * 0.5 + 4 * 2.0 + 2 * 3.0)
    assert costs.once() > 4.0 + 0.5 + 3.0


def test_choices_are_sentences():
    recipe = get_recipe("digits")
    assert explain_choices(recipe) == []
    reasons = {
        "images": "As many as fit into 2 hours. 3.5 images/s were measured here.",
        "size": "The images have 40 pixels; this is the nearest size. 3 are smaller.",
        "gan": "The data holds pairs of images.",
        "batch": "No sentence.",
    }
    chosen = recipe.model_copy(update={"reasons": reasons, "size": 36})
    assert explain_choices(chosen) == [
        "The GAN is relativistic: the data holds pairs of images.",
        "Images are learned at 36 pixels: the images have 40 pixels; this is the nearest size.",
        "The run shows 150,000 images in all: as many as fit into 2 hours.",
    ]
