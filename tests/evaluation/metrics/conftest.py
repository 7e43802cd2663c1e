"""A file of made-up weights, and the Inception network that reads it."""

from pathlib import Path

import pytest
from inception_weights import made_up
from safetensors.torch import save_file

from ganvas.evaluation.metrics.inception import Inception


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "made-up.safetensors"
    save_file(made_up(), path)
    return path


@pytest.fixture(scope="session")
def clean(file: Path) -> Inception:
    return Inception(file)
