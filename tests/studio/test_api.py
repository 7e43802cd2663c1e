"""The studio's interface: runs, samples, data, trainings, the lab."""

import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from starlette.testclient import TestClient
from studio_client import make_client

import ganvas
from ganvas.io.images import to_uint8

ROW = {"terms": [[0, 3, 1]]}  # row 3 of seed 0


def to_array(content: bytes) -> torch.Tensor:
    """A PNG as uint8 (H, W)."""
    image = Image.open(io.BytesIO(content)).convert("L")
    return torch.tensor(list(image.tobytes()), dtype=torch.uint8).reshape(image.height, image.width)


# Runs


def test_a_run_is_listed_with_all_that_its_card_shows(client: TestClient):
    (card,) = client.get("/api/runs").json()["runs"]
    assert card["name"] == "digits" and card["state"] == "finished"
    assert card["images"] == card["total"] == 300 and card["size"] == 8
    assert card["views"] == ["watch", "sample", "paint", "judge"]
    assert card["grids"][-1] == 300


def test_a_run_is_described_with_what_its_gan_takes(client: TestClient, run: str):
    answer = client.get(run).json()
    assert answer["model"]["inputs"]["label"]["names"] == [str(digit) for digit in range(10)]
    assert answer["settings"]["batch"] == 2 and answer["report"]["used"] == 1797
    assert any("ganvas sample" in one["command"] for one in answer["use"])


def test_the_log_is_read_from_where_the_page_is(client: TestClient, run: str):
    whole = client.get(f"{run}/log").json()
    rest = client.get(f"{run}/log", params={"after": 3}).json()
    assert whole["count"] == rest["count"] == len(whole["entries"])
    assert rest["entries"] == whole["entries"][3:]
    assert client.get(f"{run}/log", params={"after": "x"}).status_code == 400


def test_grids_are_sent_and_others_are_not(client: TestClient, run: str):
    assert client.get(f"{run}/grids/300.png").headers["content-type"] == "image/png"
    assert client.get(f"{run}/grids/301.png").status_code == 404
    assert client.get(f"{run}/grids/-1.png").status_code == 404


@pytest.mark.parametrize("wrong", ["nothing", "digits", "%2e%2e", "d9a1efb103f4x"])
def test_an_unknown_run_is_refused(client: TestClient, wrong: str):
    for path in ("", "/log", "/evaluations"):
        assert client.get(f"/api/runs/{wrong}{path}").status_code == 404
    assert client.post(f"/api/runs/{wrong}/sample", json={"latents": [ROW]}).status_code == 404


def test_a_damaged_run_hides_no_other(client: TestClient, root: Path):
    (root / "broken").mkdir()
    (root / "broken" / "recipe.json").write_text("{")
    cards = {card["name"]: card for card in client.get("/api/runs").json()["runs"]}
    assert cards["broken"]["state"] == "damaged" and "recipe.json" in cards["broken"]["error"]
    assert cards["digits"]["state"] == "finished"


def test_links_that_lead_elsewhere_are_no_runs(client: TestClient, root: Path, trained: Path):
    (root / "link").symlink_to(trained)
    assert [card["name"] for card in client.get("/api/runs").json()["runs"]] == ["digits"]


def test_names_are_sent_as_text_whatever_they_hold(client: TestClient, root: Path):
    name = "<img src=x onerror=alert(1)>"
    (root / "digits").rename(root / name)
    (card,) = client.get("/api/runs").json()["runs"]
    assert card["name"] == name


def test_a_deleted_run_lies_in_the_bin_and_comes_back(client: TestClient, root: Path, run: str):
    name = client.delete(run).json()["bin"]
    assert not (root / "digits").exists()
    assert client.get("/api/runs").json()["runs"] == []
    assert client.post(f"/api/bin/{name}/restore").status_code == 200
    assert client.get(run).json()["state"] == "finished"
    assert client.post(f"/api/bin/{name}/restore").status_code == 404


def test_only_what_is_in_training_can_be_stopped(client: TestClient, run: str):
    answer = client.post(f"{run}/stop")
    assert answer.status_code == 400 and "not in training" in answer.json()["error"]


def test_logs_with_numbers_that_are_not_finite_are_sent(client: TestClient, run: str, root: Path):
    with (root / "digits" / "log.jsonl").open("a") as log:
        log.write('{"images": 300, "kind": "losses", "generator": NaN}\n')
    assert client.get(f"{run}/log").json()["entries"][-1]["generator"] is None


