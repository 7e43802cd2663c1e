"""A generator as one HTML file that opens from the disk, without network and server."""
