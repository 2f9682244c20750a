"""Students: the networks of a recipe, once for each teacher."""

import re
from collections.abc import Sequence
from typing import Final

from zooscope.addresses import Address
from zooscope.classifiers.addresses import find_name
from zooscope.errors import InvalidValueError
from zooscope.training.recipe import Recipe
from zooscope.training.recipe_tree import change
from zooscope.training.sweep import Sweep

_NO_NAME: Final = re.compile(r'[/\\:*?"<>|]+')
_PROVIDER: Final = re.compile(r"^\w+:")


def list_students(sweep: Sweep, teachers: Sequence[Address]) -> tuple[Recipe, ...]:
    """One recipe per teacher and network of the sweep, the teachers in their order.

    Example:
        >>> from zooscope.classifiers.selection import select_classifiers
        >>> from zooscope.training.recipe import NetworkSettings
        >>> sweep = Sweep(recipe=Recipe(name="vit", network=NetworkSettings(architecture="bundled:vit")))
        >>> [student.name for student in list_students(sweep, select_classifiers(["bundled:resnet", "bundled:mixer"]))]
        ['vit-of-resnet', 'vit-of-mixer']

    Raises:
        InvalidValueError: there is no teacher, or two students would have one name.
    """
    if not teachers:
        msg = "no teachers are named; give addresses, patterns or zoo files."
        raise InvalidValueError(msg)
    students = tuple(_teach(student, teacher) for teacher in teachers for student in sweep.list_recipes())
    names = [student.name for student in students]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        msg = f"two students would be called {twice}; give one of their teachers another name (name=...)."
        raise InvalidValueError(msg)
    return students


def _teach(student: Recipe, teacher: Address) -> Recipe:
    name = find_name(teacher)
    plain = _NO_NAME.sub("-", _PROVIDER.sub("", name)).strip("-. ") or "teacher"
    changes = {"name": f"{student.name}-of-{plain}", "group": f"students of {name}", "loss.teacher": str(teacher)}
    return change(student, changes, place=f"the student of {name}")
