"""A short run, for the tests of evaluation."""

import shutil
from pathlib import Path

import pytest
from short_runs import SELDOM

import ganvas


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run on digits; never written to."""
    folder = tmp_path_factory.mktemp("trained") / "digits"
    settings = SELDOM | {"options.width": 8, "checkpoint_every": 800}
    ganvas.train("digits", out=folder, images=1_500, settings=settings, device="cpu", quiet=True)
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(trained, tmp_path / "run"))
