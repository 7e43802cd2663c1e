"""Who may import whom, what nobody may call, and that the README's tree is the real one."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "ganvas"

# The lower half of the package: the only modules of ours that each may import.
MAY_IMPORT = {
    "errors": set(),
    "console": set(),
    "cache": set(),
    "files": {"errors"},
    "download": {"console", "errors", "files"},
    "images": {"errors", "files"},
    "grids": {"images"},
    "scatter": {"data", "data.points", "grids"},
    "losses": {"errors"},
    "masks": set(),
    "networks": {"errors"},
    "placing": {"networks"},
    "text": {"networks"},
    "augment": set(),
    "schedule": set(),
    "schema": set(),
    "draws": set(),
    "gradients": set(),
    "lanes": set(),
    "products": set(),
    "engine": {"draws", "errors", "gradients"},
    "averaging": {"gans", "gans.base", "schedule"},
    "progress": {"console", "engine", "errors", "files", "schedule"},
    "rounds": {"draws", "engine", "errors", "gans", "gans.base"},
    "tape": {"draws", "gans", "gans.base"},
    "graphs": {"draws", "gans", "gans.base", "rounds", "tape"},
    "recipe": {"data", "data.dataset", "errors", "gans", "gans.base", "schedule"},
    "recipes": {"errors", "recipe", "recipes.fast", "recipes.papers", "recipes.translation", "recipes.tutorials"},
    **{f"recipes.{room}": {"recipe"} for room in ("fast", "papers", "translation", "tutorials")},
    "batches": {"data", "data.dataset", "data.framing", "data.split", "draws", "engine", "errors", "images", "lanes", "recipe"},
}
A_GAN_MAY_IMPORT = {"augment", "networks", "losses", "masks", "placing", "text", "draws", "errors", "schema", "gans.base"}
DATA_MAY_IMPORT = {"cache", "console", "download", "errors", "files", "grids", "images", "scatter", "schema", "text"}
METRICS_MAY_IMPORT = {"cache", "console", "download", "errors", "files", "images"}
EVALUATION_MAY_IMPORT = METRICS_MAY_IMPORT - {"download"} | {
    *("batches", "blend", "checkpoint", "draws", "engine", "gans.base", "grids", "recipe", "sample"),
}
UNPICKLERS = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}


def name_of(file: Path) -> str:
    """src/ganvas/gans/mlp.py is "gans.mlp", src/ganvas/gans/__init__.py is "gans"."""
    parts = file.relative_to(SOURCE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "ganvas"


TREES = {name_of(file): ast.parse(file.read_text(encoding="utf-8")) for file in SOURCE.rglob("*.py")}
COMMAND_LINE = sorted(name for name in TREES if name.split(".")[0] == "cli")  # what nothing else may import
modules = pytest.mark.parametrize("module", sorted(TREES))


def statements(node: ast.AST, inside: bool) -> Iterator[ast.AST]:
    """The nodes below; without `inside`, only what runs when the module is imported. Never what is for the type checker alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.FunctionDef) and not inside:
            continue
        yield child
        yield from statements(child, inside)


def imports(module: str, inside: bool = True) -> set[str]:
    """Dotted names of all that a module imports; `from a import b` is a.b where that is a module, else a."""
    found = set()
    for node in statements(TREES[module], inside):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole.removeprefix("ganvas.") in TREES else str(node.module))
    return found


def ours(module: str, inside: bool = True) -> set[str]:
    """The modules of ganvas that a module imports."""
    return {name.removeprefix("ganvas.") for name in imports(module, inside) if name.split(".")[0] == "ganvas"}


def called(module: str) -> set[str]:
    """Dotted names of all that a module calls, as written."""
    return {ast.unparse(node.func) for node in ast.walk(TREES[module]) if isinstance(node, ast.Call)}


# Arrows


def test_the_parser_sees_imports():
    assert {"losses", "networks", "gans.base"} <= ours("gans.dcgan")
    assert "trainer" in ours("cli.training")
    assert "torch" in imports("losses")
    assert ours("cli.training", inside=False) == {"errors", "cli.flags"}
    assert "ganvas.trainer" not in imports("ganvas")  # there for the type checker alone


def test_imports_make_no_circle():
    TopologicalSorter({module: ours(module) for module in TREES}).prepare()


@pytest.mark.parametrize("module", MAY_IMPORT)
def test_the_lower_half_points_downwards(module):
    assert ours(module) <= MAY_IMPORT[module]


@pytest.mark.parametrize("module", sorted(name for name in TREES if name.startswith("gans.")))
def test_a_gan_imports_no_other(module):
    allowed = {"draws", "errors", "schema"} if module == "gans.base" else A_GAN_MAY_IMPORT
    assert ours(module) <= allowed


