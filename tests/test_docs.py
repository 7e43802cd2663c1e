"""The documentation: its commands, its example, its numbers and its links are true."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_architecture import SOURCE, tree_in
from tiny import FixedClock, make_batch, make_context, make_gan

import ganvas
from ganvas.cli import app
from ganvas.cli.flags import AS_IT_IS, parse_settings
from ganvas.gans import GANS
from ganvas.gans.options import option_defaults
from ganvas.recipes import RECIPES, get_recipe
from ganvas.recipes.auto import AUTO
from ganvas.recipes.listing import parameter_counts
from ganvas.recipes.recipe import change
from ganvas.rng import StepRng
from ganvas.training.step import take_step

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in [*ROOT.glob("README*.md"), *sorted(ROOT.glob("docs/**/*.md"))]
}
PAGE_OF = {
    "mlp": "mlp",
    "mlp-deep": "mlp",
    "mlp-tanh": "mlp",
    "dcgan": "dcgan",
    "avatar-dcgan": "dcgan",
    "cdcgan": "cdcgan",
    "relativistic": "relativistic",
    "r3gan": "r3gan",
    "sngan": "sngan",
    "wgan-gp": "wgan-gp",
    "points": "points",
    "points-relativistic": "points",
    "cyclegan": "cyclegan",
    "stargan": "stargan",
    "inpaint": "inpaint",
    "pix2pix": "pix2pix",
    "gawwn-box": "gawwn",
    "gawwn-keypoints": "gawwn",
}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pages = pytest.mark.parametrize("page", PAGES)
gans = pytest.mark.parametrize("gan", GANS)


def text(page: str) -> str:
    return PAGES[page].read_text(encoding="utf-8")


def gan_page(gan: str) -> str:
    return text(f"docs/gans/{PAGE_OF[gan]}.md")


# Commands


def command_lines(markdown: str) -> Iterator[str]:
    """Each `ganvas ...` of fenced blocks, also behind torchrun or make's prefixes, and of inline
    code.
    """
    for language, block in FENCE.findall(markdown):
        if language in ("", "bash", "sh", "console"):
            for line in block.replace("\\\n", " ").splitlines():
                found = re.match(
                    r"\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:torchrun .*-m )?(ganvas\b.*)", line
                )
                if found:
                    yield found[1]
    for code in re.findall(r"`([^`\n]+)`", FENCE.sub("", markdown)):
        found = re.match(r"(?:torchrun .*-m )?(ganvas .*)", code)
        if found:
            yield found[1]


def check(command: str) -> None:
    """Parse a command as the command line does, without running it; check names and settings too."""
    _, *tokens = shlex.split(command, comments=True)
    if len(tokens) < 2 and tokens != ["train"]:
        assert not tokens or tokens[0] in app, command  # only the verb is meant
        return
    verb, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
    given = bound.arguments
    if verb.__name__ == "train" and given.get("recipe") == AUTO:
        parse_settings(given.get("settings") or [])
        assert given.get("data"), "auto chooses settings for data"
    elif verb.__name__ == "train":
        recipe = get_recipe(given.get("recipe") or "digits")
        change(
            recipe,
            parse_settings(given.get("settings") or []) | given.get("look", AS_IT_IS).given(),
        )
        assert given.get("recipe") is None or recipe.data or given.get("data"), (
            "its recipe needs --data"
        )
    elif verb.__name__ == "recipes" and given.get("name") not in (None, AUTO):
        get_recipe(given["name"])


@pytest.mark.parametrize(
    ("page", "command"),
    [(page, command) for page in PAGES for command in command_lines(text(page))],
)
def test_commands(page: str, command: str):
    check(command)


@pytest.mark.parametrize(
    "command",
    [
        "ganvas trian",
        "ganvas trian digits",
        "ganvas train digts",
        "ganvas train --bacth 3",
        "ganvas train --set options.widht=3",
        "ganvas train --images many",
        "ganvas train dcgan-64",
        "ganvas train digits --fit squeeze",
        "ganvas recipes digts",
        "ganvas sample --count 3",
    ],
)
def test_wrong_commands_are_found(command: str):
    with pytest.raises(Exception, match=r"\S"):
        check(command)


def test_commands_are_found_where_they_stand():
    block = "```\nganvas a \\\n  --b\n$ ganvas c\ntorchrun --n 2 -m ganvas d\nls\n```\n"
    found = command_lines(f"Text `ganvas recipes` and `nothing`.\n\n{block}")
    assert [" ".join(line.split()) for line in found] == [
        "ganvas a --b",
        "ganvas c",
        "ganvas d",
        "ganvas recipes",
    ]


@pages
def test_make_targets(page: str):
    targets = set(
        re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    blocks = "\n".join(block for _, block in FENCE.findall(text(page)))
    named = re.findall(r"^make ([\w-]+)", blocks, re.MULTILINE) + re.findall(
        r"`make ([\w-]+)`", text(page)
    )
    assert set(named) <= targets


# Links


def anchors(markdown: str) -> set[str]:
    """What `#...` may follow a page's name: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", markdown), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pages
def test_links(page: str):
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text(page))):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        file = (PAGES[page].parent / place).resolve() if place else PAGES[page]
        assert file.exists(), f"{page} links to {target}"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file.read_text(encoding="utf-8")), f"{page} links to {target}"


@pages
def test_nothing_is_left_to_fill_in(page: str):
    assert not re.findall(r"@[A-Z_]+@|\bTODO\b|\bFIXME\b", text(page))


# A page for each GAN


def test_every_gan_has_a_page():
    assert PAGE_OF.keys() == GANS.keys()
    assert {path.stem for path in (ROOT / "docs" / "gans").glob("*.md")} == set(PAGE_OF.values())


