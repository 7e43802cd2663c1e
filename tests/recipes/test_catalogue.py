"""The list of recipes: every row is true, it fits a terminal, and it needs no torch."""

import subprocess
import sys

import pytest

from ganvas.cli import main
from ganvas.recipes import RECIPES, get_recipe
from ganvas.recipes.catalogue import CATALOGUE, YOURS
from ganvas.recipes.listing import parameter_counts

# What recipes without a data set of their own are for.
KINDS = {
    "pix2pix": "image pairs",
    "pix2pix-fast": "image pairs",
    "cyclegan": "two folders",
    "cyclegan-fast": "two folders",
    "stargan": "attributes",
    "stargan-fast": "attributes",
    "gawwn-box": "captions",
    "gawwn-fast": "captions",
}


def test_every_recipe_has_a_row():
    assert list(CATALOGUE) == list(RECIPES)


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_row_is_that_of_its_recipe(name: str):
    row, recipe = CATALOGUE[name], get_recipe(name)
    colours = "grey" if recipe.channels == 1 else "rgb"
    size = "points" if recipe.channels == 2 else f"{recipe.size} {colours}"
    assert row.parameters == sum(parameter_counts(recipe).values())
    assert row.data == (recipe.data or KINDS.get(name, YOURS))
    assert row.size == size
    assert len(row.purpose) <= 19


@pytest.mark.parametrize("columns", [80, 120])
def test_the_list_fits_and_nothing_is_cut(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("COLUMNS", str(columns))
    main(["recipes"])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)
    first_words = [line.split()[0] for line in lines[2:] if line][: len(RECIPES) + 1]
    assert first_words == ["auto", *RECIPES]


def test_the_list_imports_no_torch():
    code = (
        "import sys; from ganvas.cli import main; main(['recipes'])\n"
        "assert not {'torch', 'numpy', 'PIL', 'pydantic'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
