"""Data sets that exceed the disk, as tars of images."""
