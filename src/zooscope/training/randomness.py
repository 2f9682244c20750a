"""Random numbers that depend on the seed and on where they are drawn, never on what was drawn before.

timm's and torchvision's augmentations, Mixup and dropout draw from the global generators of Python, NumPy and PyTorch. So these are
seeded anew at every place, an image of an epoch or a step, and put back afterwards: a run that goes on from a checkpoint needs no
state of theirs, and draws the same.
"""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def derive_seed(*place: int | str) -> int:
    """63 bits of a place; other places give others.

    >>> derive_seed(0, "image", 1, 17) == derive_seed(0, "image", 1, 17)
    True
    """
    text = "\0".join(map(str, place))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


@contextmanager
def seed_all(*place: int | str) -> Iterator[None]:
    """Seeds the global generators for a place, the GPUs' too, and gives them back their states."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002  (see above)
    on_devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    try:
        reseed(*place)
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])
        if on_devices:
            torch.cuda.set_rng_state_all(on_devices)


def reseed(*place: int | str) -> None:
    """Seeds the global generators for a place; within `seed_all` or a process of one's own."""
    seed = derive_seed(*place)
    random.seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)  # noqa: NPY002  (it takes 32 bits)
    torch.default_generator.manual_seed(seed)  # `torch.manual_seed` takes a tenth of a millisecond, and is called for each image
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
