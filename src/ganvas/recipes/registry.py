"""All recipes by name."""

from collections.abc import Callable

from ganvas.errors import UserError
from ganvas.recipes import fast, fast_translation, papers, translation, tutorials
from ganvas.recipes.catalogue import refuse_unknown_recipe
from ganvas.recipes.recipe import Recipe

__all__ = ["RECIPES", "get_recipe"]

# In the order of the list: quick ones, tutorials, papers, image to image, points.
# A new recipe needs a row in `catalogue.py`, too.
RECIPES: dict[str, Callable[[], Recipe]] = {
    "digits": fast.digits,
    "mnist-fast": fast.mnist_fast,
    "fashion-fast": fast.fashion_fast,
    "avatars-fast": fast.avatars_fast,
    "mnist-mlp": tutorials.mnist_mlp,
    "mnist-mlp-deep": tutorials.mnist_mlp_deep,
    "mnist-mlp-tanh": tutorials.mnist_mlp_tanh,
    "mnist-cdcgan": tutorials.mnist_cdcgan,
    "avatars-dcgan": tutorials.avatars_dcgan,
    "dcgan-64": papers.dcgan_64,
    "sngan": papers.sngan,
    "wgan-gp": papers.wgan_gp,
    "stacked-mnist": papers.stacked_mnist,
    "stacked-mnist-fast": fast.stacked_mnist_fast,
    "stacked-mnist-r3gan": papers.stacked_mnist_r3gan,
    "cifar10-r3gan": papers.cifar10_r3gan,
    "ffhq-64-r3gan": papers.ffhq_64_r3gan,
    "pix2pix-fast": fast_translation.pix2pix_fast,
    "stargan-fast": fast_translation.stargan_fast,
    "inpaint-fast": fast_translation.inpaint_fast,
    "pix2pix": translation.pix2pix,
    "inpaint": translation.inpaint,
    "cyclegan": translation.cyclegan,
    "cyclegan-fast": fast_translation.cyclegan_fast,
    "stargan": translation.stargan,
    "gawwn-box": translation.gawwn_box,
    "gawwn-fast": fast_translation.gawwn_fast,
    "gawwn-keypoints": translation.gawwn_keypoints,
    "rings": papers.rings,
    "grid": papers.grid,
    "rings-fast": fast.rings_fast,
    "grid-fast": fast.grid_fast,
}


def get_recipe(name: str) -> Recipe:
    """Build the recipe of a name.

    Raises:
        UserError: the name is unknown (with the nearest names), or it is "auto", which needs data.
    """
    if name == "auto":
        raise UserError(
            "auto is not a fixed recipe; it chooses settings for your data: "
            "ganvas train auto --data FOLDER"
        )
    refuse_unknown_recipe(name, RECIPES)
    return RECIPES[name]()
