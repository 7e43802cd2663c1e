"""The Dockerfile and what it is built from, as far as it can be checked without Docker."""

import re
import shlex
import tomllib
from fnmatch import fnmatch

import pytest
from pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile with their arguments; continued lines as one."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in whole.splitlines()]


def test_it_ends_as_a_user_without_rights(steps: list[tuple[str, str]]):
    users = [argument for name, argument in steps if name == "USER"]
    assert users == ["ganvas"]
    after = [name for name, _ in steps[[name for name, _ in steps].index("USER") :]]
    assert "RUN" not in after
    assert any("useradd" in argument for name, argument in steps if name == "RUN")


def test_torch_is_that_of_the_project(steps: list[tuple[str, str]]):
    (needed,) = (line for line in PROJECT["dependencies"] if line.startswith("torch"))
    runs = [argument for name, argument in steps if name == "RUN"]
    assert any(f'"{needed}"' in argument and "${TORCH}" in argument for argument in runs)
    assert ("ARG", "TORCH=cpu") in steps


def test_python_and_extras_exist(steps: list[tuple[str, str]]):
    assert steps[0][0] == "FROM"
    version = re.fullmatch(r"python:3\.(\d+)-slim", steps[0][1])
    assert version and int(version[1]) >= int(PROJECT["requires-python"].rpartition(".")[2])
    (extras,) = re.findall(r"/source\[([\w,]+)\]", " ".join(argument for _, argument in steps))
    assert set(extras.split(",")) <= PROJECT["optional-dependencies"].keys()


def test_what_it_copies_exists_and_is_sent(steps: list[tuple[str, str]]):
    kept = [
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    ]
    copied = [
        source
        for name, argument in steps
        if name == "COPY"
        for source in shlex.split(argument)[:-1]
    ]
    assert set(copied) == set(kept) == {"pyproject.toml", "README.md", "LICENSE", "src"}
    assert all((ROOT / source).exists() for source in copied)
    assert not any(fnmatch(".git", pattern) for pattern in kept)
