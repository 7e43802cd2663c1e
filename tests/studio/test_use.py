"""The studio's interface: GANs in use."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from short_runs import train_two_steps
from starlette.testclient import TestClient
from studio_client import make_client

import ganvas
from ganvas.inference.originals import Degrade
from ganvas.inference.run import load
from ganvas.inference.task import Result
from ganvas.inference.translate import TranslateTask
from ganvas.io.image_files import read_raster
from ganvas.io.images import to_png, to_uint8
from ganvas.studio.pictures import png_address

ROW = {"terms": [[0, 3, 1]]}  # row 3 of seed 0


def to_array(content: bytes) -> torch.Tensor:
    """A PNG as uint8 (H, W)."""
    image = Image.open(io.BytesIO(content)).convert("L")
    return torch.tensor(list(image.tobytes()), dtype=torch.uint8).reshape(image.height, image.width)


def test_samples_are_those_of_the_command_line(client: TestClient, run: str, root: Path):
    wanted = {"latents": [ROW, ROW], "labels": ["7", 4], "columns": 2}
    answer = client.post(f"{run}/sample", json=wanted)
    image = to_array(answer.content)  # two images side by side, (8, 16)

    gan = ganvas.load(root / "digits")
    for place, label in enumerate(("7", "4")):
        expected = to_uint8(gan.sample(4, label=label)[3:])[0, 0]  # (8, 8)
        difference = (image[:, 8 * place : 8 * place + 8].int() - expected.int()).abs()
        assert difference.max() <= 1  # the batch has another size, so rounding may differ


@pytest.mark.parametrize(
    ("ignored", "name", "mode"), [(False, "0.png", "RGBA"), (True, "0.tif", "")]
)
def test_files_of_samples_keep_transparency_and_bands(
    tmp_path: Path, ignored: bool, name: str, mode: str
):
    for number in range(4):
        image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
        image.paste((60 * number, 90, 200, 255), (2, 2, 6, 6))
        (tmp_path / "data").mkdir(exist_ok=True)
        image.save(tmp_path / "data" / f"{number}.png")
    ganvas.train(
        "avatars-fast",
        data=tmp_path / "data",
        out=tmp_path / "runs" / "one",
        images=2,
        size=8,
        channels=4,
        ignore_alpha=ignored,
        settings={"options.width": 2, "batch": 2, "health_every": 100},
        quiet=True,
    )
    client = make_client(tmp_path / "runs")
    run = client.get("/api/runs").json()["runs"][0]["id"]
    answer = client.post(f"/api/runs/{run}/sample", json={"latents": [ROW], "format": "zip"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        (written,) = archive.namelist()
        content = archive.read(written)
    assert written == f"00{name}"
    if mode:
        assert Image.open(io.BytesIO(content)).mode == mode
    else:
        assert read_raster(content).values.shape == (8, 8, 4)


def test_samples_come_as_files_and_animations(client: TestClient, run: str):
    latents = [{"terms": [[0, 0, 1 - t], [0, 1, t]]} for t in (0.0, 0.5, 1.0)]
    for kind in ("zip", "webp", "gif", "mp4"):
        body = {"latents": latents, "labels": ["1"] * 3, "format": kind, "scale": 4}
        answer = client.post(f"{run}/sample", json=body)
        assert answer.status_code == 200
        if kind == "zip":
            assert len(zipfile.ZipFile(io.BytesIO(answer.content)).namelist()) == 3
        elif kind == "mp4":
            assert answer.content[4:8] == b"ftyp"
        else:
            image = Image.open(io.BytesIO(answer.content))
            assert image.size == (32, 32) and image.n_frames == 3


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"latents": []},
        {"latents": [{"terms": []}]},
        {"latents": [{"terms": [[0, 0, 0]]}]},
        {"latents": [ROW] * 257},
        {"latents": [ROW], "labels": ["11"]},
        {"latents": [ROW], "labels": ["1", "2"]},
        {"latents": [{"terms": [[0, -1, 1]]}]},
        {"latents": [ROW] * 256, "scale": 16, "columns": 1, "labels": ["9" * 5000]},
        {"latents": [{**ROW, "moves": [[99, 1]]}]},
        {"latents": [{**ROW, "truncation": -1}]},
        {"latents": [ROW], "format": "exe"},
        {"latents": [ROW], "path": "/etc/passwd"},
    ],
)
def test_wrong_wishes_are_refused_in_words(client: TestClient, run: str, body: Any):
    answer = client.post(f"{run}/sample", json=body)
    assert answer.status_code == 400 and len(answer.json()["error"]) > 10


def test_directions_move_samples(client: TestClient, run: str):
    assert client.get(f"{run}/directions").json() == {"count": 8, "way": "layer"}
    assert client.get(f"{run}/directions", params={"way": "up"}).status_code == 400
    still, moved = (
        client.post(f"{run}/sample", json={"latents": [{**ROW, "moves": moves}]}).content
        for moves in ([], [[0, 3]])
    )
    assert still != moved


def test_an_older_wish_is_dropped(client: TestClient, run: str):
    body = {"latents": [ROW]}
    newer = client.post(f"{run}/sample", json=body, headers={"x-wish": "slider:5"})
    older = client.post(f"{run}/sample", json=body, headers={"x-wish": "slider:4"})
    other = client.post(f"{run}/sample", json=body, headers={"x-wish": "wall:4"})
    assert [newer.status_code, older.status_code, other.status_code] == [200, 204, 200]


def test_a_hole_is_filled_by_search(client: TestClient, run: str):
    image = Image.new("RGBA", (16, 16), (200, 200, 200, 255))
    image.paste((0, 0, 0, 0), (4, 4, 10, 10))
    file = io.BytesIO()
    image.save(file, "PNG")
    path = f"{run}/restore?steps=2&candidates=2"
    answer = client.post(path, content=file.getvalue()).json()
    assert [one["name"] for one in answer["images"]] == ["filled", "candidates/image-2.png"]
    assert answer["images"][0]["src"].startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("kind", "strength", "asked"),
    [("grey", 0, ["auto"]), ("small", 2, ["auto", "yes"]), ("edges", 0, ["auto", "yes", "no"])],
)
def test_photos_are_prepared_as_on_the_command_line(
    tmp_path: Path, kind: str, strength: int, asked: list[Degrade]
):
    for number in range(6):
        draw_photo(number).save(tmp_path / f"{number}.png")
    pairs = f"pairs:{kind}{f'{strength}x' if strength else ''}:{tmp_path}"
    train_two_steps("pix2pix-fast", tmp_path / "runs" / "one", pairs)

    client = make_client(tmp_path / "runs")
    run = f"/api/runs/{client.get('/api/runs').json()['runs'][0]['id']}"
    assert client.get(run).json()["model"]["degradation"] == {
        "kind": kind,
        "strength": strength,
        "own_size": kind == "small",
    }
    photo = to_png(torch.from_numpy(np.array(draw_photo(99, side=40))).permute(2, 0, 1))
    for degrade in asked:
        task = TranslateTask([("image", lambda: photo)], degrade=degrade)
        (result,) = [
            one for one in task.results(load(tmp_path / "runs" / "one")) if isinstance(one, Result)
        ]
        answer = client.post(f"{run}/translate?degrade={degrade}", content=photo).json()
        expected = {name: png_address(image) for name, image in result.columns.items()}
        assert {one["name"]: one["src"] for one in answer["images"]} == expected
        assert set(result.notes) <= set(answer["notes"])

    for degrade in {"maybe", "yes", "no"} - set(asked) if kind == "grey" else {"maybe"}:
        answer = client.post(f"{run}/translate?degrade={degrade}", content=photo)
        assert answer.status_code == 400 and "degrade" in answer.json()["error"]


def draw_photo(seed: int, side: int = 16) -> Image.Image:
    """Smooth colours."""
    coarse = np.random.default_rng(seed).integers(0, 200, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    "query", ["restore?candidates=3000", "restore?steps=99999", "translate?size=30000"]
)
def test_work_without_end_is_refused(client: TestClient, run: str, query: str):
    answer = client.post(f"{run}/{query}", content=b"x")
    assert answer.status_code == 400 and "at most" in answer.json()["error"]


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"<svg onload=alert(1)>", b"\x89PNG" * 9])
def test_what_is_no_image_is_refused(client: TestClient, run: str, content: bytes):
    answer = client.post(f"{run}/restore?steps=1", content=content)
    assert answer.status_code == 400 and answer.json()["error"]


def test_what_the_gan_cannot_do_is_refused(client: TestClient, run: str):
    for path, body in (("translate", b"x"), ("place", json.dumps({"caption": "a bird"}))):
        answer = client.post(f"{run}/{path}", content=body)
        assert answer.status_code == 400 and "ganvas sample" in answer.json()["error"]
