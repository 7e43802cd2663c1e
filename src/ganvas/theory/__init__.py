"""The theory lab: a game on a line, small enough to be computed exactly;

`ganvas theory` shows it.
"""
