"""Automatic settings: sensible for the data, explained, kept when requested or resumed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from short_runs import SELDOM
from tiny import refused_in_one_line

import ganvas
from ganvas.cli import main
from ganvas.data import open_dataset
from ganvas.data.view import View
from ganvas.recipes import get_recipe
from ganvas.recipes.auto import auto_recipe
from ganvas.recipes.choices import FEW, decide_settings
from ganvas.recipes.facts import DataFacts, Machine, is_symmetric, survey_data
from ganvas.recipes.recipe import REQUESTED, change, find_reasons
from ganvas.recipes.sides import Framing, choose_side
from ganvas.runs.folder import read_recipe

CPU = torch.device("cpu")
PROCESSOR, CARD, LARGE_CARD = (
    Machine("cpu", 2**34),
    Machine("cuda", 12 * 2**30),
    Machine("cuda", 80 * 2**30),
)
FACES = DataFacts(View(size=64, channels=3), "image", Framing(64, "crop", 64), 10_000, 0, True)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Twelve colour images of 24x20, half of them in either of two folders."""
    noise = np.random.default_rng(0).integers(0, 255, (12, 20, 24, 3), dtype=np.uint8)
    for number, picture in enumerate(noise):
        folder = tmp_path / "set" / ("cats", "dogs")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{number}.png")
    return tmp_path / "set"


def test_digits():
    recipe = auto_recipe("digits", {}, CPU)
    assert (recipe.name, recipe.gan, recipe.size) == ("auto", "relativistic", 8)
    assert recipe.channels is None  # the data's own
    assert recipe.flip is False
    assert recipe.options["conditional"] is True
    assert recipe.options["augmentation"] == "none"


def test_folders_of_mixed_images_become_squares_with_classes(pictures: Path):
    facts = survey_data(str(pictures), {}, "cpu")
    assert (facts.framing.own, facts.view.size, facts.view.fit) == (20, 20, "crop")
    assert (facts.view.labels, facts.classes, facts.images) == ("folders", 2, 12)
    assert survey_data(str(pictures), {"labels": "none", "size": 8}, "cpu").view == View(
        size=8, channels=3
    )


def test_a_table_of_other_things_is_no_labels(pictures: Path):
    (pictures / "metadata.csv").write_text("file,width,source\n0.png,24,web\n")
    assert survey_data(str(pictures), {}, "cpu").view.labels == "folders"


def test_a_sets_name_is_not_a_folder_of_that_name(pictures: Path, monkeypatch: pytest.MonkeyPatch):
    pictures.rename(pictures.with_name("digits"))
    monkeypatch.chdir(pictures.parent)
    assert auto_recipe("digits", {}, CPU).labels == "none"


def test_splits_are_no_classes(pictures: Path):
    (pictures / "cats").rename(pictures / "train")
    (pictures / "dogs").rename(pictures / "test")
    assert survey_data(str(pictures), {}, "cpu").view.labels == "none"


@pytest.mark.parametrize(
    ("own", "device", "side"),
    [
        (7, "cpu", 6),
        (8, "cpu", 8),
        (28, "cpu", 28),
        (37, "cpu", 32),
        (100, "cpu", 64),
        (100, "cuda", 96),
        (900, "cuda", 256),
    ],
)
def test_sides(own: int, device: str, side: int):
    assert choose_side(own, device, "image") == side


