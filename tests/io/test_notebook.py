"""Whether code runs in a notebook, and outputs that are replaced."""

import json
import subprocess
import sys

from ganvas.io.notebook import in_notebook

# A shell of IPython that keeps what would be sent to the page.
CODE = """
import json
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

class Shell(InteractiveShell):
    pass

Shell.__name__ = "{name}"
shell = Shell.instance()
shell.display_pub = CapturingDisplayPublisher()

from ganvas.io.notebook import DisplayArea, in_notebook

one, other = DisplayArea(), DisplayArea()
for area, page in ((one, "a"), (other, "b"), (one, "c")):
    area.show(page)
print(json.dumps([in_notebook(), shell.display_pub.outputs]))
"""


def run_in_shell(name: str) -> tuple[bool, list[dict]]:
    """Whether a shell of that name is a notebook's, and what two areas show in it."""
    answer = subprocess.run(
        [sys.executable, "-c", CODE.format(name=name)], capture_output=True, text=True, check=True
    )
    return json.loads(answer.stdout)


def test_a_terminal_is_no_notebook():
    assert not in_notebook()
    assert run_in_shell("TerminalInteractiveShell")[0] is False


def test_areas_are_replaced():
    notebook, outputs = run_in_shell("ZMQInteractiveShell")
    assert notebook is True
    assert [output["data"]["text/html"] for output in outputs] == ["a", "b", "c"]
    assert [output["update"] for output in outputs] == [False, False, True]
    names = [output["transient"]["display_id"] for output in outputs]
    assert names[0] == names[2] != names[1]
