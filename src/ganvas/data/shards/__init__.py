"""Data sets that exceed the disk, in tars."""
