"""What the doctor measures: known GANs give known numbers."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import FixedClock, make_batch, make_context, make_engine, make_gan
from torch import Tensor, nn

from ganvas.data import Dataset, View, open_dataset
from ganvas.data.builtin.digits_mnist import published_test
from ganvas.data.loader import Loader
from ganvas.data.split import held_out_count, split
from ganvas.errors import UserError
from ganvas.gans import GANS
from ganvas.gans.base import GAN, Update
from ganvas.io.images import to_float
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import Recipe, change
from ganvas.rng import StepRng
from ganvas.training.checkup import SAMPLES, Checkup
from ganvas.training.probe import StepProbe
from ganvas.training.step import take_step

DIGITS = open_dataset("digits", View())


class Parrot(GAN):
    """Returns the real images of the rows given, again and again; its discriminator has memorised
    some images.
    """

    def __init__(self, rows: np.ndarray, known: np.ndarray):
        super().__init__(DIGITS.schema)
        self.generator, self.discriminator = nn.Linear(1, 1), nn.Linear(1, 1)
        self.pictures = to_float(DIGITS.batch(rows)["image"])
        self.known = {picture.tobytes() for picture in DIGITS.images[known]}

    def sample(self, count: int, rng: object) -> Tensor:
        del rng
        start = getattr(self, "start", 0)
        self.start = (start + count) % SAMPLES
        return self.pictures.repeat(count, 1, 1, 1)[start : start + count]

    def score(self, batch) -> Tensor:
        """1 for memorised images, 0 for others, plus a small fixed ripple; -1 for a black one."""
        bytes_of = [
            ((picture + 1) * 127.5).round().to(torch.uint8).numpy().tobytes()
            for picture in batch["image"]
        ]
        scores = torch.tensor([1.0 if content in self.known else 0.0 for content in bytes_of])
        scores[batch["image"].amax((1, 2, 3)) == -1] = -1
        return scores + 0.01 * torch.arange(len(scores)).sin()


def checkup(**settings: object) -> Checkup:
    recipe = change(get_recipe("mnist-mlp"), {"data": "digits", "size": 8} | settings)
    return examiner(recipe, DIGITS)


def examiner(recipe: Recipe, dataset: Dataset) -> Checkup:
    parrot = Parrot(np.arange(1), np.arange(0))
    return Checkup(
        recipe,
        parrot,
        dataset,
        Loader(dataset, recipe.sampling, make_engine("fp32").placement),
        torch.device("cpu"),
    )


def test_real_images_are_as_far_and_as_varied_as_real_images():
    doctor = checkup(held_out=400)
    parrot = Parrot(split(len(DIGITS), 400)[1][:SAMPLES], np.arange(0))
    found, features = doctor.measure(parrot, parrot, None)
    assert found["diversity"] == pytest.approx(1, abs=0.1)
    assert found["distance"] == pytest.approx(1, abs=0.15)
    assert "change" not in found
    shares = found["classes"]
    assert shares.keys() == set(DIGITS.classes)
    assert all(0.3 < share < 2 for share in shares.values())
    again, _ = doctor.measure(parrot, parrot, features)
    assert again["change"] == 0


def test_copies_have_no_distance_and_one_image_no_diversity():
    doctor = checkup()
    shown = split(len(DIGITS), held_out_count(len(DIGITS), None, None))[0]
    copies = Parrot(shown[:SAMPLES], np.arange(0))
    assert doctor.measure(copies, copies, None)[0]["distance"] == pytest.approx(0, abs=1e-2)
    one = Parrot(shown[:1], np.arange(0))
    found, _ = doctor.measure(one, one, None)
    assert found["diversity"] == pytest.approx(0, abs=1e-2)
    made = [name for name, share in found["classes"].items() if share]
    assert made == [str(DIGITS.labels[shown[0]])]


def test_one_shape_in_several_greys_has_no_diversity():
    """Nor with its negatives, as plain greys, or under noise that an eye looks through."""
    doctor = checkup()
    shades = torch.linspace(-1, 1, SAMPLES)[:, None, None, None]
    noise = torch.randn(SAMPLES, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    shape = Parrot(np.arange(1), np.arange(0)).pictures
    inner = 0.4 * shape  # with room for brightness

    def measured(pictures: Tensor) -> float:
        parrot = Parrot(np.arange(SAMPLES), np.arange(0))
        parrot.pictures = pictures
        return doctor.measure(parrot, parrot, None)[0]["diversity"]

    several = Parrot(np.arange(SAMPLES), np.arange(0)).pictures
    assert measured(several) == pytest.approx(1, abs=0.15)
    assert measured(shades * shape) < 0.02
    assert measured(inner + 0.5 * shades) < 0.02
    assert measured(shades.expand(-1, 1, 8, 8)) < 0.02
    assert measured((shape + 0.05 * noise).clamp(-1, 1)) < 0.2
    # Brighter and paler digits are as different as they were, but for what is too pale to see.
    assert 0.8 < measured(0.8 * several) < 1.1


@pytest.mark.parametrize(("heart", "overfitting"), [("seen", 0.5), ("all", 0.0), ("none", 0.0)])
def test_overfitting(heart: str, overfitting: float):
    """Black samples score -1, strange images 0, known ones 1: with only the seen known, others
    are half-way to samples.
    """
    doctor = checkup(held_out=200)
    shown, _ = split(len(DIGITS), 200)
    parrot = Parrot(
        shown[:1], {"seen": shown, "all": np.arange(len(DIGITS)), "none": np.arange(0)}[heart]
    )
    parrot.pictures = torch.full_like(parrot.pictures, -1)
    found, _ = doctor.measure(parrot, parrot, None)
    assert found["overfitting"] == pytest.approx(overfitting, abs=0.02)
    assert (found["overfitting_errors"] > 3) == (heart == "seen")
    assert found["score_drop"] == pytest.approx(2 * overfitting, abs=0.02)


def test_without_held_out_images_overfitting_is_not_measured():
    doctor = checkup(held_out=0)
    parrot = Parrot(np.arange(SAMPLES), np.arange(0))
    assert "overfitting" not in doctor.measure(parrot, parrot, None)[0]


def test_images_without_differences_are_no_error():
    """All the same; one class with one image; only one class among those trained on."""
    images = np.zeros((60, 1, 8, 8), np.uint8)
    same = replace(DIGITS, columns={"image": images, "label": DIGITS.labels[:60]})
    lonely = replace(
        DIGITS, columns={"image": DIGITS.images[:60], "label": np.r_[np.zeros(59, np.int64), 1]}
    )
    single = replace(DIGITS, columns={"image": DIGITS.images[:60], "label": np.zeros(60, np.int64)})

    for dataset in (same, lonely, single):
        for name in ("mnist-mlp", "mnist-cdcgan"):
            recipe = change(get_recipe(name), {"data": "digits", "size": 8, "held_out": 5})
            gan = make_gan(recipe.gan, classes=10)
            doctor = Checkup(
                recipe,
                gan,
                dataset,
                Loader(dataset, recipe.sampling, make_engine("fp32").placement),
                torch.device("cpu"),
            )
            found, features = doctor.measure(gan, gan, None)
            doctor.measure(gan, gan, features)
            assert "diversity" in found or dataset is same


def test_real_images_of_all_classes_set_the_scale():
    """Folders come sorted by class: the first images are not like the others."""
    order = np.argsort(DIGITS.labels, kind="stable")
    recipe = change(get_recipe("mnist-mlp"), {"data": "digits", "size": 8})
    sorted_digits = replace(
        DIGITS, columns={"image": DIGITS.images[order], "label": DIGITS.labels[order]}
    )
    doctor = examiner(recipe, sorted_digits)
    assert doctor.spread == pytest.approx(checkup().spread, rel=0.02)


def test_a_watch_counts():
    probe = StepProbe(decision_threshold=0.0)
    weight = nn.Parameter(torch.zeros(2))
    weight.grad = torch.tensor([3.0, 4.0])
    real, fake = torch.tensor([2.0, 1.0, -1.0, 4.0]), torch.tensor([-3.0, 0.5, -2.0, 1.5])
    probe(Update("discriminator", {}, scores=(real, fake)), [weight])
    found = probe.read()

    assert found == pytest.approx(
        {
            "discriminator/gradient_norm": 5.0,
            "real_accuracy": 3 / 4,
            "fake_accuracy": 2 / 4,
            "separation": (4 + 3 + 2 + 4) / 16,
            "score_gap": 1.5 + 0.75,
        }
    )

    shifted = StepProbe(decision_threshold=None)
    shifted(Update("discriminator", {}, scores=(real + 100, fake + 100)), [weight])
    assert shifted.read()["real_accuracy"] == 3 / 4  # the middle of both means is 0.375 above 100


@pytest.mark.parametrize("name", GANS)
def test_every_gan_shows_its_scores(name: str):
    gan = make_gan(name)
    batch = make_batch(gan, 6)
    probe = StepProbe(gan.decision_threshold)
    take_step(make_context(gan), batch, FixedClock(), StepRng(0, 0), probe)
    found = probe.read()
    assert {"real_accuracy", "fake_accuracy", "separation", "score_gap"} <= found.keys()
    assert {f"{player}/gradient_norm" for player in gan.players()} <= found.keys()
    assert all(value > 0 for key, value in found.items() if key.endswith("gradient_norm"))


# The others have dropout or batch norm.
@pytest.mark.parametrize(
    "name", ["mlp", "mlp-tanh", "relativistic", "points", "points-relativistic"]
)
def test_score_is_what_the_turn_shows(name: str):
    gan = make_gan(name)
    batch = make_batch(gan, 6)
    move = next(gan.step(batch, FixedClock(), StepRng(0, 0)))
    turn = move[0] if isinstance(move, tuple) else move
    assert turn.scores
    torch.testing.assert_close(gan.score(batch).flatten(), turn.scores[0].flatten())


# Held out


def test_what_is_held_out():
    counts = {
        count: held_out_count(count, None, None) for count in (5, 50, 300, 1_797, 10_000, 60_000)
    }
    assert counts == {5: 0, 50: 5, 300: 8, 1_797: 35, 10_000: 200, 60_000: 500}
    assert held_out_count(60_000, None, "mnist-test:somewhere") == 0
    assert held_out_count(60_000, 100, "mnist-test") == 100
    assert published_test("mnist:a/b:c") == "mnist-test:a/b:c"
    assert published_test("fashion-mnist") == "fashion-mnist-test"
    assert published_test("./mnist") is None
    with pytest.raises(UserError, match="held_out=49: the data has 50 images"):
        held_out_count(50, 49, None)


def test_held_out_images_are_never_shown():
    recipe = change(get_recipe("digits"), {"held_out": 1_000, "seed": 3})
    batches = Loader(DIGITS, recipe.sampling, make_engine("fp32").placement)
    seen = np.concatenate([batches.indices(images) for images in range(0, 1_594, recipe.batch)])
    assert len(batches.held_out) == 1_000
    assert not set(seen) & set(batches.held_out)
    assert set(seen[:797]) == set(batches.shown)
    other = Loader(DIGITS, change(recipe, {"seed": 4}).sampling, make_engine("fp32").placement)
    assert (other.held_out == batches.held_out).all()
    drawn = Loader(
        DIGITS, change(recipe, {"replacement": True}).sampling, make_engine("fp32").placement
    )
    assert not set(drawn.indices(0)) & set(batches.held_out)
