"""Handle Ctrl-C, SIGTERM and a closed terminal: finish the step and save, not end at once."""

import signal
from collections.abc import Callable
from types import FrameType

__all__ = ["InterruptedRun", "StopSignals"]

# What a closed terminal sends; Windows has none.
HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)


class InterruptedRun(Exception):
    """Training was asked to stop by a signal, and has saved everything.

    Attributes:
        number: the signal's.
    """

    def __init__(self, message: str, number: int):
        super().__init__(message)
        self.number = number

    def _render_traceback_(self) -> list[str]:
        """What IPython prints: nothing has gone wrong, so there is nothing to trace."""
        return [f"{type(self).__name__}: {self}"]


class StopSignals:
    """Notes the first SIGINT, SIGTERM or SIGHUP while it is entered.

    A second SIGINT or SIGTERM ends the process at once. A second SIGHUP does not: a terminal that
    is closed sends several.

    Args:
        announce: called when one has come, between any two instructions of the main thread.

    Attributes:
        number: of the signal that has come; 0 for none.
    """

    def __init__(self, announce: Callable[[], None]) -> None:
        self.announce = announce
        self.number = 0

    def __enter__(self) -> "StopSignals":
        numbers = [signal.SIGINT, signal.SIGTERM]
        # Where nohup ignores it, the run shall outlive the terminal.
        if HANGUP and signal.getsignal(HANGUP) is not signal.SIG_IGN:
            numbers.append(HANGUP)
        try:
            self.before = {number: signal.signal(number, self._note) for number in numbers}
        except ValueError:  # not the main thread, where signals do not arrive
            self.before = {}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        if HANGUP and self.number == HANGUP:
            # The next one must not end the process before the report is written.
            signal.signal(HANGUP, signal.SIG_IGN)

    def _note(self, number: int, _: FrameType | None) -> None:
        # Called between any two instructions of the main thread, also within a step: it only notes
        # the number, and the loop asks for it between steps.
        self.number = number
        if number != HANGUP:
            usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, usual)
        self.announce()
