"""The help of every verb."""

import pytest

from ganvas.cli import app

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
