"""The studio's interface: data sets, uploads, and trainings that begin on them."""

import io
import json
import struct
import time
import zipfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient
from studio_client import make_client

from ganvas.cli import app
from ganvas.cli.flags import Look
from ganvas.data.view import View
from ganvas.studio.api.trainings import TrainBody, _name_flags
from ganvas.studio.api.wanted import LookBody, keep_inside
from ganvas.training.origin import find_start


def place_named(client: TestClient, name: str) -> str:
    """The id of a data set that the page offers."""
    return {one["name"]: one["id"] for one in client.get("/api/data").json()["places"]}[name]


def test_data_is_looked_at_and_settings_are_chosen(client: TestClient):
    answer = client.post("/api/data/look", json={"place": place_named(client, "digits")}).json()
    assert answer["used"] == 1797 and answer["size"] == 8 and not answer["refusal"]
    assert answer["sheet"].startswith("data:image/png;base64,")
    assert {"key": "size", "value": "8", "reason": "The images have 8 pixels."} in answer["choices"]


def test_folders_are_offered_by_name_and_never_by_path(root: Path, tmp_path: Path):
    (tmp_path / "mine" / "cats").mkdir(parents=True)
    Image.new("RGB", (32, 32), "red").save(tmp_path / "mine" / "cats" / "1.png")
    (tmp_path / "mine" / "faces").mkdir()
    with zipfile.ZipFile(tmp_path / "mine" / "faces" / "images.zip", "w") as archive:
        archive.write(tmp_path / "mine" / "cats" / "1.png", "1.png")
    client = make_client(root, (tmp_path / "mine",))
    offered = client.get("/api/data").json()["places"]
    assert any(one["name"].endswith("cats") and one["origin"] == "folder" for one in offered)
    assert "mine/faces/images.zip" in [one["name"] for one in offered]
    assert str(tmp_path) not in json.dumps(offered)
    answer = client.post("/api/data/look", json={"place": str(tmp_path / "mine" / "cats")})
    assert answer.status_code in (400, 404)


def upload(client: TestClient, names: list[str], content: bytes) -> Any:
    """Send the same content under several names."""
    return client.post("/api/uploads", files=[("files", (name, content)) for name in names])


def test_uploads_become_data_with_harmless_names(client: TestClient, root: Path):
    file = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(file, "PNG")
    names = ["a.png", "../../evil.png", "a.png", "notes.txt", "C:\\x\\b c.png", ".hidden.png"]
    answer = upload(client, names, file.getvalue())
    assert answer.status_code == 200
    inside = sorted(path.name for path in (root / ".studio" / "uploads").rglob("*.png"))
    assert inside == ["a-2.png", "a.png", "b-c.png", "evil.png", "hidden.png"]
    assert not (root.parent / "evil.png").exists()

    look = client.post("/api/data/look", json={"place": answer.json()["id"]}).json()
    assert look["found"] == 5 and look["copies"] == 4


def test_a_folder_comes_in_parts_and_its_folders_are_classes(client: TestClient, root: Path):
    file = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(file, "PNG")
    first = upload(client, ["cats/1.png", "dogs/1.png"], file.getvalue()).json()
    more = [("files", (name, file.getvalue())) for name in ("cats/1.png", "../a/b/dogs/2.png")]
    second = client.post("/api/uploads", files=more, data={"into": first["id"]}).json()
    assert second == first

    (folder,) = (root / ".studio" / "uploads").iterdir()
    inside = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    assert inside == ["b/dogs/2.png", "cats/1-2.png", "cats/1.png", "dogs/1.png"]
    look = client.post("/api/data/look", json={"place": first["id"], "labels": "folders"}).json()
    assert look["found"] == 4

    gone = client.post("/api/uploads", files=more, data={"into": "nothing"})
    assert gone.status_code == 404 and "send all again" in gone.json()["error"]
    notes = client.post(
        "/api/uploads", files=[("files", ("a.txt", b"text"))], data={"into": first["id"]}
    )
    assert notes.status_code == 400
    assert len(list(folder.rglob("*.png"))) == 4  # nothing is lost


