"""The GAN of points: its packs, what it refuses, and what `ganvas sample` makes of it."""

import csv
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from PIL import Image
from tiny import FixedClock, make_batch, make_gan, make_schema

import ganvas
from ganvas.cli import main
from ganvas.errors import UserError
from ganvas.gans import GANS
from ganvas.gans.options import build_gan
from ganvas.inference.run import load
from ganvas.inference.sampling import POINTS, training_grid
from ganvas.io.scatter import MARGIN, SIDE
from ganvas.rng import RowRng, StepRng

POINT_GANS = [name for name in GANS if GANS[name].kind == "point"]


def test_a_pack_is_a_point_and_those_before_it():
    gan = make_gan("points", packing=3)
    points = torch.arange(8.0).reshape(4, 2, 1, 1)
    assert gan.pack(points).tolist() == [
        [0, 1, 6, 7, 4, 5],
        [2, 3, 0, 1, 6, 7],
        [4, 5, 2, 3, 0, 1],
        [6, 7, 4, 5, 2, 3],
    ]
    assert torch.equal(make_gan("points").pack(points), points.flatten(1))


@pytest.mark.parametrize("packing", [1, 2, 4])
@pytest.mark.parametrize("count", [1, 3, 8])
def test_the_discriminator_sees_packs_of_one_kind(packing: int, count: int):
    gan = make_gan("points", packing=packing)
    seen, made = [], []
    gan.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    gan.generator.register_forward_hook(lambda *call: made.append(call[2].detach()))
    batch = make_batch(gan, count)
    list(gan.step(batch, FixedClock(), StepRng(0, 0)))
    (fake,) = made
    assert [tuple(packs.shape) for packs in seen] == [(count, 2 * packing)] * 3
    assert torch.equal(seen[0], gan.pack(batch["image"]))
    assert torch.equal(seen[1], gan.pack(fake))
    assert torch.equal(seen[2], seen[1])
    assert gan.score(batch).shape == (count,)


