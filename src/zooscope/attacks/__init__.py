"""Adversarial attacks: from clean pixels to pixels that fool a classifier."""

from zooscope.attacks.apgd import APGD
from zooscope.attacks.autoattack import AutoAttack
from zooscope.attacks.base import Attack, Attacked, Cost
from zooscope.attacks.fab import FAB
from zooscope.attacks.linf_pgd import LinfPGD
from zooscope.attacks.patch_fool import PatchFool
from zooscope.attacks.registry import build_attack, parse_attack, register
from zooscope.attacks.square import Square

__all__ = [
    "APGD",
    "FAB",
    "Attack",
    "Attacked",
    "AutoAttack",
    "Cost",
    "LinfPGD",
    "PatchFool",
    "Square",
    "build_attack",
    "parse_attack",
    "register",
]
