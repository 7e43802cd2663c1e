"""The pages of the documentation site: which files they come from, and their links."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CHINESE", "Language", "Site"]

CHINESE = ".zh.md"
# Pages outside docs/, and what they are called on the site.
ELSEWHERE = {
    "README.md": "overview.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
}
# Fenced blocks and code within a line, in which nothing is a link.
CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^# .+$", re.MULTILINE)
NOT_YET = "> 本页还没有中文版，下面是英文原文。"
# A line break between two Chinese signs, which browsers would show as a space.
BREAK = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])\n(?=[\u3000-\u9fff\uff00-\uffef])")
FENCES = {".py": "python", ".toml": "toml", ".sh": "bash", "Dockerfile": "docker"}


@dataclass(frozen=True)
class Language:
    """A language of the site.

    Attributes:
        code: as in HTML: "en" or "zh".
        index: of its names in navigation.toml.
        other: from the root of its site to that of the other language.
    """

    code: str
    index: int
    other: str


class Site:
    """The pages of one language, written for zensical into a folder.

    Every page has the same name in both languages, so that one leads to the other. A page without
    a Chinese file is shown in English, with a line that says so.
    """

    def __init__(self, root: Path, language: Language, folder: Path):
        """Remember where things are.

        Args:
            root: of the repository.
            language: of the site.
            folder: for the pages; must be empty.
        """
        self.root, self.language, self.folder = root, language, folder
        pages = [path for path in root.glob("docs/**/*.md") if not path.name.endswith(CHINESE)]
        pages.sort(key=_place)
        self.names = {path: path.relative_to(root / "docs").as_posix() for path in pages}
        self.names |= {
            root / path: name for path, name in ELSEWHERE.items() if (root / path).exists()
        }

    def name_page(self, path: str) -> str:
        """The name on the site of a page, given by its path from the root.

        Raises:
            ValueError: it is no page.
        """
        name = self.names.get(self.root / path)
        if name is None:
            raise ValueError(f"navigation.toml names {path}, which is no page")
        return name

    def write(self) -> None:
        """Write all pages, and the files that they show or link to.

        Raises:
            ValueError: a page links to a file that is not there.
        """
        for page, name in self.names.items():
            chinese = page.with_name(page.name.removesuffix(".md") + CHINESE)
            files = [file for file in (page, chinese) if file.exists()]
            # Of both files, so that what one of them links to is on both sites.
            texts = [self._change_links(file, name) for file in files]
            text = texts[-1] if self.language.code == "zh" else texts[0]
            if self.language.code == "zh" and len(files) == 1:
                text = HEADING.sub(lambda found: f"{found[0]}\n\n{NOT_YET}", text, count=1)
            self._save(name, text)

    def _change_links(self, file: Path, name: str) -> str:
        """The text of a file, whose links lead to pages and files of the site; its Chinese lines
        are joined.

        Args:
            file: that is read.
            name: of its page.
        """

        def change(found: re.Match[str]) -> str:
            return f"]({self._find_target(found[1], file, name)})"

        parts = CODE.split(file.read_text(encoding="utf-8"))  # at odd positions is code
        parts[::2] = [BREAK.sub("", LINK.sub(change, part)) for part in parts[::2]]
        return "".join(parts)

    def _find_target(self, target: str, source: Path, name: str) -> str:
        """Where a link of a file leads on the site; `name` is that of the file's page."""
        place, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target) or not place:
            return target

        file = (source.parent / place).resolve()
        if not file.is_file():
            raise ValueError(f"{source.relative_to(self.root)} links to {target}: no such file")
        english = file.with_name(file.name.removesuffix(CHINESE) + ".md")
        is_translation = file.name.endswith(CHINESE) and english in self.names
        wanted = english if is_translation else file
        is_other = self.names.get(wanted) == name and file != source
        if is_other or (is_translation and self.language.code == "en"):
            found = f"{self.language.other}{self.names[wanted].removesuffix('.md')}.html"
        else:
            found = self.names.get(wanted) or self._show(file)
        found = os.path.relpath(found, Path(name).parent).replace(os.sep, "/")
        anchor = self._translate_anchor(anchor, wanted)
        return f"{found}#{anchor}" if anchor else found

    def _translate_anchor(self, anchor: str, page: Path) -> str:
        """The anchor of the same heading on this language's page; "" if it has none."""
        chinese = page.with_name(page.stem + CHINESE)
        if not anchor or self.language.code == "en" or not chinese.is_file():
            return anchor
        names, own = list_anchors(page), list_anchors(chinese)
        if anchor in own:
            return anchor
        # both pages have the same headings, in the same order
        place = names.index(anchor) if anchor in names else -1
        return own[place] if 0 <= place < len(own) else ""

    def _show(self, file: Path) -> str:
        """Put a picture, a notebook or a file of the source code on the site; returns its name.

        Source code becomes a page.
        """
        inside = file.relative_to(self.root).as_posix()
        language = FENCES.get(file.suffix) or FENCES.get(file.name)
        if language:
            code = file.read_text(encoding="utf-8")
            fence = "~" * max(3, 1 + max((len(run) for run in re.findall("~+", code)), default=0))
            # The search shall find the documentation, not the code.
            self._save(
                f"source/{inside}.md",
                f"---\nsearch:\n  exclude: true\n---\n\n# {inside}\n\n"
                f"{fence}{language}\n{code}{fence}\n",
            )
            return f"source/{inside}.md"

        name = inside.removeprefix("docs/")
        copy = self.folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
        return name

    def _save(self, name: str, text: str) -> None:
        """Write a page of the site."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def find_folder(self, folder: str) -> Iterator[str]:
        """The names of all pages of a folder, given from the root, in order."""
        for page, name in self.names.items():
            if page.parent == (self.root / folder):
                yield name


def list_anchors(page: Path) -> list[str]:
    """The anchors of a page's headings, in order."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def _place(page: Path) -> tuple[str, int, str]:
    """Where a page stands among others: by its folder, its number if it has one, and its name."""
    number = page.name.partition("-")[0]
    return str(page.parent), int(number) if number.isdecimal() else 0, page.name
