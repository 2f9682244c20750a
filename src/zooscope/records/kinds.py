"""What arrays are called in a record that are not in every study: of measurements that are made when they are asked for."""

from typing import Final

FEATURES: Final = "features"
GRADIENTS: Final = "gradients"
PLANES: Final = "planes"
ASKED_FOR: Final = (FEATURES, GRADIENTS, PLANES)
