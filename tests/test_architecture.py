"""The arrows between packages, what no module may do, and the trees that the docs show."""

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

# A package imports only what stands to its right; packages of one group do not know each other.
ARROWS = (
    "__main__ → cli → studio | api → export | whatif → training → evaluation → "
    "inference | loggers → runs → recipes → data | gans → "
    "io | schema | rng | devices | callable → errors → texts"
)
LEVELS = [group.split(" | ") for group in ARROWS.split(" → ")]
RIGHT_OF = {
    package: {name for later in LEVELS[level + 1 :] for name in later}
    for level, group in enumerate(LEVELS)
    for package in group
}

# Rules that are narrower than the line: a part of a package, and all of ours that it may import.
NARROWER = {
    "evaluation.metrics": {"io", "rng", "errors"},
    "gans.nn": {"rng", "errors"},
    "theory": {"gans.nn.losses", "io", "rng", "callable", "errors"},
}

UNPICKLERS = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
# What reads files that others may have written, and the modules that may.
RAW_READERS = {
    "json.load": set(),
    "json.loads": {"texts.table"},  # our own files
    "safe_open": {"io.tensors"},
    "load_file": {"io.tensors"},
    "csv.reader": {"io.tables"},
    "tarfile.open": {"data.shards.write", "data.shards.tar"},  # they write
    "zipfile.ZipFile": {
        "data.folders.source",
        "data.arrays.files",
        "studio.api.use",
    },  # the latter writes
    "np.load": {"data.store", "data.arrays.files", "data.folders.rows", "data.folders.attributes"},
}
DECODERS = ("Image.open", "Image.frombuffer", "simplejpeg.")
SLOW_TO_IMPORT = {"torch", "numpy", "matplotlib", "mpl_toolkits", "PIL", "pydantic"}


def name_of(file: Path) -> str:
    """src/ganvas/gans/mlp.py is "gans.mlp", src/ganvas/gans/__init__.py is "gans"."""
    parts = file.relative_to(SOURCE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "ganvas"


TREES = {
    name_of(file): ast.parse(file.read_text(encoding="utf-8")) for file in SOURCE.rglob("*.py")
}


def statements(node: ast.AST, inside: bool) -> Iterator[ast.AST]:
    """The nodes below, without what is for the type checker alone.

    Args:
        inside: whether the bodies of functions count; without them it is what runs on import.
    """
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.FunctionDef) and not inside:
            continue
        yield child
        yield from statements(child, inside)


def imports(module: str, inside: bool = True) -> set[str]:
    """Dotted names of all that a module imports; `from a import b` is a.b if that is a module."""
    found = set()
    for node in statements(TREES[module], inside):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                is_module = whole.removeprefix("ganvas.") in TREES
                found.add(whole if is_module else str(node.module))
    return found


def ours(module: str) -> set[str]:
    """The modules of ganvas that a module imports."""
    return {
        name.removeprefix("ganvas.") for name in imports(module) if name.split(".")[0] == "ganvas"
    }


def called(module: str) -> dict[str, ast.Call]:
    """All that a module calls, by dotted name as written."""
    nodes = ast.walk(TREES[module])
    return {ast.unparse(node.func): node for node in nodes if isinstance(node, ast.Call)}