@pytest.mark.parametrize("name", RECIPES)
def test_parameter_counts(name: str):
    recipe = get_recipe(name)
    counts = parameter_counts(recipe)
    others = ", ".join(
        f"{player} {count:,}" for player, count in counts.items() if player != "generator"
    )
    sentence = f"generator {counts['generator']:,} parameters, {others}."
    assert sentence in gan_page(recipe.gan)


@gans
def test_layers_add_up(gan: str):
    """The last column of a table of layers has the parameters of the players of the recipe that is
    named last before it.
    """
    totals = {f"{counts['generator']:,}": sum(counts.values()) for counts in recipe_counts(gan)}
    named, found = "", 0
    for generator, table in re.findall(
        r"generator ([\d,]+) parameters|(\| player \|.*?\n\n)", gan_page(gan), re.DOTALL
    ):
        named = generator or named
        if table and named in totals:
            found += 1
            assert (
                sum(
                    int(n.replace(",", ""))
                    for n in re.findall(r"\| ([\d,]+) \|$", table, re.MULTILINE)
                )
                == totals[named]
            )
    assert found


def recipe_counts(gan: str) -> list[dict[str, int]]:
    """The parameters of the players in each recipe of a GAN."""
    return [parameter_counts(recipe) for recipe in map(get_recipe, RECIPES) if recipe.gan == gan]


@gans
def test_options(gan: str):
    page = gan_page(gan)
    if gan != PAGE_OF[gan] or f"\n`{gan}`:\n\n| option |" in page:
        page = page.partition(f"\n`{gan}`:\n\n| option |")[2]
    else:
        page = page.partition("| option |")[2]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", page.partition("\n\n")[0], re.MULTILINE)
    defaults = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in option_defaults(gan).items()
    }
    assert {key: json.loads(value) for key, value in rows} == defaults


@gans
def test_logged_keys(gan: str):
    context = make_context(make_gan(gan))
    values = take_step(context, make_batch(context.gan, 4), FixedClock(), StepRng(0, 0))
    section = gan_page(gan).partition("## What each logged number means")[2].partition("\n## ")[0]
    assert values.keys() <= set(re.findall(r"^\| `([\w/]+)` \|", section, re.MULTILINE))


# Add a GAN


def example() -> list[str]:
    return [
        block
        for language, block in FENCE.findall(text("docs/add-a-gan.md"))
        if language == "python"
    ]


@pytest.fixture
def tables() -> Iterator[None]:
    """Take what the example enters into the tables out again."""
    gans, known = dict(GANS), dict(RECIPES)
    yield
    GANS.clear()
    GANS.update(gans)
    RECIPES.clear()
    RECIPES.update(known)


def test_the_example_trains_and_goes_on(
    tables: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    space = {"__name__": "my_gan"}
    for block in example():
        exec(compile(block, "docs/add-a-gan.md", "exec"), space)
    run = space["run"]
    assert isinstance(run, ganvas.Run)
    assert space["pictures"].shape == (16, 1, 8, 8)
    assert run.about["images"] >= 2_000
    assert option_defaults("mlp-wasserstein").keys() == {
        "hidden",
        "noise_size",
        "penalty_weight",
        "n_critic",
    }
    assert (
        ganvas.train("digits-wasserstein", out="runs/wasserstein", images=2_500, quiet=True).about[
            "images"
        ]
        >= 2_500
    )
    check_files(Path("runs/wasserstein"))


def check_files(run: Path) -> None:
    """Every file of a run and every key of its JSON stands in the architecture's page."""
    page = text("docs/architecture.md")
    newest = sorted((run / "checkpoints").iterdir())[-1]
    files = [path.name for path in [*run.iterdir(), *newest.iterdir()]]
    about, training, data = (
        json.loads(file.read_text())
        for file in (newest / "about.json", newest / "training.json", run / "data.json")
    )
    keys = [*about, *about["gan"], *about["data"], *about["versions"], *training, *data]
    kinds = [json.loads(line)["kind"] for line in (run / "log.jsonl").read_text().splitlines()]
    for name in {*files, *keys, *kinds}:
        assert f"`{name}" in page, f"{name} is not in docs/architecture.md"


@pytest.mark.slow
def test_the_contract_holds_for_the_example(tmp_path: Path):
    """Its tests run by themselves once it is in the table, as the page says."""
    options = re.search(r'`("mlp-wasserstein": \{.*?\})`', text("docs/add-a-gan.md"))
    assert options
    (tmp_path / "my_gan.py").write_text("\n".join(example()[:2]), encoding="utf-8")
    (tmp_path / "entered.py").write_text(
        f"import my_gan, tiny\ntiny.OPTIONS |= {{{options[1]}}}\n", encoding="utf-8"
    )
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "tests")]),
        "OMP_NUM_THREADS": "1",
    }
    chosen = "mlp-wasserstein and not papers_formulas or every_gan_is_tested"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "entered",
        "-p",
        "no:cacheprovider",
        "tests/gans/test_contract.py",
        "-k",
        chosen,
    ]
    answer = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout
    passed = re.search(r"(\d+) passed", answer.stdout)
    assert passed
    assert int(passed[1]) > 20


# Architecture


def test_the_architectures_tree_is_the_real_tree():
    files = (
        file for file in SOURCE.rglob("*") if file.is_file() and "__pycache__" not in file.parts
    )
    assert tree_in(text("docs/architecture.md")) == {
        file.relative_to(SOURCE).as_posix() for file in files
    }


@pages
def test_python_blocks_are_python(page: str):
    for language, block in FENCE.findall(text(page)):
        if language == "python":
            compile(block, page, "exec")
