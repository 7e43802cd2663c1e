"""Stop a training by a file in its run folder.

It works where signals do not: on Windows, and for trainings that another program or another person
has started.
"""

import time
from collections.abc import Callable
from pathlib import Path

from ganvas.runs.folder import is_stopping

__all__ = ["StopFile"]

PAUSE = 0.5  # seconds from one look to the next


class StopFile:
    """Looks for a request to stop.

    Args:
        folder: of the run.
        announce: called when there is a request.
    """

    def __init__(self, folder: Path, announce: Callable[[], None]):
        self.folder = folder
        self.announce = announce
        self.next_look = 0.0
        self.found = False

    def asked(self) -> bool:
        """Whether training was asked to stop; looks at the folder twice a second at most."""
        now = time.monotonic()
        if not self.found and now >= self.next_look:
            self.found = is_stopping(self.folder)
            self.next_look = now + PAUSE
            if self.found:
                self.announce()
        return self.found
