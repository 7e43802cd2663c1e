"""The colours of all plots."""

from collections.abc import Iterable
from itertools import cycle

__all__ = ["COLOURS", "FAINT", "GRID", "INK", "choose_colours"]

INK, FAINT, GRID = "#1f2937", "#6b7280", "#e5e7eb"
# Colour-blind readers can distinguish these: Okabe and Ito's palette, with a darker yellow.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9")
# Each of the two players has the same colour in all plots, and on the studio's page.
PLAYERS = {"discriminator": COLOURS[0], "generator": COLOURS[1]}


def choose_colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each curve of a plot, by its name: the players have their own."""
    known = list(dict.fromkeys(names))
    taken = [PLAYERS[name] for name in known if name in PLAYERS]
    others = cycle(colour for colour in COLOURS if colour not in taken)
    return {name: PLAYERS.get(name) or next(others) for name in known}
