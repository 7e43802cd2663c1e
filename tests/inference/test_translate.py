"""`ganvas translate`: images of any size, attributes and domains, and what is refused."""

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from short_runs import train_digits, train_two_steps
from tiny import refused_in_one_line

from ganvas.inference.inputs import InputFiles
from ganvas.inference.run import load
from ganvas.inference.tiles import OVERLAP, TILE, edge_weights, extend_by_mirror, tile_starts
from ganvas.inference.translate import TranslateTask, parse_attributes, translate_image
from ganvas.inference.write import Output
from ganvas.inference.write import write as write_results
from ganvas.io.images import to_float, to_png, to_uint8

SMALL = {
    "pix2pix": {"options.direction": "b-to-a"},
    "cyclegan": {"options.blocks": 1},
    "cyclegan-fast": {"options.direction": "b-to-a"},
    "stargan": {"options.blocks": 1, "options.exclusive": [["Black", "Blond"]]},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of two training steps of each GAN that translates."""
    place = tmp_path_factory.mktemp("translate")
    noise = np.random.default_rng(0).integers(0, 255, (12, 16, 32, 3), dtype=np.uint8)
    rows = ["12", "Black Blond Glasses"]
    for number, picture in enumerate(noise):
        for folder, part in (
            ("pairs", picture),
            ("two/trainA", picture[:, :16]),
            ("two/trainB", picture[:, 16:]),
            ("faces", picture[:, :16]),
        ):
            (place / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(part).save(place / folder / f"{number}.png")
        values = (number % 2, 1 - number % 2, number // 2 % 2)
        rows.append(" ".join([f"{number}.png", *("1" if value else "-1" for value in values)]))
    (place / "faces" / "list_attr.txt").write_text("\n".join(rows) + "\n")
    data = {
        "pix2pix": f"pairs:{place / 'pairs'}",
        "cyclegan": f"unpaired:{place / 'two'}",
        "cyclegan-fast": f"unpaired:{place / 'two'}",
        "stargan": f"attributes:{place / 'faces'}",
    }
    for name, spec in data.items():
        train_two_steps(name, place / name, spec, **SMALL[name])
    (place / "inputs").mkdir()
    for name, size in {"small": (5, 3), "wide": (50, 21), "square": (16, 16)}.items():
        Image.fromarray(
            np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        ).save(place / "inputs" / f"{name}.png")
    (place / "inputs" / "text.jpg").write_text("no image")
    return {name: place / name for name in data} | {"inputs": place / "inputs", "place": place}


def size_of(file: Path) -> tuple[int, int]:
    with Image.open(file) as picture:
        return picture.size


def pixels_of(file: Path) -> np.ndarray:
    with Image.open(file) as picture:
        return np.array(picture)


def write(run: Path, inputs: list[Path], out: Path | None, **more) -> list[str]:
    task = TranslateTask(InputFiles(tuple(inputs)), **more)
    return list(write_results(task, load(run), Output(out, originals=tuple(inputs))))


def test_images_keep_their_size_where_the_gan_takes_any(runs, tmp_path: Path):
    lines = write(runs["cyclegan"], [runs["inputs"]], tmp_path)
    assert lines[0].startswith("left out: text: not an image")
    sheet = tmp_path / "sheets" / "sheet.png"
    assert lines[1] == f"3 images in {tmp_path}, beside their originals in {sheet}"
    assert len(lines) == 2
    sizes = {file.stem: size_of(file) for file in tmp_path.glob("*.png")}
    assert sizes == {"small": (5, 3), "wide": (50, 21), "square": (16, 16)}


def test_a_gan_of_one_direction_needs_no_domain_and_takes_any_size(runs, tmp_path: Path):
    lines = write(runs["cyclegan-fast"], [runs["inputs"]], tmp_path / "usual")
    assert lines[1].startswith("3 images in ")
    sizes = {file.stem: size_of(file) for file in (tmp_path / "usual").glob("*.png")}
    assert sizes == {"small": (5, 3), "wide": (50, 21), "square": (16, 16)}

    write(runs["cyclegan-fast"], [runs["inputs"]], tmp_path / "named", to="a")
    for name in sizes:
        files = (tmp_path / folder / f"{name}.png" for folder in ("usual", "named"))
        assert np.array_equal(*map(pixels_of, files))


def test_a_square_image_is_what_the_gan_makes(runs, tmp_path: Path):
    write(runs["cyclegan"], [runs["inputs"] / "square.png"], tmp_path, to="a")
    run = load(runs["cyclegan"])
    image = to_float(
        torch.from_numpy(pixels_of(runs["inputs"] / "square.png")).permute(2, 0, 1)[None]
    )
    expected = (
        to_uint8(run.make({"image": image, "to": torch.tensor([0])}))[0].permute(1, 2, 0).numpy()
    )

    assert np.array_equal(pixels_of(tmp_path / "square.png"), expected)
    assert not np.array_equal(
        expected,
        to_uint8(run.make({"image": image, "to": torch.tensor([1])}))[0].permute(1, 2, 0).numpy(),
    )


def test_pix2pix_sees_images_as_large_as_those_it_was_trained_on(runs, tmp_path: Path):
    """Results have the size of the input all the same, and a line says what that costs."""
    wide = runs["inputs"] / "wide.png"
    lines = write(runs["pix2pix"], [wide], tmp_path / "usual")
    lost = "fine detail is missing; train with --size 256 for more"
    assert lines[0] == f"note: translated at 38x16, enlarged to 50x21: {lost}"
    assert size_of(tmp_path / "usual" / "wide.png") == (50, 21)

    lines = write(runs["pix2pix"], [wide], tmp_path / "larger", size=32)
    assert lines[0] == "note: translated at 76x32, shrunk to 50x21"
    assert lines[2:] == ["note: trained at 16 px; add --size 16 to translate at that scale"]
    assert size_of(tmp_path / "larger" / "wide.png") == (50, 21)

    lines = write(runs["pix2pix"], [runs["inputs"]], tmp_path / "all")
    mixed = "translated at sizes such as 38x16, enlarged to their own, up to 50x21"
    assert lines[1] == f"note: {mixed}: {lost}"
    sizes = {file.stem: size_of(file) for file in (tmp_path / "all").glob("*.png")}
    assert sizes == {"small": (5, 3), "wide": (50, 21), "square": (16, 16)}

    lines = write(runs["cyclegan"], [wide], tmp_path / "requested", size=16)
    own = "without --size images are translated at their own size"
    assert f"note: translated at 38x16, enlarged to 50x21: fine detail is missing; {own}" in lines


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_images_come_as_the_training_saw_them_and_go_back_to_their_shape(
    runs, fit: str, monkeypatch: pytest.MonkeyPatch
):
    run = load(runs["pix2pix"])
    run.about["recipe"]["fit"] = fit
    seen = []
    monkeypatch.setattr(run.gan, "sample", lambda count, rng, *, image: seen.append(image) or image)
    slope = np.tile(np.linspace(20, 235, 60, dtype=np.uint8)[None, :, None], (24, 1, 3))
    task = TranslateTask([("slope", lambda: to_png(Image.fromarray(slope)))])
    result, _ = task.results(run)

    assert not isinstance(result, str)
    (image,) = seen
    # 60x24: shrunk to 40x16 and mirrored to 48, laid into a square of 16, or pressed into it
    assert tuple(image.shape[2:]) == {"crop": (16, 48), "pad": (16, 16), "stretch": (16, 16)}[fit]
    assert (image[0, 0, 0, 0] == 1) == (fit == "pad")  # white around it
    # back where they came from; at its ends, a slope bends when it is resized
    difference = result.image.permute(1, 2, 0).int() - torch.from_numpy(slope).int()
    assert result.image.shape == (3, 24, 60)
    assert difference[:, 8:-8].abs().max() <= 2


def test_a_gan_of_tiles_sees_tiles_at_their_own_scale(runs, monkeypatch: pytest.MonkeyPatch):
    run = load(runs["pix2pix"])
    run.about["recipe"]["fit"] = "tiles"
    sizes = []

    def sample(count, rng, *, image):
        sizes.append(tuple(image.shape[2:]))
        return image

    monkeypatch.setattr(run.gan, "sample", sample)
    pixels = np.random.default_rng(0).integers(0, 255, (20, 42, 3), dtype=np.uint8)
    task = TranslateTask([("scene", lambda: to_png(Image.fromarray(pixels)))])
    (result,) = task.results(run)

    assert not isinstance(result, str)
    assert set(sizes) == {(16, 16)}
    difference = result.image.permute(1, 2, 0).int() - torch.from_numpy(pixels).int()
    assert difference.abs().max() <= 1


def test_transparency_goes_back_to_the_result(runs, tmp_path: Path):
    pixels = np.random.default_rng(2).integers(0, 255, (30, 20, 4), dtype=np.uint8)
    Image.fromarray(pixels, "RGBA").save(tmp_path / "cut-out.png")
    for name in ("pix2pix", "cyclegan"):
        write(runs[name], [tmp_path / "cut-out.png"], tmp_path / name)
        found = pixels_of(tmp_path / name / "cut-out.png")
        assert found.shape == (30, 20, 4)
        assert np.array_equal(found[..., 3], pixels[..., 3])

    # an opaque one has none, whatever its mode
    Image.fromarray(pixels[..., :3]).convert("RGBA").save(tmp_path / "opaque.png")
    write(runs["cyclegan"], [tmp_path / "opaque.png"], tmp_path / "plain")
    assert pixels_of(tmp_path / "plain" / "opaque.png").shape == (30, 20, 3)


def test_of_a_pair_given_whole_the_input_is_translated(runs, tmp_path: Path):
    """The data of this run are files of two images; it translates from b, the right half."""
    pair = runs["place"] / "pairs" / "0.png"
    pixels = pixels_of(pair)
    Image.fromarray(pixels[:, 16:]).save(tmp_path / "half.png")
    lines = write(runs["pix2pix"], [pair], tmp_path / "whole")
    write(runs["pix2pix"], [tmp_path / "half.png"], tmp_path / "alone")

    assert "taken for a pair side by side" in lines[1]
    assert lines[1].endswith("its right half was translated")
    files = tmp_path / "whole" / "0.png", tmp_path / "alone" / "half.png"
    assert np.array_equal(*map(pixels_of, files))

    (result,) = TranslateTask([("pair", pair.read_bytes)]).results(load(runs["pix2pix"]))
    assert not isinstance(result, str)
    assert list(result.columns) == ["given", "a", "real"]
    assert np.array_equal(result.columns["real"].permute(1, 2, 0), pixels[:, :16])

    # unpaired data have no such files
    write(runs["cyclegan"], [pair], tmp_path / "unpaired")
    assert size_of(tmp_path / "unpaired" / "0.png") == (32, 16)


def test_domains_have_the_names_of_their_places(runs, tmp_path: Path):
    place = runs["place"] / "two"
    for name, folder in (("summer", "trainA"), ("winter", "trainB")):
        shutil.copytree(place / folder, tmp_path / name)
    spec = f"unpaired:{tmp_path / 'summer'},{tmp_path / 'winter'}"
    for recipe, options in (("cyclegan", {"options.blocks": 1}), ("cyclegan-fast", {})):
        run = train_two_steps(recipe, tmp_path / recipe, spec, **options)
        assert list(run.gan.ways(torch.zeros(1, 3, 16, 16), {})) == ["summer", "winter"]

        images = {}
        for to in (None, "winter", "Winter", "b", "summer", "a"):
            content = (runs["inputs"] / "square.png").read_bytes()
            (result,) = TranslateTask([("square", lambda content=content: content)], to).results(
                run
            )
            assert not isinstance(result, str)
            images[to] = result.image
            name = "summer" if to in ("summer", "a") else "winter"
            assert list(result.columns) == ["given", name]
        for to, other in ((None, "winter"), ("b", "winter"), ("Winter", "winter"), ("a", "summer")):
            assert torch.equal(images[to], images[other])
        refused_in_one_line(
            lambda run=run: TranslateTask(to="spring").check(run),
            "--to spring: .* generates only summer and winter",
        )


def test_every_attribute_in_turn_or_those_asked_for(runs, tmp_path: Path):
    lines = write(runs["stargan"], [runs["inputs"] / "square.png"], tmp_path / "all")
    assert lines[0].startswith("3 images")
    assert {file.name for file in (tmp_path / "all").iterdir()} == {
        f"square-{n}.png" for n in ("Black", "Blond", "Glasses")
    } | {"sheets"}

    run = load(runs["stargan"])
    image = torch.zeros(1, 3, 16, 16)
    ways = run.gan.ways(image, {"Blond": True, "Glasses": False})
    wanted = ways["Blond, Glasses"]["attributes"]

    assert wanted.tolist() == [[0.0, 1.0, 0.0]]  # black hair is gone with the blond one

    write(
        runs["stargan"],
        [runs["inputs"] / "square.png"],
        tmp_path / "one",
        attributes={"Glasses": True},
    )

    assert {file.name for file in (tmp_path / "one").iterdir()} == {"square.png", "sheets"}


def test_equal_names_do_not_overwrite_each_other(runs, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    Image.new("RGB", (8, 8), "red").save(other / "square.png")
    write(runs["cyclegan"], [runs["inputs"] / "square.png", other / "square.png"], tmp_path / "out")
    assert size_of(tmp_path / "out" / "square.png") == (16, 16)
    assert size_of(tmp_path / "out" / "square-2.png") == (8, 8)


@pytest.mark.parametrize("length", [100, 512, 513, 960, 961, 1500, 4000])
def test_squares_cover_a_length_and_overlap(length: int):
    found = tile_starts(length)
    covered = np.zeros(length, int)
    for start in found:
        covered[start : start + TILE] += 1
    assert covered.min() >= 1
    assert found[0] == 0
    assert max(found) + TILE <= max(length, TILE)
    assert all(later - earlier <= TILE - OVERLAP for earlier, later in itertools.pairwise(found))
    assert edge_weights(TILE)[0] > 0


def test_large_images_are_put_together_without_seams(runs, monkeypatch: pytest.MonkeyPatch):
    """A generator that changes each pixel by itself generates the same from parts as from
    the whole.
    """
    run = load(runs["cyclegan"])
    monkeypatch.setattr(run.gan, "sample", lambda count, rng, *, image, to: image * 0.5 + 0.25)
    image = torch.rand(1, 3, 1030, 1100) * 2 - 1
    way = {"to": torch.tensor([1])}
    whole = to_uint8(image * 0.5 + 0.25)[0]

    assert (translate_image(run, image, way, 0, 0).int() - whole.int()).abs().max() <= 1

    sizes = []
    monkeypatch.setattr(
        run.gan,
        "sample",
        lambda count, rng, *, image, to: sizes.append(tuple(image.shape[2:])) or image,
    )
    translate_image(run, image, way, 0, 0)

    assert set(sizes) == {(TILE, TILE)}
    assert len(sizes) == 9


def test_edges_are_mirrored():
    row = torch.arange(3.0).reshape(1, 1, 1, 3)
    assert extend_by_mirror(row, 0, 5)[0, 0, 0].tolist() == [0, 1, 2, 1, 0, 1, 2, 1]
    assert extend_by_mirror(row, 2, 0)[0, 0, :, 1].tolist() == [1, 1, 1]


def test_attributes_are_parsed():
    assert parse_attributes(["A=1,B=0", "C=1"]) == {"A": True, "B": False, "C": True}
    assert parse_attributes([]) == {}
    refused_in_one_line(lambda: parse_attributes(["A"]), "--attributes A: write NAME=1")
    refused_in_one_line(lambda: parse_attributes(["A=yes"]), "--attributes A=yes: write NAME=1")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("pix2pix", {"to": "b"}, "--to b: .* generates only a"),
        ("cyclegan", {"to": "c"}, "--to c: .* generates only a and b"),
        ("cyclegan-fast", {"to": "b"}, "--to b: .* generates only a"),
        ("stargan", {"to": "b"}, "--to b: .* knows attributes: use --attributes NAME=1"),
        (
            "stargan",
            {"attributes": {"Glases": True}},
            "--attributes Glases: unknown attribute; .*Glasses",
        ),
        (
            "cyclegan",
            {"attributes": {"Glasses": True}},
            "--attributes Glasses: .* knows no attributes",
        ),
        ("cyclegan", {"size": 2}, "--size 2: .* takes images of 4 to 8,192"),
    ],
)
def test_what_a_run_cannot_do_is_refused(runs, tmp_path: Path, name, options, message):
    refused_in_one_line(
        lambda: write(runs[name], [runs["inputs"] / "square.png"], tmp_path, **options), message
    )


def test_inputs_that_are_no_images(runs, tmp_path: Path):
    refused_in_one_line(
        lambda: write(runs["cyclegan"], [tmp_path / "nothing.png"], tmp_path),
        "there is no image or folder",
    )
    refused_in_one_line(
        lambda: write(runs["cyclegan"], [runs["inputs"] / "text.jpg"], tmp_path),
        "text: not an image",
    )

    train_digits(tmp_path / "digits")
    refused_in_one_line(
        lambda: write(tmp_path / "digits", [runs["inputs"]], tmp_path),
        "does not translate images: use ganvas sample",
    )


def test_results_of_two_calls_do_not_mix(runs, tmp_path: Path):
    run = Path(shutil.copytree(runs["cyclegan"], tmp_path / "run"))
    write(run, [runs["inputs"] / "square.png"], None, to="a")
    write(run, [runs["inputs"] / "wide.png"], None, to="b")
    files = {
        path.relative_to(run / "translated").as_posix()
        for path in (run / "translated").rglob("*.png")
    }

    assert files == {"1/square.png", "1/sheets/sheet.png", "2/wide.png", "2/sheets/sheet.png"}

    message = r"--out .*2 is not empty \(it holds sheets\)"
    refused_in_one_line(
        lambda: write(run, [runs["inputs"] / "square.png"], run / "translated" / "2"), message
    )
    refused_in_one_line(
        lambda: write(run, [runs["inputs"] / "text.jpg"], None),
        "text: not an image",
    )
    assert not (run / "translated" / "3").exists()


def test_originals_are_never_written_over(runs, tmp_path: Path):
    own = tmp_path / "own"
    own.mkdir()
    Image.new("RGB", (16, 16)).save(own / "sheet.png")
    for given in (own, own / "sheet.png"):
        refused_in_one_line(
            lambda given=given: write(runs["cyclegan"], [given], own),
            "holds images that were given",
        )
    lines = write(runs["cyclegan"], [own], tmp_path / "out")
    assert lines[0].startswith("1 image in")
    assert size_of(tmp_path / "out" / "sheet.png") == (16, 16)


def test_a_task_needs_no_files(runs):
    content = (runs["inputs"] / "square.png").read_bytes()
    task = TranslateTask([("upload", lambda: content), ("text", lambda: b"no image")], to="a")
    result, line = task.results(load(runs["cyclegan"]))
    assert not isinstance(result, str)
    assert (result.name, list(result.images)) == ("upload", ["upload"])
    assert list(result.columns) == ["given", "a"]
    assert torch.equal(result.image, result.columns["a"])
    assert str(line).startswith("left out: text: not an image")


def test_only_attributes_and_domains_that_a_gan_knows_are_ways(runs):
    image = torch.zeros(1, 3, 16, 16)
    assert list(load(runs["pix2pix"]).gan.ways(image, {})) == ["a"]
    assert list(load(runs["cyclegan"]).gan.ways(image, {})) == ["a", "b"]
    assert list(load(runs["stargan"]).gan.ways(image, {})) == ["Black", "Blond", "Glasses"]
