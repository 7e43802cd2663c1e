"""Images for the page, inside JSON."""

import io
from base64 import b64encode

from PIL import Image
from torch import Tensor

from ganvas.io.images import to_pil

__all__ = ["png_address"]


def png_address(image: Image.Image | Tensor) -> str:
    """A `data:` address that holds an image, uint8 (C, H, W) or of Pillow, as a PNG."""
    picture = to_pil(image) if isinstance(image, Tensor) else image
    file = io.BytesIO()
    picture.save(file, "PNG")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
