"""A trained generator as files for other programs. It can be called."""

from ganvas.callable import make_callable
from ganvas.export.export import FORMATS, Exported, Request, export

__all__ = ["FORMATS", "Exported", "Request"]

make_callable(__name__, export)
