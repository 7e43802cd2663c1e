"""What goes wrong with GANs, made on purpose and mended (`ganvas whatif`). It can be called."""

from ganvas.callable import make_callable
from ganvas.whatif.lab import whatif

make_callable(__name__, whatif)
