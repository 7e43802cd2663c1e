"""A trained generator for other programs and other people. It can be called."""

from ganvas.callable import make_callable

# Nothing else is imported here, so that what is wrong in a command is found without torch.
make_callable(__name__, "ganvas.export.export:export")
