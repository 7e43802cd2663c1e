"""`python -m ganvas`, which `torchrun` needs."""

from ganvas.cli import main

main()
