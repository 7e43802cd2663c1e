"""`ganvas restore`: only the hole changes, what is written, and what is refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from holes import draw_noise, draw_slope, make_hole
from PIL import Image
from safetensors.torch import load_file
from tiny import refused_in_one_line
from torch import Tensor

import ganvas
from ganvas.data import View, open_dataset
from ganvas.inference.inpaint import InpaintTask
from ganvas.inference.inputs import InputFiles
from ganvas.inference.write import Output, write

TINY = {"batch": 4, "report_every": 8, "sample_every": 8, "checkpoint_every": 8, "health_every": 8}


# The command


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each kind, hardly trained."""
    folder = tmp_path_factory.mktemp("runs")
    pictures = folder / "pictures"
    pictures.mkdir()
    for number in range(12):
        save(draw_noise(3, 16, 16, seed=number), pictures / f"{number}.png")
    recipes = {
        "inpaint": ("inpaint", pictures, {"size": 16, "options.width": 2}),
        "free": ("dcgan-64", pictures, {"size": 16, "options.width": 2}),
        "classes": ("digits", "digits", {"options.width": 2}),
        "points": ("rings", "rings", {"options.hidden": 4}),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANVAS_CACHE", str(folder / "cache"))
        for name, (recipe, data, options) in recipes.items():
            ganvas.train(
                recipe,
                data=data,
                out=folder / name,
                images=8,
                device="cpu",
                settings=TINY | options,
                quiet=True,
            )
    return {name: folder / name for name in recipes}


def save(picture: Tensor, path: Path) -> Path:
    Image.fromarray(picture.permute(1, 2, 0).squeeze(2).numpy()).save(path)
    return path


def read_image(path: Path) -> Tensor:
    array = np.array(Image.open(path))
    return torch.from_numpy(array if array.ndim == 3 else array[:, :, None]).permute(2, 0, 1)


def run(
    folder: Path,
    source: Path,
    out: Path | None,
    mask: Path | None = None,
    box: str | None = None,
    **more,
) -> list[str]:
    task = InpaintTask(InputFiles((source,)), mask, box, **more)
    return list(write(task, ganvas.load(folder), Output(out, originals=(source,))))


@pytest.mark.parametrize("name", ["inpaint", "free"])
@pytest.mark.parametrize(
    ("height", "width", "box"), [(16, 16, "4,5,6,7"), (21, 40, "30,0,10,9"), (30, 14, "0,1,14,20")]
)
def test_only_the_hole_is_replaced(name, height, width, box, runs, tmp_path):
    picture = draw_noise(3, height, width)
    more = {"steps": 3, "candidates": 2} if name == "free" else {}
    lines = run(
        runs[name], save(picture, tmp_path / "photo.png"), tmp_path / "out", box=box, **more
    )
    made = read_image(tmp_path / "out" / "photo.png")
    left, top, wide, high = map(int, box.split(","))
    mask = make_hole(height, width, slice(top, top + high), slice(left, left + wide))

    assert torch.equal(made[:, ~mask], picture[:, ~mask])
    assert (made != picture)[:, mask].float().mean() > 0.9
    assert lines[-1] == f"1 image in {tmp_path / 'out'}, sheets in {tmp_path / 'out' / 'sheets'}"
    assert (tmp_path / "out" / "sheets" / "photo.png").is_file()

    other = tmp_path / "out" / "candidates" / "photo-2.png"
    assert other.is_file() == (name == "free")
    if name == "free":
        assert torch.equal(read_image(other)[:, ~mask], picture[:, ~mask])


def test_at_a_size_asked_for_the_rest_stays_too(runs, tmp_path):
    picture = draw_slope(50, 70).expand(3, -1, -1)
    run(
        runs["inpaint"],
        save(picture, tmp_path / "photo.png"),
        tmp_path / "out",
        box="20,20,20,20",
        size=16,
    )
    mask = make_hole(50, 70, slice(20, 40), slice(20, 40))
    made = read_image(tmp_path / "out" / "photo.png")
    assert torch.equal(made[:, ~mask], picture[:, ~mask])
    assert not torch.equal(made, picture)


def test_a_mask_is_white_in_the_hole_and_a_transparent_hole_is_the_same(runs, tmp_path):
    picture, mask = draw_noise(3, 16, 16), draw_noise(1, 16, 16, seed=3)
    save(picture, tmp_path / "photo.png")
    run(
        runs["inpaint"], tmp_path / "photo.png", tmp_path / "one", save(mask, tmp_path / "mask.png")
    )
    made = read_image(tmp_path / "one" / "photo.png")
    inside = mask[0] >= 128

    assert torch.equal(made[:, ~inside], picture[:, ~inside])
    assert (made != picture)[:, inside].float().mean() > 0.9

    alpha = torch.where(inside, 0, 255).to(torch.uint8)[None]
    save(torch.cat([picture, alpha]), tmp_path / "clear.png")
    run(runs["inpaint"], tmp_path / "clear.png", tmp_path / "other")

    assert torch.equal(read_image(tmp_path / "other" / "clear.png"), made)


def test_without_a_hole_the_image_is_projected_on_request_and_the_noise_saved(runs, tmp_path):
    save(draw_noise(3, 20, 30), tmp_path / "photo.png")
    more = {"steps": 3, "candidates": 3}
    refused_in_one_line(
        lambda: run(runs["free"], tmp_path / "photo.png", tmp_path / "out", **more),
        "photo: it has no hole; say where .* With --project Ganvas searches for the GAN's image"
        " that is nearest to the whole picture: 3 steps from 3 starts, about .* for each picture",
    )
    assert not (tmp_path / "out").exists()

    lines = run(runs["free"], tmp_path / "photo.png", tmp_path / "out", project=True, **more)
    noises = load_file(tmp_path / "out" / "noise" / "photo.safetensors")
    trained = ganvas.load(runs["free"]).gan

    assert noises["noise"].shape == (3, trained.noise_size)

    with torch.no_grad():
        made = trained.eval().generator(noises["noise"])
    files = [
        tmp_path / "out" / "photo.png",
        *(tmp_path / "out" / "candidates" / f"photo-{number}.png" for number in (2, 3)),
    ]

    for picture, file in zip(made, files):
        assert (read_image(file).float() - (picture + 1) * 127.5).abs().max() <= 0.51
    assert "projected" in lines[0]
    assert "cut to a square of 20, searched at 16x16" in lines[1]
    assert (
        sum(line.startswith(("  1: context", "  2: context", "  3: context")) for line in lines)
        == 3
    )


def test_of_a_gan_with_classes(runs, tmp_path):
    save(draw_noise(1, 8, 8), tmp_path / "digit.png")
    lines = run(
        runs["classes"], tmp_path / "digit.png", tmp_path / "out", box="2,2,3,3", steps=2, label="7"
    )
    ends = [line.endswith(", 7") for line in lines]
    assert ends[:2] == [False] * 2
    assert ends[-5:] == [True] * 4 + [False]
    assert "in a test hole beside it the search is" in lines[2]
    assert load_file(tmp_path / "out" / "noise" / "digit.safetensors")["label"].tolist() == [7] * 4
    assert read_image(tmp_path / "out" / "digit.png").shape == (1, 8, 8)


def test_a_folder_with_masks_by_name(runs, tmp_path):
    for name in ("a", "b", "sub/c", "d"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "masks" / name).parent.mkdir(parents=True, exist_ok=True)
        save(draw_noise(3, 16, 16), tmp_path / "in" / f"{name}.png")
        if name != "d":
            save(draw_noise(1, 16, 16, seed=1), tmp_path / "masks" / f"{name}.bmp")
    (tmp_path / "in" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    lines = run(runs["inpaint"], tmp_path / "in", tmp_path / "out", tmp_path / "masks")
    made = sorted(
        file.relative_to(tmp_path / "out").as_posix() for file in (tmp_path / "out").rglob("*.png")
    )

    assert made == [
        "a.png",
        "b.png",
        "sheets/a.png",
        "sheets/b.png",
        "sheets/sub/c.png",
        "sub/c.png",
    ]
    assert [line.split(":")[1] for line in lines if "left out" in line] == [" broken", " d"]
    assert lines[-1].startswith("3 images in")


def test_candidates_of_two_calls_do_not_mix(runs, tmp_path):
    folder, picture = (
        Path(shutil.copytree(runs["free"], tmp_path / "run")),
        save(draw_noise(3, 16, 16), tmp_path / "photo.png"),
    )
    for candidates in (3, 2):
        run(folder, picture, None, box="4,5,6,7", steps=1, candidates=candidates)
    made = [
        sorted(file.name for file in (folder / "restored" / number / "candidates").iterdir())
        for number in "12"
    ]

    assert made == [["photo-2.png", "photo-3.png"], ["photo-2.png"]]
    # Candidates are no results: a data set of the folder, or of a zip of it, has none of them.
    place = folder / "restored" / "1"
    shutil.copy(place / "photo.png", place / "second.png")
    archive = shutil.make_archive(str(tmp_path / "restored"), "zip", place)
    for restored in (place, archive):
        found = open_dataset(str(restored), View())
        assert len(found) == 2
        reasons = " ".join(item.reason for item in found.report.skipped)
        assert reasons.count("another candidate") == 2
        assert "sheet of images" in reasons
    # But one may be used like any image, such as for another hole.
    run(folder, place / "candidates" / "photo-2.png", tmp_path / "next", box="4,5,6,7", steps=1)

    refused_in_one_line(
        lambda: run(folder, picture, folder / "restored" / "1", box="4,5,6,7"),
        "--out .* is not empty",
    )


REFUSED = {
    "--mask and --box": {"box": "1,1,2,2", "mask": "photo.png"},
    "has no hole": {},
    "16x16 pixels, the image 20x18": {"mask": "small.png"},
    "there is no mask": {"mask": "nowhere.png"},
    "covers the whole image": {"box": "0,0,20,18"},
    "the hole is empty": {"box": "3,3,0,5"},
    "outside of the image of 20x18": {"box": "10,10,11,2"},
    "left, top, width and height": {"box": "1,2,3"},
    "there is no image or folder": {"source": "nowhere.png", "box": "1,1,2,2"},
    "not an image": {"source": "text.txt", "box": "1,1,2,2"},
    "--steps has no effect": {"box": "1,1,2,2", "steps": 3},
    "--project has no effect": {"project": True},
    "--project is for whole pictures": {"box": "1,1,2,2", "project": True},
    "--size 7: give 8": {"box": "1,1,2,2", "size": 7},
}


@pytest.mark.parametrize(("message", "given"), REFUSED.items())
def test_refusals(message, given, runs, tmp_path):
    save(draw_noise(3, 18, 20), tmp_path / "photo.png")
    save(draw_noise(1, 16, 16), tmp_path / "small.png")
    (tmp_path / "text.txt").write_text("no image")
    given = dict(given)
    mask = tmp_path / given.pop("mask") if "mask" in given else None
    source = tmp_path / given.pop("source", "photo.png")
    refused_in_one_line(
        lambda: run(runs["inpaint"], source, tmp_path / "out", mask, **given), message
    )
    assert not (tmp_path / "out").exists()


def test_runs_that_restore_nothing_are_refused(runs, tmp_path):
    picture = save(draw_noise(3, 16, 16), tmp_path / "photo.png")
    refused_in_one_line(lambda: run(runs["points"], picture, tmp_path), "makes points")
    refused_in_one_line(
        lambda: run(runs["free"], picture, tmp_path, size=32), "--size has no effect"
    )
    refused_in_one_line(lambda: run(runs["free"], picture, tmp_path, label="7"), "without labels")
    refused_in_one_line(
        lambda: run(runs["free"], picture, tmp_path, candidates=0), "--candidates 0"
    )

    narrow = save(draw_noise(3, 40, 12), tmp_path / "narrow.png")
    out = tmp_path / "out"
    refused_in_one_line(
        lambda: run(runs["free"], narrow, out, box="0,1,12,38"),
        "of 16x16 pixels, .* nothing around",
    )


def test_in_a_folder_of_nothing_but_broken_images_the_first_is_named(runs, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "broken.png").write_bytes(b"nothing")
    refused_in_one_line(
        lambda: run(runs["inpaint"], tmp_path / "in", tmp_path / "out", box="1,1,2,2"), "broken"
    )


def test_the_original_is_not_written_over(runs, tmp_path):
    picture = save(draw_noise(3, 16, 16), tmp_path / "photo.png")
    before = picture.read_bytes()
    refused_in_one_line(
        lambda: run(runs["inpaint"], picture, tmp_path, box="1,1,4,4"),
        "holds images that were given",
    )
    assert picture.read_bytes() == before