def lies_in(module: str, packages: set[str]) -> bool:
    """Whether a module is one of these, or inside one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


# 1. Arrows


def test_the_parser_sees_imports():
    assert {"gans.nn.losses", "gans.nn.networks", "gans.base"} <= ours("gans.dcgan")
    assert "training.trainer" in ours("cli.training")
    assert "torch" in imports("gans.nn.losses")
    assert "torch" not in imports("cli.training", inside=False)
    assert "ganvas.training.trainer" not in imports("ganvas")  # for the type checker alone


def test_every_package_imports_only_those_to_its_right():
    offenders = []
    for module in TREES:
        package = module.split(".")[0]
        if package in ("ganvas", "theory"):
            continue
        for target in ours(module):
            other = target.split(".")[0]
            if other == "theory":
                allowed = package in ("cli", "studio")
            else:
                allowed = other == package or other in RIGHT_OF[package]
            if not allowed:
                offenders.append(f"{module} → {target}")

    assert not offenders


def test_narrower_rules_hold():
    offenders = []
    for part, allowed in NARROWER.items():
        for module in TREES:
            if lies_in(module, {part}):
                wrong = {target for target in ours(module) if not lies_in(target, {part} | allowed)}
                offenders += [f"{module} → {target}" for target in wrong]
    assert not offenders


def test_no_gan_imports_another():
    papers = {name for name in TREES if re.fullmatch(r"gans\.(?!nn)(\w+\.)?\w+", name)}
    papers -= {"gans.base", "gans.options", "gans.nn"}
    # packages, and what the GANs of a package share
    papers -= {
        "gans.cut",
        "gans.cut.networks",
        "gans.gawwn",
        "gans.inpaint",
        "gans.pix2pix",
        "gans.stargan",
    }
    papers -= {"gans.gawwn.blocks", "gans.gawwn.captions", "gans.gawwn.keypoint_networks"}
    papers -= {"gans.gawwn.place_networks"}
    papers -= {"gans.inpaint.holes", "gans.pix2pix.pairs", "gans.stargan.attributes"}
    offenders = [f"{module} → {other}" for module in papers for other in ours(module) & papers]
    assert not offenders


def test_imports_make_no_circle():
    TopologicalSorter({module: ours(module) for module in TREES}).prepare()


def public_names(module: str) -> set[str] | None:
    """What a module's `__all__` lists; None: it has none."""
    for node in TREES[module].body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return None


def test_modules_import_only_what_is_public():
    """Each module says in `__all__` what it offers; what begins with an underscore is its own."""
    offenders = []
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not str(node.module).startswith("ganvas"):
                continue
            source = str(node.module).removeprefix("ganvas").removeprefix(".") or "ganvas"
            public = public_names(source)
            for alias in node.names:
                is_module = f"{source}.{alias.name}".removeprefix("ganvas.") in TREES
                hidden = public is not None and alias.name not in public
                if not is_module and (alias.name.startswith("_") or hidden):
                    offenders.append(f"{module} imports {alias.name} from {source}")

    assert not offenders


# 2. What no module may do


def test_nothing_is_ever_unpickled():
    offenders = []
    for module in TREES:
        found = {name.split(".")[0] for name in imports(module)} & UNPICKLERS
        found |= called(module).keys() & {"torch.save", "eval", "exec"}
        for node in ast.walk(TREES[module]):
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                found |= {"allow_pickle"} if ast.unparse(node.value) != "False" else set()
        offenders += [f"{module}: {name}" for name in sorted(found)]
    assert not offenders


def test_torch_load_reads_published_weights_alone():
    """In one module, which checks the digest first, and always with weights_only=True."""
    offenders = []
    for module in TREES:
        for node in ast.walk(TREES[module]):
            by_name = isinstance(node, ast.ImportFrom) and str(node.module).startswith("torch")
            if by_name and any(alias.name == "load" for alias in node.names):
                offenders.append(f"{module}: imports torch.load by name")
            used = isinstance(node, ast.Attribute) and ast.unparse(node) == "torch.load"
            if used and module != "evaluation.metrics.weights":
                offenders.append(f"{module}: torch.load")
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                keywords = {word.arg: ast.unparse(word.value) for word in node.keywords}
                if keywords.get("weights_only") != "True":
                    offenders.append(f"{module}: torch.load without weights_only=True")

    assert not offenders
    assert "torch.load" in called("evaluation.metrics.weights")  # the test sees the call


def test_images_are_decoded_in_one_place():
    """The user's files, that is; animations open the grids that a run wrote itself."""
    allowed = {"io.image_files", "io.jpeg", "io.animation"}
    offenders = [
        f"{module}: {name}"
        for module in TREES.keys() - allowed
        for name in called(module)
        if name.startswith(DECODERS)
    ]
    assert not offenders


