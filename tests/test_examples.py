"""The notebooks in examples/: committed without outputs, and each runs from start to end."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from pages import ROOT, text

import ganvas

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def test_there_are_notebooks_and_a_page_links_them():
    assert [notebook.name for notebook in NOTEBOOKS] == ["digits.ipynb", "your-own-folder.ipynb"]
    page = text("docs/notebooks.md")
    assert all(f"(../examples/{notebook.name})" in page for notebook in NOTEBOOKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
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
