"""The table of texts: each English template with its Chinese.

The files in `zh/` hold sections of rows `[template, Chinese]`. Where a template names a flag, which
the studio's page has not, a row goes on with what the page says instead: `[template, Chinese,
page's English, page's Chinese]`. Places such as `{path}` hold values.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

__all__ = [
    "FOLDER",
    "NUMBERS",
    "OWN",
    "PLACE",
    "SENTENCES",
    "Template",
    "read_rows",
    "read_templates",
    "write_module",
]

FOLDER = Path(__file__).parent / "zh"
PLACE = re.compile(r"\{(\w+)\}")
NUMBERS = {"n", "m", "k", "j", "i"}  # places that hold a number, such as 2,000 or 1e-05 or 40%
# Places with what is nobody's to translate, such as names and paths. What stands at another place
# is translated if the table has it.
OWN = {
    *("names", "name", "recipe", "device", "size", "table", "path", "file", "folder"),
    *("key", "flag", "command", "url", "verb", "word", "spec", "code"),
}
SENTENCES = {"part", "reason"}  # places that may hold several parts of a sentence
NUMBER = r"([\d.,%e+-]*[\d%])"


class Template:
    """A row of the table whose template has places.

    Args:
        source: the English template.
        chinese: the same in Chinese.
    """

    def __init__(self, source: str, chinese: str):
        self.source, self.chinese = source, chinese
        parts = PLACE.split(source)
        self.literals, self.names = parts[::2], parts[1::2]
        self.weight = sum(map(len, self.literals))
        self.needle = max(self.literals, key=len)
        self.pattern: re.Pattern[str] | None = None

    def match(self, text: str) -> re.Match[str] | None:
        """The values at the places, if a text was made of this template."""
        if self.needle not in text:  # much faster than a pattern, and nearly always true
            return None
        if self.pattern is None:  # most are never needed, and compiling takes long
            pieces = [re.escape(self.literals[0])]
            for name, literal in zip(self.names, self.literals[1:]):
                pieces += [NUMBER if name in NUMBERS else "(.+?)", re.escape(literal)]
            self.pattern = re.compile("".join(pieces))
        return self.pattern.fullmatch(text)

    def fill(self, values: Mapping[str, str]) -> str:
        """The Chinese with values at its places."""
        return PLACE.sub(lambda place: values[place[1]], self.chinese)


def read_rows(folder: Path = FOLDER) -> Iterator[list[str]]:
    """All rows of the table."""
    for file in sorted(folder.glob("*.json")):
        for rows in json.loads(file.read_text(encoding="utf-8")).values():
            yield from rows


@cache
def read_templates() -> tuple[dict[str, str], list[Template]]:
    """Texts without places by the English one, and the templates, the longest first.

    A short template such as "{n} images" would also fit into longer sentences.
    """
    plain, templates = {}, []
    for source, chinese, *_ in read_rows():
        if PLACE.search(source):
            templates.append(Template(source, chinese))
        else:
            plain[source] = chinese
    # of two that are as long, the one whose places take less
    templates.sort(key=lambda template: (-template.weight, len({*template.names} - NUMBERS)))
    return plain, templates


def write_module() -> str:
    """The table as a module of JavaScript, for the studio's page."""
    parts = {
        "rows": list(read_rows()),
        "own": sorted(OWN),
        "numbers": sorted(NUMBERS),
        "sentences": sorted(SENTENCES),
    }
    lines = [
        f"export const {name} = {json.dumps(value, ensure_ascii=False)};"
        for name, value in parts.items()
    ]
    return "\n".join(lines)
