"""The notebooks in examples/: committed without outputs, and each runs from start to end."""

import re
import runpy
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from pages import ROOT, text

import ganvas

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
COURSE = sorted((ROOT / "examples" / "course").glob("*.ipynb"))
ENGLISH = [path for path in COURSE if not path.stem.endswith(".zh")]


def test_there_are_notebooks_and_a_page_links_them():
    assert [notebook.name for notebook in NOTEBOOKS] == ["digits.ipynb", "your-own-folder.ipynb"]
    page = text("docs/notebooks.md")
    assert all(f"(../examples/{notebook.name})" in page for notebook in NOTEBOOKS)
    assert all(f"(../examples/course/{notebook.name})" in page for notebook in COURSE)


def test_the_notebooks_of_the_course_are_up_to_date():
    made = runpy.run_path(str(ROOT / "docs" / "make_notebooks.py"))["list_notebooks"]()
    assert sorted(made) == COURSE
    for path, content in made.items():
        same = path.read_text(encoding="utf-8") == content  # a diff of them would be long
        assert same, f"{path.name}: run docs/make_notebooks.py"


def list_code(path: Path) -> list[str]:
    notebook = nbformat.read(path, as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", ENGLISH, ids=lambda path: path.stem)
def test_both_languages_of_a_step_have_the_same_cells(path: Path):
    """So it suffices to run one of them."""
    ours, theirs = list_code(path), list_code(path.with_suffix(".zh.ipynb"))
    # comments behind commands are in the page's language
    assert [re.sub(" +# .*", "", cell) for cell in ours] == [
        re.sub(" +# .*", "", cell) for cell in theirs
    ]


@pytest.mark.parametrize("path", [*NOTEBOOKS, *COURSE], ids=lambda path: path.stem)
def test_notebooks_are_committed_without_outputs(path: Path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(ganvas.__file__).parents[1]))  # the same source
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where they put their runs
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=1200, kernel_name="python3").execute(cwd=str(tmp_path))

    # Each shows images, and nothing but a bar and images while it trains.
    shown = "".join(str(cell.get("outputs")) for cell in notebook.cells)
    assert shown.count("image/png") > 2
    assert shown.count("image/webp") >= 1


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the whole course: later steps use what earlier ones made."""
    return tmp_path_factory.mktemp("course")


@pytest.mark.slow
@pytest.mark.parametrize("path", ENGLISH, ids=lambda path: path.stem)
def test_the_course_runs(path: Path, classroom: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(ganvas.__file__).parents[1]))  # the same source
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=1200, kernel_name="python3").execute(cwd=str(classroom))

    # A failed command is no error of its cell, but nothing that it should have made can be shown.
    shown = "".join(str(cell.get("outputs")) for cell in notebook.cells)
    assert "ganvas: " not in shown and "Traceback" not in shown, shown
    if any("show(" in cell.source for cell in notebook.cells[2:]):
        assert "image/png" in shown
