"""The files of a run folder: reading, checking, summarising them."""
