"""`ganvas studio`: the page in the browser."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ganvas.cli.flags import Device, Whole
from ganvas.io.lists import split_places

__all__ = ["studio"]


def studio(
    runs: Path = Path("runs"),
    /,
    *,
    port: Whole | None = None,
    host: str = "127.0.0.1",
    open_page: Annotated[bool, Parameter(name="--open", negative="--no-open")] = True,
    data: Annotated[list[Path] | None, Parameter(negative="", consume_multiple=True)] = None,
    device: Device = "cpu",
) -> None:
    """Open a page in the browser on which you train, watch and use GANs.

    The page is for you alone: it listens on this machine only, and asks for the token that is part
    of the printed address.

    Parameters
    ----------
    runs
        Folder of the runs; new runs are also stored there.
    port
        Port to listen on. Without it: 8008, or the next free one.
    host
        Address to listen on. Another one than 127.0.0.1 lets other machines reach the page.
    open_page
        Open the page in the browser.
    data
        Data sets that the page offers: folders and zips of images, with the folders and zips in
        them.
    device
        Device that generates images for the page.
    """
    from ganvas.studio.server import StudioSettings, serve

    serve(StudioSettings(runs, tuple(split_places(data or ())), host, port, device), open_page)
