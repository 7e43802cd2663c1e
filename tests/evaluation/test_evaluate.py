"""`evaluate`: floor and ceiling, runs and folders alike, order and chunks, and the record."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import ganvas
from ganvas.data import View, open_dataset
from ganvas.errors import UserError
from ganvas.evaluation import Evaluation, evaluate
from ganvas.evaluation.inputs import EvaluationInputs, Measurement
from ganvas.evaluation.metrics import classifier_training
from ganvas.evaluation.metrics.features import CHUNK, Pixels
from ganvas.evaluation.references import (
    make_reference,
    open_reference,
    open_training_reference,
)
from ganvas.evaluation.registry import measure_metrics
from ganvas.evaluation.samples import SampleSet, samples_of_dataset, samples_of_noise
from ganvas.inference.run import load
from ganvas.inference.sample import SampleTask
from ganvas.inference.write import Output, write
from ganvas.io.files import hash_file
from ganvas.runs.locate import find_checkpoints

DISTANCES = ["fd", "kd", "precision", "recall", "density", "coverage"]


def write_folder(run: Path, out: Path, count: int) -> Path:
    """A folder of samples as `ganvas sample` writes them."""
    list(write(SampleTask(count), load(run), Output(out, sheet=False)))
    return out


def values_of(inputs: EvaluationInputs, names: list[str]) -> dict[str, float]:
    """The values of the metrics named."""
    found: dict[str, float] = {}
    for measurement in measure_metrics(inputs, names).values():
        found |= measurement.values
    return found


# What the numbers say


def test_floor_and_ceiling():
    floor = evaluate("digits", "digits", features="random", metrics=DISTANCES).values
    ceiling = evaluate("noise", "digits", features="random", metrics=DISTANCES, count=500).values
    assert floor["fd"] < 1e-3 < 0.1 < ceiling["fd"]
    assert floor["kd"] < 0.1 * ceiling["kd"]
    assert floor["precision"] == floor["recall"] == floor["coverage"] == 1
    assert (
        ceiling["precision"] + ceiling["recall"] + ceiling["density"] + ceiling["coverage"] < 0.05
    )


def test_copies_are_found():
    """Of digits 200 are held out, so that there is a nearest percent of them."""
    dataset = open_dataset("digits", View())
    reference = make_reference(dataset, View(), 200, 0)

    def measured(samples: SampleSet) -> dict[str, float]:
        return values_of(EvaluationInputs(samples, reference, Pixels()), ["memorisation"])

    copies = measured(samples_of_dataset(dataset, 10_000, 0))
    assert copies["memorisation"] == 0
    assert copies["copies"] > 0.87  # all but those held out
    assert copies["copies_chance"] == pytest.approx(0.01, abs=0.006)

    noise = measured(samples_of_noise(8, 1, 500, 0))
    assert noise["memorisation"] > 1.5
    assert noise["copies"] == 0


@pytest.mark.slow
def test_classes_of_labelled_images():
    found = evaluate("digits", data="digits")
    assert found.values["agreement"] > 0.98
    assert found.values["class_fd"] < 0.2
    assert (
        found.by_class["agreement"].keys() == found.by_class["class_fd"].keys() == set("0123456789")
    )
    assert 9 < found.values["classifier_score"] <= 10
    assert "modes" not in found.values


def test_modes_of_images_without_labels(tmp_path: Path):
    digits = open_dataset("digits", View())
    assert digits.labels is not None

    for name, rows in (("all", range(200)), ("odd", np.flatnonzero(digits.labels % 2)[:200])):
        (tmp_path / name).mkdir()
        for row in rows:
            Image.fromarray(digits.images[row, 0]).save(tmp_path / name / f"{row}.png")
    everything, odd = (evaluate(tmp_path / name, data="digits") for name in ("all", "odd"))
    assert everything.values["modes"] == 10
    assert everything.values["kl"] < 0.02
    assert abs(sum(everything.by_class["modes"].values()) - 1) < 1e-6
    assert "agreement" not in everything.values
    assert 5 <= odd.values["modes"] <= 7  # one or two mistaken for others
    assert abs(odd.values["kl"] - np.log(2)) < 0.1


@pytest.mark.slow
def test_training_on_synthetic_images(run: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(classifier_training, "IMAGES", 15_000)
    monkeypatch.setattr(classifier_training, "PASSES", 0)
    real = evaluate("digits", data="digits", metrics=["tstr"], count=1_000).values
    assert real["trtr"] > 0.9
    assert abs(real["tstr"] - real["trtr"]) < 0.1
    assert real["augmented"] > real["trtr"] - 0.05

    dataset = open_dataset("digits", View())
    wrong = samples_of_dataset(dataset, 1_000, 0)
    assert wrong.labels is not None

    case = EvaluationInputs(
        replace(wrong, labels=(wrong.labels + 1) % 10),
        open_training_reference("digits", View(), None, 0),
        Pixels(),
    )
    assert values_of(case, ["tstr"])["tstr"] < 0.1


def test_points():
    found = evaluate("rings", data="rings")
    assert found.values["modes"] == 8
    assert abs(found.values["high_quality"] - 0.989) < 0.01
    assert found.values["kl"] < 0.01
    assert found.protocol["count"] == 2_500
    assert evaluate("noise", data="rings").values["high_quality"] < 0.01
    # which sees no modes
    assert evaluate("noise", data="rings", metrics=["fd"]).values["fd"] < 0.01


@pytest.mark.slow
def test_a_run_of_points(tmp_path: Path):
    ganvas.train("rings", out=tmp_path / "run", images=1_000, device="cpu", quiet=True)
    found = evaluate(tmp_path / "run", device="cpu")
    assert found.values.keys() == {"modes", "high_quality", "kl"}
    assert 0 <= found.values["modes"] <= 8
    assert found.protocol["features"] == {"extractor": "pixels"}
    assert (tmp_path / "run" / "evaluations.jsonl").exists()
    everything = evaluate(tmp_path / "run", device="cpu", metrics=["all"], count=300).values
    assert everything.keys() >= {"modes", "fd", "precision", "memorisation"}


# The same numbers, whatever the way


def test_a_folder_of_samples_is_the_run(run: Path, tmp_path: Path):
    settings = {
        "data": "digits",
        "metrics": [*DISTANCES, "classifier_score", "memorisation"],
        "count": 333,
        "device": "cpu",
    }
    whole = evaluate(run, **settings)
    folder = evaluate(write_folder(run, tmp_path / "made", 333), **settings)
    # Copies have no value, since digits hold out too few.
    assert folder.values == pytest.approx(whole.values, abs=0, nan_ok=True)
    assert folder.protocol == whole.protocol


def test_a_run_in_memory_and_a_checkpoint_are_the_run(run: Path):
    settings = {"metrics": ["fd"], "features": "random", "count": 64, "device": "cpu"}
    values = evaluate(run, **settings).values
    assert evaluate(load(run), **settings).values == values
    assert evaluate(find_checkpoints(run / "checkpoints")[-1], **settings).values == values
    assert evaluate(find_checkpoints(run / "checkpoints")[0], **settings).values != values
    assert evaluate(run, **settings, seed=1).values != values


def test_order_and_batches_do_not_matter():
    dataset = open_dataset("digits", View())
    case = EvaluationInputs(
        samples_of_dataset(dataset, 10_000, 0), open_reference("digits", View(), 0), Pixels()
    )
    random = torch.Generator().manual_seed(0)
    order = torch.randperm(1797, generator=random)
    images = torch.from_numpy(dataset.images)
    shuffled = replace(case.samples, generate=lambda rows: images[order[rows.start : rows.stop]])
    names = ["fd", "precision", "recall", "density", "coverage"]  # kd draws subsets by place
    before = values_of(case, names)
    after = values_of(EvaluationInputs(shuffled, case.reference, Pixels()), names)

    assert after == pytest.approx(before, abs=1e-9)

    pieces = [len(piece) for piece in case.samples.chunks()]
    assert pieces == [CHUNK] * (1797 // CHUNK) + [1797 % CHUNK]


def test_nothing_is_drawn_from_the_global_state(run: Path):
    loaded = load(run)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    evaluate(loaded, count=64, device="cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_other_sizes(run: Path):
    same = evaluate(
        run, count=20, view={"size": 8}, metrics=["fd"], features="pixels", device="cpu"
    )
    assert "resized_from" not in same.about
    shrunk = evaluate(
        run, count=20, view={"size": 4}, metrics=["fd"], features="pixels", device="cpu"
    )
    assert shrunk.about["resized_from"] == 8
    with pytest.raises(UserError, match="makes 8x8 grey; choose 8 or less"):
        evaluate(run, count=20, view={"size": 16}, device="cpu")


# What is kept


def test_a_runs_record(run: Path):
    first = evaluate(run, count=50, device="cpu")
    second = evaluate(run, count=60, device="cpu", metrics=["fd"])
    lines = [json.loads(line) for line in (run / "evaluations.jsonl").read_text().splitlines()]
    assert lines == [json.loads(json.dumps(found.to_json())) for found in (first, second)]
    assert lines[0]["values"]["precision"] is None  # of 50 samples it would be chance
    assert first.about == {
        "run": str(run),
        "checkpoint": "000000001500",
        "images": 1500,
        "gan": "relativistic",
    }
    assert first.protocol["features"]["trained_on"] == "digits"
    assert len(first.protocol["features"]["sha256"]) == 64
    assert first.protocol["reference"]["split"] == "train"
    assert first.protocol["reference"]["count"] == 1762
    assert first.protocol["count"] == 50
    assert first.versions.keys() >= {"ganvas", "torch", "python"}
    assert any("fewer than 10,000 samples" in note for note in first.notes)

    with Image.open(run / "memorisation.png") as figure:
        assert figure.size[0] > 12 * 56


def test_data_are_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    evaluate("digits", data="digits", metrics=["memorisation"], features="pixels")
    assert not list(tmp_path.iterdir())


def test_other_data_than_the_runs_is_noted(run: Path, tmp_path: Path):
    (tmp_path / "other").mkdir()
    for shade in range(30):
        Image.fromarray(np.full((8, 8), shade, np.uint8)).save(tmp_path / "other" / f"{shade}.png")
    found = evaluate(
        run, data=tmp_path / "other", metrics=["fd"], features="pixels", count=20, device="cpu"
    )
    assert any("the fingerprints differ" in note for note in found.notes)


def test_values_that_are_no_numbers_are_null():
    measured = {"modes": Measurement({"kl": float("nan"), "modes": 0}, {})}
    found = Evaluation("a", {}, measured, {}, [], {}, "")
    assert found.to_json()["values"] == {"kl": None, "modes": 0}


# Broken generators


def spoil(run: Path) -> None:
    """Put NaN into the weights of a run's checkpoints, with right digests."""
    for path in find_checkpoints(run / "checkpoints"):
        for name in ("gan.safetensors", "ema.safetensors"):
            weights = load_file(path / name)
            key = next(
                key
                for key in weights
                if key.startswith("generator") and weights[key].is_floating_point()
            )
            save_file(weights | {key: torch.full_like(weights[key], torch.nan)}, path / name)
            about = json.loads((path / "about.json").read_text())
            about["files"][name] = hash_file(path / name)
            (path / "about.json").write_text(json.dumps(about))


def test_a_generator_of_nan_is_reported(run: Path):
    spoil(run)
    message = "the generator of .* is broken: image 0 holds NaN or infinity"
    with pytest.raises(UserError, match=message):
        evaluate(run, count=20, device="cpu")
