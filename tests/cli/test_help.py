"""The help of every verb."""

import re
import subprocess
from functools import cache

import pytest
from commands import PROGRAM
from pages import text
from test_docs import refusal

from ganvas.cli import app
from ganvas.cli.examples import EXAMPLES
from ganvas.cli.meant import TABLES

VERBS = [name for name in app if not name.startswith("-")]


@pytest.mark.parametrize("verb", VERBS)
def test_every_parameter_is_explained(verb: str):
    arguments = app[verb].assemble_argument_collection(parse_docstring=True)

    unexplained = [
        argument.name
        for argument in arguments
        if argument.name != "*" and not (argument.parameter.help or "").strip()
    ]

    assert len(arguments) > 0
    assert unexplained == []


@cache
def read_help(verb: str) -> dict[str, str]:
    """The help of each flag of a verb."""
    arguments = app[verb].assemble_argument_collection(parse_docstring=True)
    return {
        name: argument.parameter.help or ""
        for argument in arguments
        for name in argument.names
        if name.startswith("--")
    }


def read_meanings() -> dict[str, str]:
    """The table of docs/flags.md: the words with which the help of a shared flag begins."""
    return dict(
        re.findall(r"^\| `(--[\w-]+)` \| ([^|]+?)(?:;[^|]*)? \|", text("docs/flags.md"), re.M)
    )


def test_a_flag_means_one_thing_in_all_verbs():
    """A flag whose help is not the same everywhere begins everywhere with the words of the docs."""
    helps = {verb: read_help(verb) for verb in VERBS}
    words: dict[str, set[str]] = {}
    for found in helps.values():
        for flag, explanation in found.items():
            words.setdefault(flag, set()).add(explanation)
    meanings = read_meanings()
    assert {flag for flag, texts in words.items() if len(texts) > 1} <= meanings.keys()
    assert meanings.keys() <= words.keys()

    offenders = [
        f"{verb} {flag}: {found[flag]!r} does not begin with {meaning!r}"
        for verb, found in helps.items()
        for flag, meaning in meanings.items()
        if flag in found and not found[flag].startswith(meaning)
    ]
    assert offenders == []


def test_examples_can_be_run_and_stand_whole_in_the_help():
    assert EXAMPLES.keys() == set(VERBS)
    for verb, commands in EXAMPLES.items():
        assert 2 <= len(commands) <= 5
        for command in commands:
            assert command.startswith(f"ganvas {verb}")
            assert refusal(command.partition("  #")[0]) == "", command
            assert len(command) <= 76  # 80 columns, with what stands before it


@pytest.mark.parametrize("verb", ["train", "log"])
def test_help_at_80_columns_is_light(verb: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    code = (
        "import sys; from ganvas.cli import main\n"
        f"main([{verb!r}, '--help']); print(sorted({{'torch', 'numpy'}} & sys.modules.keys()))"
    )
    shown = subprocess.run([PROGRAM[0], "-c", code], capture_output=True, text=True, check=True)
    lines = shown.stdout.splitlines()
    assert lines[-1] == "[]"
    assert max(map(len, lines)) <= 80
    assert [command for command in EXAMPLES[verb] if f"   {command}" not in lines_of(lines)] == []


def lines_of(lines: list[str]) -> set[str]:
    return {line.rstrip() for line in lines}


def test_what_is_advised_for_flags_of_other_tools_exists():
    """Each `--flag` in the tables is a flag of the verb; each setting parses."""
    for verb, table in TABLES.items():
        for names, advice in table.items():
            assert not {f"--{name}" for name in names.split()} & read_help(verb).keys(), names
            for flag in re.findall(r"--[a-z-]+", advice.replace("VALUE", "1")):
                assert flag in read_help(verb), (verb, advice)
            for key, value in re.findall(r"--set ([\w.]+)=(\S+?)[,:]?(?: |$)", advice):
                value = {"VALUE": "1", "N": "100"}.get(value, value)
                value = "0.5" if "VALUE" in advice and "optimizers" in key else value
                recipe = "avatars-fast" if key == "options.gamma" else "wgan-gp"
                assert refusal(f"ganvas train {recipe} --data x --set {key}={value}") == "", advice
