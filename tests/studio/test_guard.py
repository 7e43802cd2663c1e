"""What a hostile page, a hostile name server and a stranger try; all of it is refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from studio_client import COOKIE, HOST, TOKEN, make_client, make_stranger

from ganvas.studio.guard import Guard, Limits


def test_the_printed_address_gives_a_cookie_that_opens_everything(root: Path):
    stranger = make_stranger(root)
    answer = stranger.get(f"/?token={TOKEN}")
    assert answer.status_code == 303 and answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}={TOKEN}")
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert stranger.get("/").status_code == 200  # the client keeps the cookie
    assert stranger.get("/api/runs").status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/runs", "/static/app.js", "/api/events", "/nothing"])
def test_without_the_token_nothing_is_served(root: Path, path: str):
    for headers in ({}, {"authorization": "Bearer wrong"}, {"cookie": f"{COOKIE}=wrong"}):
        answer = make_stranger(root).get(path, headers=headers)
        assert answer.status_code == 401
        assert "ganvas studio" in answer.text


@pytest.mark.parametrize("token", ["wrong", "", "é", f"{TOKEN}x"])
def test_a_wrong_token_in_the_address_is_refused(root: Path, token: str):
    assert make_stranger(root).get("/", params={"token": token}).status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8008", "127.0.0.1", "127.0.0.1:9", "127.0.0.1:8008.evil"]
)
def test_another_host_is_refused_whatever_it_carries(root: Path, host: str):
    # a name server that makes its own name mean 127.0.0.1 ("rebinding")
    assert make_client(root, host=host).get("/api/runs").status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:8008"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_another_origin_is_refused(root: Path, origin: str, method: str):
    answer = make_client(root).request(method, "/api/runs", headers={"origin": origin})
    assert answer.status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_requests_that_other_pages_cause_are_refused(root: Path, site: str):
    answer = make_client(root).get("/api/runs", headers={"sec-fetch-site": site})
    assert answer.status_code == 403


def test_a_change_by_cookie_needs_the_origin_too(root: Path):
    stranger = make_stranger(root)
    stranger.get(f"/?token={TOKEN}")
    assert stranger.post("/api/lab", json={}).status_code == 403
    own = {"origin": f"http://{HOST}"}
    assert stranger.post("/api/lab", json={}, headers=own).status_code == 200


def test_every_answer_forbids_what_is_not_ours(client: TestClient):
    for path in ("/", "/api/runs", "/static/style.css", "/nothing"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers


def test_a_body_that_says_it_is_too_large_is_refused(client: TestClient):
    answer = client.post("/api/lab", content=b" " * (Limits().usual + 1))
    assert answer.status_code == 413


def test_a_body_without_a_length_is_counted(client: TestClient):
    def pieces() -> Iterator[bytes]:
        for _ in range(Limits().usual // 1000 + 2):
            yield b" " * 1000

    answer = client.post("/api/lab", content=pieces())
    assert answer.status_code == 413
    assert json.loads(answer.text)["error"].startswith("the request is larger")


def test_a_length_that_is_no_number_is_refused(client: TestClient):
    answer = client.post("/api/lab", headers={"content-length": "-1"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/..%2fserver.py",
        "/api/runs/..%2f..%2fetc",
        "/api/runs/../../etc/passwd",
        "/api/runs/%2fetc",
    ],
)
def test_no_path_leads_out(client: TestClient, path: str):
    answer = client.get(path)
    assert answer.status_code == 404
    assert "import" not in answer.text


def test_web_sockets_are_closed(root: Path):
    app = make_client(root).app
    assert isinstance(app, Guard)
    with (
        pytest.raises(WebSocketDisconnect),
        make_client(root).websocket_connect("/api/events"),
    ):
        pass
