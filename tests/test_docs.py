"""The documentation: its commands, its numbers and its links are true.

Each test checks one rule on all pages and lists every offender.
"""

import ast
import re
import runpy
import shlex
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version

from pages import FENCE, PAGES, ROOT, text

import ganvas
from ganvas.cli import app
from ganvas.cli.flags import AS_IT_IS, parse_settings
from ganvas.recipes import RECIPES, get_recipe
from ganvas.recipes.auto import AUTO
from ganvas.recipes.origin import Origin
from ganvas.recipes.recipe import change
from ganvas.training.epochs import read_periods

SHELL = ("", "bash", "sh", "console")  # languages of blocks that may hold commands
CODE = re.compile(r"`([^`\n]+)`")
OF_THE_EXAMPLE = {"src/ganvas/gans/wasserstein.py", "docs/gans/wasserstein.md"}  # files to be added


# Commands


def command_lines(markdown: str) -> Iterator[str]:
    """Each `ganvas ...` of fenced blocks, also behind torchrun or make's prefixes, and of inline
    code.
    """
    for language, block in FENCE.findall(markdown):
        if language in SHELL:
            for line in block.replace("\\\n", " ").splitlines():
                found = re.match(
                    r"\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:torchrun .*-m )?(ganvas\b.*)", line
                )
                if found:
                    yield found[1]
    for code in CODE.findall(FENCE.sub("", markdown)):
        found = re.match(r"(?:torchrun .*-m )?(ganvas .*)", code)
        if found:
            yield found[1]


def check(command: str) -> None:
    """Parse a command as the command line does, without running it; check its names, too."""
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
        if given.get("from_"):
            origin = Origin(checkpoint="runs/other/checkpoints/000000000100", digest="0" * 64)
            recipe = recipe.model_copy(update={"origin": origin})
        settings = parse_settings(given.get("settings") or [])
        for key in read_periods(settings):
            del settings[key]  # periods in epochs need the data
        change(recipe, settings | given.get("look", AS_IT_IS).given())
        own_data = given.get("recipe") is None or recipe.data
        assert own_data or given.get("data"), "its recipe needs --data"
    elif verb.__name__ == "recipes" and given.get("name") not in (None, AUTO):
        get_recipe(given["name"])


@cache  # pages show the same commands
def refusal(command: str) -> str:
    """Why a command is wrong, or ""."""
    try:
        check(command)
    except Exception as error:
        return " ".join(str(error).split()) or type(error).__name__
    return ""


def test_commands():
    offenders = [
        f"{page}: {command}: {reason}"
        for page in PAGES
        for command in dict.fromkeys(command_lines(text(page)))
        if (reason := refusal(command.partition("  #")[0].strip()))
    ]
    assert not offenders, "\n".join(offenders)


def test_no_command_writes_where_another_reads():
    """A reader who follows the pages has folders of images by the names that commands give them."""
    commands = {command for page in PAGES for command in command_lines(text(page))}
    read = {place for command in commands for place in re.findall(r"\./([\w.+-]+)", command)}
    written = {command: re.findall(r"--out (?:\./)?(\S+)", command) for command in commands}
    assert {"faces", "few", "more"} < read
    offenders = [command for command, outs in written.items() if not read.isdisjoint(outs)]
    assert not offenders, "\n".join(offenders)


def test_every_page_with_commands_was_looked_at():
    found = {page: len(list(command_lines(text(page)))) for page in PAGES}
    assert found["README.md"] > 20
    assert found["docs/results.md"] > 20
    assert sum(found.values()) > 150
    assert {"docs/index.zh.md", "docs/theory.zh.md", "docs/gans/mlp.md"} < found.keys()


def test_wrong_commands_are_found():
    wrong = [
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
    ]

    assert [command for command in wrong if not refusal(command)] == []


def test_commands_are_found_where_they_stand():
    block = "```\nganvas a \\\n  --b\n$ ganvas c\ntorchrun --n 2 -m ganvas d\nls\n```\n"
    found = command_lines(f"Text `ganvas recipes` and `nothing`.\n\n{block}")
    assert [" ".join(line.split()) for line in found] == [
        "ganvas a --b",
        "ganvas c",
        "ganvas d",
        "ganvas recipes",
    ]


