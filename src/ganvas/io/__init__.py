"""Read and write pictures, files and the terminal."""
