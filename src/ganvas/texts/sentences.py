"""English sentences in Chinese: which template was a sentence made of?

The studio's page does the same in its own language, in `static/say.js`.
"""

import re
from collections.abc import Sequence

from ganvas.texts.table import NUMBERS, OWN, SENTENCES, Template, read_templates

__all__ = ["find_chinese"]

MARK = re.compile(r"[;.](?: |$)")  # ends a part of a sentence
NO_END = ("e.g", "i.e", ".")  # before a point that ends none: "e.g. this", "wait ..."
CHINESE_MARKS = {";": "；", ".": "。", ",": "，"}
PAIR = re.compile(r"[a-z]{2} [a-z]{2}")  # words that are no name
DONE = re.compile("[：；。]")  # marks of a text that is Chinese already
# Between Chinese characters there are no spaces.
GAP = re.compile(r"([\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])")


def find_chinese(text: str) -> str | None:
    """A text in Chinese; None: some part of it is not in the table.

    A row may hold a whole text, or only a part that ends with ";" or ".".
    """
    if DONE.search(text):
        return None
    chinese = (
        _fit_row(text, across=False)
        or _join_parts(text)
        or _translate_end(text)
        or _join_list(text)
        or _fit_row(text, across=True)
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
        across: whether any place may hold the end of a part and the beginning of the next one,
            and a place for names a phrase.
    """
    plain, templates = read_templates()
    # A sentence may have become a clause, or a clause a sentence.
    for form in (text, text[:1].swapcase() + text[1:]):
        if form in plain:
            return plain[form]
        for template in templates:
            found = template.match(form)
            values = _translate_values(template, found.groups(), across) if found else None
            if values is not None:
                return template.fill(values)
    return None


def _translate_values(
    template: Template, values: Sequence[str], across: bool
) -> dict[str, str] | None:
    """The values at a template's places, in Chinese where the table has them.

    Returns:
        None: one holds what should not be there, such as the end of a part.
    """
    said = {}
    for name, value in zip(template.names, values):
        kept = name in OWN or name in NUMBERS
        ends = name not in SENTENCES and MARK.search(value.removesuffix("..."))
        if not across and (ends or (kept and name != "command" and PAIR.search(value))):
            return None
        said[name] = value if kept else _translate_value(value)
    return said


def _translate_value(value: str) -> str:
    """A value in Chinese where the table has it; one such as ", at about 3 images" goes on."""
    begin = value[:2] if value[:2] in (", ", "; ") else ""
    chinese = find_chinese(value[len(begin) :])
    return CHINESE_MARKS.get(begin[:1], "") + chinese if chinese else value


def _join_parts(text: str) -> str | None:
    """A text put together of its parts; a row holds one or several. None: it is of one part."""
    parts = _split(text)
    if len(parts) < 3:
        return None
    said, place = [], 0
    while place < len(parts):
        end, chinese = _translate_most(parts, place)
        if chinese is None and PAIR.search(parts[place]):
            return None
        said.append(parts[place] if chinese is None else chinese)
        said += [CHINESE_MARKS[mark[0]] for mark in parts[end : end + 1]]
        place = end + 1
    return "".join(said)


def _translate_most(parts: Sequence[str], begin: int) -> tuple[int, str | None]:
    """As many parts as one row has, with the place of the mark after them."""
    for end in range(len(parts), begin, -2):
        chinese = _fit_row("".join(parts[begin:end]), across=False)
        if chinese:
            return end, chinese
        # the row may also end with the mark
        marked = "".join(parts[begin : end + 1]).rstrip()
        chinese = _fit_row(marked, across=False) if end < len(parts) else None
        if chinese:
            return end, chinese[:-1]
    part = parts[begin]
    return begin + 1, _translate_end(part) or _join_list(part) or _fit_row(part, across=True)


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
    """A text such as "a.png: it has no hole", of which the end or the beginning is known."""
    head, colon, tail = text.partition(": ")
    if not colon:
        return None
    chinese = find_chinese(tail)
    known = _fit_row(head, across=False) if " " in head else None  # one word may be a key
    if known and (chinese or not PAIR.search(tail)):  # names and numbers need no translation
        return f"{known}：{chinese or tail}"
    return chinese and f"{head}: {chinese}"


def _join_columns(text: str) -> str | None:
    """A line of columns with two spaces between them, such as that of the progress."""
    columns = re.split(r"(  +)", text)
    if len(columns) < 2:
        return None
    said = [find_chinese(column) if column.strip() else None for column in columns]
    if not any(said):
        return None
    return "".join(new or old for new, old in zip(said, columns))


def _join_list(text: str) -> str | None:
    """A list such as "digits, 1,797 images, 10 classes", of names and of what is known."""
    items = text.split(", ")
    if len(items) < 2 or MARK.search(text):
        return None
    said = [find_chinese(item) for item in items]
    unknown = [item for item, chinese in zip(items, said) if chinese is None]
    if len(unknown) == len(items) or any(map(PAIR.search, unknown)):
        return None
    return "，".join(new or old for new, old in zip(said, items))
