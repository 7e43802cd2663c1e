"""A trained generator for other people and other programs."""
