"""What a person is told to expect of a training: measured runs, with pictures that exist."""

from pathlib import Path

from ganvas.recipes import get_recipe
from ganvas.recipes.expectations import MEASURED, describe_expectation, nearest_run
from ganvas.recipes.recipe import change

DOCS = Path(__file__).parents[2] / "docs"
SMALL = DOCS.parent / "src" / "ganvas" / "studio" / "static" / "expect"


def test_expectations_name_pictures_that_exist():
    headings = (DOCS / "results.md").read_text()
    for run in MEASURED:
        assert (DOCS / "pictures" / run.picture).is_file(), run.picture
        assert (SMALL / f"{Path(run.picture).stem}.webp").is_file(), "run make api"
        assert f"# {run.section}\n" in headings, run.section


def test_the_nearest_run():
    avatars = get_recipe("avatars-fast")
    near = nearest_run(avatars, 180)
    assert near and (near.recipe, near.size) == ("avatars-fast", 48)
    larger = nearest_run(change(avatars, {"size": 64}), 700)
    assert larger and larger.picture == "avatars-15-minutes.webp"
    assert "no run of sngan was measured" in describe_expectation(get_recipe("sngan"), 60)[0]


def test_no_small_picture_is_left_over():
    assert {path.stem for path in SMALL.iterdir()} == {Path(run.picture).stem for run in MEASURED}
