"""Adversarial attacks: from clean pixels to pixels that fool a classifier."""

from zooscope.attacks.base import Attack
from zooscope.attacks.linf_pgd import LinfPGD

__all__ = ["Attack", "LinfPGD"]
