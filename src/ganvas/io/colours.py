"""The colours of all plots."""

__all__ = ["COLOURS", "FAINT", "GRID", "INK"]

INK, FAINT, GRID = "#1f2937", "#6b7280", "#e5e7eb"
# Colour-blind readers can distinguish these: Okabe and Ito's palette, with a darker yellow.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9")
