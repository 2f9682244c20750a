"""Probe packs: attack a few landmarks once, and test any number of classifiers on their images, by forward passes alone."""

from zooscope.probe.make_pack import make
from zooscope.probe.pack import Pack
from zooscope.probe.run_pack import run

__all__ = ["Pack", "make", "run"]