def test_a_zip_is_sent_looked_at_and_listed(client: TestClient):
    image = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(image, "PNG")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("1.png", image.getvalue())
        archive.writestr("2.png", image.getvalue())
    for name in ("my faces.zip", "---.zip"):
        sent = upload(client, [name], packed.getvalue()).json()
        look = client.post("/api/data/look", json={"place": sent["id"]})
        assert look.status_code == 200 and look.json()["found"] == 2
        offered = client.get("/api/data").json()["places"]
        assert sent in [{key: one[key] for key in sent} for one in offered]


def test_a_wrong_kind_or_size_is_refused_and_can_be_corrected(client: TestClient, root: Path):
    file = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(file, "PNG")
    place = upload(client, ["a.png", "b.png"], file.getvalue()).json()["id"]
    for wrong in ({"kind": "captions"}, {"kind": "unpaired"}):
        answer = client.post("/api/data/look", json={"place": place, **wrong})
        assert answer.status_code == 200 and answer.json()["refusal"]
    right = client.post("/api/data/look", json={"place": place, "kind": ""}).json()
    assert right["used"] == 2 and right["labels"] == ["none"]


@pytest.fixture
def sprites(tmp_path: Path) -> Path:
    """Transparent images in splits, with a table of their classes."""
    lines = ["file,shape"]
    for number in range(6):
        file = tmp_path / "mine" / ("train" if number < 4 else "test") / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
        image.paste((30 * number, 90, 200, 255), (2, 2, 6, 6))
        image.save(file)
        lines.append(f"{file.parent.name}/{file.name},{('round', 'flat')[number % 2]}")
    (tmp_path / "mine" / "shapes.csv").write_text("\n".join(lines))
    return tmp_path / "mine"


def look_at(client: TestClient, name: str, **wanted: Any) -> Any:
    """What the studio says of a data set that it offers."""
    place = place_named(client, name)
    return client.post("/api/data/look", json={"place": place, **wanted}).json()


def test_settings_that_matter_are_offered_with_what_was_found(sprites: Path, root: Path):
    client = make_client(root, (sprites,))
    plain = look_at(client, "mine")
    assert plain["offers"] == {
        "labels": {"choices": ["none", "shapes.csv"]},
        "split": {"counts": {"train": 4, "test": 2}},
        "channels": {"transparent": 4, "bands": 0},
        "background": {"n": 4},
    }
    assert {"range", "categories", "frames", "tiles"} < {*plain["settings"]} - {*plain["offers"]}
    assert [run["name"] for run in plain["runs"]] == ["digits"]

    # the report and the sheet are of what was chosen
    chosen = look_at(client, "mine", channels=4, split="test", labels="shapes.csv")
    assert (chosen["used"], chosen["channels"], chosen["alpha"]) == (2, 4, True)
    assert chosen["classes"] == {"flat": 1, "round": 1}
    assert "background" not in chosen["offers"] and chosen["sheet"] != plain["sheet"]
    some = look_at(client, "mine", subset="1:4")
    assert (some["found"], some["used"], some["about"]) == (4, 3, "")
    assert "subset" in some["settings"]


def test_scans_maps_frames_and_letters_are_offered_what_is_theirs(tmp_path: Path, root: Path):
    draw_kinds(tmp_path / "mine")
    client = make_client(root, (tmp_path / "mine",))
    scans = look_at(client, "mine/scans", size=16)
    assert scans["offers"] == {"range": {"low": 0, "high": 4095}, "fit": {"n": 64, "m": 16}}
    tiles = {"fit": "tiles", "overlap": 0.5, "tiles": 4}
    assert look_at(client, "mine/scans", size=16, **tiles)["used"] == 4 * scans["used"]
    assert look_at(client, "mine/scans", range="-1000,400")["offers"]["range"]["low"] == -1000

    streets = look_at(client, "mine/streets")
    assert streets["kind"] == "pairs"
    assert streets["offers"] == {"categories": {"columns": ["a"]}}
    assert look_at(client, "mine/streets", categories="a")["offers"] == {}
    assert look_at(client, "mine/films")["offers"] == {"frames": {"n": 2}}
    assert look_at(client, "mine/films", frames="all")["used"] == 6

    made = look_at(client, "mine/films", kind="pairs:edges")
    assert (made["kind"], made["columns"], made["gan"]) == (
        "pairs:edges",
        ["a", "b"],
        "pix2pix-relativistic",
    )
    assert "categories" not in made["settings"] and "categories" not in made["offers"]

    letters = look_at(client, "mine/letters")
    assert letters["kind"] == "idx" and letters["offers"] == {"transpose": {}}
    assert look_at(client, "mine/letters", transpose=True)["sheet"] != letters["sheet"]


