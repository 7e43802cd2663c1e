"""A look inside a trained GAN: what its layers make of one image, and where its noise leads."""
