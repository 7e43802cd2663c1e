"""The theory of GANs on a line, computed exactly (`ganvas theory`). It can be called."""

from ganvas.callable import make_callable

make_callable(__name__, "ganvas.theory.lab:theory")
