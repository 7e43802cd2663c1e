"""The language in which Ganvas speaks: English, or Chinese by GANVAS_LANG or the system's locale.

Sentences are written in English where they arise. They are translated where they leave the
program: `localise` finds the template that a sentence was made of in the tables of `zh/`. Logs,
JSON, and names of flags, recipes and files stay as they are. English needs none of the tables.
"""

import os
import sys
from functools import cache

__all__ = [
    "LANGUAGES",
    "VARIABLE",
    "LanguageError",
    "check_language",
    "language",
    "localise",
    "speaks_chinese",
]

LANGUAGES = ("en", "zh")
VARIABLE = "GANVAS_LANG"
# In the order in which POSIX programs read them.
LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
CHINESE = 0x04  # the primary language of Chinese, as Windows numbers languages


class LanguageError(ValueError):
    """GANVAS_LANG asks for a language that there is not."""


def check_language() -> None:
    """Refuse a language that Ganvas does not speak, so that a misspelt one is noticed.

    Raises:
        LanguageError: GANVAS_LANG is none of them.
    """
    chosen = os.environ.get(VARIABLE, "")
    if chosen and chosen[:2].lower() not in LANGUAGES:
        raise LanguageError(f"{VARIABLE}={chosen} is no language of Ganvas; use en or zh")


def language() -> str:
    """The language of texts for people: "zh" or "en"."""
    chosen = os.environ.get(VARIABLE, "") or next(filter(None, map(os.environ.get, LOCALE)), "")
    if not chosen and sys.platform == "win32":
        return "zh" if _windows_is_chinese() else "en"
    return "zh" if chosen.lower().startswith("zh") else "en"


@cache
def _windows_is_chinese() -> bool:
    """Whether the menus of Windows are Chinese; there are no variables for that."""
    import ctypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009, for type checkers of other systems
    return kernel.GetUserDefaultUILanguage() & 0x3FF == CHINESE


def speaks_chinese(encoding: str | None) -> bool:
    """Whether texts are Chinese where they are written in an encoding; None: UTF-8."""
    return language() == "zh" and _has_chinese(encoding or "utf-8")


@cache
def _has_chinese(encoding: str) -> bool:
    """Whether an encoding has Chinese characters; ASCII and those of the West have none."""
    try:
        "训练生成器：，".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def localise(text: str, encoding: str | None = None) -> str:
    """A text in the user's language; as it is where it is not known, or in English.

    Args:
        text: a line; spaces at its beginning stay, and the mark of a comment.
        encoding: of the stream that it goes to; one without Chinese characters gets English.
    """
    if not speaks_chinese(encoding):
        return text
    # Here, since English loads no table.
    from ganvas.texts.sentences import find_chinese

    body = text.lstrip().removeprefix("# ")
    return text[: len(text) - len(body)] + (find_chinese(body) or body)