def test_few_images_are_augmented():
    many, few = (
        decide_settings(FACES, PROCESSOR).values,
        decide_settings(replace(FACES, images=300), PROCESSOR).values,
    )
    assert (many["options.augmentation"], few["options.augmentation"]) == ("none", "adaptive")
    small = replace(FACES, view=View(size=8, channels=3), images=FEW // 4)
    assert decide_settings(small, PROCESSOR).values["options.augmentation"] == "none"


def test_cards_get_the_modern_gan_as_large_as_they_are():
    small, large = decide_settings(FACES, CARD).values, decide_settings(FACES, LARGE_CARD).values
    assert small["gan"] == large["gan"] == "r3gan"
    assert small["options.width"] < large["options.width"]
    assert small["batch"] <= large["batch"] == 256
    # the paper's for 64 pixels and a batch of 256
    assert large["options.gamma"] == pytest.approx([2.0, 0.2])


def test_gamma_at_the_papers_sizes():
    """Between FFHQ-64's 2 and FFHQ-256's 150."""
    facts = replace(
        FACES,
        view=View(size=256, channels=3),
        framing=Framing(256, "crop", 256),
        images=70_000,
    )
    assert decide_settings(facts, LARGE_CARD, {"batch": 256}).values["options.gamma"][
        0
    ] == pytest.approx(128)
    assert decide_settings(facts, LARGE_CARD).values["options.gamma"] == pytest.approx([150, 15])
    assert decide_settings(replace(FACES, images=4), LARGE_CARD).values["options.gamma"][
        0
    ] == pytest.approx(8)


def test_other_settings_fit_those_that_were_requested():
    choices = decide_settings(FACES, LARGE_CARD, {"images": 100_000, "batch": 32})
    assert choices.values["options.burn_in"] == 10_000
    assert choices.values["optimizers"]["generator"]["burn_in"] == 10_000
    assert choices.values["options.gamma"][0] == pytest.approx(8)
    assert choices.reasons["batch"] == REQUESTED
    # refused later, with what is allowed
    assert decide_settings(FACES, LARGE_CARD, {"batch": "many"}).values["batch"] == "many"


@pytest.mark.parametrize("facts", [FACES, replace(FACES, images=300, classes=3)])
@pytest.mark.parametrize("machine", [PROCESSOR, CARD, LARGE_CARD])
def test_every_choice_has_a_reason_and_makes_a_recipe(facts: DataFacts, machine: Machine):
    choices = decide_settings(facts, machine)
    assert choices.reasons.keys() == choices.values.keys()
    assert all(reason and "\n" not in reason for reason in choices.reasons.values())
    recipe = auto_recipe("digits", {}, CPU)
    assert (
        change(recipe.model_copy(update={"options": {}}), choices.values).gan
        == choices.values["gan"]
    )


@pytest.mark.usefixtures("few_figures")
@pytest.mark.parametrize(
    ("spec", "gan"), [("rings", "points-relativistic"), ("figures", "gawwn-keypoints")]
)
def test_other_data_gets_its_gan(spec: str, gan: str):
    recipe = auto_recipe(spec, {}, CPU)
    assert recipe.gan == gan
    assert recipe.reasons.keys() >= {"gan", "batch", "images"}


def test_pairs_get_the_quick_pix2pix_on_a_cpu(pictures: Path):
    recipe = auto_recipe(f"pairs:{pictures / 'cats'},{pictures / 'cats'}", {"size": 16}, CPU)
    quick = get_recipe("pix2pix-fast")

    assert (recipe.gan, recipe.images, recipe.optimizers) == (
        quick.gan,
        quick.images,
        quick.optimizers,
    )
    assert recipe.batch == 3  # half of the six pairs


def test_pairs_made_of_images_get_no_crops_of_enlarged_ones(pictures: Path):
    spec = f"pairs:small2x:{pictures / 'cats'}"
    recipe = auto_recipe(spec, {}, CPU)
    assert (recipe.gan, recipe.size, recipe.load_scale) == ("pix2pix-relativistic", 20, 1.0)
    assert "no detail to learn" in recipe.reasons["load_scale"]

    # images of 20 pixels have some for crops of 16
    assert auto_recipe(spec, {"size": 16}, CPU).load_scale == 1.25


def test_mirrors():
    half = np.zeros((20, 3, 8, 8), np.uint8)
    half[:, :, :, :4] = np.random.default_rng(0).integers(100, 255, (20, 3, 8, 4))
    report = open_dataset("digits", View()).report
    from ganvas.data.dataset import single

    assert not is_symmetric(single(half, None, (), report))
    assert is_symmetric(single(np.concatenate([half, half[..., ::-1]]), None, (), report))
    assert not is_symmetric(open_dataset("digits", View()))


def test_a_run_keeps_its_choices_and_what_was_requested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    settings = SELDOM | {"options.width": 4, "batch": 6}
    again = {"data": "digits", "out": tmp_path / "run", "device": "cpu", "settings": settings}
    ganvas.train("auto", images=24, verbose=True, **again)
    printed = capsys.readouterr().err
    assert f"options.width: 4\n  {REQUESTED}" in printed
    assert "gan: relativistic\n  It is small enough" in printed

    before = json.loads((tmp_path / "run" / "recipe.json").read_text())
    ganvas.train("auto", images=36, log="lines", **again)
    sentences = [line for line in capsys.readouterr().err.splitlines() if line.endswith(".")]
    assert sentences[0].startswith("The GAN is relativistic: it is small enough for this device")
    assert sentences[1:] == [
        "Images are learned at 8 pixels: the images have 8 pixels.",
        "The run shows 36 images in all: as requested.",
        "The reasons of all other settings: --verbose, or the page of the run.",
    ]
    recipe = read_recipe(tmp_path / "run")
    assert recipe is not None
    assert (recipe.images, recipe.batch, recipe.options["width"]) == (36, 6, 4)
    assert recipe.log == "lines"
    assert recipe.reasons == before["reasons"]


def test_each_reason_is_that_of_its_own_setting(pictures: Path):
    """The reason of a batch names the limit that counts; each option has its own reason."""
    assert (
        decide_settings(replace(FACES, images=12), PROCESSOR).reasons["batch"]
        == "Half of the 12 images."
    )
    assert (
        decide_settings(replace(FACES, images=12), LARGE_CARD).reasons["batch"]
        == "Half of the 12 images."
    )
    assert decide_settings(FACES, LARGE_CARD).reasons["batch"] == "As many as the paper used."
    assert (
        "fits into the GPU's memory"
        in decide_settings(FACES, Machine("cuda", 2**31)).reasons["batch"]
    )

    side = {
        "captions": "with captions at most 64 are learned",
        "pairs": "that the network can generate",
    }

    for kind, reason in side.items():
        view = View(size=64 if kind == "captions" else 96, channels=3)
        assert (
            reason
            in decide_settings(
                replace(FACES, view=view, kind=kind, framing=Framing(64, "crop", 100)), CARD
            ).reasons["size"]
        )

    spec = f"pairs:{pictures / 'cats'},{pictures / 'cats'}"
    recipe = auto_recipe(spec, {"size": 16}, CPU)
    assert recipe.reasons["images"] == "As in the recipe pix2pix-fast."
    assert recipe.reasons["batch"] == "Half of the 6 rows."
    assert "options" not in recipe.reasons
    assert find_reasons(recipe)["optimizers.generator.lr"] == recipe.reasons["optimizers"]


def test_what_is_requested_has_no_other_reason():
    """Also one setting of a group, and also later, when a run is to become longer."""
    recipe = auto_recipe("digits", {}, CPU)
    assert set(find_reasons(recipe)) > {"optimizers.generator.lr", "batch", "options.width"}

    changed = change(
        recipe,
        {
            "optimizers.generator.lr": 1e-4,
            "images": 10,
            "options.noise_size": 3,
            "batch": recipe.batch,
        },
    )

    assert changed.reasons["optimizers.generator.lr"] == changed.reasons["images"] == REQUESTED
    assert "optimizers" not in changed.reasons
    assert changed.reasons["batch"] == recipe.reasons["batch"]
    assert change(change(recipe, {"images": 10}), {"images": 20}).reasons["images"] == REQUESTED

    given = {"options": {"width": 4}}
    assert change(auto_recipe("digits", given, CPU), given).reasons["options.width"] == REQUESTED


def test_auto_is_explained_and_listed_first(capsys: pytest.CaptureFixture[str]):
    main(["recipes", "auto"])
    shown = capsys.readouterr().out
    for words in (
        "with its reason",
        "It needs your data: --data FOLDER",
        "--dry-run",
        "captions and boxes: gawwn-fast",
    ):
        assert words in shown

    main(["recipes"])
    assert capsys.readouterr().out.splitlines()[2].startswith("auto ")
    refused_in_one_line(
        lambda: get_recipe("auto"),
        "chooses settings for your data: ganvas train auto --data FOLDER",
    )
    refused_in_one_line(lambda: get_recipe("aut"), "did you mean auto")


def test_what_auto_cannot_do():
    refused_in_one_line(lambda: auto_recipe(None, {}, CPU), "with --data")
    refused_in_one_line(
        lambda: auto_recipe("digits", {"gan": "dcgan"}, CPU), "chooses the GAN itself"
    )
    refused_in_one_line(
        lambda: auto_recipe("nowhere", {}, CPU), "no file or folder is called 'nowhere'"
    )