def make_targets() -> dict[str, str]:
    """The targets of the Makefile that a person calls, and what `make help` says of each."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w-]+):[^#\n]*(?:## (.+))?$", makefile, re.MULTILINE))


def test_make_targets():
    offenders = []
    for page in PAGES:
        blocks = "\n".join(block for _, block in FENCE.findall(text(page)))
        named = re.findall(r"^make ([\w-]+)", blocks, re.MULTILINE)
        named += re.findall(r"`make ([\w-]+)`", text(page))
        offenders += [f"{page}: make {name}" for name in named if name not in make_targets()]
    assert not offenders, "\n".join(offenders)


def test_make_help_has_a_line_for_each_target():
    assert [name for name, line in make_targets().items() if not line] == []
    assert next(iter(make_targets())) == "demo"  # what `make` alone does


def shell_and_python(page: str) -> list[object]:
    """The fenced blocks of a page without their comments."""
    blocks: list[object] = []
    for language, block in FENCE.findall(text(page)):
        if language == "python":
            blocks.append(ast.dump(ast.parse(block)))
        elif not block.startswith("src/ganvas/"):
            lines = [shlex.split(line, comments=True) for line in block.splitlines()]
            blocks.append([line for line in lines if line])
    return blocks


def test_both_readmes_show_the_same():
    english, chinese = "README.md", "README.zh.md"
    assert shell_and_python(chinese) == shell_and_python(english)
    pictures = re.compile(r"!\[[^]]+\]\(([^)]+)\)")
    assert pictures.findall(text(chinese)) == pictures.findall(text(english))


def test_pages_in_both_languages_show_the_same_commands():
    for chinese in [page for page in PAGES if page.endswith(".zh.md")]:
        english = chinese.replace(".zh.md", ".md")
        assert english in PAGES, f"{chinese} has no English page"
        both = [command_lines(text(page)) for page in (english, chinese)]
        first, second = ([shlex.split(line, comments=True) for line in lines] for lines in both)
        assert first == second, chinese


# Links, paths, what is left over


def anchors(markdown: str) -> set[str]:
    """What `#...` may follow a page's name: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", markdown), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def is_broken(page: str, target: str) -> bool:
    """Whether a link of a page leads to no file or no heading; addresses are not looked up."""
    if re.match(r"[a-z]+:", target):
        return False
    place, _, anchor = target.partition("#")
    file = (PAGES[page].parent / place).resolve() if place else PAGES[page]
    if not file.exists():
        return True
    is_page = bool(anchor) and file.suffix == ".md"
    return is_page and anchor not in anchors(file.read_text(encoding="utf-8"))


def test_links():
    link = re.compile(r"\]\(([^)\s]+)\)")
    offenders = [
        f"{page} links to {target}"
        for page in PAGES
        for target in link.findall(FENCE.sub("", text(page)))
        if is_broken(page, target)
    ]
    assert not offenders, "\n".join(offenders)


def test_chinese_pages_link_to_chinese_pages():
    """Where there is one, but for the link to the same page in English."""
    link = re.compile(r"\[(?!English\])[^]]*\]\(([^)\s#]+)\.md[^)]*\)")
    offenders = [
        f"{page} links to {target}.md"
        for page in PAGES
        if page.endswith(".zh.md")
        for target in link.findall(FENCE.sub("", text(page)))
        if (PAGES[page].parent / f"{target}.zh.md").exists()
    ]
    assert not offenders, "\n".join(offenders)


def test_files_that_are_named_exist():
    """Paths from the root, and those of modules from the package, such as `gans/mlp.py`."""
    path = re.compile(r"(?:src|tests|docs|benchmarks)/[\w./-]+|[\w/]+/\w+\.py")
    places = (ROOT, ROOT / "src" / "ganvas")
    offenders = [
        f"{page}: {code}"
        for page in PAGES
        for code in CODE.findall(FENCE.sub("", text(page)))
        if path.fullmatch(code)
        and code not in OF_THE_EXAMPLE
        and not any((place / code).exists() for place in places)
    ]
    assert not offenders, "\n".join(offenders)


def test_nothing_is_left_to_fill_in():
    left = re.compile(r"@[A-Z_]+@|\bTODO\b|\bFIXME\b")
    assert [page for page in PAGES if left.search(text(page))] == []


def test_python_blocks_are_python():
    for page in PAGES:
        for language, block in FENCE.findall(text(page)):
            if language == "python":
                compile(block, page, "exec")


def test_the_page_of_the_api_is_up_to_date():
    script = runpy.run_path(str(ROOT / "docs" / "make_api.py"))
    assert set(script["ORDER"]) == set(ganvas.__all__)
    assert text("docs/api.md") == script["make_page"](), "run `python docs/make_api.py`"


def test_the_gallery_is_up_to_date():
    script = runpy.run_path(str(ROOT / "docs" / "make_gallery.py"))
    for language, page in enumerate(("docs/index.md", "docs/index.zh.md")):
        assert text(page) == script["make_page"](language), "run `python docs/make_gallery.py`"
    cards = [card for group in script["read_groups"]() for card in group["card"]]
    assert sorted(card["recipe"] for card in cards) == sorted([*RECIPES, AUTO])
    there = {path.stem for path in (ROOT / "docs" / "pictures" / "gallery").iterdir()}
    assert there == {card["recipe"] for card in cards if "source" in card}


def test_the_version_is_one():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [version("ganvas")]
