"""Packages that can be called like functions: `ganvas.data("faces.zip")`, `ganvas.theory()`.

`ganvas.data` is both a package and, as every verb of the command line, a function. Whichever is
imported first, `ganvas.data` is the package, so the package itself is made callable. Type checkers
see the function, except in files that also import a module of the package by its whole name.
"""

import importlib
import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

__all__ = ["make_callable"]


class CallablePackage(ModuleType):
    """A package that passes calls on to one of its functions, which is imported at first use."""

    home: str  # of the function: its module and its name, with a colon between

    @property
    def function(self) -> Callable[..., Any]:
        """What a call calls."""
        module, _, name = self.home.partition(":")
        return getattr(importlib.import_module(module), name)

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self.function)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.function(*arguments, **keywords)


def make_callable(name: str, home: str) -> None:
    """Let a package be called; its signature is then the function's.

    Args:
        name: of the package, which is being imported.
        home: of the function that a call of the package calls, "MODULE:NAME". It is imported at
            its first use, so that light modules of the package do not wait for torch.
    """
    package = sys.modules[name]
    # Python allows this for subclasses of modules; see "Customizing module attribute access".
    package.__class__ = CallablePackage
    package.__dict__["home"] = home
