"""A trained generator for other programs and other people. It can be called."""

from ganvas.callable import make_callable
from ganvas.export.export import FORMATS, Exported, Request, export

__all__ = ["FORMATS", "Exported", "Request"]

make_callable(__name__, export)
