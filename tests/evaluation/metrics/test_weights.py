"""Files of weights for Inception: which are read, which are refused, and the download."""

import hashlib
import pickle
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from inception_weights import SHAPES
from safetensors.torch import save_file
from torch import Tensor

from ganvas.errors import UserError
from ganvas.evaluation.metrics import inception
from ganvas.evaluation.metrics.inception import (
    FILE,
    PUBLISHED,
    Inception,
    published_weights,
    read_network,
)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_weights_from_the_published_file(clean, tmp_path, monkeypatch, zipped):
    """In both formats of PyTorch, and with the counters that its own batch norm adds."""
    expected = clean.network.state_dict()
    state = {**expected, "Mixed_5b.branch1x1.bn.num_batches_tracked": torch.tensor(0)}
    path = tmp_path / "w.pth"
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    monkeypatch.setattr(inception, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    found = read_network(path).state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize("change", ["other", "longer", "shorter"])
def test_any_other_pickle_is_refused_before_it_is_opened(tmp_path, monkeypatch, change):
    path = tmp_path / "w.pth"
    torch.save({"fc.weight": torch.zeros(2)}, path)
    content = path.read_bytes()
    if change != "other":
        monkeypatch.setattr(inception, "SHA256", hashlib.sha256(content).hexdigest())
        path.write_bytes(content + b"0" if change == "longer" else content[:-1])
    monkeypatch.setattr(torch, "load", None)
    with pytest.raises(UserError, match=rf"sha256 \w{{64}}, expected {inception.SHA256}") as raised:
        read_network(path)
    assert "\n" not in str(raised.value)


def test_nothing_in_a_file_is_run_even_if_its_digest_is_right(tmp_path, monkeypatch):
    """PyTorch's reader refuses everything but tensors."""
    path = tmp_path / "w.pth"
    torch.save({"path": Path("x")}, path)
    monkeypatch.setattr(inception, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        read_network(path)


def test_weights_of_another_network(tmp_path):
    empty = {
        name: torch.zeros(shape)
        for name, shape in SHAPES.items()
        if name.startswith("fc.") or "1a" in name
    }
    state = {**empty, "fc.weight": torch.zeros(1000, 2048)}
    save_file(state, tmp_path / "w.safetensors")

    with pytest.raises(
        UserError,
        match=r"another network: Conv2d_2a_3x3\.conv\.weight is absent, not .* \(466 of 472 ",
    ):
        Inception(tmp_path / "w.safetensors")

    whole = {name: torch.zeros(1).expand(shape) for name, shape in SHAPES.items()}

    with pytest.raises(
        UserError, match=r"fc\.weight is \(1000, 2048\), not \(1008, 2048\) \(1 of 472 "
    ):
        read(tmp_path, {**whole, "fc.weight": torch.zeros(1000, 2048)})
    with pytest.raises(UserError, match=r"AuxLogits\.fc\.bias is \(1000,\), not absent"):
        read(tmp_path, {**whole, "AuxLogits.fc.bias": torch.zeros(1000)})


def read(folder: Path, state: dict[str, Tensor]) -> None:
    save_file({name: value.contiguous() for name, value in state.items()}, folder / "w.safetensors")
    read_network(folder / "w.safetensors")


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_files_that_cannot_be_read(tmp_path, name):
    with pytest.raises(UserError, match=f"{name}"):
        Inception(tmp_path / name)
    (tmp_path / name).write_bytes(b"<html>Not Found</html>")
    with pytest.raises(UserError, match=f"{name}") as raised:
        Inception(tmp_path / name)
    assert "\n" not in str(raised.value)


CONTENT = b"weights, for all that the download knows"


@pytest.fixture
def address() -> Iterator[str]:
    """A server that has CONTENT for everyone."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path))
    return tmp_path


def test_published_weights_are_downloaded_once_and_checked(address, cache, monkeypatch):
    digest = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    monkeypatch.setattr(
        inception, "PUBLISHED", replace(PUBLISHED, mirrors=(address,), files={FILE: digest})
    )
    path = published_weights()

    assert (path, path.read_bytes()) == (cache / "weights" / FILE, CONTENT)

    monkeypatch.setattr(
        inception, "PUBLISHED", replace(PUBLISHED, mirrors=(), files={FILE: digest})
    )
    assert published_weights() == path

    path.write_bytes(b"something else")

    with pytest.raises(UserError, match=rf"{FILE} has sha256:.*, published is {digest}: remove it"):
        published_weights()


def test_a_wrong_download_is_refused(address, cache, monkeypatch):
    monkeypatch.setattr(inception, "PUBLISHED", replace(PUBLISHED, mirrors=(address,)))
    with pytest.raises(
        UserError, match=r"its digest is sha256:.* the published one is sha256:6726825d"
    ):
        Inception()
    assert not (cache / "weights").exists()


def test_offline(cache, monkeypatch):
    monkeypatch.setattr(
        inception, "PUBLISHED", replace(PUBLISHED, mirrors=("http://127.0.0.1:9/",))
    )

    with pytest.raises(UserError) as raised:
        Inception()

    message = str(raised.value)
    digest = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
    assert (
        f"put {FILE} into {cache / 'weights'}, "
        f"or name the file with --weights FILE; its sha256 is {digest}" in message
    )
    assert "\n" not in message
