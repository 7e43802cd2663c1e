"""An HTTP client for the studio, with its token."""

from pathlib import Path

from starlette.testclient import TestClient

from ganvas.studio.server import StudioSettings, make_app

HOST = "127.0.0.1:8008"
TOKEN = "a-secret-of-these-tests"
COOKIE = "ganvas-8008"


def make_client(root: Path, folders: tuple[Path, ...] = (), **headers: str) -> TestClient:
    """A client that has the token; more headers may be given."""
    app = make_app(StudioSettings(root, folders), [HOST, "localhost:8008"], TOKEN, COOKIE)
    usual = {"host": HOST, "authorization": f"Bearer {TOKEN}"}
    return TestClient(app, base_url=f"http://{HOST}", headers=usual | headers)


def make_stranger(root: Path) -> TestClient:
    """A client without the token, and without redirects that it follows by itself."""
    app = make_app(StudioSettings(root), [HOST, "localhost:8008"], TOKEN, COOKIE)
    return TestClient(app, base_url=f"http://{HOST}", follow_redirects=False)
