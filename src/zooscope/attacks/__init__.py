"""Adversarial attacks: from clean pixels to pixels that fool a classifier."""

from zooscope.attacks.base import Attack, Attacked
from zooscope.attacks.linf_pgd import LinfPGD
from zooscope.attacks.registry import build_attack, parse_attack, register

__all__ = ["Attack", "Attacked", "LinfPGD", "build_attack", "parse_attack", "register"]
