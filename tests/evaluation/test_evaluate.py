"""Judging: floor and ceiling, runs and folders alike, nothing that depends on order or batch, and
what is kept of it.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from inception_weights import made_up
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny import make

import ganvas
from ganvas.data import View, open_dataset
from ganvas.errors import UserError
from ganvas.evaluation import Evaluation, evaluate, references
from ganvas.evaluation.evaluate import judge
from ganvas.evaluation.extractors import make_extractor, usual_features
from ganvas.evaluation.inputs import Case
from ganvas.evaluation.metrics import classifier
from ganvas.evaluation.metrics.features import CHUNK, Pixels
from ganvas.evaluation.quick import open_yardstick, quick_score
from ganvas.evaluation.references import features_of, of_spec, of_training
from ganvas.evaluation.registry import METRICS, choose
from ganvas.evaluation.samples import of_dataset, of_noise, of_run, place_free
from ganvas.evaluation.tables import by_protocol, cell, number, split_sets, tables
from ganvas.inference.run import load
from ganvas.inference.sample import write_samples
from ganvas.recipes import get_recipe
from ganvas.runs.checkpoint import find_checkpoints, hash_file

CPU = torch.device("cpu")
DISTANCES = ["fd", "kd", "precision", "recall", "density", "coverage"]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run on digits; never written to."""
    folder = tmp_path_factory.mktemp("trained") / "digits"
    ganvas.train(
        "digits", out=folder, images=6_000, settings={"options.width": 8}, device="cpu", quiet=True
    )
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def made(run: Path, out: Path, count: int) -> Path:
    """A folder of samples as `ganvas sample` writes them."""
    settings = {
        "label": None,
        "grid": None,
        "columns": None,
        "invert": False,
        "walk": None,
        "average": True,
        "device": "cpu",
    }
    for _ in write_samples(run, count=count, seed=0, out=out, ending="png", **settings):
        pass
    return out


def pixel_case(data: str = "digits") -> Case:
    """A set against itself."""
    dataset = open_dataset(data, View())
    return Case(of_dataset(dataset, 10_000, 0), of_training(data, View(), None, 0), Pixels())


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
    copies = evaluate("digits", data="digits", metrics=["memorisation"], features="pixels").values
    assert copies["memorisation"] == 0
    assert copies["copies"] > 0.97  # all but those held out
    noise = evaluate(
        "noise", data="digits", metrics=["memorisation"], features="pixels", count=500
    ).values
    assert noise["memorisation"] > 1.5
    assert noise["copies"] == 0


def test_classes_of_labelled_pictures():
    found = evaluate("digits", data="digits")
    assert found.values["agreement"] > 0.98
    assert found.values["class_fd"] < 0.2
    assert (
        found.by_class["agreement"].keys() == found.by_class["class_fd"].keys() == set("0123456789")
    )
    assert 9 < found.values["classifier_score"] <= 10
    assert "modes" not in found.values


def test_modes_of_pictures_without_labels(tmp_path: Path):
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


