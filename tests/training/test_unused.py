"""What a GAN does not use of the data is mentioned before it trains."""

from pathlib import Path

import pytest
from tiny import OPTIONS

from ganvas.data import View, open_dataset
from ganvas.gans.options import build_gan
from ganvas.recipes.recipe import change
from ganvas.recipes.registry import get_recipe
from ganvas.training.engine import Engine
from ganvas.training.trainer import Trainer
from ganvas.training.unused import mention_unused


@pytest.mark.usefixtures("few_figures")
@pytest.mark.parametrize(
    ("data", "gan", "unused"),
    [
        ("digits", "dcgan", "10 classes (0, 1, 2, 3, 4, ...)"),
        ("digits", "cdcgan", ""),
        ("rings", "points", ""),
        ("figures", "gawwn-box", "9 key points (beak, crown, left eye, right eye, left wing, ...)"),
        (
            "figures",
            "dcgan",
            "boxes|captions|9 key points (beak, crown, left eye, right eye, left wing, ...)",
        ),
    ],
)
def test_columns_without_a_use_are_named(data: str, gan: str, unused: str):
    size = None if data == "rings" else 8
    dataset = open_dataset(data, View(size=size, channels=2 if data == "rings" else 1))
    options = OPTIONS[gan]
    mentioned = mention_unused(dataset, build_gan(gan, dataset.schema, options), gan)

    before = dataset.report.notes
    new = [f"not used by the GAN {gan}: {one}" for one in unused.split("|") if one]
    assert mentioned.report.notes == before + new


def test_training_begins_with_it(tmp_path: Path):
    settings = {"gan": "dcgan", "options": OPTIONS["dcgan"], "size": 8, "batch": 2, "images": 2}
    recipe = change(get_recipe("digits"), settings)
    with Engine("cpu") as engine:
        dataset = open_dataset("digits", recipe.view)
        trainer = Trainer(recipe, dataset, tmp_path, engine, quiet=True)

    assert trainer.context.dataset.report.notes[-1].startswith("not used by the GAN dcgan: 10 cl")
