"""GANs that fill holes of images: Pathak et al. 2016."""
