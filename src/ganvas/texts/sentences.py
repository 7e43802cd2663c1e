"""English sentences in Chinese: which template was a sentence made of?

The studio's page does the same in its own language, in `static/say.js`.
"""

import re

from ganvas.texts.table import NUMBERS, OWN, PLACE, SENTENCES, read_templates

__all__ = ["find_chinese"]

MARK = re.compile(r"[;.](?: |$)")  # ends a part of a sentence
NO_END = ("e.g", "i.e", ".")  # before a point that ends none: "e.g. this", "wait ..."
WORD = re.compile(r"[a-z]{2}")
CHINESE_MARKS = {";": "；", ".": "。"}
# Between Chinese characters there are no spaces.
GAP = re.compile(r"([\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])")


def find_chinese(text: str) -> str | None:
    """A text in Chinese; None: some part of it is not in the table.

    A row may hold a whole text, or only a part that ends with ";" or ".".
    """
    chinese = (
        _fit_row(text, across=False)
        or _join_parts(text)
        or _fit_row(text, across=True)
        or _translate_end(text)
        or _join_columns(text)
    )
    if chinese is None and text.endswith(":"):  # before a command on a line of its own
        chinese = find_chinese(text[:-1])
        return chinese and f"{chinese}："
    return GAP.sub(r"\1", chinese) if chinese else None


def _fit_row(text: str, across: bool) -> str | None:
    """The Chinese of the row that a text was made of.

    Args:
        text: whole, or a part.
        across: whether any place may hold the end of a part and the beginning of the next one.
    """
    plain, templates = read_templates()
    if text in plain:
        return plain[text]
    for template in templates:
        if found := template.match(text):
            values = {}
            for name, value in zip(template.names, found.groups()):
                kept = name in OWN or name in NUMBERS
                known = None if kept else find_chinese(value)
                if not across and name not in SENTENCES and MARK.search(value.removesuffix("...")):
                    break
                values[name] = known or value
            else:
                return PLACE.sub(lambda place: values[place[1]], template.chinese)
    return None


def _join_parts(text: str) -> str | None:
    """A text put together of its parts, each by a row; None: it is of one part."""
    parts = _split(text)
    if len(parts) < 3:
        return None
    said = []
    for number, part in enumerate(parts):
        if number % 2:
            said.append(CHINESE_MARKS[part[0]])
            continue
        chinese = _fit_row(part, across=True) or _translate_end(part)
        if chinese is None and WORD.search(part):
            return None
        said.append(chinese or part)
    return "".join(said)


def _split(text: str) -> list[str]:
    """A text as its parts and the marks after them: [part, mark, part, mark, ..., part]."""
    found, begin = [], 0
    for mark in MARK.finditer(text):
        before = text[begin : mark.start()]
        if mark[0][0] == "." and before.endswith(NO_END):
            continue
        found += [before, mark[0]]
        begin = mark.end()
    return [*found, text[begin:]]


def _translate_end(text: str) -> str | None:
    """A text such as "a.png: it has no hole", of which the end is known."""
    head, colon, tail = text.partition(": ")
    chinese = find_chinese(tail) if colon else None
    if chinese is None:
        return None
    known = _fit_row(head, across=False)
    return f"{known}：{chinese}" if known else f"{head}: {chinese}"


def _join_columns(text: str) -> str | None:
    """A line of columns with two spaces between them, such as that of the progress."""
    columns = text.split("  ")
    if len(columns) < 2:
        return None
    said = [find_chinese(column) if column else None for column in columns]
    if not any(said):
        return None
    return "  ".join(new or old for new, old in zip(said, columns))
