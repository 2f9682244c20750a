"""Small images and recipes for the tests of training."""

from pathlib import Path

import numpy as np
from PIL import Image

from zooscope.training.recipe import Recipe
from zooscope.training.recipe_tree import make_recipe

COLOURS = {"blue": (40, 60, 220), "green": (50, 200, 60), "red": (220, 50, 40)}


def write_images(folder: Path, *, per_class: int, size: int = 32, seed: int = 0) -> str:
    """Noisy images whose colour tells their class, as a folder; gives its address."""
    generator = np.random.default_rng(seed)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            levels = np.clip(generator.normal(colour, 60, (size, size, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(levels).save(folder / name / f"{number:03d}.png")
    return f"folder:{folder}"


TINY = {
    "architecture": "vit_tiny_patch16_224",
    "options": {"patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 2},
    "size": 32,
    "mean": [0.5, 0.5, 0.5],
    "std": [0.25, 0.25, 0.25],
}


def make_tiny(images: str, **settings: object) -> Recipe:
    """A recipe of a ViT that learns in a second; settings are sections, or values of the top."""
    tree = {
        "name": "tiny",
        "epochs": 2,
        "batch_size": 10,
        "network": TINY,
        "images": {"train": images, "held_out_share": 0.2},
        "optimizer": {"learning_rate": 0.003},
        "augmentation": {"crop": "shift"},
    }
    return make_recipe({**tree, **settings}, place="the test's recipe")
