"""`ganvas zoo` and `ganvas push`: use a GAN that others have trained, and give one to others."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ganvas.cli.early import check_run
from ganvas.cli.flags import Switch

__all__ = ["push", "zoo"]


def zoo(name: str | None = None, /) -> None:
    """List the ready-made generators that come with Ganvas, or show the card of one.

    They need no training, no data and no network: zoo:NAME stands wherever a run is accepted.

    Parameters
    ----------
    name
        Generator whose card to show: how good it is, how it was trained, its data and licence.
    """
    from ganvas.io.console import PlainConsole, print_text
    from ganvas.io.markdown import print_markdown
    from ganvas.runs.zoo import ZOO, find_generator

    if name is not None:
        generator = find_generator(name)
        print_markdown(generator.card)
        if sys.stdout.isatty():
            print_text("", "The files beside this card are in", f"  {generator.folder}")
        return

    from rich.table import Table

    console = PlainConsole()
    say = console.localise
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("generator", "what it draws", "size", "licence"):
        table.add_column(say(heading), no_wrap=True)
    table.add_column("MB", justify="right", no_wrap=True)
    for each in ZOO.values():
        row = (each.name, say(each.shows), say(each.images), each.licence, f"{each.megabytes:.1f}")
        table.add_row(*row)
    console.print(table)
    print_text(
        "",
        "Draw: ganvas sample zoo:mnist --label 7",
        "Begin a training: ganvas train auto --from zoo:cartoon-faces --data FOLDER",
        "Card with licence: ganvas zoo mnist",
    )


def push(
    run: Path,
    to: str,
    /,
    *,
    licence: Annotated[str | None, Parameter(name=["--licence", "--license"])] = None,
    private: Switch = False,
    resumable: Switch = False,
) -> None:
    """Publish a run on the Hugging Face Hub, with a card that says how it was trained.

    It sends the newest checkpoint (or the one that is named), the recipe, the grid of samples that
    was drawn at that checkpoint (if one was), the evaluations and the data report, without paths
    and names of files. Afterwards, hf:OWNER/NAME stands wherever a run is accepted.

    Parameters
    ----------
    run
        Run folder, or one of its checkpoints.
    to
        Place on the Hub, hf:OWNER/NAME. What an earlier push has put there is replaced.
    licence
        Licence of the generator, as the Hub calls it: cc-by-4.0, mit, apache-2.0, ...
    private
        Only for its owner to see.
    resumable
        Also the states of the optimizers.
    """
    from ganvas.cli.making import print_lines
    from ganvas.export.destination import check_publication

    check_publication(to, licence)
    check_run(run)

    from ganvas.export.push import push_run
    from ganvas.inference.run import load

    pushed = push_run(load(run), to, licence, private=private, resumable=resumable)
    size = sum(pushed.files.values()) / 1e6
    print_lines(
        [
            *(f"  {path}" for path in sorted(pushed.files)),
            f"{len(pushed.files)} files, {size:,.1f} MB, published at {pushed.url}",
            f"to use it: ganvas sample {pushed.name}",
        ]
    )
