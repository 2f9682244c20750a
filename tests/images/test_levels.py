"""Images that are held in Python become files without loss, or are refused."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2
from torchvision.transforms.functional import to_tensor

from tests.specimens import Array
from zooscope.errors import ImagesError
from zooscope.images.decode import decode
from zooscope.images.levels import encode_image

LEVELS: Array = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
ALL: Array = np.arange(256, dtype=np.uint8).reshape(16, 16)


def shown(image: object) -> Array:
    return np.asarray(decode(encode_image(image, place="image 0"), "image 0"))


@pytest.mark.parametrize(
    "image",
    [
        LEVELS,
        LEVELS.transpose(2, 0, 1),
        torch.from_numpy(LEVELS.copy()),
        LEVELS / 255,
        (LEVELS / 255).astype(np.float32),
        to_tensor(LEVELS),
        v2.functional.to_dtype(torch.from_numpy(LEVELS.transpose(2, 0, 1).copy()), torch.float32, scale=True),
        to_tensor(LEVELS).half(),
        Image.fromarray(LEVELS),
        LEVELS[:, ::-1][:, ::-1],
        to_tensor(LEVELS).requires_grad_(),
    ],
)
def test_colours_come_back_to_the_bit(image: object) -> None:
    np.testing.assert_array_equal(shown(image), LEVELS)


@pytest.mark.parametrize(
    "image", [ALL, ALL[None], ALL[..., None], to_tensor(ALL), Image.fromarray(ALL), ALL.astype(np.float32) / 255]
)
def test_every_level_of_grey_comes_back_in_three_channels(image: object) -> None:
    np.testing.assert_array_equal(shown(image), np.stack([ALL] * 3, axis=-1))


@pytest.mark.parametrize("mode", ["1", "P", "RGBA", "CMYK", "LA"])
def test_other_modes_of_pil_are_converted_as_files_are(mode: str) -> None:
    image = Image.fromarray(LEVELS).convert(mode)
    np.testing.assert_array_equal(shown(image), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (LEVELS.astype(np.int64), r"image 0 has the type int64; give uint8 \(levels from 0 to 255\) or floats in \[0, 1\]"),
        (
            LEVELS.astype(float),
            r"image 0 has floats from 0 to 2\d\d, which must be in \[0, 1\]; give levels from 0 to 255 as uint8",
        ),
        ((LEVELS / 255 - 0.5) / 0.2, r"which must be in \[0, 1\]; .* without mean and std"),
        (np.full((4, 4, 3), np.nan), r"image 0 has floats from nan to nan, which must be in"),
        (np.full((4, 4, 3), 0.5), r"that 8 bits can't hold \(no multiples of 1/255\).*: \(255 \* images\)\.round\(\) as uint8"),
        (to_tensor(LEVELS).bfloat16(), r"that 8 bits can't hold"),
        (np.zeros((4, 4, 4), np.uint8), r"the shape \(4, 4, 4\): it has neither 1 nor 3 channels"),
        (np.zeros((3, 4, 3), np.uint8), r"the shape \(3, 4, 3\): which axis holds the channels is not clear"),
        (np.zeros((0, 4, 3), np.uint8), r"the shape \(0, 4, 3\); give images of shape"),
        (np.zeros(4, np.uint8), r"the shape \(4,\); give images of shape \(height, width, 3\) or \(3, height, width\)"),
        (np.zeros((2, 4, 4, 3), np.uint8), r"the shape \(2, 4, 4, 3\); give images of shape"),
        (Image.fromarray(np.zeros((4, 4), np.uint16)), r"has levels of mode I;16, whose range is not known; convert it to 8 bits"),
        ("cat.png", r"image 0 is of type str; give PIL's images, arrays or tensors"),
    ],
)
def test_what_would_lose_something_is_refused(image: object, message: str) -> None:
    with pytest.raises(ImagesError, match=message):
        encode_image(image, place="image 0")