def test_training_on_synthetic_pictures(run: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(classifier, "SHOWN", 15_000)
    monkeypatch.setattr(classifier, "PASSES", 0)
    real = evaluate("digits", data="digits", metrics=["tstr"], count=1_000).values
    assert real["trtr"] > 0.9
    assert abs(real["tstr"] - real["trtr"]) < 0.1
    dataset = open_dataset("digits", View())
    wrong = of_dataset(dataset, 1_000, 0)
    assert wrong.labels is not None
    case = Case(
        replace(wrong, labels=(wrong.labels + 1) % 10),
        of_training("digits", View(), None, 0),
        Pixels(),
    )
    assert judge(case, ["tstr"])[0]["tstr"] < 0.1


def test_points():
    found = evaluate("rings", data="rings")
    assert found.values["modes"] == 8
    assert abs(found.values["high_quality"] - 0.989) < 0.01
    assert found.values["kl"] < 0.01
    assert found.protocol["count"] == 2_500
    assert evaluate("noise", data="rings").values["high_quality"] < 0.01
    # which sees no modes
    assert evaluate("noise", data="rings", metrics=["fd"]).values["fd"] < 0.01


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
    folder = evaluate(made(run, tmp_path / "made", 333), **settings)
    assert folder.values == whole.values
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
    case = Case(of_dataset(dataset, 10_000, 0), of_spec("digits", View(), 0), Pixels())
    random = torch.Generator().manual_seed(0)
    order = torch.randperm(1797, generator=random)
    images = torch.from_numpy(dataset.images)
    shuffled = replace(case.pictures, make=lambda: iter(images[order].split(100)))
    names = ["fd", "precision", "recall", "density", "coverage"]  # kd draws subsets by place
    before, after = judge(case, names)[0], judge(Case(shuffled, case.reference, Pixels()), names)[0]
    assert after == pytest.approx(before, abs=1e-9)
    pieces = [
        len(piece) for piece in replace(case.pictures, make=lambda: iter(images.split(7))).pieces()
    ]
    assert pieces == [CHUNK] * (1797 // CHUNK) + [1797 % CHUNK]
    ones = replace(case.pictures, make=lambda: iter(images.split(1)))
    assert judge(Case(ones, case.reference, Pixels()), names)[0] == before


def test_ten_thousand_in_turn(run: Path):
    pictures = of_run(load(run), 10_000, 0, View())
    assert pictures.labels is not None
    assert pictures.labels.bincount().tolist() == [1000] * 10
    assert pictures.labels[:12].tolist() == [*range(10), 0, 1]


def test_pictures_at_rows_are_those_of_the_pieces(run: Path):
    pictures = of_run(load(run), 70, 0, View())
    whole = torch.cat(list(pictures.pieces()))
    rows = torch.tensor([69, 0, 33])
    assert torch.equal(pictures.at(rows), whole[rows])


def test_nothing_is_drawn_from_the_global_state(run: Path):
    loaded = load(run)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    evaluate(loaded, count=64, device="cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_fewer_pictures_are_chosen_at_random():
    dataset = open_dataset("digits", View())
    one, same, other = (of_dataset(dataset, 100, seed) for seed in (0, 0, 1))
    first = torch.cat(list(one.pieces()))
    assert torch.equal(first, torch.cat(list(same.pieces())))
    assert not torch.equal(first, torch.cat(list(other.pieces())))
    assert one.labels is not None
    assert one.labels.bincount(minlength=10).min() > 0


def test_noise_does_not_depend_on_the_count():
    few, many = (torch.cat(list(of_noise(8, 1, count, 0).pieces())) for count in (5, 300))
    assert torch.equal(few, many[:5])
    assert abs(many.float().mean() - 127.5) < 2


def test_other_sizes(run: Path):
    smaller = evaluate(
        run, count=20, view={"size": 8}, metrics=["fd"], features="pixels", device="cpu"
    )
    assert "resized_from" not in smaller.about
    with pytest.raises(UserError, match="makes 8x8 grey; choose 8 or less"):
        evaluate(run, count=20, view={"size": 16}, device="cpu")


# References


def test_which_pictures_are_compared_with(mnist: str):
    test = of_training(mnist, View(), None, 0)
    named = of_spec(mnist.replace("mnist:", "mnist-test:"), View(), 0)
    assert (test.name, test.split, len(test.rows), len(test.shown)) == (
        "mnist-test",
        "test",
        10_000,
        60_000,
    )
    assert test.about() == named.about()
    assert of_spec(mnist, View(), 0).split == "all"
    assert len(of_spec(mnist, View(), 0).rows) == 10_000
    assert len(of_spec(mnist, View(), 20_000).rows) == 20_000


def test_training_pictures_are_compared_with_where_there_is_no_test_set():
    reference = of_training("digits", View(), None, 0)
    assert (reference.name, reference.split) == ("digits", "train")
    assert len(reference.rows) + len(reference.unseen_rows) == 1797
    assert not set(reference.rows) & set(reference.unseen_rows)
    assert set(reference.rows) == set(reference.shown)
    labels = reference.labels
    assert labels is not None
    assert labels[:200].bincount(minlength=10).min() > 8  # in a random order


def test_features_of_references_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path))
    reference = of_training("digits", View(), None, 0)
    extractor = make_extractor("random", reference, None, CPU)
    first = features_of(extractor, reference.dataset, reference.rows)
    (file,) = (tmp_path / "references").iterdir()
    monkeypatch.setattr(references, "extract", None)
    assert torch.equal(features_of(extractor, reference.dataset, reference.rows), first)
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(TypeError):  # taken anew
        features_of(extractor, reference.dataset, reference.rows)


def test_names_without_places(tmp_path: Path):
    assert place_free("mnist-test:/data/mnist") == "mnist-test"
    assert place_free("digits") == "digits"
    assert place_free("idx:/data/letters") == "idx:letters"
    assert place_free(str(tmp_path)) == tmp_path.name


def test_usual_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "colour").mkdir()
    for shade in range(3):
        Image.new("RGB", (32, 32), (shade, 0, 0)).save(tmp_path / "colour" / f"{shade}.png")
    digits, colour, rings = (
        of_training(str(data), View(), None, 0) for data in ("digits", tmp_path / "colour", "rings")
    )
    assert usual_features(digits, None) == ("classifier", "")
    assert usual_features(rings, None) == ("pixels", "")
    assert usual_features(digits, Path("weights.pth")) == ("inception", "")
    features, note = usual_features(colour, None)
    assert features == "random"
    assert "--weights FILE" in note
    weights = tmp_path / "cache" / "weights" / "pt_inception-2015-12-05-6726825d.pth"
    weights.parent.mkdir(parents=True)
    weights.touch()
    assert usual_features(colour, None) == ("inception", "")


