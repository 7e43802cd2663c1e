"""Write the tree of the package into docs/architecture.md, from the first lines of docstrings.

python docs/make_tree.py
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "ganvas"
PAGE = ROOT / "docs" / "architecture.md"
COLUMN = 32  # where the descriptions begin
OTHERS = {
    "summary.html": "the template of a run's page",
    "page.html": "the template of an experiment's page",
    "py.typed": "the types are public",
}
# Folders without Python code, shown as one line.
STATIC = {
    "static": "the page: HTML, styles, ES modules, texts in two languages; a file a view",
    "zh": "the table: English templates with their Chinese, by area",
    "zoo": "the ready-made generators: a run folder for each, with its card and licence",
}


def describe(file: Path) -> str:
    """What a file is for: the first sentence of its docstring, in small letters."""
    if file.suffix != ".py":
        return OTHERS[file.name]
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    line = " ".join(text.partition("\n\n")[0].split()).rstrip(".")
    # Names such as CycleGAN keep their capitals.
    is_name = any(letter.isupper() for letter in line.partition(" ")[0][1:])
    return line if is_name else line[:1].lower() + line[1:]


def draw_tree(folder: Path, indent: str = "") -> Iterator[str]:
    """The lines of a folder's tree: files first; what a folder says stands in its __init__.py."""
    entries = [
        path
        for path in folder.iterdir()
        if path.name != "__pycache__" and (path.name != "__init__.py" or folder == SOURCE)
    ]
    entries.sort(key=lambda path: (path.is_dir(), path.name))
    for path in entries:
        last = path == entries[-1]
        name = path.name + "/" * path.is_dir()
        start = f"{indent}{'└── ' if last else '├── '}{name}"
        if path.name in STATIC:
            yield f"{start:<{COLUMN}} {STATIC[path.name]}"
            continue
        yield f"{start:<{COLUMN}} {describe(path / '__init__.py' if path.is_dir() else path)}"
        if path.is_dir():
            yield from draw_tree(path, indent + ("    " if last else "│   "))


def main() -> None:
    """Replace the fenced block that begins with `src/ganvas/`."""
    tree = "```\nsrc/ganvas/\n" + "\n".join(draw_tree(SOURCE)) + "\n```"
    page = PAGE.read_text(encoding="utf-8")
    block = re.compile(r"```\nsrc/ganvas/\n.*?\n```", re.DOTALL)
    PAGE.write_text(block.sub(lambda _: tree, page), encoding="utf-8")


if __name__ == "__main__":
    main()
