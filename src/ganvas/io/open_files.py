"""Which files other processes have open, as far as the system tells."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["find_open_files"]

PROCESSES = Path("/proc")


def find_open_files(folder: Path) -> set[Path]:
    """The files below a folder that a process has open or mapped into its memory.

    Only Linux tells, and only of the user's own processes; elsewhere the answer is empty.

    Args:
        folder: any; links in its path are resolved, in the answer too.
    """
    if sys.platform != "linux":
        return set()
    inside = f"{folder.resolve()}{os.sep}"
    found: set[Path] = set()

    for process in PROCESSES.iterdir():
        if not process.name.isdecimal():
            continue
        found |= {Path(name) for name in _list_files(process, inside) if name.startswith(inside)}
    return found


def _list_files(process: Path, inside: str) -> Iterator[str]:
    """The names of what a process has open or mapped; only some of those outside of a folder."""
    with suppress(OSError):  # of another user, or it has just ended
        for link in (process / "fd").iterdir():
            with suppress(OSError):  # closed since
                yield str(link.readlink())
        for line in (process / "maps").read_text(errors="surrogateescape").splitlines():
            if inside in line:
                yield line.split(maxsplit=5)[5]  # after address, rights, offset, device, inode
