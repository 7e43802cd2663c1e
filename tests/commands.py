"""How tests call the command line, and a training that takes a moment."""

import sys
from collections.abc import Callable

Command = Callable[..., tuple[int, str, str]]
PROGRAM = [sys.executable, "-m", "ganvas"]
FAST = ["--images", "100", "--set", "options.width=4", "--device", "cpu", "--quiet"]
