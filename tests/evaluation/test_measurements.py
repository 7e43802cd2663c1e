"""Which metrics may be measured, under which names, and what decides their values."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from inception_weights import made_up
from PIL import Image
from safetensors.torch import save_file

from ganvas.data import View, open_dataset
from ganvas.errors import UserError
from ganvas.evaluation import evaluate
from ganvas.evaluation.extractors import make_extractor
from ganvas.evaluation.inputs import EvaluationInputs
from ganvas.evaluation.metrics import classifier_training
from ganvas.evaluation.metrics.features import Pixels
from ganvas.evaluation.references import (
    open_training_reference,
)
from ganvas.evaluation.registry import METRICS, choose_metrics, measure_metrics
from ganvas.evaluation.samples import (
    samples_of_dataset,
)
from ganvas.evaluation.tables import (
    group_comparable,
)
from ganvas.io.files import hash_file

CPU = torch.device("cpu")


def pixel_case(data: str = "digits") -> EvaluationInputs:
    """A set against itself."""
    dataset = open_dataset(data, View())
    return EvaluationInputs(
        samples_of_dataset(dataset, 10_000, 0),
        open_training_reference(data, View(), None, 0),
        Pixels(),
    )


# What decided the values


def test_a_protocol_does_not_depend_on_other_metrics_or_their_order(
    monkeypatch: pytest.MonkeyPatch,
):
    """Each metric alone, on inputs of its own, has the protocol that it has among all others."""
    monkeypatch.setattr(classifier_training, "IMAGES", 2_000)
    monkeypatch.setattr(classifier_training, "PASSES", 0)
    dataset = open_dataset("digits", View())
    reference = open_training_reference("digits", View(), None, 0)
    samples = samples_of_dataset(dataset, 300, 0)
    assert samples.labels is not None
    few = replace(samples, labels=samples.labels % 5)  # five classes are absent

    def inputs() -> EvaluationInputs:
        return EvaluationInputs(few, reference, Pixels())

    names = list(choose_metrics(["all"], inputs()))
    together = measure_metrics(inputs(), names)
    backwards = measure_metrics(inputs(), names[::-1])
    assert together.keys() >= {"fd", "kd", "recall", "memorisation", "modes", "agreement", "tstr"}
    for name in names:
        alone = measure_metrics(inputs(), [name])[name].protocol
        assert alone == together[name].protocol == backwards[name].protocol, name
    basis = {"features", "reference", "count", "seed"}
    assert together["fd"].protocol.keys() == basis
    assert together["recall"].protocol.keys() == basis | {"neighbours"}
    assert together["agreement"].protocol.keys() == basis | {"classifier", "classes"}
    assert together["class_fd"].protocol["classes"] == list("01234")


def test_an_evaluation_has_the_protocols_of_its_metrics():
    found = evaluate("digits", data="digits", metrics=["recall", "fd"], features="pixels")
    other = evaluate("digits", data="digits", metrics=["fd"], features="pixels")
    assert found.protocol == found.measurements["recall"].protocol
    assert other.protocol == other.measurements["fd"].protocol == found.measurements["fd"].protocol
    assert len(group_comparable([found, other])) == 1  # all that both have was measured alike


# Names of metrics


def test_the_published_names_are_for_inception():
    case = pixel_case()
    usual = choose_metrics(None, case)
    assert "fd" in usual
    assert not {"fid", "kid", "inception_score", "class_fid", "classifier_score", "tstr"} & set(
        usual
    )
    assert "tstr" in choose_metrics(["all"], case)

    for name in ("fid", "kid", "inception_score", "class_fid"):
        with pytest.raises(
            UserError, match=f"--metrics {name}: that name is for Inception features"
        ):
            choose_metrics([name], case)

    with pytest.raises(UserError, match="pixels features do not classify"):
        choose_metrics(["classifier_score"], case)
    with pytest.raises(UserError, match="did you mean recall"):
        choose_metrics(["recal"], case)


def test_every_metric_names_its_values():
    labelled = pixel_case()
    labelled.extractor = make_extractor("classifier", labelled.reference, None, CPU)
    for name in choose_metrics(["all"], labelled):
        if name != "tstr":
            assert (
                METRICS[name].measure(labelled).values.keys() - {"kd_error"}
                <= METRICS[name].better.keys()
            )


def test_what_is_not_known_cannot_be_measured():
    with pytest.raises(UserError, match="the training data is not known"):
        evaluate("noise", "digits", metrics=["memorisation"], count=20)
    with pytest.raises(UserError, match="noise was made without the labels of digits"):
        evaluate("noise", "digits", metrics=["agreement"], count=20)
    with pytest.raises(UserError, match="noise was made without the labels of digits"):
        evaluate("noise", data="digits", metrics=["tstr"], count=20)
    with pytest.raises(UserError, match="points are made without labels"):
        evaluate("noise", data="rings", metrics=["agreement"], count=20)


@pytest.mark.slow
def test_inceptions_names(tmp_path: Path):
    weights = tmp_path / "made-up.safetensors"
    save_file(made_up(), weights)
    random = np.random.default_rng(0)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        for place in range(3):
            Image.fromarray(random.integers(256, size=(32, 32, 3), dtype=np.uint8)).save(
                tmp_path / name / f"{place}.png"
            )
    sets = tmp_path / "one", tmp_path / "other"
    found = evaluate(*sets, weights=weights, metrics=["fid", "kid"], device="cpu")

    assert found.values.keys() == {"fid", "kid"}
    assert found.protocol["features"]["extractor"] == "inception"
    assert found.protocol["features"]["weights"] == hash_file(weights)
    with pytest.raises(UserError, match="that name is for other features than Inception's"):
        evaluate(*sets, weights=weights, metrics=["fd"], device="cpu")

    legacy = evaluate(
        *sets, weights=weights, features="inception-legacy", metrics=["fid"], device="cpu"
    )
    assert legacy.protocol["features"]["resize"].startswith("legacy")
    assert len(group_comparable([found, legacy])) == 2
