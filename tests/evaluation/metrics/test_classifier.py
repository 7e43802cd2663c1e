"""The classifier: what it learns, that it learns the same each time, and which files it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from ganvas.data import View, open_dataset
from ganvas.data.split import split
from ganvas.errors import UserError
from ganvas.evaluation.metrics import classifier_training
from ganvas.evaluation.metrics.classifier import (
    Classifier,
    ClassifierNetwork,
    StackedClassifier,
    read_classifier,
)
from ganvas.evaluation.metrics.classifier_training import (
    ClassificationData,
    LabelledImages,
    classification_accuracy,
    fit_classifier,
    load_or_train_classifier,
    shift_images,
)

HELD_OUT = 200


def described(
    train: LabelledImages, test: LabelledImages, classes: tuple[str, ...] = tuple("0123456789")
) -> ClassificationData:
    """The data set that the tests' images are of."""
    return ClassificationData("digits", "abc", classes, train, test)


@pytest.fixture
def digits() -> tuple[LabelledImages, LabelledImages]:
    """Images to learn from, and others."""
    dataset = open_dataset("digits", View())
    assert dataset.labels is not None
    train, test = split(len(dataset), HELD_OUT)
    return LabelledImages(dataset.images, dataset.labels, train), LabelledImages(
        dataset.images, dataset.labels, test
    )


