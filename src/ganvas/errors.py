"""Errors that are the user's to mend, told in one line."""

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class UserError(Exception):
    """A message for the user: what was given, what is allowed, what to do.

    The command line prints it alone, without a traceback, and exits with status 2.
    """


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of an error message about an unknown word: the nearest known ones, or all of them."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "known: " + ", ".join(known) if known else "none are known here"


def describe_validation(error: "ValidationError", prefix: str = "") -> str:
    """Pydantic's findings in one line: the key after `prefix`, the value given, what is allowed."""
    findings = []
    for problem in error.errors():
        key = prefix + ".".join(str(part) for part in problem["loc"])
        findings.append(
            f"{key}={problem['input']!r}: {problem['msg'][0].lower()}{problem['msg'][1:]}"
        )
    return "; ".join(findings)
