"""Errors that the user can correct, reported in one line."""

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ganvas.texts import localise

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["UserError", "describe_validation", "nearest", "shorten"]

MOST_FINDINGS = 10  # that one message lists
MOST_CHARACTERS = 200  # of a value in a message


class UserError(Exception):
    """A message for the user: what was given, what is allowed, what to do.

    The command line prints it alone, without a traceback, and exits with status 2. So does a
    notebook.

    Args:
        message: on one line.
        command: that does what was wanted, if there is one; it ends the message.
    """

    def __init__(self, message: str = "", command: str = ""):
        super().__init__(f"{message}: {command}" if command else message)
        self.command = command

    def _render_traceback_(self) -> list[str]:
        """What IPython prints."""
        return [f"{type(self).__name__}: {localise(str(self))}"]


def nearest(word: str, known: Iterable[str]) -> str:
    """Suggest known words for an unknown one: the nearest ones, or all.

    Returns:
        the end of an error message, such as "did you mean dcgan-64?".
    """
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    if known:
        return "known: " + ", ".join(known)
    return "none are known here"


def describe_validation(error: "ValidationError", prefix: str = "") -> str:
    """Describe pydantic's findings in one line: each key, the value given, what is allowed.

    Args:
        error: what pydantic raised.
        prefix: written before each key.
    """
    problems = error.errors(include_url=False, include_context=False)
    findings = []
    for problem in problems[:MOST_FINDINGS]:
        # What our own validators raise has these words before it.
        message = problem["msg"].removeprefix("Value error, ")
        message = message[:1].lower() + message[1:]
        if not problem["loc"]:  # of settings that do not go together; the message names them
            findings.append(message)
            continue
        key = prefix + ".".join(str(part) for part in problem["loc"])
        findings.append(f"{key}={shorten(problem['input'])}: {message}")
    if len(problems) > MOST_FINDINGS:
        findings.append(f"and {len(problems) - MOST_FINDINGS:,} more")
    return "; ".join(findings)


def shorten(value: object) -> str:
    """A value as Python writes it, of bounded length: a file may hold any."""
    try:
        text = repr(value)
    except ValueError:  # a number of thousands of digits
        return "a huge number"
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..."
