"""A caption and places to a picture: Reed et al. 2016."""
