"""Compare pictures as a reader sees them."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image, ImageFilter

BLURRED_PIXELS = 4  # on each side
MOST, MEAN = 64, 3  # of 255: lines that lie on the next pixel, in both directions


def look_alike(one: str, other: str) -> bool:
    """Tell whether two pictures in base64 have one size, and show the same to a pixel."""
    pictures = [
        Image.open(io.BytesIO(base64.b64decode(each))).convert("RGB") for each in (one, other)
    ]
    if pictures[0].size != pictures[1].size:
        return False
    blur = ImageFilter.BoxBlur(BLURRED_PIXELS)
    first, second = (np.asarray(each.filter(blur), dtype=float) for each in pictures)
    differences = np.abs(first - second)
    return bool(differences.max() <= MOST and differences.mean() <= MEAN)