@pytest.fixture
def trained(digits: tuple[LabelledImages, LabelledImages]) -> Classifier:
    return load_or_train_classifier(described(*digits))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training of a few steps."""
    monkeypatch.setattr(classifier_training, "IMAGES", 1000)
    monkeypatch.setattr(classifier_training, "PASSES", 0)


def test_knows_digits_that_it_was_not_trained_on(
    trained: Classifier, digits: tuple[LabelledImages, LabelledImages]
):
    assert trained.protocol["accuracy"] > 0.96
    assert trained.protocol["accuracy"] == classification_accuracy(trained.network, digits[1])

    expected = {
        "extractor": "classifier",
        "trained_on": "digits",
        "fingerprint": "abc",
        "images": 1797 - HELD_OUT,
    }

    assert (
        trained.protocol | expected | {"tested": HELD_OUT, "size": 8, "channels": 1}
        == trained.protocol
    )

    images = torch.from_numpy(digits[1].images[digits[1].rows])
    found = trained(images)
    assert found.values.shape == (HELD_OUT, 128)
    assert found.values.dtype == torch.float32
    assert found.values.min() == 0
    assert found.logits is not None
    assert found.logits.shape == (HELD_OUT, 10)

    alone = torch.cat([trained(image[None]).values for image in images[:20]])
    torch.testing.assert_close(alone, found.values[:20], rtol=1e-4, atol=1e-4)


def test_is_trained_once(
    trained: Classifier,
    digits: tuple[LabelledImages, LabelledImages],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(classifier_training, "fit_classifier", None)
    again = load_or_train_classifier(described(*digits))
    assert again.protocol == trained.protocol


def test_other_images_are_another_classifier(
    quick: None, digits: tuple[LabelledImages, LabelledImages], trained: Classifier
):
    train, test = digits
    fewer = LabelledImages(train.images, train.labels, train.rows[:500])
    other = load_or_train_classifier(described(fewer, test))
    assert other.protocol["sha256"] != trained.protocol["sha256"]


def test_same_bits_whatever_the_threads_and_random_state(
    quick: None, digits: tuple[LabelledImages, LabelledImages]
):
    torch.manual_seed(7)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    one = fit_classifier(digits[0], 10).state_dict()

    assert torch.equal(torch.get_rng_state(), before)

    torch.manual_seed(8)
    torch.set_num_threads(2)
    other = fit_classifier(digits[0], 10).state_dict()
    assert torch.get_num_threads() == 2

    torch.set_num_threads(threads)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_damaged_file_is_made_again(
    quick: None,
    digits: tuple[LabelledImages, LabelledImages],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path))
    good = load_or_train_classifier(described(*digits))
    (path,) = (tmp_path / "classifiers").iterdir()
    path.write_bytes(path.read_bytes()[:-100])
    assert load_or_train_classifier(described(*digits)).protocol == good.protocol


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [8, 9, 28, 32, 48, 64])
def test_takes_any_size(size: int, channels: int):
    features, logits = ClassifierNetwork(size, channels, 3).eval()(
        torch.zeros(2, channels, size, size)
    )
    assert features.shape == (2, 128)
    assert logits.shape == (2, 3)


def test_few_images_and_no_test(quick: None):
    train = LabelledImages(np.zeros((3, 1, 8, 8), np.uint8), np.array([0, 1, 1]), np.arange(3))
    none = LabelledImages(train.images, train.labels, np.arange(0))
    assert np.isnan(classification_accuracy(fit_classifier(train, 2), none))


@pytest.mark.parametrize(
    ("count", "size", "classes", "message"),
    [
        (1, 8, 2, "1 image of 2 classes"),
        (5, 8, 1, "5 images of 1 class;"),
        (5, 6, 2, "images of 6 pixels"),
    ],
)
def test_refuses_what_cannot_be_learned(count: int, size: int, classes: int, message: str):
    train = LabelledImages(
        np.zeros((count, 1, size, size), np.uint8), np.zeros(count, np.int64), np.arange(count)
    )
    with pytest.raises(UserError, match=message):
        load_or_train_classifier(described(train, train, tuple("ab")[:classes]))


def test_refuses_images_of_another_size(trained: Classifier):
    with pytest.raises(
        UserError, match=r"was trained on images of \(1, 8, 8\), these are \(3, 8, 8\)"
    ):
        trained(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))


def test_moving_repeats_the_border():
    image = torch.arange(9.0).view(1, 1, 3, 3)
    assert shift_images(image, 1, 0).flatten().tolist() == [0, 1, 2, 0, 1, 2, 3, 4, 5]
    assert shift_images(image, 0, -1).flatten().tolist() == [1, 2, 2, 4, 5, 5, 7, 8, 8]
    assert torch.equal(shift_images(image, 0, 0), image)


def test_each_channel_of_a_stack_is_a_digit(
    trained: Classifier, digits: tuple[LabelledImages, LabelledImages]
):
    images = torch.from_numpy(digits[0].images[:30]).view(10, 3, 8, 8)
    found = StackedClassifier(trained)(images)
    single = trained(images.view(30, 1, 8, 8))
    assert found.logits is not None
    assert single.logits is not None
    seen = single.logits.argmax(1).view(10, 3) @ torch.tensor([100, 10, 1])
    assert found.logits.argmax(1).tolist() == seen.tolist()
    torch.testing.assert_close(found.logits.exp().sum(1), torch.ones(10))
    assert torch.equal(found.values, single.values.view(10, 384))


def altered(path: Path, trained: Classifier, **changes) -> Path:
    """A file of the classifier that says other things of itself."""
    about = {key: value for key, value in trained.protocol.items() if key != "sha256"}
    weights = {name: value.contiguous() for name, value in trained.network.state_dict().items()}
    save_file(weights, path, {"about": json.dumps(about | changes)})
    return path


def test_refuses_foreign_files(trained: Classifier, tmp_path: Path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    (tmp_path / "garbage.safetensors").write_bytes(b"garbage" * 20)
    cases = {
        tmp_path / "foreign.safetensors": "weights of another network",
        tmp_path / "garbage.safetensors": "is damaged",
        tmp_path / "absent.safetensors": "cannot be read",
        altered(tmp_path / "future.safetensors", trained, version=99): "weights of another network",
        altered(tmp_path / "larger.safetensors", trained, size=28): "is damaged",
    }
    for path, message in cases.items():
        with pytest.raises(UserError, match=message):
            read_classifier(path)

    assert (
        load_file(altered(tmp_path / "good.safetensors", trained)).keys()
        == trained.network.state_dict().keys()
    )
    assert read_classifier(tmp_path / "good.safetensors").classes == trained.classes


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("mnist", 0.99), ("fashion-mnist", 0.90)])
def test_published_sets(name: str, least: float, mnist: str):
    place = Path(mnist.partition(":")[2]).with_name(name)
    if not place.is_dir():
        pytest.skip(f"needs the files in {place}")
    train, test = (open_dataset(f"{name}{end}:{place}", View()) for end in ("", "-test"))

    assert train.labels is not None
    assert test.labels is not None

    whole = [
        LabelledImages(data.images, data.labels, np.arange(len(data)))
        for data in (train, test)
        if data.labels is not None
    ]
    data = ClassificationData(name, train.fingerprint, train.classes, *whole)
    found = load_or_train_classifier(data)

    assert found.protocol["accuracy"] > least
