"""Read and write images, files and the terminal."""
