"""Handle Ctrl-C and SIGTERM: finish the current step and save, instead of ending at once."""

import signal
from types import FrameType

__all__ = ["InterruptedRun", "StopSignals"]


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
    """Notes the first SIGINT or SIGTERM while it is entered; a second one ends the process at once.

    Attributes:
        number: of the signal that has come; 0 for none.
    """

    def __init__(self) -> None:
        self.number = 0

    def __enter__(self) -> "StopSignals":
        try:
            numbers = (signal.SIGINT, signal.SIGTERM)
            self.before = {number: signal.signal(number, self._note) for number in numbers}
        except ValueError:  # not the main thread, where signals do not arrive
            self.before = {}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        # Called between any two instructions of the main thread, also within a step: it only notes
        # the number, and the loop asks for it between steps.
        self.number = number
        usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, usual)
