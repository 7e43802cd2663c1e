"""GANs that learn a translation from pairs of images: Isola et al. 2017."""
