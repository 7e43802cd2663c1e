"""What all tests share: real data where it is at hand, a cache of their own, one thread."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "shared" / "data"

# Tiny tensors, and the suite runs in several processes. Torch reads it when it is imported: not
# here, since the process that only hands out tests does without.
os.environ["OMP_NUM_THREADS"] = "1"
# Tests read what is printed; those of other languages set it themselves.
os.environ["GANVAS_LANG"] = "en"


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep packed images out of the user's cache: one cache per test process, so that MNIST is
    packed once. For the whole session, so that fixtures of a module use it too.
    """
    folder = tmp_path_factory.getbasetemp() / "ganvas-cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANVAS_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """Files are for this session alone: what a power cut would leave of them does not matter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_proxy() -> Iterator[None]:
    """Servers of tests are on localhost: no proxy of the machine may stand between."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            patch.delenv(name, raising=False)
            patch.delenv(name.upper(), raising=False)
        yield


@pytest.fixture(scope="module")
def few_figures() -> Iterator[None]:
    """The set "figures" with 100 birds: to draw all 3,000 takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganvas.data.builtin.birds.COUNT", 100)
        yield


@pytest.fixture
def mnist() -> str:
    """The `--data` argument for the real MNIST files."""
    if not (DATA / "mnist").is_dir():
        pytest.skip(f"needs the MNIST files in {DATA / 'mnist'}")
    return f"mnist:{DATA / 'mnist'}"


@pytest.fixture
def faces() -> str:
    """The `--data` argument for the real anime faces."""
    if not (DATA / "anime-faces").is_dir():
        pytest.skip(f"needs the images in {DATA / 'anime-faces'}")
    return str(DATA / "anime-faces" / "images.zip")
