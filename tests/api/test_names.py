"""The public names: what `import ganvas` offers, in any order of imports, and their arguments."""

import inspect
import subprocess
import sys
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

import ganvas
from ganvas.cli import (
    directions,
    exporting,
    inside,
    judging,
    learning,
    making,
    pictures,
    sharing,
    training,
)

# Flags that have no argument: what they print, a function returns.
WITHOUT = {
    "train": {"dry_run"},  # it prints an estimate
    "data": {"json"},
    "evaluate": {"json", "sets"},  # sets: Python's are `what` and `against`
    "health": {"json"},
    "theory": {"page"},  # a page for people
}
# Arguments that have no flag.
BEYOND = {"evaluate": {"what", "against", "progress"}}
# Where Python's name is not that of the command line's function.
RENAMED = {"picture_format": "format"}
VERBS = {
    "train": training.train,
    "sample": making.sample,
    "translate": making.translate,
    "restore": making.restore,
    "export": exporting.export,
    "directions": directions.directions,
    "inside": inside.inside,
    "evaluate": judging.evaluate,
    "health": judging.health,
    "theory": judging.theory,
    "whatif": learning.whatif,
    "data": pictures.data,
    "push": sharing.push,
}


def list_flags(verb: str) -> dict[str, Any]:
    """The flags of a verb with their defaults; a group of flags as single ones."""
    flags = {}
    for name, parameter in inspect.signature(VERBS[verb]).parameters.items():
        if is_dataclass(parameter.default):
            group = parameter.default
            flags |= {field.name: getattr(group, field.name) for field in fields(group)}
        else:
            flags[RENAMED.get(name, name)] = parameter.default
    return flags


@pytest.mark.parametrize("verb", VERBS)
def test_functions_have_the_flags_of_their_verbs(verb: str):
    flags = list_flags(verb)
    arguments = {
        name: parameter.default
        for name, parameter in inspect.signature(getattr(ganvas, verb)).parameters.items()
    }

    assert arguments.keys() - BEYOND.get(verb, set()) == flags.keys() - WITHOUT.get(verb, set())
    for name, default in arguments.items():
        if name in flags:
            assert default == flags[name], name


@pytest.mark.parametrize("verb", VERBS)
def test_every_argument_is_explained(verb: str):
    function = getattr(ganvas, verb)
    text = inspect.getdoc(getattr(function, "function", function)) or ""
    named = inspect.signature(function).parameters
    assert [name for name in named if f"\n    {name}: " not in text] == []


def run_python(code: str) -> str:
    """What a new Python process prints."""
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return answer.stdout


def test_dir_shows_the_public_names_alone():
    assert dir(ganvas) == sorted([*ganvas.__all__, "__version__"])
    shown = run_python("import ganvas, ganvas.errors, ganvas.io.files; print(dir(ganvas))")
    assert shown == f"{dir(ganvas)}\n"


def test_all_names_are_there():
    for name in ganvas.__all__:
        assert getattr(ganvas, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = ganvas.trian  # pyright: ignore[reportAttributeAccessIssue]


def test_the_import_is_light():
    code = (
        "import sys, ganvas; ganvas.__version__; dir(ganvas);"
        "print({'torch', 'numpy', 'IPython', 'PIL'} & sys.modules.keys() or 'light')"
    )
    assert run_python(code) == "light\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "imports",
    [
        "import ganvas",
        "import ganvas, ganvas.data.open, ganvas.theory.game",
        "import ganvas.data.open; import ganvas.theory.game",
        "import ganvas; ganvas.data; import ganvas.data.open",
        "import ganvas; ganvas.train; ganvas.health",
    ],
)
def test_packages_can_be_called_whatever_is_imported_first(imports: str):
    code = (
        f"{imports}\n"
        "from ganvas import data\n"
        "from ganvas.data import open_dataset, View\n"
        "import ganvas.data.view as view\n"
        "assert data is ganvas.data and ganvas.data.open_dataset is open_dataset\n"
        "assert view.View is View and callable(ganvas.theory)\n"
        "print(data('rings').used)"
    )
    assert run_python(code) == "100000\n"
