"""The studio: a page in the browser on which one trains, watches and uses GANs."""
