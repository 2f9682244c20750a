"""The recipe of the bundled images: 1,000 of CIFAR-10's test images, 100 a class, the first of each class, as PNG.

    python recipes/bundled_images.py 'torchvision:CIFAR10?root=cifar10&split=test' --out src/zooscope/images/bundled/cifar10

The address may be a folder, too, whose files are called by their positions in the test set.
"""

import argparse
import re
from functools import partial
from pathlib import Path
from typing import Final

import zooscope.images.torchvision_operators

import numpy as np

import zooscope
from zooscope.outputs import write_whole

NUM_PER_CLASS: Final = 100
_POSITION: Final = re.compile(r"(\d+)(\.\w+)?$")


def main() -> None:
    """Writes one PNG per image, named by its position in the test set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    images = zooscope.load_images(args.images)
    positions = [int(found[1]) for name in images.ids if (found := _POSITION.search(name))]
    for label, name in enumerate(images.class_names):
        members = sorted((positions[place], int(place)) for place in np.flatnonzero(images.labels == label))
        for position, place in members[:NUM_PER_CLASS]:
            write_whole(args.out / name / f"{position:05d}.png", partial(images.image(place).save, format="png", optimize=True))


if __name__ == "__main__":
    main()
