"""Small image files made in memory."""

import io

from PIL import Image


def png(level: int) -> bytes:
    """4 x 4 pixels of one red level."""
    return encoded(Image.new("RGB", (4, 4), (level, 0, 0)), "PNG")


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The file that PIL makes of an image."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