def test_every_point_of_a_pack_counts():
    """The generator's gradient reaches each point through all packs that it is in."""
    gan = make_gan("points", packing=2).double()
    points = torch.rand(5, 2, 1, 1, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(gan.discriminator(gan.pack(points))[3], points)
    assert gradient.flatten(1).any(1).tolist() == [False, False, True, True, False]


@pytest.mark.parametrize("name", POINT_GANS)
def test_points_stay_in_the_square(name: str):
    gan = make_gan(name).eval()
    with torch.no_grad():
        gan.generator[-2].weight.mul_(1e4)
        made = gan.sample(50, RowRng(0, range(50)))
    assert made.shape == (50, 2, 1, 1)
    assert made.abs().max() == 1


@pytest.mark.parametrize(("hidden", "noise_size", "packing"), [(128, 2, 1), (16, 256, 3)])
def test_layers(hidden: int, noise_size: int, packing: int):
    gan = build_gan(
        "points",
        make_schema(1, 2),
        {"hidden": hidden, "noise_size": noise_size, "packing": packing},
    )
    counts = {
        player: sum(values.numel() for values in parameters)
        for player, parameters in gan.players().items()
    }
    middle = hidden * hidden + hidden
    assert counts["generator"] == noise_size * hidden + hidden + middle + hidden * 2 + 2
    assert counts["discriminator"] == 2 * packing * hidden + hidden + middle + hidden + 1


# In pairs with real points


@pytest.mark.parametrize("count", [1, 4])
def test_both_kinds_of_points_are_penalised(count: int):
    """gamma / 2 mean |slope at real points|² + gamma / 2 mean |slope at generated ones|²."""
    gan = make_gan("points-relativistic", gamma=3.0)
    batch = make_batch(gan, count)
    fake = gan.generator(StepRng(0, 0).normal(count, gan.noise_size))
    expected = 0.0
    for points in (batch["image"].clone(), fake.detach()):
        (slope,) = torch.autograd.grad(gan.discriminator(points.requires_grad_()).sum(), points)
        expected += 3.0 / 2 * slope.flatten(1).square().sum(1).mean().item()
    update = next(gan.step(batch, FixedClock(), StepRng(0, 0)))
    assert update.losses["penalty"].item() == pytest.approx(expected, rel=1e-5)
    assert not batch["image"].requires_grad


def test_the_players_are_updated_on_different_fakes():
    gan = make_gan("points-relativistic")
    made = []
    gan.generator.register_forward_hook(lambda *call: made.append(call[2].detach()))
    list(gan.step(make_batch(gan, 4), FixedClock(), StepRng(0, 0)))
    first, second = made
    assert not torch.equal(first, second)


@pytest.mark.parametrize("hidden", [(7,), (8, 9), (8, 9, 10)])
def test_hidden_layers(hidden: tuple[int, ...]):
    gan = build_gan("points-relativistic", make_schema(1, 2), {"hidden": hidden, "noise_size": 3})
    counts = {
        player: sum(values.numel() for values in parameters)
        for player, parameters in gan.players().items()
    }
    middle = sum(inputs * outputs + outputs for inputs, outputs in pairwise(hidden))
    assert counts["generator"] == 3 * hidden[0] + hidden[0] + middle + hidden[-1] * 2 + 2
    assert counts["discriminator"] == 2 * hidden[0] + hidden[0] + middle + hidden[-1]


# Refusals


@pytest.mark.parametrize("name", POINT_GANS)
@pytest.mark.parametrize(("size", "channels"), [(8, 1), (1, 3), (1, 1)])
def test_images_are_refused(name: str, size: int, channels: int):
    with pytest.raises(UserError, match="this GAN makes points, not images: use"):
        build_gan(name, make_schema(size, channels), {})


@pytest.mark.parametrize("name", [name for name in GANS if GANS[name].kind == "image"])
def test_points_are_refused_by_all_others(name: str):
    with pytest.raises(
        UserError, match=r"makes images, not points: use the recipes rings and grid"
    ) as refusal:
        build_gan(name, make_schema(1, 2), {})
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("option", ["hidden", "noise_size", "packing"])
def test_options_are_counts(option: str):
    with pytest.raises(UserError, match=rf"options\.{option}=0"):
        build_gan("points", make_schema(1, 2), {option: 0})


# Looking


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("points") / "run"
    settings = {"batch": 10, "sample_every": 100, "options.hidden": 8}
    ganvas.train("grid", out=folder, images=200, settings=settings, device="cpu", quiet=True)
    return folder


def test_training_shows_scatter_images(run: Path):
    names = sorted(path.name for path in (run / "samples").iterdir())
    assert names == ["000000000000.png", "000000000100.png", "000000000200.png"]
    with Image.open(run / "samples" / names[0]) as drawn:
        assert drawn.width == SIDE + 2 * MARGIN
    points, _, rows = training_grid(load(run).gan, 0, torch.device("cpu"))
    assert (tuple(points.shape), rows) == ((POINTS, 2, 1, 1), ())
    assert "points, 25 classes" in (run / "summary.html").read_text()


def test_samples_are_a_table_and_an_image(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    places = ["--out", str(tmp_path / "out"), "--grid", str(tmp_path / "all.png")]
    main(["sample", str(run), "--count", "70", "--seed", "3", *places])
    assert f"70 points in {tmp_path / 'out' / 'points.csv'}" in capsys.readouterr().out
    with (tmp_path / "out" / "points.csv").open() as table:
        rows = [(float(row["x"]), float(row["y"])) for row in csv.DictReader(table)]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["points.csv"]
    torch.testing.assert_close(
        torch.tensor(rows), load(run).sample(70, seed=3).flatten(1), atol=1e-6, rtol=0
    )
    with Image.open(tmp_path / "all.png") as drawn:
        assert drawn.size == (SIDE + 2 * MARGIN, SIDE + 2 * MARGIN)


def test_samples_go_into_the_run_by_themselves(run: Path):
    main(["sample", str(run), "--count", "5"])
    made = run / "generated" / "1"
    assert {path.relative_to(made).as_posix() for path in made.rglob("*.*")} == {
        "points.csv",
        "sheets/grid.png",
    }


@pytest.mark.parametrize(
    "flags", [["--invert"], ["--columns", "3"], ["--format", "jpg"], ["--interpolate", "walk.gif"]]
)
def test_what_only_images_have_is_refused(
    run: Path, flags: list[str], capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as end:
        main(["sample", str(run), *flags])
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert "makes points: --interpolate, --invert, --columns, --format, --names and" in error
