"""Files that others wrote: read if they are what they should be, refused in one line if not."""

import os
from pathlib import Path

import pytest
import torch
from pydantic import BaseModel
from safetensors.torch import save, save_file
from tiny import refused_in_one_line

from ganvas.io.reading import (
    check_values,
    expand_home,
    parse_json,
    read_bytes,
    read_json,
    read_json_lines,
)
from ganvas.io.tables import read_cells
from ganvas.io.tensors import parse_tensors, read_notes, read_shapes, read_tensor_file


class Two(BaseModel):
    a: int
    b: str = ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_only_regular_files_are_read(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
    for path, reason in {
        tmp_path / "pipe": "it is a pipe, not a file",
        tmp_path: "it is a folder, not a file",
        Path(os.devnull): "it is a device, not a file",
        tmp_path / "none": "No such file",
        tmp_path / "a\0b": "null",
    }.items():
        refused_in_one_line(lambda path=path: read_bytes(path), f"cannot be read: .*{reason}")
        refused_in_one_line(lambda path=path: read_tensor_file(path), f"cannot be read.*{reason}")

    (tmp_path / "file").write_bytes(b"1234")
    assert read_bytes(tmp_path / "file", most=4) == b"1234"
    refused_in_one_line(lambda: read_bytes(tmp_path / "file", most=3), "it has more than")


@pytest.mark.parametrize(
    "text", ["", "{", "nil", "[" * 100_000, "1" * 301, "[" * 70 + "]" * 70, '"\\ud8"', "1 2"]
)
def test_what_is_no_json_is_one_error(text: str, tmp_path: Path):
    with pytest.raises(ValueError):
        parse_json(text)
    (tmp_path / "file.json").write_text(text)
    refused_in_one_line(lambda: read_json(tmp_path / "file.json"), r"file\.json cannot be read: ")


def test_json_as_people_have_it(tmp_path: Path):
    assert parse_json("\ufeff" + '{"a": [1e5, null]}') == {"a": [1e5, None]}
    assert parse_json("9" * 300) == int("9" * 300)
    file = tmp_path / "lines.jsonl"
    file.write_text('{"a": "one\u2028line"}\n\n{"b": 2}\n{"c": ')
    assert list(read_json_lines(file)) == [(1, {"a": "one\u2028line"}), (3, {"b": 2})]
    file.write_text('{"a": 1}\nnull\n')
    refused_in_one_line(lambda: list(read_json_lines(file)), "line 2: it is not an object")


def test_values_are_checked_by_a_model(tmp_path: Path):
    assert check_values(Two, {"a": 1}, tmp_path).a == 1
    refused_in_one_line(lambda: check_values(Two, [1], tmp_path), "is damaged: ")
    many = {"a": "x" * 10**6, "b": list(range(10**5))}
    with pytest.raises(Exception, match="is damaged: a='xxx") as raised:
        check_values(Two, many, tmp_path, "remove it")
    assert len(str(raised.value)) < 1_000
    assert str(raised.value).endswith("; remove it")


def test_home_folders():
    assert expand_home("~") == Path.home()
    refused_in_one_line(lambda: expand_home("~nobody-here/x"), "~nobody-here is no home folder")
    refused_in_one_line(lambda: expand_home("a\0b"), "NUL byte")


def test_tensors(tmp_path: Path):
    file = tmp_path / "a.safetensors"
    save_file({"x": torch.ones(2, 3)}, file, {"about": "it"})
    assert read_shapes(file) == {"x": (2, 3)}
    assert read_notes(file) == {"about": "it"}
    assert read_tensor_file(file)["x"].sum() == 6

    content = save({"x": torch.ones(2, 3)})
    for damaged in (b"", content[:-1], b"\xff" * 40, content.replace(b"F32", b"F99")):
        file.write_bytes(damaged)
        for call in (read_shapes, read_notes, read_tensor_file):
            refused_in_one_line(lambda call=call: call(file), r"a\.safetensors is damaged: ")
        refused_in_one_line(
            lambda damaged=damaged: parse_tensors(damaged, "a.safetensors"), "is damaged"
        )


def test_tables():
    assert list(read_cells(['"a,b",c', ""], ",", "t.csv")) == [(1, ["a,b", "c"]), (2, [])]
    assert list(read_cells(["a;b"], ";", "t.csv", 2)) == [(3, ["a", "b"])]
    refused_in_one_line(
        lambda: list(read_cells(["a,b", "c," + "x" * 140_000], ",", "t.csv")), r"t\.csv, line 2: "
    )