def draw_kinds(folder: Path) -> None:
    """Scans of 12 bits, label maps beside photographs, animations, and an idx file."""
    for name in ("scans", "streets/A", "streets/B", "films", "letters"):
        (folder / name).mkdir(parents=True)
    values = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    noise = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3)).astype(np.uint8)
    for number in range(3):
        Image.fromarray(np.roll(values, number)).save(folder / "scans" / f"{number}.tif")
        maps = np.zeros((16, 16), np.uint8)
        maps[4:12, number:8] = 200
        Image.fromarray(maps).save(folder / "streets/A" / f"{number}.png")
        Image.fromarray(noise[number]).save(folder / "streets/B" / f"{number}.png")
    for number in range(2):
        frames = [Image.fromarray(image) for image in np.roll(noise, number, 0) // (number + 1)]
        film = folder / "films" / f"{number}.gif"
        frames[0].save(film, save_all=True, append_images=frames[1:])
    letters = np.zeros((4, 8, 8), np.uint8)
    letters[:, 1, :5] = 60 + 40 * np.arange(4)[:, None]
    head = struct.pack(">4B3I", 0, 0, 8, 3, *letters.shape)
    (folder / "letters" / "a-images-idx3-ubyte").write_bytes(head + letters.tobytes())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"labels": "/etc/passwd"}, "no such classes; choose from none, shapes.csv"),
        ({"range": "5"}, "write LOW,HIGH"),
        ({"range": "9,2"}, "LOW,HIGH"),
        ({"overlap": 0.5}, "overlap is for fit=tiles"),
        ({"channels": 17}, "channels"),
        ({"subset": "5"}, "write START:STOP"),
        ({"subset": ":99"}, "has 4 rows, 0 to 3"),
        ({"background": "no colour"}, "no colour"),
        ({"categories": "b"}, "no such column"),
        ({"begin": {"run": "digits", "frozen": -1}}, "frozen"),
    ],
)
def test_a_wrong_look_is_refused_in_the_words_of_the_command_line(
    sprites: Path, root: Path, wrong: dict[str, Any], words: str
):
    client = make_client(root, (sprites,))
    if "begin" in wrong:
        wrong["begin"]["run"] = client.get("/api/runs").json()["runs"][0]["id"]
    answer = look_at(client, "mine", **wrong)
    assert words in answer["refusal"] and answer["settings"]
    # the page says it at the setting, where the words name one
    (key,) = wrong
    assert answer["about"] == ("" if key in ("background", "begin") else key)


def test_a_page_never_follows_links_out_of_a_set(sprites: Path, root: Path, tmp_path: Path):
    far = tmp_path / "far"
    far.mkdir()
    Image.new("RGBA", (8, 8), "red").save(far / "secret.png")
    (sprites / "train" / "more").symlink_to(far)
    client = make_client(root, (sprites.parent / "mine",))
    place = place_named(client, "mine")

    asked = client.post("/api/data/look", json={"place": place, "follow_links": True})
    assert asked.status_code == 400 and "follow_links" in asked.json()["error"]
    body = {"place": place, "settings": {"follow_links": True}}
    asked = client.post("/api/trainings", json=body)
    assert asked.status_code == 400 and "no setting" in asked.json()["error"]

    # not even where a run that it begins with did
    start = find_start(root / "digits")
    linked = start.recipe.model_copy(update={"follow_links": True, "labels": "/etc/passwd"})
    kept = keep_inside(replace(start, recipe=linked), ["none", "shapes.csv"])
    assert kept == {"follow_links": False, "labels": "none"}


