"""What the tests of run folders share: a short run."""

import shutil
from pathlib import Path

import pytest
from run_files import train


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose newest checkpoint, of 18 images, has means of a step."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(folder)
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoiled."""
    return shutil.copytree(trained, tmp_path / "run")
