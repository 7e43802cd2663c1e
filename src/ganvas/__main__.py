"""`python -m ganvas`, for `torchrun`."""

from ganvas.cli import main

main()
