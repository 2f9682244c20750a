"""Students: the networks of a recipe, once for each teacher."""

from collections.abc import Sequence

from zooscope.addresses import Address
from zooscope.classifiers.addresses import find_name
from zooscope.classifiers.providers.registry import BUNDLED
from zooscope.errors import InvalidValueError
from zooscope.training.recipe import Recipe
from zooscope.training.recipe_tree import change
from zooscope.training.sweep import Sweep, require_different


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
    return require_different(students)


def _teach(student: Recipe, teacher: Address) -> Recipe:
    name = find_name(teacher)
    changes = {
        "name": f"{student.name}-of-{name.removeprefix(BUNDLED)}",
        "group": f"students of {name}",
        "loss.teacher": str(teacher),
    }
    return change(student, changes, place=f"the student of {name}")
