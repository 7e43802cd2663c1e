"""Ways to make a training step faster."""