@pytest.mark.parametrize("module", sorted(name for name in TREES if name.split(".")[0] == "data"))
def test_data_knows_nothing_of_gans(module):
    others = {name for name in ours(module) if name.split(".")[0] != "data"}
    assert others <= DATA_MAY_IMPORT


@pytest.mark.parametrize("module", sorted(name for name in TREES if name.split(".")[0] == "metrics"))
def test_metrics_know_nothing_of_gans(module):
    assert {name for name in ours(module) if name.split(".")[0] != "metrics"} <= METRICS_MAY_IMPORT


@pytest.mark.parametrize("module", sorted(name for name in TREES if name.split(".")[0] == "evaluation"))
def test_evaluation_knows_nothing_of_training(module):
    assert {name for name in ours(module) if name.split(".")[0] not in ("evaluation", "metrics", "data")} <= EVALUATION_MAY_IMPORT


@modules
def test_the_theory_stands_alone(module):
    """It may use losses and pictures, no GAN and no training; nothing but the command line needs it."""
    inside = module.split(".")[0] == "theory"
    needed = {name for name in ours(module) if name.split(".")[0] == "theory"}
    assert inside or module == "cli.judging" or not needed
    assert not inside or ours(module) - needed <= {"losses", "console", "draws", "errors", "files", "curves", "timelapse"}


@modules
def test_nothing_imports_the_command_line(module):
    assert module in ("__main__", *COMMAND_LINE) or not ours(module) & {"__main__", *COMMAND_LINE}


# What nobody may do


@modules
def test_nothing_is_ever_unpickled(module):
    assert not {name.split(".")[0] for name in imports(module)} & UNPICKLERS
    assert not called(module) & {"torch.load", "torch.save", "eval", "exec"}
    keywords = [node for node in ast.walk(TREES[module]) if isinstance(node, ast.keyword)]
    assert not any(keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False" for keyword in keywords)


@modules
def test_pictures_are_decoded_in_one_place(module):
    """The user's files, that is; the time-lapse opens the grids that a run wrote itself."""
    opens = {name for name in called(module) if name in ("Image.open", "Image.frombuffer") or name.startswith("simplejpeg.")}
    assert not opens or module in ("images", "timelapse")


@modules
def test_only_the_console_prints(module):
    """All else prints through it, so that no text from outside is ever parsed as markup or sent to the terminal as it is."""
    own = {"rich.console.Console", "rich.progress.TextColumn", "rich.progress.track", "rich.text.Text", "rich.print"}
    named = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert module == "console" or not named & own
    assert module == "console" or not called(module) & {"print", "sys.stdout.write", "sys.stderr.write", "traceback.print_exc"}


@modules
def test_only_the_engine_knows_the_other_processes(module):
    assert module == "engine" or not any(name.startswith("torch.distributed") for name in imports(module))


# Speed of the command line


@pytest.mark.parametrize("module", ["ganvas", *COMMAND_LINE, "console", "errors", "files"])
def test_no_torch_at_module_level(module):
    assert not any(name.split(".")[0] in ("torch", "numpy", "matplotlib") for name in imports(module, inside=False))


def test_the_command_line_starts_without_torch():
    code = "import sys, ganvas.cli; print([name for name in ('torch', 'numpy', 'matplotlib', 'PIL') if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"


# README


def tree_in(readme: str) -> set[str]:
    """The files, relative to src/ganvas, of the fenced block that begins with `src/ganvas/`; one file or folder a line."""
    block = re.search(r"^```\w*\n(src/ganvas/.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert block, "README.md has no fenced block that begins with src/ganvas/"
    files, folders = set(), [""]
    for line in block.group(1).splitlines()[1:]:
        found = re.match(r"([│├└─ ]+)([\w.]+/?)(\s|$)", line)
        if found:
            depth, name = len(found[1]) // 4, found[2]
            folders[depth:] = [folders[depth - 1] + name]
            if not name.endswith("/"):
                files.add(folders[depth])
    return files


def test_the_parser_reads_a_tree():
    readme = """Text.

```
src/ganvas/
├── gans/            one file per paper
│   ├── base.py      the contract
│   └── deep/
│       └── mlp.py   start reading here
└── losses.py        pure functions
```
"""
    assert tree_in(readme) == {"gans/base.py", "gans/deep/mlp.py", "losses.py"}


def test_the_readmes_tree_is_the_real_tree():
    real = {
        file.relative_to(SOURCE).as_posix() for file in SOURCE.rglob("*") if file.is_file() and "__pycache__" not in file.parts
    }
    assert tree_in((ROOT / "README.md").read_text(encoding="utf-8")) == real
