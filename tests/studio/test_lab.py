"""The studio's interface: the theory lab."""

import pytest
from starlette.testclient import TestClient


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
