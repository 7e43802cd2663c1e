"""The reader of .pth files: what `torch.save` writes, and what a stranger might."""

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganvas.errors import UserError
from ganvas.evaluation.metrics.torch_file import LEGACY_VERSION, MAGIC, read_torch_file

both = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


def save(state: Any, path: Path, zipped: bool) -> Path:
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    return path


def same(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> bool:
    agree = (
        found[name].dtype == value.dtype and torch.equal(found[name], value)
        for name, value in wanted.items()
    )
    return list(found) == list(wanted) and all(agree)


class Number:
    """Pickled as a storage, which lies beside the pickle."""

    def __init__(
        self, key: str, count: int, kind: type = torch.FloatStorage, view: Any = None
    ) -> None:
        self.reference = ("storage", kind, key, "cpu", count, view)


class Part:
    """Pickled as a tensor over a storage, as torch 0.4 did: with None for the hooks."""

    def __init__(self, storage: Any, offset: int, shape: Any, strides: Any) -> None:
        self.arguments = (storage, offset, shape, strides, False, None)

    def __reduce__(self) -> tuple[Callable, tuple]:
        return torch._utils._rebuild_tensor_v2, self.arguments


class Writer(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        return obj.reference if isinstance(obj, Number) else None


def old_file(
    path: Path, state: Any, keys: Any, content: bytes, magic: Any = MAGIC, little: bool = True
) -> Path:
    """A file in the old format, piece by piece."""
    with path.open("wb") as file:
        for part in (magic, LEGACY_VERSION, {"little_endian": little}):
            pickle.dump(part, file, 2)
        Writer(file, 2).dump(state)
        pickle.dump(keys, file, 2)
        file.write(content)
    return path


FOUR = struct.pack("<q4f", 4, 0, 1, 2, 3)


# What torch writes


@both
def test_a_state_dict(tmp_path, zipped):
    network = nn.Sequential(nn.Conv2d(2, 3, 5), nn.BatchNorm2d(3), nn.Linear(4, 1, bias=False))
    found = read_torch_file(save(network.state_dict(), tmp_path / "w.pth", zipped))
    assert same(found, dict(network.state_dict()))
    network.load_state_dict(found)


@both
def test_any_tensors(tmp_path, zipped):
    whole = torch.arange(24.0)
    state = {
        "scalar": torch.tensor(3),
        "half": torch.randn(3, 2).half(),
        "bfloat16": torch.randn(3, 2).bfloat16(),
        "double": torch.randn(300, dtype=torch.float64),
        "int": torch.arange(5, dtype=torch.int32),
        "empty": torch.empty(0, 7),
        "last channel": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "row": whole.view(4, 6)[2],
        "column": whole.view(4, 6)[:, 5],
    }
    found = read_torch_file(save(state, tmp_path / "w.pth", zipped))
    assert same(found, state)
    assert same(read_torch_file(save({}, tmp_path / "none.pth", zipped)), {})


def test_a_file_as_torch_0_4_wrote_it(tmp_path):
    state = OrderedDict(
        a=Part(Number("9", 4), 0, (2, 2), (2, 1)), b=Part(Number("9", 4), 3, (), ())
    )
    state._metadata = OrderedDict({"": {"version": 1}})  # pyright: ignore[reportAttributeAccessIssue]
    found = read_torch_file(old_file(tmp_path / "w.pth", state, ["9"], FOUR))
    assert same(found, {"a": torch.tensor([[0.0, 1.0], [2.0, 3.0]]), "b": torch.tensor(3.0)})


# What a stranger might write


class Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable, tuple]:
        return os.system, (f"touch {self.marker}",)


@both
@pytest.mark.parametrize(
    "wrap", [lambda evil: evil, lambda evil: {"a": torch.ones(2), "b": evil}, lambda evil: [evil]]
)
def test_nothing_is_run(tmp_path, zipped, wrap):
    path = save(wrap(Evil(tmp_path / "ran")), tmp_path / "w.pth", zipped)
    with pytest.raises(
        UserError,
        match=r"nothing in it was run: it asks for \w+\.system, which weights do not need",
    ):
        read_torch_file(path)
    assert not (tmp_path / "ran").exists()
    torch.load(path, weights_only=False)  # it does run there, so the test sees something
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("place", ["magic", "keys", "bare"])
def test_nothing_is_run_in_any_of_the_pickles(tmp_path, place):
    evil, state = Evil(tmp_path / "ran"), {"a": Part(Number("9", 4), 0, (4,), (1,))}
    if place == "bare":
        path = tmp_path / "w.pth"
        path.write_bytes(pickle.dumps(evil))
    else:
        magic, keys = (evil, ["9"]) if place == "magic" else (MAGIC, [evil])
        path = old_file(tmp_path / "w.pth", state, keys, FOUR, magic)
    with pytest.raises(UserError, match="nothing in it was run"):
        read_torch_file(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (b"cos\nsystem\n(S'true'\ntR.", "asks for os.system"),
        (b"(S'true'\nios\nsystem\n.", "instruction STRING"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "instruction SHORT_BINUNICODE"),
        (b"ccollections\nOrderedDict\n(K\x01tR.", "calls collections.OrderedDict in a way"),
        (b"ctorch._utils\n_rebuild_tensor_v2\n)R.", "not enough values"),
        (b"ccollections\nOrderedDict\n}b.", "a Name where a dict belongs"),
        (b"ctorch\nFloatStorage\n)\x81.", "instruction NEWOBJ"),
        # a key of 2^200 tuples is never hashed
        (b"})q\x00" + 200 * b"h\x00\x86q\x00" + b"K\x01s.", "a tuple where a str"),
        (b"R.", "do not add up"),
        (b"h\x07.", "KeyError"),
        (b"", "exhausted"),
        (b"<!DOCTYPE html>", "opcode"),
    ],
)
def test_other_instructions(tmp_path, code, message):
    (tmp_path / "w.pth").write_bytes(code)
    with pytest.raises(UserError, match=message):
        read_torch_file(tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": Part(Number("9", 4), 1, (4,), (1,))}, "'a' lies outside of its numbers"),
        ({"a": Part(Number("9", 4), -1, (4,), (1,))}, "'a' lies outside"),
        ({"a": Part(Number("9", 4), 0, (2**40,), (0,))}, "'a' lies outside"),
        ({"a": Part(Number("9", 4), 3, (2,), (-1,))}, "'a' lies outside"),
        ({"a": Part(Number("9", 4), 0, (4,), (1, 1))}, "shorter|longer"),
        ({"a": Part(Number("9", 4), 0, (4.0,), (1,))}, "instruction BINFLOAT"),
        ({"a": Part("9", 0, (4,), (1,))}, "a str where a Storage belongs"),
        ({"a": Part(Number("9", 2**50), 0, (4,), (1,))}, "ends too early"),
        ({"a": Part(Number("9", 4, torch.DoubleStorage), 0, (4,), (1,))}, "ends too early"),
        (
            {"a": Part(Number("9", 4, torch.BoolStorage), 0, (4,), (1,))},
            "asks for torch.BoolStorage",
        ),
        ({"a": Part(Number("9", 4, view=("8", 0, 4)), 0, (4,), (1,))}, "shares storages"),
        (
            {"a": Part(Number("9", 4), 0, (4,), (1,)), "b": Part(Number("9", 2), 0, (1,), (1,))},
            "ends too early|bytes, not",
        ),
        ({1: Part(Number("9", 4), 0, (4,), (1,))}, "a int where a str belongs"),
        ({"a": 1}, "more than a dictionary of tensors"),
        (
            {"state_dict": {"a": Part(Number("9", 4), 0, (4,), (1,))}},
            "more than a dictionary of tensors",
        ),
        ([1], "more than a dictionary of tensors"),
    ],
)
def test_other_content(tmp_path, state, message):
    path = old_file(tmp_path / "w.pth", state, ["9"], FOUR)
    with pytest.raises(UserError, match=message):
        read_torch_file(path)


