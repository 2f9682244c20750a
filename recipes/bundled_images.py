"""The recipe of the bundled images: 1,000 of CIFAR-10's test images, 100 a class, the first of each class, as PNG.

    python recipes/bundled_images.py --data cifar10 --out src/zooscope/images/bundled/cifar10

`--data` is a folder for torchvision's CIFAR10 (downloaded if absent), or an .npz as in bundled_zoo.py.
"""

import argparse
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from bundled_zoo import load_cifar10
from PIL import Image

from zooscope.outputs import write_whole

CLASSES: Final = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
NUM_PER_CLASS: Final = 100


def main() -> None:
    """Writes one PNG per image, named by its position in the test set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    _, _, images, labels = load_cifar10(args.data)
    for label, name in enumerate(CLASSES):
        folder = args.out / name
        folder.mkdir(parents=True, exist_ok=True)
        for position in np.flatnonzero(labels.numpy() == label)[:NUM_PER_CLASS]:
            pixels = images[position].permute(1, 2, 0).contiguous().numpy()
            write_whole(folder / f"{position:05d}.png", partial(Image.fromarray(pixels).save, format="png", optimize=True))


if __name__ == "__main__":
    main()
