"""What the doctor sees of a set of samples, and what it concludes from it."""

from pathlib import Path

import pytest
import torch
from drawn_images import add_lattice, draw_images, make_dataset, share_palette
from PIL import Image
from tiny import make_engine
from torch import Tensor, nn

from ganvas import train
from ganvas.cli import main
from ganvas.data import Dataset
from ganvas.data.loader import Loader
from ganvas.gans.base import GAN
from ganvas.io.images import to_float
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import change
from ganvas.runs.diagnosis import Diagnosis
from ganvas.runs.rules import LONG, WINDOW
from ganvas.training.checkup import SAMPLES, Checkup
from ganvas.training.look import FEWEST, Look

LATTICES = {"lattice_2", "lattice_4"}


def test_what_can_be_looked_at():
    real, fake = draw_images(100), draw_images(100, seed=1)
    grey = real[:, :1]

    assert Look(real).compare(fake).keys() == LATTICES | {"palette"}
    # Grey images have no palette, nor have grey ones that are kept in colour.
    assert Look(grey).compare(fake[:, :1]).keys() == LATTICES
    assert Look(grey.expand(-1, 3, -1, -1)).compare(fake).keys() == LATTICES
    # In tiny images a grid cannot be told from shapes.
    assert Look(real[..., :16, :16]).compare(fake[..., :16, :16]).keys() == {"palette"}
    # A few images say nothing of a set.
    assert Look(real[: FEWEST - 1]).compare(fake) == {}
    assert Look(real).compare(fake[: FEWEST - 1]) == {}


class Album(GAN):
    """Its samples are given images, one after another."""

    def __init__(self, dataset: Dataset, images: Tensor):
        super().__init__(dataset.schema)
        self.generator, self.discriminator = nn.Linear(1, 1), nn.Linear(1, 1)
        self.images = to_float(images)
        self.shown = 0

    def sample(self, count: int, rng: object) -> Tensor:
        del rng
        self.shown += count
        return self.images[self.shown - count : self.shown]

    def score(self, batch) -> Tensor:
        return batch["image"].mean((1, 2, 3))


def measure(fake: Tensor, count: int) -> Diagnosis:
    """The doctor's diagnosis of a GAN that generates these images at so many checkups."""
    dataset = make_dataset(draw_images(400))
    recipe = change(get_recipe("dcgan-64"), {"data": "drawn", "size": 48})
    gan = Album(dataset, fake)
    loader = Loader(dataset, recipe.sampling, make_engine("fp32").placement)
    checkup = Checkup(recipe, gan, dataset, loader, torch.device("cpu"))
    found = checkup.measure(gan, gan, None)[0]
    return Diagnosis({"images": number, "kind": "health"} | found for number in range(count))


@pytest.mark.parametrize(
    ("name", "count", "fault"),
    [("none", LONG, None), ("lattice", WINDOW, "lattice"), ("palette", LONG, "one palette")],
)
def test_the_doctor_names_what_it_sees(name: str, count: int, fault: str | None):
    fake = draw_images(SAMPLES, seed=1)
    if name == "lattice":
        fake = add_lattice(fake, 2, 4)
    elif name == "palette":
        fake = share_palette(fake)
    assert list(measure(fake, count).active) == ([fault] if fault else [])


@pytest.mark.slow
def test_transposed_convolutions_early_in_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """From images in a folder to what a person reads."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number, image in enumerate(draw_images(80, 32)):
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / f"{number}.png")

    settings = {"size": 32, "batch": 8, "options.width": 4, "health_every": 40}
    train(
        "dcgan-64",
        data=folder,
        out=tmp_path / "run",
        images=200,
        device="cpu",
        settings=settings,
        quiet=True,
    )
    main(["health", str(tmp_path / "run")])
    shown = capsys.readouterr().out
    assert "lattice, since 200 images: patterns that repeat every" in shown
    assert "times as much energy in samples as in real images" in shown
    for title in ("lattice of 2", "lattice of 4", "palette"):
        assert title in shown
