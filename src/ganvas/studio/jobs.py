"""Work in processes of its own: trainings and evaluations.

They outlive the studio: a training goes on when the page's server is closed or crashes, and is
found again by its run folder when it is started anew.
"""

import hashlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ganvas.errors import UserError
from ganvas.io.files import explained, portable_name
from ganvas.io.reading import read_text

__all__ = ["Job", "Jobs", "clean_name"]

LAST_LINES = 12  # of a job's output that the page may show
LONGEST_NAME = 60
LAST_BREATH = 15.0  # seconds that a process may need to end after its work


@dataclass
class Job:
    """A process that the studio has started.

    Attributes:
        kind: "training" or "evaluation".
        target: the run folder.
        log: file with all that it prints.
        process: of this start of the studio.
        cancelled: whether the page has ended it.
        seen: whether its training was seen to run; before that it is starting.
    """

    kind: str
    target: Path
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)
    cancelled: bool = False
    seen: bool = False

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def cancel(self) -> None:
        """End it at once, if it runs."""
        if self.running:
            self.cancelled = True
            self.process.terminate()

    @property
    def failure(self) -> str:
        """What it said before it failed; empty if it runs or has done its work."""
        code = self.process.poll()
        if code is None or code == 0 or self.cancelled:
            return ""
        lines = self.read_lines()
        said = [line.removeprefix("ganvas: ") for line in lines if line.startswith("ganvas: ")]
        if said:
            return said[-1]
        # a run that was stopped is no failure
        if code in (130, 143) or code < 0:
            return ""
        return lines[-1] if lines else f"it ended with the exit status {code}"

    def read_lines(self) -> list[str]:
        """The last lines that it has printed."""
        if not self.log.exists():
            return []
        text = read_text(self.log, errors="replace")
        return [line for line in text.splitlines() if line.strip()][-LAST_LINES:]


class Jobs:
    """The processes of this start of the studio, by what they are for and their folder.

    Args:
        folder: for the files of their output.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.lock = threading.Lock()
        self.jobs: dict[tuple[str, Path], Job] = {}

    def start(self, kind: str, target: Path, words: Sequence[str]) -> Job:
        """Start `ganvas WORDS` in a process of its own.

        Raises:
            UserError: the same work is running, or the disk refuses.
        """
        with self.lock:  # or two requests could start the same work
            known = self.jobs.get((kind, target))
            if known and known.running:
                raise UserError(f"{target.name}: this {kind} is already running")
            self.jobs[kind, target] = job = self._start(kind, target, words)
            return job

    def _start(self, kind: str, target: Path, words: Sequence[str]) -> Job:
        """Start the process."""
        with explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            # folders of one name may lie in several others
            digest = hashlib.blake2b(str(target).encode(errors="replace"), digest_size=4)
            log = self.folder / f"{target.name[:LONGEST_NAME]}-{digest.hexdigest()}-{kind}.log"
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [sys.executable, "-m", "ganvas", *words],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=os.environ | {"PYTHONUNBUFFERED": "1"},
                    # not in the terminal's group: Ctrl-C there ends the studio alone
                    start_new_session=True,
                    creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Windows
                )
        # Somebody must wait for a process that has ended, or it stays in the system's table.
        threading.Thread(target=process.wait, daemon=True).start()
        return Job(kind, target, log, process)

    def await_end(self, kind: str, target: Path) -> None:
        """Wait a moment for a process that has done its work and is about to end."""
        known = self.find(kind, target)
        if known:
            with suppress(subprocess.TimeoutExpired):
                known.process.wait(LAST_BREATH)

    def find(self, kind: str, target: Path) -> Job | None:
        """The newest job of a kind for a folder."""
        return self.jobs.get((kind, target))


def clean_name(text: str) -> str:
    """A name for a folder or file, made of letters, digits, `-`, `_` and `.` of what was given.

    It is a name on every system; "" stays "".
    """
    name = re.sub(r"[^\w.-]+", "-", text, flags=re.UNICODE).strip("-.")
    name = name[:LONGEST_NAME].strip("-.")
    return portable_name(name) if name else ""
