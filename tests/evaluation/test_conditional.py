"""GANs that need rows of data, compared with known answers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from short_runs import train_two_steps
from tiny import refused_in_one_line

import ganvas
from ganvas.data import open_dataset
from ganvas.evaluation.conditional import unseen_rows
from ganvas.evaluation.evaluate import evaluate
from ganvas.evaluation.metrics import classifier_training
from ganvas.evaluation.metrics.attributes import balanced_agreement
from ganvas.evaluation.metrics.classifier_training import fit_classifier
from ganvas.evaluation.metrics.full_reference import l1, psnr, ssim
from ganvas.evaluation.samples import ConditionalSampler
from ganvas.inference.poisson import blur_fill
from ganvas.inference.run import Run, load
from ganvas.runs.locate import find_checkpoints
from ganvas.runs.log import read_log

SMALL = {
    "pix2pix": {},
    "cyclegan": {"options.blocks": 1},
    "stargan": {"options.blocks": 1},
    "inpaint": {},
}
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs, two domains and faces, and a run on each.

    All are of the same 24 images: a bright or dark square, which may have a bar.
    """
    place = tmp_path_factory.mktemp("conditional")
    rows = ["24", "Bright Bar"]  # as in CelebA's table of attributes
    for number in range(24):
        # The background differs, so that no two images are equal.
        bright, bar = number % 2, number // 2 % 2
        picture = np.full((16, 16, 3), 90 + 5 * (number // 4), np.uint8)
        picture[4:12, 4:12] = 230 if bright else 20
        if bar:
            picture[7:9, :] = (250, 60, 60)

        split = "test" if number >= 16 else "train"
        double = np.concatenate([picture, 255 - picture], 1)
        for name, content in {
            f"pairs/{split}/{number}.png": double,
            f"two/{split}A/{number}.png": picture,
            f"two/{split}B/{number}.png": 255 - picture,
            f"faces/{number}.png": picture,
        }.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(content).save(place / name)
        rows.append(f"{number}.png {2 * bright - 1} {2 * bar - 1}")

    (place / "faces" / "list_attr.txt").write_text("\n".join(rows) + "\n")

    data = {
        "pix2pix": f"pairs:{place / 'pairs'}",
        "cyclegan": f"unpaired:{place / 'two'}",
        "stargan": f"attributes:{place / 'faces'}",
        "inpaint": place / "faces",
    }
    for name, spec in data.items():
        held_out = {"held_out": 8} if name in ("stargan", "inpaint") else {}
        train_two_steps(name, place / name, spec, **SMALL[name], **held_out)
    return place


def with_gan(run: Path, monkeypatch: pytest.MonkeyPatch, sample) -> Run:
    """The run with another way of generating images."""
    loaded = load(run)
    monkeypatch.setattr(loaded.gan, "sample", sample)
    return loaded


def test_fidelity_is_measured_on_pairs_never_trained_on(
    place: Path, monkeypatch: pytest.MonkeyPatch
):
    """A GAN that inverts is right; one that changes nothing is as far off as the pairs differ."""
    right = with_gan(place / "pix2pix", monkeypatch, lambda count, rng, *, image: -image)
    found = evaluate(right, metrics=["fidelity"])

    assert found.values["l1"] == 0
    assert found.values["ssim"] == pytest.approx(1)
    assert found.protocol["count"] == 8

    wrong = with_gan(place / "pix2pix", monkeypatch, lambda count, rng, *, image: image)
    test = open_dataset(f"pairs-test:{place / 'pairs'}", load_view(wrong)).columns
    a, b = (torch.from_numpy(np.array(test[name])) for name in "ab")
    values = evaluate(wrong, metrics=["fidelity"]).values
    assert values == pytest.approx(
        {
            "l1": l1(a, b).mean().item(),
            "psnr": psnr(a, b).mean().item(),
            "ssim": ssim(a, b).mean().item(),
        }
    )


def load_view(run: Run):
    return ganvas.Recipe(**run.about["recipe"]).test_view


def test_distances_are_those_from_the_domain_that_is_made(
    place: Path, monkeypatch: pytest.MonkeyPatch
):
    right = with_gan(place / "cyclegan", monkeypatch, lambda count, rng, *, image, to: -image)
    wrong = with_gan(place / "cyclegan", monkeypatch, lambda count, rng, *, image, to: image)
    near, far = (
        evaluate(run, metrics=["fd"], features="pixels").values["fd"] for run in (right, wrong)
    )
    assert near < 1e-3 * far


def test_cycles(place: Path, monkeypatch: pytest.MonkeyPatch):
    """Ten levels are added on the way there, and subtracted or added on the way back."""
    ten = 10 * 2 / 255

    def add_and_subtract(count, rng, *, image, to):
        return image + torch.where(to == 1, ten, -ten)[:, None, None, None]

    found = evaluate(
        with_gan(place / "cyclegan", monkeypatch, add_and_subtract), metrics=["cycle"]
    ).values
    # what was clipped at white
    assert found == pytest.approx({"cycle_a": 0, "cycle_b": 0}, abs=0.8)
    brighter = with_gan(
        place / "cyclegan", monkeypatch, lambda count, rng, *, image, to: image + ten
    )
    assert evaluate(brighter, metrics=["cycle"]).values["cycle_a"] == pytest.approx(20, abs=3)


def test_errors_in_holes_are_compared_with_a_blur(place: Path, monkeypatch: pytest.MonkeyPatch):
    run = with_gan(
        place / "inpaint",
        monkeypatch,
        lambda count, rng, *, image, mask: image * (1 - mask) + 1.0 * mask,
    )
    found = evaluate(run, metrics=["holes"]).values
    recipe = ganvas.Recipe(**run.about["recipe"])
    dataset = open_dataset(str(place / "faces"), recipe.test_view)
    rows = unseen_rows(run, recipe, dataset, 10_000)
    sampler = ConditionalSampler(run.gan, rows, CPU, 0)
    truth, mask = sampler.rows["image"], sampler.inputs["mask"] > 0.5

    assert 0 < mask.float().mean() < 0.6

    white = torch.full_like(truth, 255)
    assert torch.equal(sampler.images, torch.where(mask, white, truth))
    blurred = torch.stack([blur_fill(picture, hole[0]) for picture, hole in zip(truth, mask)])
    expected = {}
    for name, filled in {"hole": white, "blur": blurred}.items():
        # (N, C, H, W) differences, of the pixels in the hole alone
        errors = [
            (fill.double() - real.double())[:, hole[0]]
            for fill, real, hole in zip(filled, truth, mask)
        ]
        expected[f"{name}_l1"] = np.mean([error.abs().mean() for error in errors])
        squares = [max(error.square().mean().item(), 1e-12) for error in errors]
        psnr = [min(100, 10 * np.log10(255**2 / square)) for square in squares]
        expected[f"{name}_psnr"] = np.mean(psnr)

    assert found == pytest.approx(expected, rel=1e-6)
    assert found["hole_l1"] > found["blur_l1"] > 0
    assert found["hole_psnr"] < found["blur_psnr"]


def test_requested_attributes_are_seen_by_a_classifier(
    place: Path, monkeypatch: pytest.MonkeyPatch
):
    """A GAN that draws them has them; one that changes nothing has those of the real images."""

    def draws(count, rng, *, image, attributes):
        made = torch.full_like(image, -0.2)
        made[:, :, 4:12, 4:12] = attributes[:, 0].mul(1.64).sub(0.84)[:, None, None, None]
        bar = torch.tensor([0.96, -0.53, -0.53])[None, :, None, None]
        made[:, :, 7:9] = torch.where(attributes[:, 1, None, None, None] > 0, bar, made[:, :, 7:9])
        return made

    right = evaluate(with_gan(place / "stargan", monkeypatch, draws), metrics=["attributes"])
    assert right.values["real_attributes"] == 1
    assert right.values["attributes"] == 1
    assert right.by_class["attributes"] == {"Bright": 1.0, "Bar": 1.0}
    lazy = with_gan(place / "stargan", monkeypatch, lambda count, rng, *, image, attributes: image)
    assert evaluate(lazy, metrics=["attributes"]).values["attributes"] < 0.9


def test_agreement_counts_those_with_and_without_alike():
    wanted = torch.tensor([[1.0], [0.0], [0.0], [0.0]])
    # never seen is not three quarters right
    assert balanced_agreement(torch.zeros(4, 1, dtype=torch.bool), wanted).tolist() == [0.5]
    assert balanced_agreement(wanted > 0, wanted).tolist() == [1.0]
    assert balanced_agreement(torch.ones(2, 1, dtype=torch.bool), torch.ones(2, 1)).tolist() == [
        1.0
    ]


def test_the_classifier_of_attributes_is_trained_once(
    place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    trained = []
    monkeypatch.setattr(
        classifier_training,
        "fit_classifier",
        lambda *given: trained.append(given) or fit_classifier(*given),
    )
    run = load(place / "stargan")
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first, again = (evaluate(run, metrics=["attributes"]) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert first.values == again.values
    assert len(trained) == 1


@pytest.mark.parametrize(
    ("run", "column"), [("pix2pix", "l1"), ("inpaint", "hole_psnr"), ("cyclegan", "cycle_b")]
)
def test_a_single_value_is_requested_by_its_name(place: Path, run: str, column: str):
    assert evaluate(place / run, metrics=[column]).values.keys() == {column}


@pytest.mark.parametrize(
    ("run", "metric", "message"),
    [
        ("cyclegan", "fidelity", "only for GANs with a ground truth"),
        ("pix2pix", "cycle", "only for GANs that translate both ways"),
        ("pix2pix", "attributes", "only for GANs that change attributes"),
        ("stargan", "holes", "only for GANs that fill holes"),
        ("inpaint", "places", "only for GANs that take a box"),
    ],
)
def test_what_does_not_apply_is_refused(place: Path, run: str, metric: str, message: str):
    refused_in_one_line(lambda: evaluate(place / run, metrics=[metric]), message)


def test_without_unseen_rows_nothing_is_evaluated(place: Path, tmp_path: Path):
    data = f"attributes:{place / 'faces'}"
    train_two_steps("stargan", tmp_path / "run", data, **SMALL["stargan"], held_out=0)
    refused_in_one_line(
        lambda: evaluate(tmp_path / "run", metrics=["kd"]), "train with --set held_out=50"
    )


@pytest.mark.parametrize("name", ["pix2pix", "stargan", "inpaint"])
def test_quick_scores_of_a_run_keep_its_best_checkpoint(place: Path, tmp_path: Path, name: str):
    data = {
        "pix2pix": f"pairs:{place / 'pairs'}",
        "stargan": f"attributes:{place / 'faces'}",
        "inpaint": place / "faces",
    }[name]
    settings = SMALL[name] | {"evaluate_every": 4, "held_out": 4, "keep": 1}
    run = tmp_path / "run"
    train_two_steps(name, run, data, images=12, **settings)
    scores = {
        entry["images"]: entry["distance"]
        for entry in read_log(run / "log.jsonl")
        if entry["kind"] == "evaluated"
    }

    assert list(scores) == [4, 8, 12]

    kept = {int(folder.name) for folder in find_checkpoints(run / "checkpoints")}
    assert kept == {min(scores, key=scores.__getitem__), 12}
