"""Probe packs: attack a few landmarks once, and test any number of classifiers on their images, by forward passes alone.

Example:
    >>> import tempfile
    >>> import zooscope
    >>> images, file = zooscope.load_images("bundled:cifar10").sample(20, seed=0), f"{tempfile.mkdtemp()}/pack.zoo"
    >>> names, attack = ["bundled:resnet", "bundled:vit"], zooscope.attacks.LinfPGD(iterations=2)
    >>> with zooscope.Study.in_memory(classifiers=names, images=images, attack=attack) as study:
    ...     study.run(device="cpu")
    ...     pack = zooscope.probe.make(study, file, landmarks=names, device="cpu")
    >>> pack.names
    ('bundled:resnet', 'bundled:vit')
    >>> profiles = zooscope.probe.run(file, "bundled:mixer", device="cpu")
    >>> sorted(profiles.table["landmark"])
    ['bundled:resnet', 'bundled:vit']
"""

from zooscope.probe.make_pack import make
from zooscope.probe.pack import Pack
from zooscope.probe.run_pack import run

__all__ = ["Pack", "make", "run"]
