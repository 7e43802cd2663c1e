"""Directions in noise: those of made-up generators are found; they are numbered, kept and used."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from short_runs import make_varied_run
from tiny import make_gan, make_schema, refused_in_one_line
from torch import Tensor, nn

import ganvas
from ganvas.cli import main
from ganvas.evaluation.labelled_directions import find_labelled_directions
from ganvas.gans import GAN
from ganvas.inference.choice import NoiseChoice
from ganvas.inference.direction_survey import ALIKE
from ganvas.inference.directions import find_directions
from ganvas.inference.latents import LatentRng
from ganvas.inference.walk import STOPS, Walk, list_paths
from ganvas.rng import Rng, RowRng

CPU = torch.device("cpu")
SIZE, SIDE = 6, 4  # numbers of noise, pixels
STRENGTHS = torch.tensor([0.05, 0.04, 0.03, 0.02, 0.01, 0.005])  # of the directions of a layer


def rotate(size: int, seed: int) -> Tensor:
    """A random orthogonal matrix (size, size)."""
    matrix = torch.randn(size, size, generator=torch.Generator().manual_seed(seed))
    return torch.linalg.qr(matrix)[0]


class _Linear(GAN):
    """A generator of two linear layers, whose directions are known: the rows of `known`.

    Args:
        kind: of the noise: "normal", "uniform", or "parts": two draws and another number.
        second: the matrix of the second layer (16, 16).
    """

    def __init__(self, kind: str = "normal", second: Tensor | None = None):
        super().__init__(make_schema(SIDE, 1, 0))
        self.kind_of_noise = kind
        self.known = rotate(SIZE, 1)
        first, last = nn.Linear(SIZE, SIDE**2), nn.Linear(SIDE**2, SIDE**2)
        for layer in (first, last):
            nn.init.zeros_(layer.bias)
        left = rotate(SIDE**2, 2)[:, :SIZE]
        first.weight.data = left * STRENGTHS @ self.known
        last.weight.data = torch.eye(SIDE**2) if second is None else second
        self.generator = nn.Sequential(first, last)

    def draw(self, count: int, rng: Rng) -> Tensor:
        if self.kind_of_noise == "uniform":
            return rng.uniform(count, SIZE)
        if self.kind_of_noise == "parts":
            parts = rng.normal(count, 2), rng.rand(count, 3), rng.normal(count, SIZE - 2)
            return torch.cat([parts[0], parts[2]], 1)
        return rng.normal(count, SIZE)

    def sample(self, count: int, rng: Rng, *_: Any, **inputs: Any) -> Tensor:
        images = self.generator(self.draw(count, rng)).view(count, 1, SIDE, SIDE)
        return images.clamp(-1, 1)


class _Bent(nn.Module):
    """Adds a square, whose slope is 0 on the average."""

    def forward(self, images: Tensor) -> Tensor:
        return images + 10 * images**2


class _Silent(_Linear):
    """Draws no noise."""

    def draw(self, count: int, rng: Rng) -> Tensor:
        return torch.zeros(count, SIZE)


def load(gan: GAN, folder: Path = Path("none")) -> ganvas.Run:
    return ganvas.Run(folder, gan, {}, CPU)


def cosines(found: Tensor, known: Tensor) -> Tensor:
    """How nearly each found direction is the known one of its place, 1 for the very same."""
    return (found * known[: len(found)]).sum(1).abs()


# Found


@pytest.mark.parametrize("kind", ["normal", "uniform", "parts"])
@pytest.mark.parametrize("way", ["layer", "images"])
def test_known_directions_are_found(kind: str, way: Any):
    gan = _Linear(kind)
    found = find_directions(load(gan), way, 4)
    assert (cosines(found, gan.known) > 0.999).all()


def test_the_layer_and_the_images_may_have_other_directions():
    # the second layer turns the order of the strengths round
    left = rotate(SIDE**2, 2)[:, :SIZE]
    second = left * (0.06 - STRENGTHS) / STRENGTHS @ left.T
    gan = _Linear(second=second)
    strongest = find_directions(load(gan), "layer", 1)
    assert cosines(strongest, gan.known) > 0.999
    strongest = find_directions(load(gan), "images", 1)
    assert cosines(strongest, gan.known.flip(0)) > 0.999


def test_what_bends_is_found_by_what_it_does_on_the_average():
    gan = _Linear()
    gan.generator.append(_Bent())
    found = find_directions(load(gan), "images", 1)
    assert cosines(found, gan.known) > 0.95


@pytest.mark.parametrize("name", ["cdcgan", "r3gan", "mlp"])
def test_directions_of_our_gans_are_unit_vectors_at_right_angles(name: str):
    run = load(make_gan(name, classes=3))
    for way in ("layer", "images"):
        found = find_directions(run, way, 9)
        torch.testing.assert_close(found @ found.T, torch.eye(5), rtol=1e-4, atol=1e-4)
        assert torch.equal(found, find_directions(run, way, 9))


# Measured, numbered, and told apart


@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_they_are_sorted_by_what_they_change(kind: str):
    gan = _Linear(kind)
    found = ganvas.directions(load(gan), count=4)
    assert len(found) == 4  # both ways find the same ones, which are left out once
    std = 1 if kind == "normal" else 3**-0.5
    # levels of 0 to 255, the root of the mean square over the pixels
    expected = STRENGTHS[:4] * std * 127.5 / SIDE
    # uniform noise that is moved stays in [-1, 1], which makes steps shorter
    bound = 1e-3 if kind == "normal" else 0.25
    assert [one.change for one in found] == pytest.approx(expected.tolist(), rel=bound)
    assert cosines(found[0].vector[None], gan.known) > 0.999
    if kind == "normal":
        assert all(one.alike == pytest.approx(1.0) for one in found)


def test_no_two_are_nearly_the_same():
    found = ganvas.directions(make_varied_run(), count=8)
    vectors = torch.stack([one.vector for one in found])
    products = (vectors @ vectors.T).abs() - torch.eye(len(found))
    assert products.max() < ALIKE
    changes = [one.change for one in found]
    assert changes == sorted(changes, reverse=True)
    assert {one.kind for one in found} <= {"layer", "images"}


# Kept and used


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> ganvas.Run:
    """A run of known directions, which are written in its folder."""
    folder = tmp_path_factory.mktemp("moved")
    run = load(_Linear(), folder)
    for number in (1, 2):
        place = folder / "directions" / str(number)
        assert len(ganvas.directions(run, count=3 + number, out=place)) == 3 + number
    return run


def test_files_and_sheets_are_written(moved: ganvas.Run):
    place = moved.folder / "directions" / "2"
    names = {path.relative_to(place).as_posix() for path in place.rglob("*.*")}
    assert {"directions.json", "directions.safetensors", "overview.png"} < names
    assert len([name for name in names if name.startswith("sheets/")]) == 5
    table = json.loads((place / "directions.json").read_text())
    assert len(table["directions"]) == 5


def test_a_move_is_linear_in_the_noise(moved: ganvas.Run):
    gan = moved.gan
    assert isinstance(gan, _Linear)
    noise = gan.draw(4, RowRng(3, range(4)))
    start = moved.sample(4, seed=3)
    vectors = [one.vector for one in ganvas.directions(moved, count=5)]

    def expect(*amounts: tuple[int, float]) -> Tensor:
        target = noise + sum(amount * vectors[number - 1] for number, amount in amounts)
        return gan.generator(target).view(4, 1, SIDE, SIDE).detach()

    def draw(direction: Any, **others: Any) -> Tensor:
        return moved.sample(4, seed=3, direction=direction, **others)

    torch.testing.assert_close(draw("2:1.5"), expect((2, 1.5)))
    torch.testing.assert_close(draw("1:2, 5:-1.5"), expect((1, 2), (5, -1.5)))
    torch.testing.assert_close(draw({4: -2}), expect((4, -2)))
    torch.testing.assert_close(draw("1:0"), start)
    # the first call's directions have no number 5
    first = moved.folder / "directions" / "1"
    torch.testing.assert_close(draw("2:1.5", directions=first), expect((2, 1.5)))
    refused_in_one_line(lambda: draw("5:1", directions=first), "directions 1 to 4")


def test_parts_of_noise_are_moved_each_by_its_part(tmp_path: Path):
    gan = _Linear("parts")
    run = load(gan, tmp_path)
    (found,) = ganvas.directions(run, count=1, out=tmp_path / "directions" / "1")
    choice = NoiseChoice(seeds=5, direction="1:2").of(tmp_path, "run")
    ((latent, _),) = choice.choose(gan, CPU, 0, 1)
    shift = gan.draw(1, LatentRng([latent])) - gan.draw(1, RowRng(5, [0]))
    torch.testing.assert_close(shift[0], 2 * found.vector)


def test_a_walk_goes_along_a_direction_and_back(moved: ganvas.Run):
    choice = NoiseChoice(seeds="7,8", direction="1:-3..3,2:1").of(moved.folder, moved.name)
    there = list_paths(moved.gan, CPU, Walk(loop=False), choice)
    assert [len(path) for path in there] == [STOPS, STOPS]
    assert [path[0].latent.terms[0][0] for path in there] == [7, 8]
    amounts = [[amount for _, amount in point.latent.moves] for point in there[0]]
    assert amounts[0] == [-3, 1] and amounts[-1] == [3, 1]
    assert amounts[STOPS // 2] == [0, 1]

    (back, _) = list_paths(moved.gan, CPU, Walk(), choice)
    assert len(back) == 2 * STOPS - 2
    film = moved.walk(5, seeds=7, direction="1:-3..3", loop=False)
    assert len(film.frames) == 5


def test_a_walk_along_a_direction_is_planned_by_one_reading(moved: ganvas.Run, monkeypatch):
    """Stops share the direction, which was read from its file once."""
    choice = NoiseChoice(seeds="7,8", direction="1:-3..3").of(moved.folder, moved.name)
    sample, calls = _Linear.sample, []

    def count(gan: _Linear, *given: Any) -> Tensor:
        calls.append(given)
        return sample(gan, *given)

    monkeypatch.setattr(_Linear, "sample", count)
    paths = list_paths(moved.gan, CPU, Walk(), choice)
    assert len(calls) == 1  # the generator runs once, to measure its noise
    vectors = {id(point.latent.moves[0][0]) for path in paths for point in path}
    assert len(vectors) == 1


def test_classes_walk_along_a_direction_side_by_side(tmp_path: Path):
    run = load(make_gan("cdcgan", classes=3), tmp_path)
    ganvas.directions(run, count=2, out=tmp_path / "directions" / "1")
    choice = NoiseChoice(direction="1:0..2").of(tmp_path, "run")
    paths = list_paths(run.gan, CPU, Walk(walks=2), choice)
    assert [path[0].label for path in paths] == [0, 0, 1, 1, 2, 2]
    assert [path[-1].latent.terms[0][1] for path in paths] == [0, 1] * 3


# Refusals


@pytest.mark.parametrize(
    ("direction", "message"),
    [
        ("9:1", "directions 1 to 5"),
        ("0:1", "directions 1 to 5"),
        ("Smiling:1", "no direction has that name"),
        ("3", "NUMBER:AMOUNT"),
        ("3:", "NUMBER:AMOUNT"),
        ("3:abc", "NUMBER:AMOUNT"),
        ("3:1.2.3", "NUMBER:AMOUNT"),
        ("", "NUMBER:AMOUNT"),
        ("1:2,,2:1", "NUMBER:AMOUNT"),
        ("1:1000", "at most 100"),
        ({1: math.nan}, "finite number"),
        ({1: "two"}, "number"),
        ({}, "names no direction"),
        ("1:-3..3", "run.walk"),
    ],
)
def test_wrong_directions_are_refused_in_one_line(moved: ganvas.Run, direction: Any, message: str):
    refused_in_one_line(lambda: moved.sample(1, direction=direction), message)


def test_there_must_be_directions_of_this_gan(moved: ganvas.Run, tmp_path: Path):
    other = load(make_gan("mlp", size=4), tmp_path / "empty")
    refused_in_one_line(lambda: other.sample(1, direction="1:1"), "ganvas directions")
    place = moved.folder / "directions"
    refused_in_one_line(
        lambda: other.sample(1, direction="1:1", directions=place),
        "6 numbers, and this GAN draws 5",
    )
    refused_in_one_line(lambda: moved.sample(1, directions=place), "without --direction")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda place: (place / "directions.json").write_text("{}"),
        lambda place: (place / "directions.json").write_text("["),
        lambda place: (place / "directions.safetensors").write_bytes(b"junk"),
        lambda place: (place / "directions.safetensors").unlink(),
        lambda place: save_file({"directions": torch.zeros(3)}, place / "directions.safetensors"),
        lambda place: save_file(
            {"directions": torch.full((5, SIZE), torch.inf)}, place / "directions.safetensors"
        ),
    ],
)
def test_damaged_files_are_refused_in_one_line(
    moved: ganvas.Run, tmp_path: Path, spoil: Callable[[Path], object]
):
    place = tmp_path / "copy"
    shutil.copytree(moved.folder / "directions" / "2", place)
    spoil(place)
    refused_in_one_line(lambda: moved.sample(1, direction="1:1", directions=place), "copy")


def test_gans_without_directions_say_so():
    refused_in_one_line(lambda: ganvas.directions(load(_Silent())), "draws no noise")
    refused_in_one_line(lambda: find_directions(load(_Silent()), "layer"), "draws no noise")
    captions = load(make_gan("gawwn-box", size=16))
    refused_in_one_line(lambda: ganvas.directions(captions), "--caption")
    points = load(make_gan("points"))
    refused_in_one_line(lambda: ganvas.directions(points), "makes points")


def test_a_used_folder_is_refused_before_the_run_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "mine.txt").touch()
    message = "is not empty"
    refused_in_one_line(lambda: ganvas.directions("nowhere", out=tmp_path), message)
    with pytest.raises(SystemExit):
        main(["directions", "zoo:mnist", "--out", str(tmp_path)])
    assert message in " ".join(capsys.readouterr().err.split())


def test_wrong_settings_are_refused_in_one_line():
    run = load(_Linear())
    wrong = {"by": "chance", "count": 0, "labels": "folders", "attributes": ["Smiling"]}
    for name, value in wrong.items():
        settings: Any = {name: value}
        refused_in_one_line(lambda s=settings: ganvas.directions(run, **s), name)


# With labels


class _Grey(GAN):
    """Images of one grey, which a single direction decides."""

    def __init__(self):
        super().__init__(make_schema(8, 1, 0))
        self.known = rotate(SIZE, 3)[0]
        self.generator = nn.Identity()

    def sample(self, count: int, rng: Rng, *_: Any, **inputs: Any) -> Tensor:
        grey = rng.normal(count, SIZE) @ self.known / 2
        return grey.clamp(-1, 1)[:, None, None, None].expand(-1, 1, 8, 8)


def test_a_class_has_the_direction_that_makes_it(tmp_path: Path):
    for number in range(60):
        kind, grey = ("dark", number) if number % 2 else ("light", 255 - number)
        (tmp_path / kind).mkdir(exist_ok=True)
        Image.new("L", (8, 8), grey).save(tmp_path / kind / f"{number}.png")
    gan = _Grey()
    recipe = ganvas.RECIPES["mnist-mlp"]().model_dump(mode="json")
    run = ganvas.Run(tmp_path / "none", gan, {"recipe": recipe}, CPU)

    named, notes = find_labelled_directions(run, tmp_path, "folders")
    assert [one.name for one in named] == ["dark", "light"]
    for one, sign in zip(named, (-1, 1)):
        assert sign * float(one.vector @ gan.known) > 0.95
    assert all("seen correctly in 100% of unseen real images" in note for note in notes)

    refused_in_one_line(
        lambda: find_labelled_directions(run, tmp_path, "folders", ["grey"]), "known: dark, light"
    )
    refused_in_one_line(lambda: find_labelled_directions(run, tmp_path), "neither attributes nor")


def test_directions_that_were_not_found_yet_name_their_command(tmp_path: Path):
    refused_in_one_line(
        lambda: NoiseChoice(direction="1:2").of(tmp_path, "zoo:emoji"),
        "no directions of zoo:emoji were found yet.*ganvas directions zoo:emoji",
    )
