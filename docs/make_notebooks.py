"""Write the notebooks of the course, `examples/course/`, from its pages, `docs/course/`.

    python docs/make_notebooks.py

The text of a page becomes text, the commands of its section with commands become cells, and its
pictures become cells that show what these commands have made. Two kinds of comments in a page say
how:

    <!-- notebook needs PLACE: COMMAND -->    an earlier step's command, run where PLACE is missing
    <!-- notebook shows PLACE ... -->         what to show instead of the pictures above it

A PLACE is a picture, or a run, of which the newest grid is shown.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "course"
NOTEBOOKS = ROOT / "examples" / "course"

NEEDS = re.compile(r"<!-- notebook needs (\S+): (.+) -->\n\n?")
SHOWS = re.compile(r"(?:!\[[^\n]*\n\s*)+<!-- notebook shows (.+) -->\n")
COMMANDS = re.compile(r"```\n(ganvas [^`]*)```\n")
SET_UP = """\
import os
import sys
from pathlib import Path

from IPython.display import Image, display

os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]


def show(place):
    \"\"\"Show a picture, or the newest grid of a run.\"\"\"
    grids = sorted(Path(place, "samples").glob("*.png"))
    display(Image(filename=str(grids[-1] if grids else place)))


!ganvas --version"""
INSTALL = {
    "en": "Install Ganvas and a kernel first: `pip install . ipykernel` in its folder. In "
    "Colab or AI Studio, upload that folder and run `!pip install ./ganvas` in a cell of its own.",
    "zh": "请先安装 Ganvas 和内核：在 Ganvas 的文件夹里运行 `pip install . ipykernel`。在 Colab 或 "
    "AI Studio 里，先上传这个文件夹，再在单独的一格里运行 `!pip install ./ganvas`。",
}


def make_notebook(page: Path) -> nbformat.NotebookNode:
    """The notebook of a page."""
    text = page.read_text(encoding="utf-8")
    language = "zh" if page.name.endswith(".zh.md") else "en"
    needed = NEEDS.findall(text)
    text = NEEDS.sub("", text)

    title, body = text.split("\n", 1)
    cells = [
        new_markdown_cell(f"{title}\n\n{INSTALL[language]}"),
        new_code_cell(SET_UP),
    ]
    for place, command in needed:
        cells.append(new_code_cell(f'if not Path("{place}").exists():\n    !{command}'))
    cells += list_cells(body)
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # random otherwise: each time another file

    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(
        cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}}
    )


def list_cells(text: str) -> Iterator[nbformat.NotebookNode]:
    """Cut a page into cells of text, commands and pictures."""
    place = 0
    cuts = sorted([*COMMANDS.finditer(text), *SHOWS.finditer(text)], key=lambda cut: cut.start())
    for cut in cuts:
        yield from write_text(text[place : cut.start()])
        if cut.re is COMMANDS:
            # a comment behind a command is for readers of the page
            yield new_code_cell("\n".join(f"!{line}" for line in cut[1].strip().splitlines()))
        else:
            yield new_code_cell("\n".join(f'show("{name}")' for name in cut[1].split()))
        place = cut.end()
    yield from write_text(text[place:])


def write_text(text: str) -> Iterator[nbformat.NotebookNode]:
    """A cell of text, with links that lead to the same pages from the notebook's folder."""
    text = re.sub(r"\]\((\d+-[\w-]+(?:\.zh)?)\.md\)", r"](\1.ipynb)", text)
    text = re.sub(r"\]\((index(?:\.zh)?\.md)\)", r"](../../docs/course/\1)", text)
    text = re.sub(r"\]\(\.\./(?!\.\.)", "](../../docs/", text)
    if text.strip():
        yield new_markdown_cell(text.strip())


def list_notebooks() -> dict[Path, str]:
    """The content of each notebook, by its path."""
    found = {}
    for page in sorted(PAGES.glob("[0-9]*.md")):
        path = NOTEBOOKS / f"{page.name.removesuffix('.md')}.ipynb"
        found[path] = nbformat.writes(make_notebook(page)) + "\n"
    return found


def main() -> None:
    NOTEBOOKS.mkdir(exist_ok=True)
    for path, content in list_notebooks().items():
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
