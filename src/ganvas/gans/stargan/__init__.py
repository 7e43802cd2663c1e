"""GANs that change attributes of images: Choi et al. 2018."""
