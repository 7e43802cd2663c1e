"""The studio's interface: runs are listed, watched, deleted, evaluated."""

import json
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient


def test_a_run_is_listed_with_all_that_its_card_shows(client: TestClient):
    (card,) = client.get("/api/runs").json()["runs"]
    assert card["name"] == "digits" and card["state"] == "finished"
    assert card["images"] == card["total"] == 300 and card["size"] == 8
    assert card["views"] == ["watch", "sample", "paint", "judge"]
    assert card["grids"][-1] == 300


def test_a_run_is_described_with_what_its_gan_takes(client: TestClient, run: str):
    answer = client.get(run).json()
    assert answer["model"]["inputs"]["label"]["names"] == [str(digit) for digit in range(10)]
    assert answer["settings"]["batch"] == 6 and answer["report"]["used"] == 1797
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
    wish = {"latents": [{"terms": [[0, 0, 1]]}]}
    assert client.post(f"/api/runs/{wrong}/sample", json=wish).status_code == 404


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
    (deleted,) = client.get("/api/bin").json()["bin"]
    assert (deleted["bin"], deleted["name"]) == (name, "digits")
    assert abs(deleted["time"] - time.time()) < 60
    assert client.post(f"/api/bin/{name}/restore").status_code == 200
    assert client.get(run).json()["state"] == "finished"
    assert client.post(f"/api/bin/{name}/restore").status_code == 404
    assert client.get("/api/bin").json() == {"bin": []}


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


@pytest.mark.slow
def test_a_training_that_cannot_go_on_says_why_on_its_card(
    client: TestClient, root: Path, run: str
):
    recipe = root / "digits" / "recipe.json"
    values = json.loads(recipe.read_text()) | {"data": "nowhere", "images": 600}
    recipe.write_text(json.dumps(values))
    assert client.post(f"{run}/resume").json() == {"state": "starting"}
    assert client.get(run).json()["state"] == "starting"

    end = time.monotonic() + 120
    while "failure" not in (card := client.get(run).json()) and time.monotonic() < end:
        time.sleep(0.1)
    assert card["state"] == "interrupted" and "'nowhere'" in card["failure"]


def test_evaluations_are_listed(client: TestClient, run: str, root: Path):
    record = root / "digits" / "evaluations.jsonl"
    record.write_text(json.dumps({"values": {"fd": 1.5}}) + "\n{broken")
    answer = client.get(f"{run}/evaluations").json()
    assert answer["evaluations"] == [{"values": {"fd": 1.5}}] and not answer["running"]
    assert client.get(f"{run}/nearest.png").status_code == 404


def test_a_ready_made_generator_becomes_a_run_that_is_sampled_and_not_resumed(
    client: TestClient, root: Path
):
    assert "mnist" in client.get("/api/zoo").json()["zoo"]
    assert client.post("/api/zoo/nothing").status_code == 404
    first, second = (client.post("/api/zoo/mnist").json()["id"] for _ in range(2))
    cards = {card["id"]: card for card in client.get("/api/runs").json()["runs"]}
    assert [cards[one]["name"] for one in (first, second)] == ["zoo-mnist", "zoo-mnist-2"]
    assert cards[first]["state"] == "finished"
    assert "sample" in cards[first]["views"]

    wish = {"latents": [{"terms": [[0, 0, 1]]}], "labels": ["7"]}
    assert client.post(f"/api/runs/{first}/sample", json=wish).status_code == 200
