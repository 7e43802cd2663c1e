"""A studio over one small trained run."""

import shutil
from pathlib import Path

import pytest
from short_runs import PERIODS
from starlette.testclient import TestClient
from studio_client import make_client

import ganvas


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short run on the digits."""
    folder = tmp_path_factory.mktemp("studio") / "digits"
    settings = dict.fromkeys(PERIODS, 100) | {"options.width": 8, "batch": 6}
    settings["ema_halflife"] = 50  # so that samples look like something after so few images
    ganvas.train("digits", out=folder, images=300, settings=settings, quiet=True)
    return folder


@pytest.fixture
def root(trained: Path, tmp_path: Path) -> Path:
    """A folder of runs with one run in it, "digits"."""
    root = tmp_path / "runs"
    shutil.copytree(trained, root / "digits")
    return root


@pytest.fixture
def client(root: Path) -> TestClient:
    """A client that has the token."""
    return make_client(root)


@pytest.fixture
def run(client: TestClient) -> str:
    """The address of the run."""
    return f"/api/runs/{client.get('/api/runs').json()['runs'][0]['id']}"