# What is kept


def test_a_runs_record(run: Path):
    first = evaluate(run, count=50, device="cpu")
    second = evaluate(run, count=60, device="cpu", metrics=["fd"])
    lines = [json.loads(line) for line in (run / "evaluations.jsonl").read_text().splitlines()]
    assert lines == [json.loads(json.dumps(found.to_json())) for found in (first, second)]
    assert first.about == {
        "run": str(run),
        "checkpoint": "000000006000",
        "images": 6000,
        "gan": "relativistic",
    }
    assert first.protocol["features"]["trained_on"] == "digits"
    assert len(first.protocol["features"]["sha256"]) == 64
    assert first.protocol["reference"]["split"] == "train"
    assert first.protocol["reference"]["count"] == 1762
    assert first.protocol["count"] == 50
    assert first.protocol["neighbours"]["pictures"] == 50
    assert first.versions.keys() >= {"ganvas", "torch", "python"}
    assert any("fewer than 10,000" in note for note in first.notes)
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
    found = Evaluation("a", {}, {"kl": float("nan"), "modes": 0}, {}, {}, [], {}, "")
    assert found.to_json()["values"] == {"kl": None, "modes": 0}


# Names of metrics


def test_the_published_names_are_for_inception():
    case = pixel_case()
    usual = choose(None, case)
    assert "fd" in usual
    assert not {"fid", "kid", "inception_score", "class_fid", "classifier_score", "tstr"} & set(
        usual
    )
    assert "tstr" in choose(["all"], case)
    for name in ("fid", "kid", "inception_score", "class_fid"):
        with pytest.raises(
            UserError, match=f"--metrics {name}: that name is for Inception features"
        ):
            choose([name], case)
    with pytest.raises(UserError, match="pixels features tell no classes apart"):
        choose(["classifier_score"], case)
    with pytest.raises(UserError, match="did you mean recall"):
        choose(["recal"], case)


