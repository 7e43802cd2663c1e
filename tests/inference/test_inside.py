"""A look inside every GAN: stages, sheets and the page."""

import base64
import hashlib
import html
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from short_runs import train_two_steps
from tiny import list_labelled, list_unconditional, make_batch, make_gan, refused_in_one_line
from torch import nn
from untrained_runs import make_run, wrap_gan

import ganvas
from ganvas.cli import main
from ganvas.gans import GANS
from ganvas.inference.inside.look import look_inside
from ganvas.inference.inside.stages import NotedRng, Stage, note_stages, pick_stages
from ganvas.rng import RowRng

MLPS = ("mlp", "mlp-deep", "mlp-tanh", "points", "points-relativistic")


@pytest.mark.parametrize("name", GANS)
def test_every_gan_can_be_looked_into(name: str, tmp_path: Path):
    run = make_run(name, tmp_path / "run")
    gan, rows = run.gan, None
    if not gan.unconditional:
        rows = make_batch(gan, 1)
    seen = look_inside(run, seed=3, rows=rows)

    assert seen.generator and seen.discriminator and seen.score is not None
    for player, stages in (("generator", seen.generator), ("discriminator", seen.discriminator)):
        names = dict(gan.named_modules())
        for stage in stages:
            assert stage.name.startswith(player) and stage.name in names
            assert stage.has_maps == (name not in MLPS)
            assert stage.values.isfinite().all()
    if gan.unconditional and name not in MLPS:
        sides = [stage.size[0] for stage in seen.generator]
        assert sides == sorted(sides) and sides[-1] <= gan.size
        sides = [stage.size[0] for stage in seen.discriminator]
        assert sides == sorted(sides, reverse=True)

    # the image is the GAN's own sample, and nothing is left behind
    if gan.kind == "image":
        inputs = {"label": torch.tensor([0])} if "label" in gan.inputs else {}
        if rows is not None:
            inputs = gan.make_inputs(rows, rng := RowRng(3, [0]))
        else:
            rng = RowRng(3, [0])
        with torch.no_grad():
            expected = gan.sample(1, rng, **inputs)
        levels = ((expected.clamp(-1, 1) + 1) * 127.5).round()[0].permute(1, 2, 0)
        assert np.abs(np.asarray(seen.image, int) - levels.numpy()).max() <= 1
    assert not any(module._forward_hooks for module in gan.modules())

    wanted = {"generator", "discriminator"}
    if gan.unconditional and gan.kind == "image":
        wanted |= {"sums", "walks"} | ({"classes"} if name in list_labelled() else set())
    assert seen.sheets.keys() == wanted
    assert seen.page.count("<h3>") >= len(seen.generator) + len(seen.discriminator) + 2
    assert "None" not in seen.page


def test_stages_are_what_the_layers_compute():
    """Of a small DCGAN each stage is recomputed layer by layer."""
    gan = make_gan("dcgan", 16, 3).eval()
    rng = NotedRng(5, torch.device("cpu"))
    made, stages = note_stages(gan, "generator", lambda: gan.sample(1, rng))
    (noise,) = rng.noise
    assert torch.equal(noise, RowRng(5, [0]).uniform(1, 5)[0])

    layers = gan.get_submodule("generator")
    assert isinstance(layers, nn.Sequential)
    x, computed = noise[None], {}
    with torch.no_grad():
        for number, layer in enumerate(layers):
            x = layer(x)
            computed[number] = x[0].clone()
    assert [stage.name for stage in stages] == [f"generator.{number}" for number in (1, 4, 7)]
    # a convolution, its norm and its activation are one stage
    for stage, number in zip(stages, (3, 6, 8)):
        assert torch.allclose(stage.values, computed[number], atol=1e-6)
    assert [stage.name for stage in pick_stages(stages, made)] == ["generator.1", "generator.4"]


def test_the_strongest_maps_come_first_each_with_its_own_contrast():
    ramp = torch.linspace(0, 1, 16).view(4, 4)
    stage = Stage("layer", torch.stack([0 * ramp + 7, 0.1 * ramp, -5 * ramp]))
    tiles = stage.draw_tiles(3)
    assert torch.equal(tiles[0], (255 * (1 - ramp)).round().to(torch.uint8))
    assert torch.equal(tiles[1], (255 * ramp).round().to(torch.uint8))
    assert tiles[2].unique().tolist() == [128]  # even everywhere
    assert len(stage.draw_tiles(2)) == 2

    units = Stage("layer", torch.arange(12.0).view(12, 1, 1)).draw_tiles(1)
    assert units.shape == (1, 2, 6) and units[0, 0, 0] == 0 and units[0, 1, 5] == 255


