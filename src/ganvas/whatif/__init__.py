"""What goes wrong with GANs, made on purpose and mended (`ganvas whatif`). It can be called."""

from ganvas.callable import make_callable

make_callable(__name__, "ganvas.whatif.lab:whatif")
