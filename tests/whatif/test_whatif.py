"""Experiments: each builds, trains both sides, and writes a page that asks for nothing else."""

import html
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from browser import start_browser, watch_page

import ganvas
from ganvas.data import open_dataset
from ganvas.errors import UserError
from ganvas.gans.mlp import MLP
from ganvas.rng import StepRng
from ganvas.runs.rules import Finding
from ganvas.whatif.broken import MinimaxMLP, NineLabelsDCGAN, RawPixelsMLP, UnnormalisedDCGAN
from ganvas.whatif.catalogue import EXPERIMENTS
from ganvas.whatif.comparison import Comparison
from ganvas.whatif.course import train_side
from ganvas.whatif.experiment import Experiment, Side
from ganvas.whatif.judge import MEASURES
from ganvas.whatif.page import render_page, write_results
from ganvas.whatif.stories import STORIES
from ganvas.whatif.texts import CONDITIONS, LABELS, MEANINGS, Story, Text
from ganvas.whatif.words import describe_results, format_value, name_findings

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def play(name: str, **arguments: Any) -> Comparison:
    """An experiment with one training step a side."""
    return ganvas.whatif(name, images=1, **arguments)


@pytest.fixture(scope="module")
def balance() -> Comparison:
    return play("d-too-fast")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_trains_both_sides_and_writes_its_page(name: str, tmp_path: Path):
    comparison = play(name, out=tmp_path / "out")
    broken, mended = comparison.courses
    assert broken.images == broken.side.recipe.batch and mended.images == mended.side.recipe.batch
    assert set(broken.losses) == set(mended.losses) == {"generator", "discriminator"}
    assert comparison.measures[1].keys() >= set(comparison.experiment.measures) - {
        "change",  # needs two checkups
        "score_drop",
    }

    page = html.unescape((tmp_path / "out" / f"{name}.html").read_text(encoding="utf-8"))
    assert (tmp_path / "out" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert "default-src 'none'; connect-src 'none'" in page
    assert re.findall(r"(?:src|href|url)\s*[=(]\s*['\"]?(?!data:)[a-z/]", page) == []
    assert "http" not in re.sub(r'http-equiv|data:image/png;base64,[^"]*', "", page)
    story = STORIES[name]
    for text in (story.title, LABELS["why"]):
        assert text.en in page and text.zh in page


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_sides_differ_in_what_the_experiment_says(name: str):
    experiment = EXPERIMENTS[name]()
    broken, mended = experiment.sides({"seed": 3}, 1000)
    if experiment.few:
        assert broken.recipe.held_out == 980 and mended.recipe.held_out == 500
        assert experiment.sides({"data": "mnist"}, 60)[1].recipe.held_out is None
    changed = broken.recipe != mended.recipe
    assert changed == bool(experiment.broken or experiment.few)
    assert changed or broken.build is not mended.build
    assert broken.recipe.seed == mended.recipe.seed == 3
    assert broken.recipe.images == mended.recipe.images

    dataset = open_dataset(mended.recipe.data or "", mended.recipe.view)
    # The first weights are equal wherever both have the same ones.
    one, other = (side.build_gan(dataset).state_dict() for side in (broken, mended))
    for key in one.keys() & other.keys():
        assert one[key].shape != other[key].shape or torch.equal(one[key], other[key]), key


def test_all_texts_are_there_in_both_languages():
    assert STORIES.keys() == EXPERIMENTS.keys()
    texts: list[Text] = [*LABELS.values()]
    texts += [text for pair in MEANINGS.values() for text in pair]
    for story in STORIES.values():
        texts += [getattr(story, key) for key in Story.__annotations__ if key != "lines"]
    for text in texts:
        assert text.en and not CHINESE.search(text.en), text
        assert CHINESE.search(text.zh), text
        # The same values and the same code in both.
        for place in (r"\{\w+\}", r"`[^`]+`"):
            assert sorted(re.findall(place, text.en)) == sorted(re.findall(place, text.zh)), text


def test_every_measure_and_condition_has_its_words():
    assert MEANINGS.keys() == MEASURES.keys()
    for make in EXPERIMENTS.values():
        experiment = make()
        assert {experiment.told_by, *experiment.measures, *experiment.curves} <= MEASURES.keys()
    rules = Path(ganvas.__file__).parent / "runs" / "rules.py"
    source = rules.read_text(encoding="utf-8")
    named = set(re.findall(r'return Finding\("([a-z ]+)"', source)) | {"diverging"}
    assert named == CONDITIONS.keys()


# What is broken


def take_updates(gan: Any, batch: Mapping[str, torch.Tensor]) -> list[Any]:
    """All updates of a step, without applying them."""
    found = []
    for updates in gan.step(batch, None, StepRng(0, 0)):
        found += updates if isinstance(updates, tuple) else [updates]
    return found


@pytest.fixture(scope="module")
def digits() -> tuple[Any, dict[str, torch.Tensor]]:
    """The schema of the digits, and a batch."""
    experiment = EXPERIMENTS["missing-class"]()
    dataset = open_dataset("digits", experiment.recipe.view)
    image = torch.linspace(-1, 1, 4 * 64).view(4, 1, 8, 8)
    return dataset.schema, {"image": image, "label": torch.tensor([9, 9, 9, 9])}


def test_raw_pixels_reach_the_discriminator(digits: Any):
    schema, batch = digits
    gan = RawPixelsMLP(schema, hidden=(4,))
    seen = []
    gan.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    take_updates(gan, batch)
    assert seen[0].min() <= -0.0 and seen[0].max() == pytest.approx(255)
    assert seen[1].abs().max() <= 1  # the fakes of the generator's update


def test_the_last_label_is_never_asked_for_when_the_generator_learns(digits: Any):
    schema, _ = digits
    gan = NineLabelsDCGAN(schema, width=4)
    batch = {"image": torch.zeros(400, 1, 8, 8), "label": torch.full((400,), 9)}
    asked = []
    gan.generator.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[1]))
    take_updates(gan, batch)
    of_d, of_g = asked  # the fakes of D's update have the labels of the real images
    assert set(of_d.tolist()) == {9}
    assert set(of_g.tolist()) == set(range(9))


