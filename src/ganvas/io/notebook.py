"""Notebooks: whether code runs in one, and outputs that are replaced by newer ones."""

import sys
import uuid
from typing import Any

__all__ = ["DisplayArea", "in_notebook", "show_image"]

# The shell of every kernel that shows HTML: Jupyter, VS Code, and Colab, which derives from it.
KERNEL_SHELL = "ZMQInteractiveShell"


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    # A kernel has imported IPython long before; elsewhere it must not be imported for this.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return KERNEL_SHELL in [kind.__name__ for kind in type(shell).__mro__]


class DisplayArea:
    """A place in the output of a notebook's cell, whose HTML is replaced at each `show`."""

    def __init__(self) -> None:
        self.name = f"ganvas-{uuid.uuid4().hex}"
        self.begun = False

    def show(self, page: str) -> None:
        """Show HTML; the first call decides the place."""
        from IPython.display import display, update_display

        content = {"text/html": page, "text/plain": ""}  # the text is for pages without HTML
        if self.begun:
            update_display(content, display_id=self.name, raw=True)
        else:
            display(content, display_id=self.name, raw=True)
        self.begun = True


def show_image(image: Any) -> None:
    """Show a Pillow image in the output of a notebook's cell, or else in the system's viewer."""
    if in_notebook():
        from IPython.display import display

        display(image)
    else:
        image.show()
