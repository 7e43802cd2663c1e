"""The theory of GANs on a line, computed exactly (`ganvas theory`)."""
