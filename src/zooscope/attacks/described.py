"""From an attack's description back to the attack."""

import json
from typing import Final

from zooscope.attacks.base import Attack
from zooscope.attacks.linf_pgd import LinfPGD
from zooscope.errors import StudyError

ATTACKS: Final[dict[str, type[Attack]]] = {kind.__name__: kind for kind in (LinfPGD,)}


def attack_described(description: str) -> Attack:
    """The attack whose `description` this is.

    Raises:
        StudyError: this zooscope has no such attack, or not with these settings.
    """
    try:
        settings = json.loads(description)
        return ATTACKS[settings.pop("attack")](**settings)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        msg = f"this zooscope doesn't know the attack {description}; use the version that measured the study."
        raise StudyError(msg) from error