def test_norms_are_replaced_by_biases(digits: Any):
    schema, batch = digits
    gan = UnnormalisedDCGAN(schema, width=4)
    assert not [each for each in gan.modules() if isinstance(each, torch.nn.BatchNorm2d)]
    assert "bias" in " ".join(name for name, _ in gan.generator.named_parameters())
    assert len(take_updates(gan, batch)) == 2


def test_the_minimax_loss_is_the_formula(digits: Any):
    schema, batch = digits
    of_d, of_g = take_updates(MinimaxMLP(schema, hidden=4), batch)
    fake = of_d.scores[1]
    expected = torch.log(1 - fake.sigmoid()).mean()
    assert of_g.losses["adversarial"].item() == pytest.approx(expected.item(), rel=1e-5)


# What is said


def compare(balance: Comparison, broken: float, mended: float, key: str = "distance") -> str:
    """What the comparison says of these values."""
    other = Comparison(
        balance.name,
        Experiment(balance.experiment.recipe, key),
        balance.story,
        balance.courses,
        ({key: broken}, {key: mended}),
        balance.command,
    )
    return " ".join(text.en for text in describe_results(other))


def test_the_result_says_when_nothing_is_seen(balance: Comparison):
    assert compare(balance, 30.0, 4.0) == (
        "In this run: distance to real images 30.00 when broken, 4.00 when mended."
    )
    assert "the difference is small" in compare(balance, 5.0, 4.0)
    assert "was not worse" in compare(balance, 3.0, 4.0)
    assert "the difference is small" in compare(balance, 10, 10.5, "classes")
    assert compare(balance, 3, 10, "classes").endswith("3 / 10 when broken, 10 / 10 when mended.")


