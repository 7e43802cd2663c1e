"""GANs that draw a caption at a given place: Reed et al. 2016."""
