"""`ganvas sample` with captions, boxes and key points."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from short_runs import SELDOM, train_digits
from tiny import refused_in_one_line

import ganvas
from ganvas.cli import main
from ganvas.data import View, open_dataset
from ganvas.inference.layout import move_box, move_points
from ganvas.inference.layout_inputs import read_box, read_keypoints

pytestmark = pytest.mark.usefixtures("few_figures")

# Large learning rate, so that a few steps generate images that show what was requested.
TINY = SELDOM | {
    "size": 16,
    "batch": 4,
    "options.width": 4,
    "options.letters": 4,
    "options.text_size": 6,
    "optimizers.generator.lr": 0.05,
}


@pytest.fixture(scope="module")
def boxed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the box model, of 60 images."""
    folder = tmp_path_factory.mktemp("runs") / "boxed"
    ganvas.train(
        "gawwn-box", data="figures", out=folder, images=60, device="cpu", settings=TINY, quiet=True
    )
    return folder


@pytest.fixture(scope="module")
def parted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the key-point model, of 60 images."""
    folder = tmp_path_factory.mktemp("runs") / "parted"
    ganvas.train("gawwn-keypoints", out=folder, images=60, device="cpu", settings=TINY, quiet=True)
    return folder


def lines(capsys: pytest.CaptureFixture, *arguments: str | Path) -> str:
    main(["sample", *map(str, arguments), "--device", "cpu"])
    return capsys.readouterr().out


def failure(capsys: pytest.CaptureFixture, *arguments: str | Path) -> str:
    with pytest.raises(SystemExit) as stop:
        main(["sample", *map(str, arguments), "--device", "cpu"])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def pictures(folder: Path) -> list[bytes]:
    return [Image.open(file).tobytes() for file in sorted(folder.glob("0*.png"))]


def test_images_a_grid_and_a_sheet(boxed: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    shown = lines(
        capsys,
        boxed,
        "--caption",
        "a red bird",
        "--box",
        "2,3,10,12",
        "--count",
        "3",
        "--out",
        tmp_path,
    )

    assert "no --box" not in shown

    found = pictures(tmp_path)
    assert len(found) == 3
    assert len(set(found)) == 3
    assert {file.name for file in tmp_path.iterdir()} == {
        "00000.png",
        "00001.png",
        "00002.png",
        "caption.txt",
        "sheets",
    }
    assert {file.name for file in (tmp_path / "sheets").iterdir()} == {"grid.png", "places.png"}
    assert open_dataset(str(tmp_path), View()).report.used == 3
    assert (tmp_path / "caption.txt").read_text(encoding="utf-8") == "a red bird\n"
    assert f"3 images in {tmp_path}" in shown


def test_the_same_whatever_the_count_and_other_ones_for_another_box(
    boxed: Path, tmp_path: Path, capsys: pytest.CaptureFixture
):
    asked = [boxed, "--caption", "a red bird"]
    lines(capsys, *asked, "--count", "2", "--out", tmp_path / "two")
    lines(capsys, *asked, "--count", "34", "--out", tmp_path / "many")
    lines(capsys, *asked, "--count", "2", "--box", "0,0,8,8", "--out", tmp_path / "other")
    assert pictures(tmp_path / "two") == pictures(tmp_path / "many")[:2]
    assert pictures(tmp_path / "two") != pictures(tmp_path / "other")


def test_without_a_box_a_middle_one_is_taken_and_reported(
    boxed: Path, tmp_path: Path, capsys: pytest.CaptureFixture
):
    assert "--box 2,2,11,11" in lines(
        capsys, boxed, "--caption", "a bird", "--count", "1", "--out", tmp_path
    )


def test_parts_that_are_not_given_are_generated_and_reported(
    parted: Path, tmp_path: Path, capsys: pytest.CaptureFixture
):
    asked = [parted, "--caption", "a bird", "--count", "1"]
    shown = lines(
        capsys,
        *asked,
        "--keypoint",
        "beak=3,4",
        "--keypoint",
        "tail=12,9",
        "--out",
        tmp_path / "one",
    )

    assert "7 of 9 parts" in shown

    lines(
        capsys,
        *asked,
        "--keypoint",
        "beak=13,4",
        "--keypoint",
        "tail=2,9",
        "--out",
        tmp_path / "other",
    )

    assert pictures(tmp_path / "one") != pictures(tmp_path / "other")


def test_each_call_has_a_folder_of_its_own(boxed: Path, capsys: pytest.CaptureFixture):
    for number in (1, 2):
        shown = lines(capsys, boxed, "--caption", "a red bird", "--count", str(number))
        counted = "1 image" if number == 1 else "2 images"
        assert f"{counted} in {boxed / 'generated' / str(number)}" in shown
        assert len(pictures(boxed / "generated" / str(number))) == number
    assert "is not empty" in failure(
        capsys, boxed, "--caption", "a bird", "--out", boxed / "generated" / "1"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--box", "1,1,5,5"], "say what: --caption"),
        (["--caption", " "], "say what: --caption"),
        (
            ["--caption", "x", "--box", "10,3,9,4"],
            r"from 10,3 to 19,7; the images go from 0,0 to 16,16",
        ),
        (["--caption", "x", "--box", "1,2,0,4"], "no area"),
        (["--caption", "x", "--box", "1,2,3"], "X,Y,WIDTH,HEIGHT"),
        (["--caption", "x", "--box", "1,2,3,nan"], "X,Y,WIDTH,HEIGHT"),
        (["--caption", "x", "--keypoint", "beak=1,1"], "takes a box"),
        (["--caption", "x", "--caption-features", "there.safetensors"], "reads captions"),
        (["--caption", "x", "--label", "3"], "--label cannot go with"),
        (["--caption", "x", "--count", "0"], "at least one"),
        ([], "--caption 'a red bird' --box 4,4,8,8"),
    ],
)
def test_refused_by_the_box_model(
    boxed: Path, capsys: pytest.CaptureFixture, arguments: list[str], message: str
):
    assert message in failure(capsys, boxed, *arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--keypoint", "beek=1,1"], "did you mean beak?"),
        (["--keypoint", "beak=1"], "PART=X,Y"),
        (["--keypoint", "beak=16,1"], "outside; the images go from 0,0 to 16,16"),
        (["--keypoint", "beak=1,1", "--keypoint", "beak=2,1"], "each part once"),
        (["--box", "1,1,5,5"], "takes the places of parts"),
    ],
)
def test_refused_by_the_keypoint_model(
    parted: Path, capsys: pytest.CaptureFixture, arguments: list[str], message: str
):
    assert message in failure(capsys, parted, "--caption", "x", *arguments)


def test_a_run_without_captions_refuses_them(tmp_path: Path, capsys: pytest.CaptureFixture):
    run = train_digits(tmp_path / "run").folder
    assert "trained without captions" in failure(capsys, run, "--caption", "seven")


def test_captions_as_numbers(tmp_path: Path, capsys: pytest.CaptureFixture):
    data, run = tmp_path / "data", tmp_path / "run"
    data.mkdir()
    shades = torch.randint(255, (6, 16, 16, 3), dtype=torch.uint8).numpy()
    for number, shade in enumerate(shades):
        Image.fromarray(shade).save(data / f"{number}.png")
    table = "".join(
        f'{{"file": "{number}.png", "caption": "x", "box": [1, 2, 8, 9]}}\n' for number in range(6)
    )
    (data / "lines.jsonl").write_text(table, encoding="utf-8")
    save_file({"features": torch.randn(6, 5)}, data / "captions.safetensors")
    settings = TINY | {"options.text": "features"}
    ganvas.train(
        "gawwn-box",
        data=f"captions:{data}",
        out=run,
        images=8,
        device="cpu",
        settings=settings,
        quiet=True,
    )
    save_file({"features": torch.randn(5)}, tmp_path / "one.safetensors")
    save_file({"features": torch.randn(4)}, tmp_path / "short.safetensors")

    assert "1 image in" in lines(
        capsys, run, "--caption-features", tmp_path / "one.safetensors", "--count", "1"
    )
    assert "wanted (5,)" in failure(
        capsys, run, "--caption-features", tmp_path / "short.safetensors"
    )
    assert "is damaged" in failure(capsys, run, "--caption-features", data / "lines.jsonl")
    assert "--caption-features FILE" in failure(capsys, run, "--caption", "a bird")


def test_pixels_become_shares():
    assert read_box("16,8,32,4", 64) == [0.25, 0.125, 0.5, 0.0625]
    found = read_keypoints(["tail=16,32"], ("beak", "tail"), 64)
    assert found.tolist() == [[[0.0, 0.0, 0.0], [0.25, 0.5, 1.0]]]
    refused_in_one_line(lambda: read_box("a,b,c,d", 64), "12,8,40,48")


def test_moved_places_stay_in_the_image():
    for box in ([0.0, 0.0, 1.0, 1.0], [0.9, 0.9, 0.1, 0.1], [0.15, 0.15, 0.7, 0.7]):
        moved = torch.cat(list(move_box(torch.tensor([box])).values()))
        assert len(moved.unique(dim=0)) == len(moved) == 7
        assert (moved >= 0).all()
        assert (moved[:, :2] + moved[:, 2:] <= 1 + 1e-6).all()
    points = move_points(torch.tensor([[[0.0, 0.99, 1.0], [0.0, 0.0, 0.0]]]))
    assert len({tuple(place.flatten().tolist()) for place in points.values()}) > 1
    free = move_points(torch.tensor([[[0.3, 0.6, 1.0], [0.0, 0.0, 0.0]]]))  # far from all borders
    assert len({tuple(place.flatten().tolist()) for place in free.values()}) == len(free)
    for place in points.values():
        assert ((place >= 0) & (place <= 1)).all()
        assert not place[0, 1].any()
