"""One file per paper: what the paper says, and nothing else."""

from ganvas.gans.base import GAN, Batch, ChoiceInput, Clock, Update, Updates
from ganvas.gans.cdcgan import ConditionalDCGAN
from ganvas.gans.cut.cut import CUT
from ganvas.gans.cyclegan import CycleGAN
from ganvas.gans.dcgan import DCGAN, AvatarDCGAN
from ganvas.gans.gawwn.box import GAWWNBox
from ganvas.gans.gawwn.keypoints import GAWWNKeyPoints
from ganvas.gans.gawwn.relativistic import RelativisticGAWWN
from ganvas.gans.inpaint.original import Inpainter
from ganvas.gans.inpaint.relativistic import RelativisticInpainter
from ganvas.gans.mlp import MLP, DeepMLP, TanhMLP
from ganvas.gans.pix2pix.original import Pix2Pix
from ganvas.gans.pix2pix.relativistic import RelativisticPix2Pix
from ganvas.gans.points import PointGAN, RelativisticPointGAN
from ganvas.gans.r3gan import R3GAN
from ganvas.gans.relativistic import RelativisticGAN
from ganvas.gans.sngan import SNGAN
from ganvas.gans.stargan.original import StarGAN
from ganvas.gans.stargan.relativistic import RelativisticStarGAN
from ganvas.gans.wgan_gp import WGANGP

GANS: dict[str, type[GAN]] = {
    "mlp": MLP,
    "mlp-deep": DeepMLP,
    "mlp-tanh": TanhMLP,
    "dcgan": DCGAN,
    "avatar-dcgan": AvatarDCGAN,
    "cdcgan": ConditionalDCGAN,
    "relativistic": RelativisticGAN,
    "r3gan": R3GAN,
    "sngan": SNGAN,
    "wgan-gp": WGANGP,
    "points": PointGAN,
    "points-relativistic": RelativisticPointGAN,
    "cyclegan": CycleGAN,
    "cut": CUT,
    "stargan": StarGAN,
    "stargan-relativistic": RelativisticStarGAN,
    "pix2pix": Pix2Pix,
    "pix2pix-relativistic": RelativisticPix2Pix,
    "inpaint": Inpainter,
    "inpaint-relativistic": RelativisticInpainter,
    "gawwn-box": GAWWNBox,
    "gawwn-keypoints": GAWWNKeyPoints,
    "gawwn-relativistic": RelativisticGAWWN,
}

__all__ = ["GAN", "GANS", "Batch", "ChoiceInput", "Clock", "Update", "Updates"]