def test_what_the_page_chooses_is_what_the_command_line_takes():
    flags = {field.name for field in fields(Look)}
    assert flags - {"follow_links"} == set(LookBody.model_fields) & set(View.model_fields)

    look = {"range": "-1000,400", "transpose": True, "overlap": 0.5, "labels": "-a b.csv:c"}
    body = TrainBody(place="x", minutes=1.5, settings={"batch": 4, "flip": True}, **look)
    body.fit = "tiles"
    words = ["train", "auto", *_name_flags(body, body.look())]
    _, bound, _ = app.parse_args(words, print_error=False, exit_on_error=False)
    assert bound.kwargs["minutes"] == 1.5
    assert bound.kwargs["settings"] == ["batch=4", "flip=true"]
    taken = bound.kwargs["look"].given()
    assert taken == look | {"range": (-1000.0, 400.0), "fit": "tiles"}


def test_files_whose_names_are_no_text_are_looked_at(tmp_path: Path, root: Path):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in (b"caf\xe9.png", b"b.png"):
        image = io.BytesIO()
        Image.new("RGB", (32, 32), "red").save(image, "PNG")
        (folder / name.decode("utf-8", "surrogateescape")).write_bytes(image.getvalue())
    (tmp_path / b"caf\xe9".decode("utf-8", "surrogateescape")).mkdir()
    client = make_client(root, (tmp_path,))
    look = client.post(
        "/api/data/look", json={"place": place_named(client, f"{tmp_path.name}/mine")}
    )
    assert look.status_code == 200 and look.json()["found"] == 2


@pytest.mark.parametrize("names", [["a.txt"], ["a.zip"], []])
def test_uploads_without_images_leave_nothing(client: TestClient, root: Path, names: list[str]):
    answer = upload(client, names, b"nothing")
    assert answer.status_code == 400 and answer.json()["error"]
    uploads = root / ".studio" / "uploads"
    assert not uploads.exists() or not any(uploads.iterdir())


def wait_for(client: TestClient, run_id: str, *states: str) -> Any:
    """Wait until a run is in one of these states."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        answer = client.get(f"/api/runs/{run_id}")
        if answer.status_code == 200 and answer.json()["state"] in states:
            return answer.json()
        time.sleep(0.2)
    raise AssertionError(f"{run_id} is not {' or '.join(states)}")


@pytest.mark.slow
def test_a_training_is_begun_watched_stopped_and_resumed(client: TestClient, root: Path):
    body = {
        "place": place_named(client, "digits"),
        "recipe": "digits",
        "name": "mine / ../now",
        "settings": {"images": 40000, "options.width": 8, "report_every": 100},
    }
    begun = client.post("/api/trainings", json=body).json()
    assert begun["name"] == "mine-..-now" and (root / begun["name"]).parent == root
    run = f"/api/runs/{begun['id']}"
    wait_for(client, begun["id"], "training")  # the stop may come before the first step
    refused = client.delete(run)
    assert refused.status_code == 400 and "stop it first" in refused.json()["error"]

    assert client.post(f"{run}/stop").json() == {"state": "stopping"}
    stopped = wait_for(client, begun["id"], "interrupted")
    assert 0 < stopped["images"] < 40000
    assert not (root / begun["name"] / "stop").exists()

    assert client.post(f"{run}/resume").json() == {"state": "starting"}
    wait_for(client, begun["id"], "training")
    client.post(f"{run}/stop")
    again = wait_for(client, begun["id"], "interrupted")
    assert again["images"] > stopped["images"]


def test_a_training_that_fails_says_why(client: TestClient):
    body = {"place": place_named(client, "digits"), "recipe": "digits", "settings": {"batch": -1}}
    begun = client.post("/api/trainings", json=body).json()
    end = time.monotonic() + 120
    training = client.get(f"/api/trainings/{begun['name']}").json()
    while training["running"] and time.monotonic() < end:
        time.sleep(0.1)
        training = client.get(f"/api/trainings/{begun['name']}").json()
    assert "batch" in training["failure"] and not training["begun"]


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": "--out"},
        {"settings": {"a b": 1}},
        {"settings": {"labels": "/etc/passwd"}},  # no texts, since some name files
        {"minutes": -1},
    ],
)
def test_wrong_trainings_are_refused(client: TestClient, change: dict[str, Any]):
    body = {"place": place_named(client, "digits"), **change}
    assert client.post("/api/trainings", json=body).status_code == 400
