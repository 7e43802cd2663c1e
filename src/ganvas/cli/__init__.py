"""The `ganvas` command: one verb per public function.

Nothing here imports torch before a verb needs it, so that `--help` answers at once.
"""

import os
import sys
import traceback

from cyclopts import App, CycloptsError

from ganvas.cli import judging, making, pictures, training
from ganvas.errors import UserError

app = App(
    name="ganvas",
    help="Train, judge and use generative adversarial networks on your own images.",
    help_epilogue="Start with `ganvas train`: a minute or two, nothing else needed. After an error, --debug shows its origin.",
    version_flags=["--version"],
)
for verb in (
    *(training.train, training.recipes),
    *(making.sample, making.restore, making.translate),
    *(judging.evaluate, judging.health, judging.theory),
    *(pictures.data, pictures.pack),
):
    app.command(verb)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line: status 0;

    2 after a one-line error of the user's; 128 + n after signal n.
    """
    tokens = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in tokens
    tokens = [token for token in tokens if token != "--debug"]
    try:
        app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os._exit(0)  # the reader of our output has seen enough
    except (UserError, CycloptsError, OSError, MemoryError, RuntimeError) as error:
        exhausted = isinstance(error, MemoryError) or "memory" in str(error)
        if isinstance(error, RuntimeError) and not exhausted:
            raise  # a fault of ours, to be seen whole
        if debug:
            from ganvas.io.console import print_text

            print_text(*traceback.format_exc().splitlines(), error=True)
        smaller = (
            "--set batch=... or --set options.width=..."
            if tokens[:1] == ["train"]
            else "--size or fewer pictures"
        )
        advice = f"; use a smaller {smaller}" if exhausted else ""
        fail(one_line(error) + advice)


def fail(message: str) -> None:
    """Print an error and leave with status 2."""
    from ganvas.io.console import print_text

    rank = os.environ.get("RANK", "0")
    where = f" (process {rank})" if os.environ.get("WORLD_SIZE", "1") != "1" else ""
    print_text(f"ganvas{where}: {message}", error=True)
    sys.exit(2)


def one_line(error: Exception) -> str:
    """An error's message on one line."""
    return " ".join(str(error).split()) or type(error).__name__
