"""The `ganvas` command: one verb per public function.

Nothing here imports torch before a verb needs it, so that `--help` appears at once.
"""

import os
import sys
import traceback

from cyclopts import App, CycloptsError
from cyclopts.exceptions import UnknownCommandError, UnknownOptionError, UnusedCliTokensError

from ganvas.cli import (
    directions,
    exporting,
    inside,
    judging,
    learning,
    machine,
    making,
    pictures,
    sharing,
    studio,
    training,
)
from ganvas.cli.examples import describe_examples
from ganvas.cli.meant import explain_flag, explain_verb
from ganvas.errors import UserError
from ganvas.texts import LanguageError, check_language, localise, speaks_chinese

app = App(
    name="ganvas",
    help="Train, evaluate and use generative adversarial networks on your own images.",
    help_epilogue=(
        "Start with `ganvas train`: it takes a minute or two and needs no data. "
        "After an error, add --debug to see the traceback."
    ),
    version_flags=["--version"],
)
for verb in (
    *(training.train, training.recipes),
    *(making.sample, directions.directions, making.restore, making.translate),
    *(inside.inside, exporting.export),
    *(judging.evaluate, judging.health, judging.log, judging.theory),
    learning.whatif,
    *(pictures.data, pictures.pack),
    *(sharing.zoo, sharing.push),
    studio.studio,
    *(machine.about, machine.cache),
):
    app.command(verb, help_epilogue=describe_examples(verb.__name__))

# How PyTorch words it on a GPU and on a CPU; it raises RuntimeError for much else too, which are
# bugs of ours.
OUT_OF_MEMORY = ("out of memory", "allocate memory")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line.

    Exit status: 0; 2 after a user error, which is one line; 128 + n after signal n.

    Args:
        arguments: the words after `ganvas`; None: those of this process.
    """
    tokens = sys.argv[1:] if arguments is None else arguments
    # Taken out before the verbs see it: none of them has this flag.
    debug = "--debug" in tokens
    tokens = [token for token in tokens if token != "--debug"]
    if speaks_chinese(sys.stdout.encoding):
        from ganvas.cli.chinese import speak_chinese

        speak_chinese(app)

    try:
        check_language()
        app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    except KeyboardInterrupt:
        sys.exit(130)  # 128 + SIGINT, as shells report it
    except BrokenPipeError:
        # Before OSError, of which it is a kind, and without a last flush into the closed pipe.
        os._exit(0)  # the reader of our output, such as `head`, has seen enough
    except (
        UserError,
        LanguageError,
        CycloptsError,
        OSError,
        MemoryError,
        RuntimeError,
    ) as error:
        exhausted = isinstance(error, MemoryError)
        if isinstance(error, RuntimeError):
            exhausted = any(words in str(error) for words in OUT_OF_MEMORY)
            if not exhausted:
                raise
        if debug:
            from ganvas.io.console import print_text

            print_text(*traceback.format_exc().splitlines(), error=True, wrap=False)
        command = error.command if isinstance(error, UserError) else ""
        message = describe_error(error, tokens).removesuffix(command)
        fail(message + (suggest_smaller(tokens) if exhausted else ""), command)


def suggest_smaller(tokens: list[str]) -> str:
    """The end of an error message about memory: which flags need less of it."""
    if tokens[:1] == ["train"]:
        return "; use a smaller --set batch=... or --set options.width=..."
    return "; use a smaller --size or fewer images"


def fail(message: str, command: str = "") -> None:
    """Print an error and exit with status 2.

    Args:
        message: on one line.
        command: that ends it, if there is one; on a terminal it stays whole, to be copied.
    """
    from ganvas.io.console import print_text

    # Several processes print to the same terminal.
    rank = os.environ.get("RANK", "0")
    where = f" (process {rank})" if os.environ.get("WORLD_SIZE", "1") != "1" else ""
    message = localise(message, sys.stderr.encoding)
    if command and sys.stderr.isatty():
        print_text(f"ganvas{where}: {message}", error=True)
        print_text(f"  {command}", error=True, wrap=False)
    else:
        print_text(f"ganvas{where}: {message} {command}".rstrip(), error=True)
    sys.exit(2)


def describe_error(error: Exception, tokens: list[str]) -> str:
    """An error's message on one line; for an unknown verb or flag, with what may be meant."""
    if isinstance(error, UnknownCommandError) and error.unused_tokens:
        return explain_verb(error.unused_tokens[0], list_verbs())
    if isinstance(error, UnusedCliTokensError):
        words = " ".join(error.unused_tokens or ())
        return f"{tokens[0]} has no use for {words}; ganvas {tokens[0]} --help says what it takes"
    if isinstance(error, UnknownOptionError):
        written = error.token.keyword or error.token.value or ""
        flag, _, value = written.partition("=")
        value = value or find_value(flag, tokens)
        flags = {verb: list_flags(verb) for verb in list_verbs()}
        return explain_flag(flag, value, tokens[0], flags)
    return one_line(error)


def find_value(flag: str, tokens: list[str]) -> str:
    """The word after a flag; empty if there is none, or if it is another flag."""
    after = tokens[tokens.index(flag) + 1 :] if flag in tokens else []
    return after[0] if after and not after[0].startswith("-") else ""


def list_verbs() -> list[str]:
    """The verbs, in the order in which they were entered."""
    return [name for name in app if not name.startswith("-")]


def list_flags(verb: str) -> list[str]:
    """The flags of a verb: "--data", "--out", ..."""
    arguments = app[verb].assemble_argument_collection(parse_docstring=False)
    return [name for argument in arguments for name in argument.names if name.startswith("--")]


def one_line(error: Exception) -> str:
    """An error's message on one line."""
    return " ".join(str(error).split()) or type(error).__name__