def test_every_metric_tells_its_values():
    labelled = pixel_case()
    labelled.extractor = make_extractor("classifier", labelled.reference, None, CPU)
    for name in choose(["all"], labelled):
        if name != "tstr":
            assert (
                METRICS[name].measure(labelled)[0].keys() - {"kd_error"}
                <= METRICS[name].better.keys()
            )


def test_what_is_not_known_cannot_be_measured():
    with pytest.raises(UserError, match="what was learnt from is not known"):
        evaluate("noise", "digits", metrics=["memorisation"], count=20)
    with pytest.raises(UserError, match="noise was made without the labels of digits"):
        evaluate("noise", "digits", metrics=["agreement"], count=20)
    with pytest.raises(UserError, match="noise was made without the labels of digits"):
        evaluate("noise", data="digits", metrics=["tstr"], count=20)
    with pytest.raises(UserError, match="points are made without labels"):
        evaluate("noise", data="rings", metrics=["agreement"], count=20)


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
    assert len(by_protocol([found, legacy])) == 2


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


def test_a_generator_of_nan_is_told(run: Path):
    spoil(run)
    with pytest.raises(
        UserError, match=r"the generator of .* is broken: picture 0 of 20 holds NaN or infinity"
    ):
        evaluate(run, count=20, device="cpu")


# While training


def test_quick_score(run: Path):
    yardstick = open_yardstick(get_recipe("digits"), CPU, "random")
    untrained, better = make("relativistic", classes=10).train(), load(run).gan
    torch.manual_seed(5)
    before = torch.get_rng_state()
    bad = quick_score(untrained, yardstick, CPU, count=300)
    good = quick_score(better, yardstick, CPU, count=300)
    assert untrained.training
    assert torch.equal(torch.get_rng_state(), before)
    assert 0 < good < bad
    assert quick_score(untrained, yardstick, CPU, count=300) == bad
    for parameter in untrained.generator.parameters():  # pyright: ignore[reportAttributeAccessIssue]
        parameter.data.fill_(torch.nan)
    with pytest.raises(UserError, match="NaN"):
        quick_score(untrained, yardstick, CPU, count=300)


def test_quick_score_of_points():
    yardstick = open_yardstick(get_recipe("rings"), CPU)
    score = quick_score(make("points", size=1, channels=2), yardstick, CPU, count=300)
    assert 0.5 < score <= 1


# Tables


def test_values_of_different_protocols_are_not_in_one_table():
    one, same, other = (
        evaluate("noise", "digits", metrics=["fd"], features="random", count=n)
        for n in (20, 20, 30)
    )
    assert [len(group) for group in by_protocol([one, other, same])] == [2, 1]


def test_what_is_compared_with_what(run: Path):
    assert split_sets([str(run), str(run)], None) == ([str(run)] * 2, None)
    assert split_sets([str(run), "noise", "digits"], None) == ([str(run), "noise"], "digits")
    assert split_sets(["noise"], "digits") == (["noise"], None)
    for sets, message in (
        ([], "name a run folder"),
        (["digits"], "REFERENCE"),
        (["runs/absent"], "there is no run folder"),
    ):
        with pytest.raises(UserError, match=message):
            split_sets(sets, None)


def test_cells():
    assert number("precision", 0.12345) == "12.3 %"
    assert number("modes", 8) == "8"
    assert number("fd", 12.34567) == "12.35"
    assert number("kl", float("nan")) == "-"
    assert cell({"kd": 0.01234, "kd_error": 0.0002}, "kd") == "0.0123 ± 0.0002"
    assert cell({"fd": 1.0}, "kd") == ""


def test_wide_tables_are_cut():
    rows = [("a run", ["1.234"] * 6)]
    wide, narrow = (tables("set", ["a heading"] * 6, rows, width) for width in (100, 40))
    assert [len(table.columns) for table in wide] == [7]
    assert [len(table.columns) for table in narrow] == [4, 4]
