"""A short run, for the tests of evaluation."""

import shutil
from pathlib import Path

import pytest

import ganvas


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run on digits; never written to."""
    folder = tmp_path_factory.mktemp("trained") / "digits"
    ganvas.train(
        "digits", out=folder, images=6_000, settings={"options.width": 8}, device="cpu", quiet=True
    )
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(trained, tmp_path / "run"))