@pytest.mark.parametrize(
    "path", ["log?after=" + "9" * 5000, "grids/" + "9" * 5000 + ".png", "grids/x.png"]
)
def test_huge_numbers_are_refused(client: TestClient, run: str, path: str):
    assert client.get(f"{run}/{path}").status_code in (400, 404)


def test_the_same_name_again_is_another_run(client: TestClient, root: Path, run: str):
    before = client.get(run).json()["mark"]
    (root / "digits" / "data.json").touch()
    assert client.get(run).json()["mark"] != before


def test_a_training_that_cannot_go_on_says_why_on_its_card(
    client: TestClient, root: Path, run: str
):
    (root / "digits" / "data.json").write_text("{}")
    recipe = root / "digits" / "recipe.json"
    recipe.write_text(recipe.read_text().replace('"images": 300', '"images": 600'))
    assert client.post(f"{run}/resume").json() == {"state": "starting"}
    jobs = client.app.app.state.studio.jobs  # type: ignore[attr-defined]
    (job,) = jobs.jobs.values()
    job.process.wait(120)
    assert "data.json" in job.failure


# Samples


def test_samples_are_those_of_the_command_line(client: TestClient, run: str, root: Path):
    wanted = {"latents": [ROW, ROW], "labels": ["7", 4], "columns": 2}
    answer = client.post(f"{run}/sample", json=wanted)
    image = to_array(answer.content)  # two images side by side, (8, 16)

    gan = ganvas.load(root / "digits")
    for place, label in enumerate(("7", "4")):
        expected = to_uint8(gan.sample(4, label=label)[3:])[0, 0]  # (8, 8)
        difference = (image[:, 8 * place : 8 * place + 8].int() - expected.int()).abs()
        assert difference.max() <= 1  # the batch has another size, so rounding may differ


def test_samples_come_as_files_and_animations(client: TestClient, run: str):
    latents = [{"terms": [[0, 0, 1 - t], [0, 1, t]]} for t in (0.0, 0.5, 1.0)]
    for kind in ("zip", "webp", "gif"):
        body = {"latents": latents, "labels": ["1"] * 3, "format": kind, "scale": 4}
        answer = client.post(f"{run}/sample", json=body)
        assert answer.status_code == 200
        if kind == "zip":
            assert len(zipfile.ZipFile(io.BytesIO(answer.content)).namelist()) == 3
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


# Data and trainings


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
    client = make_client(root, (tmp_path / "mine",))
    offered = client.get("/api/data").json()["places"]
    assert any(one["name"].endswith("cats") and one["origin"] == "folder" for one in offered)
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
    assert right["used"] == 2 and right["folders"] == 0


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


# Evaluations


def test_evaluations_are_listed(client: TestClient, run: str, root: Path):
    record = root / "digits" / "evaluations.jsonl"
    record.write_text(json.dumps({"values": {"fd": 1.5}}) + "\n{broken")
    answer = client.get(f"{run}/evaluations").json()
    assert answer["evaluations"] == [{"values": {"fd": 1.5}}] and not answer["running"]
    assert client.get(f"{run}/nearest.png").status_code == 404


# The lab


@pytest.mark.parametrize("kind", ["line", "plane"])
def test_a_game_is_played_step_by_step(client: TestClient, kind: str):
    target = "two" if kind == "line" else "ring"
    game = client.post("/api/lab", json={"kind": kind, "target": target}).json()
    after_d = client.post(f"/api/lab/{game['id']}", json={"d": 3, "g": 0}).json()
    assert after_d["discriminator"] != game["discriminator"]
    still = "p_g" if kind == "line" else "net"
    assert after_d[still] == game[still]
    after_g = client.post(f"/api/lab/{game['id']}", json={"d": 0, "g": 3}).json()
    assert after_g[still] != game[still]
    assert client.post("/api/lab/nothing", json={}).status_code == 404
    assert client.post(f"/api/lab/{game['id']}", json={"turns": 101}).status_code == 400


def test_what_was_drawn_is_the_target(client: TestClient):
    hill = [1.0 if 100 <= place < 120 else 0.0 for place in range(512)]
    game = client.post("/api/lab", json={"target": hill}).json()
    assert sum(density > 0 for density in game["p_data"]) == 20 and game["modes"][1] == 1
    points = {"kind": "plane", "target": [[0.5, 0.5]], "loss": "relativistic"}
    assert client.post("/api/lab", json=points).status_code == 200
    assert client.post("/api/lab", json={"target": [1e308] * 512}).status_code == 200
    for wrong in ([0.0] * 512, [1.0] * 3, ["x"] * 512, [[9, 9]]):
        for kind in ("line", "plane"):
            answer = client.post("/api/lab", json={"kind": kind, "target": wrong})
            assert answer.status_code == 400