def test_what_was_not_measured_is_said(balance: Comparison):
    assert format_value(balance, "distance", None) == "–"
    other = Comparison(
        balance.name, balance.experiment, balance.story, balance.courses, ({}, {}), ""
    )
    assert "could not be measured" in describe_results(other)[0].en
    assert "</html>" in render_page(other)


def test_findings_have_chinese_names(balance: Comparison):
    broken, _ = balance.courses
    assert name_findings(broken).zh == "医生没有发现问题。"
    names = {
        "mode collapse": "模式坍塌",
        "partial collapse (class 9 missing)": "部分坍塌（缺少类别 9）",
    }
    for title, chinese in names.items():
        name, _, detail = title.partition(" (")
        finding = Finding(name, "evidence", "action", detail.removesuffix(")"))
        broken.diagnosis.active[name] = finding
        assert name_findings(broken).zh == f"医生的发现：{chinese}。"
        assert title in name_findings(broken).en
        del broken.diagnosis.active[name]


class ExplodingMLP(MLP):
    """A GAN whose losses become infinite, as with a rate that is far too high."""

    def step(self, batch: Any, clock: Any, rng: Any) -> Any:
        for updates in super().step(batch, clock, rng):
            assert isinstance(updates, tuple)
            if clock.images >= 320:
                updates[0].losses["adversarial"] *= math.inf
            yield updates


def test_a_loss_that_is_not_finite_ends_a_side_and_is_told(balance: Comparison):
    broken, mended = balance.courses
    recipe = broken.side.recipe.model_copy(update={"images": 3_200})
    course = train_side(Side("broken", recipe, ExplodingMLP), broken.dataset, lambda _: None)
    assert course.images == 320 and "not finite" in course.stopped

    other = Comparison(
        balance.name,
        balance.experiment,
        balance.story,
        (course, mended),
        balance.measures,
        balance.command,
    )
    assert describe_results(other)[0].en.startswith("It broke off after 320 images")
    assert "diverging" in name_findings(course).en
    assert "It broke off after 320 images" in render_page(other)


# How it is called


def test_the_same_seed_gives_the_same_result(balance: Comparison):
    again = play("d-too-fast")
    for one, other in zip(balance.courses, again.courses, strict=True):
        assert torch.equal(one.moments[-1].samples, other.moments[-1].samples)
    other = play("d-too-fast", seed=1)
    assert not torch.equal(
        other.courses[0].moments[0].samples, balance.courses[0].moments[0].samples
    )
    assert other.command == "ganvas whatif d-too-fast --images 1 --seed 1"


def test_what_is_wrong_is_said():
    with pytest.raises(UserError, match="name what shall go wrong: no-batch-norm, d-too-fast"):
        ganvas.whatif()
    with pytest.raises(UserError, match=r"there is no experiment 'mode-colapse'.*mode-collapse"):
        ganvas.whatif("mode-colapse")
    with pytest.raises(UserError, match="--size is for images of your own"):
        ganvas.whatif("d-too-fast", size=16)


def test_other_data_has_its_own_size(mnist: str):
    comparison = play("d-too-fast", data=mnist)
    assert comparison.courses[0].moments[0].samples.shape == (36, 1, 28, 28)


def test_a_page_works_in_a_browser(balance: Comparison, tmp_path: Path):
    page_file, _ = write_results(balance, tmp_path)
    with start_browser() as browser:
        page = browser.new_page(viewport={"width": 400, "height": 800}, locale="zh-CN")
        traffic = watch_page(page)
        page.goto(page_file.as_uri())
        assert page.inner_text("h1") == balance.story.title.zh
        page.click("#language")
        assert page.inner_text("h1") == balance.story.title.en
        # Nothing is wider than the window.
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        assert traffic.complaints == []
        assert [url for url in traffic.requests if not url.startswith(("file:", "data:"))] == []
