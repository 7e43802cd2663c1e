"""The tables of texts of our pages: the same keys in English and in Chinese."""

import re
from pathlib import Path

__all__ = ["PLACE", "find_asked", "read_texts"]

ENTRY = re.compile(r'"([\w.-]+)":\s*"((?:[^"\\]|\\.)*)"')
PLACE = re.compile(r"\{\w+\}")  # where a value is put in
ASKED = re.compile(r'\bt\("([\w.-]+)"')


def read_texts(file: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The texts of a file by key, in English and in Chinese."""
    english, chinese = file.read_text(encoding="utf-8").split("\n  zh:")
    return dict(ENTRY.findall(english)), dict(ENTRY.findall(chinese))


def find_asked(file: Path) -> set[str]:
    """The keys that a module asks for by name."""
    return set(ASKED.findall(file.read_text(encoding="utf-8")))