@both
def test_a_whole_network_is_refused(tmp_path, zipped):
    path = save(nn.Linear(2, 2), tmp_path / "w.pth", zipped)
    with pytest.raises(UserError, match=r"asks for torch\.nn\.modules\.linear\.Linear"):
        read_torch_file(path)


def test_another_machine(tmp_path):
    state = {"a": Part(Number("9", 4), 0, (4,), (1,))}
    with pytest.raises(UserError, match="another byte order"):
        read_torch_file(old_file(tmp_path / "w.pth", state, ["9"], FOUR, little=False))


def test_other_zips(tmp_path):
    path = save({"a": torch.zeros(1000)}, tmp_path / "w.pth", True)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for change, message in (
        (lambda: members, "a compressed zip"),
        (lambda: {"words.txt": b"words"}, "a zip with 0 data.pkl"),
        (lambda: {"b/data.pkl": b"}.", **members}, "a zip with 2 data.pkl"),
        (
            lambda: {
                name: content for name, content in members.items() if not name.endswith("data/0")
            },
            "KeyError",
        ),
        (
            lambda: {
                name: b"big" if name.endswith("byteorder") else content
                for name, content in members.items()
            },
            "byte order",
        ),
        (
            lambda: {
                name: content[:-4] if name.endswith("/0") else content
                for name, content in members.items()
            },
            "a has 3,996",
        ),
    ):
        kind = zipfile.ZIP_DEFLATED if "compressed" in message else zipfile.ZIP_STORED
        with zipfile.ZipFile(path, "w", kind) as archive:
            for name, content in change().items():
                archive.writestr(name, content)
        with pytest.raises(UserError, match=message):
            read_torch_file(path)


def test_no_file(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*absent\.pth: No such file"):
        read_torch_file(tmp_path / "absent.pth")
    with pytest.raises(UserError, match=r"cannot read .*: Is a directory"):
        read_torch_file(tmp_path)


@both
def test_a_damaged_file_is_one_line_or_tensors(tmp_path, zipped):
    """Bytes of the description at random, and cuts anywhere: nothing but our own error comes out."""
    state = {"a.weight": torch.randn(3, 2), "b": torch.randn(300)}
    buffer = io.BytesIO()
    torch.save(state, buffer, _use_new_zipfile_serialization=zipped)
    whole = buffer.getvalue()
    random = np.random.default_rng(0)
    path, refused = tmp_path / "w.pth", 0
    for trial in range(400):
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[random.integers(len(whole))] = random.integers(256)
        path.write_bytes(damaged[: random.integers(len(whole))] if trial % 4 == 0 else damaged)
        try:
            assert all(isinstance(value, Tensor) for value in read_torch_file(path).values())
        except UserError as error:
            assert str(error).startswith(f"{path} is not a whole PyTorch file")
            refused += 1
    assert refused > 100
