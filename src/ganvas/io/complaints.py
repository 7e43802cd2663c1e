"""What decoders complain of while they read a file, so that it can be told with the file's name.

Pillow warns by `warnings.warn` and by its logger. Both belong to the whole process: a warning is
printed without the name of the file, and only once for many files. Here each thread collects its
own.
"""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

__all__ = ["collect_complaints"]

DECODERS = r"PIL\b|pillow_heif\b"  # modules whose warnings are collected
FILTER = ("always", DECODERS)


class _Hearing(threading.local):
    """What this thread collects; None where it reads no file."""

    complaints: list[str] | None = None


class _Collector(logging.Handler):
    """Collects messages of Pillow's logger, and by being there keeps Python from printing them."""

    def emit(self, record: logging.LogRecord) -> None:
        _note(record.getMessage())


_hearing = _Hearing()
_lock = threading.Lock()
_collector = _Collector(logging.WARNING)
_show_before = warnings.showwarning


@contextmanager
def collect_complaints() -> Iterator[list[str]]:
    """Collect what decoders complain of in this thread; yields the list, which fills meanwhile."""
    _listen()
    outer = _hearing.complaints
    complaints: list[str] = []
    _hearing.complaints = complaints
    try:
        yield complaints
    finally:
        _hearing.complaints = outer


def _listen() -> None:
    """Have decoders' warnings shown through `_show_warning`, each time and in every thread.

    It stays so: to set and restore it for each file, as `warnings.catch_warnings` does, would
    mix up the states that threads restore.
    """
    global _show_before
    with _lock:
        # Others may have restored a state from before, as tests do.
        if warnings.showwarning is not _show_warning:
            _show_before = warnings.showwarning
            warnings.showwarning = _show_warning
        first = warnings.filters[0] if warnings.filters else None
        if first is None or (first[0], getattr(first[3], "pattern", None)) != FILTER:
            warnings.filterwarnings("always", module=DECODERS)

        logger = logging.getLogger("PIL")
        if _collector not in logger.handlers:
            logger.addHandler(_collector)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> Any:
    """Collect a warning where this thread reads a file; else show it as before."""
    if not _note(str(message)):
        _show_before(message, category, filename, lineno, file, line)


def _note(message: str) -> bool:
    """Collect a message; whether this thread reads a file."""
    if _hearing.complaints is None:
        return False
    text = " ".join(message.split())
    if text and text not in _hearing.complaints:
        _hearing.complaints.append(text)
    return True