def test_only_the_console_prints():
    """So no text from outside is ever parsed as markup or sent to a terminal unescaped."""
    of_rich = {
        "rich.console.Console",
        "rich.progress.TextColumn",
        "rich.progress.track",
        "rich.text.Text",
        "rich.print",
    }
    printing = {"print", "sys.stdout.write", "sys.stderr.write", "traceback.print_exc"}
    offenders = []
    for module in TREES.keys() - {"io.console"}:
        named = {
            f"{node.module}.{alias.name}"
            for node in ast.walk(TREES[module])
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        found = (named & of_rich) | (called(module).keys() & printing)
        offenders += [f"{module}: {name}" for name in sorted(found)]

    assert not offenders


def test_only_the_engine_knows_the_other_processes():
    offenders = [
        module
        for module in TREES.keys() - {"training.engine"}
        if any(name.startswith("torch.distributed") for name in imports(module))
    ]
    assert not offenders


def test_nothing_needs_a_system_other_than_windows():
    """Modules and names that Windows lacks; `resource` is asked for where it may be missing."""
    lacking = {"fcntl", "grp", "pwd", "pty", "resource", "termios"}
    names = {"os.fork", "os.getuid", "os.killpg", "os.setsid", "signal.SIGHUP", "signal.SIGKILL"}
    offenders = []
    for module, tree in TREES.items():
        found = imports(module, inside=False) & lacking
        attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
        found |= {ast.unparse(node) for node in attributes} & names
        offenders += [f"{module}: {name}" for name in sorted(found)]
    assert not offenders


# 3. The command line starts at once


def test_the_command_line_starts_without_torch():
    code = f"import sys, ganvas.cli; print(sorted({SLOW_TO_IMPORT} & sys.modules.keys()))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"


# 4. Trees in the docs


def tree_in(page: str) -> set[str]:
    """The files and folders, relative to src/ganvas, of the fenced block that begins with it."""
    block = re.search(r"^```\w*\n(src/ganvas/.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert block, "no fenced block begins with src/ganvas/"

    found, folders = set(), [""]
    for line in block.group(1).splitlines()[1:]:
        match = re.match(r"([│├└─ ]+)([\w.]+/?)(\s|$)", line)
        if match:
            depth, name = len(match[1]) // 4, match[2]
            folders[depth:] = [folders[depth - 1] + name]
            assert folders[depth] not in found, f"{folders[depth]} is there twice"
            found.add(folders[depth])
    return found


def test_the_parser_reads_a_tree():
    page = """Text.

```
src/ganvas/
├── gans/            one file per paper
│   ├── base.py      the contract
│   └── deep/
│       └── mlp.py   start reading here
└── losses.py        pure functions
```
"""
    files = {"gans/base.py", "gans/deep/mlp.py", "losses.py"}
    assert tree_in(page) == files | {"gans/", "gans/deep/"}


def real_tree() -> set[str]:
    """Every file of the package, relative to src/ganvas, but for those of the page."""
    files = [file for file in SOURCE.rglob("*") if file.is_file()]
    paths = {file.relative_to(SOURCE).as_posix() for file in files}
    return {
        path
        for path in paths
        if "__pycache__" not in path and "/static/" not in path and "/zh/" not in path
    }


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_readmes_tree_is_the_top_of_the_real_tree(page: str):
    shown = tree_in((ROOT / page).read_text(encoding="utf-8"))
    top = {path.partition("/")[0] + "/" * ("/" in path) for path in real_tree()}
    assert shown == top


def test_the_architecture_pages_tree_is_the_real_tree():
    shown = tree_in((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    # there are run folders, and files of the table
    code = {path for path in real_tree() if not path.startswith(("zoo/", "texts/zh/"))}
    assert {path for path in shown if not path.endswith("/")} == {
        path for path in code if path.rpartition("/")[2] != "__init__.py" or "/" not in path
    }


def test_files_of_others_are_read_by_their_readers_alone():
    offenders = [
        f"{module} calls {name}"
        for module in TREES
        for name in called(module)
        if name in RAW_READERS and module not in RAW_READERS[name]
    ]
    assert offenders == []
