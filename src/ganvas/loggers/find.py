"""Find loggers by name: ours, and those of other packages (entry points `ganvas.loggers`)."""

import importlib.util
import re
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points

from ganvas.errors import UserError, nearest
from ganvas.io.formats import install_hint
from ganvas.loggers.logger import Logger
from ganvas.loggers.ours import SwanLabLogger, TensorBoardLogger, TrackioLogger, WandbLogger

__all__ = ["GROUP", "find_loggers"]

GROUP = "ganvas.loggers"
# Each is also the name of the package that it needs, and of the extra that installs that. They are
# here, not among the entry points, so that they are there without an installation, too.
OURS: dict[str, Callable[[], Logger]] = {
    "tensorboard": TensorBoardLogger,
    "wandb": WandbLogger,
    "trackio": TrackioLogger,
    "swanlab": SwanLabLogger,
}
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")  # of a logger, since a folder gets it


def find_loggers(names: Iterable[str]) -> dict[str, Logger]:
    """New loggers, by name.

    Raises:
        UserError: a name is unknown, its package is not installed, or it cannot be imported.
    """
    return {name: _make_logger(name) for name in names}


def _make_logger(name: str) -> Logger:
    """A new logger.

    Raises:
        UserError: as in `find_loggers`.
    """
    if name in OURS:
        if importlib.util.find_spec(name) is None:
            raise UserError(f"the logger {name} needs its package: {install_hint(name)}")
        return OURS[name]()

    others = _list_others()
    if name not in others:
        raise UserError(f"there is no logger {name!r}; {nearest(name, [*OURS, *others])}")
    try:
        return others[name].load()()
    except Exception as error:  # code of others
        raise UserError(
            f"the logger {name} ({others[name].value}) cannot be used: "
            f"{str(error) or type(error).__name__}"
        ) from error


def _list_others() -> dict[str, EntryPoint]:
    """The loggers of other packages; none can take the name of one of ours."""
    return {point.name: point for point in entry_points(group=GROUP) if NAME.fullmatch(point.name)}