def test_stages_of_one_size_are_few():
    sizes = [8, 4, 4, 4, 4, 4, 8, 8]
    stages = [Stage(str(n), torch.randn(2, side, side)) for n, side in enumerate(sizes)]
    assert [stage.name for stage in pick_stages(stages)] == ["0", "1", "5", "7"]
    assert [stage.name for stage in pick_stages(stages, torch.zeros(1, 2, 8, 8))] == list("0156")

    patches = [Stage(str(n), torch.randn(count, 4, 4)) for n, count in enumerate((5, 6, 1))]
    assert [stage.name for stage in pick_stages(patches)] == ["1", "2"]  # scores, and before them


def test_walks_and_classes_end_in_the_samples(tmp_path: Path):
    run = make_run("relativistic", tmp_path / "run", size=32, classes=3)
    seen = look_inside(run, seed=2, label="1")
    walks = np.asarray(seen.sheets["walks"], int)
    samples = run.sample(6, seed=2, label=1, as_images=True)
    side, step = 64, 68  # 32 pixels twice, and a gap
    for number in (0, 4):
        for column, sample in ((0, samples[number]), (8, samples[number + 1])):
            top, left = 4 + number * step, 4 + column * step
            shown = Image.fromarray(
                walks[top : top + side, left : left + side].astype(np.uint8)
            ).resize((32, 32))
            assert np.abs(np.asarray(shown, int) - np.asarray(sample, int)).mean() < 12
    assert seen.sheets["classes"].height == 2 * step + 4


def test_a_run_without_discriminator(tmp_path: Path):
    gan = make_gan("relativistic", 16, 1)
    del gan.discriminator
    seen = look_inside(wrap_gan("relativistic", gan, tmp_path / "run"))
    assert seen.score is None and not seen.discriminator and "discriminator" not in seen.sheets
    assert "generator alone" in seen.page
    assert "score" not in repr(seen)


def test_page_is_one_file_in_both_languages(tmp_path: Path):
    gan = make_gan("cdcgan", 16, 1)
    gan.classes = ("<b>&", "other")
    seen = look_inside(wrap_gan("cdcgan", gan, tmp_path / "a<i>b"))
    page = seen.page
    assert "<b>&" not in page and "<i>" not in page
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy and "http" not in policy[1]
    for tag in ("style", "script"):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert text
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"'sha256-{digest}'" in html.unescape(policy[1])
    assert not re.search(r'(?:src|href)="(?!data:)', page)

    # each sentence is there twice, and the Chinese one is Chinese
    spans = re.findall(r'<(?:span|p) lang="([\w-]+)">(.*?)</(?:span|p)>', page)
    english = [text for language, text in spans if language == "en"]
    chinese = [text for language, text in spans if language == "zh-CN"]
    assert len(english) == len(chinese) > 20
    cjk = re.compile("[\u4e00-\u9fff]")
    assert not any(cjk.search(text) for text in english if text != "中文")
    assert all(cjk.search(text) for text in chinese if text != "English")


# The verb


def test_files_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    run = tmp_path / "run"
    ganvas.train("digits", out=run, images=100, settings={"options.width": 4}, quiet=True)
    main(["inside", str(run), "--label", "3"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"page: {run / 'inside' / '1' / 'inside.html'}"
    written = {file.name for file in (run / "inside" / "1").iterdir()}
    names = ("generator", "discriminator", "sums", "walks", "classes")
    assert written == {"inside.html", *(f"{name}.png" for name in names)}

    found = ganvas.inside(run, label=3, out=tmp_path / "new")
    first, again = (
        (place / "inside.html").read_bytes() for place in (run / "inside" / "1", tmp_path / "new")
    )
    assert first == again and found._repr_html_().count("<img") == 5
    refused_in_one_line(lambda: ganvas.inside(run, out=tmp_path / "new"), "is not empty")
    refused_in_one_line(lambda: ganvas.inside(run, label=11), "no class 11")
    refused_in_one_line(lambda: ganvas.inside(run, data="digits"), "--data digits has no effect")
    refused_in_one_line(lambda: ganvas.inside(run, seed=-1), "--seed -1")


def test_a_translator_is_given_a_row_it_has_not_seen(tmp_path: Path):
    pictures = np.random.default_rng(0).integers(0, 255, (12, 16, 32, 3), np.uint8)
    (tmp_path / "pairs").mkdir()
    for number, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(tmp_path / "pairs" / f"{number}.png")
    settings = {"options.blocks": 1, "held_out": 3}
    run = train_two_steps(
        "pix2pix-fast", tmp_path / "run", f"pairs:{tmp_path / 'pairs'}", **settings
    )
    seen = [ganvas.inside(run, seed=seed) for seed in (0, 1)]
    assert seen[0].sheets.keys() == {"generator", "discriminator"}
    assert not torch.equal(seen[0].generator[0].values, seen[1].generator[0].values)
    assert "What it was given" in seen[0].page
    refused_in_one_line(lambda: ganvas.inside(run, label=1), "--label 1 has no effect")


def test_lists_cover_all():
    assert set(MLPS) <= set(list_unconditional()) <= set(GANS)
