"""The theory of GANs on a line, computed exactly (`ganvas theory`). It can be called."""

from ganvas.callable import make_callable
from ganvas.theory.lab import theory

make_callable(__name__, theory)
