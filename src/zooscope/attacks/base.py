"""The promise of every attack."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, NamedTuple

from jaxtyping import Float, Int, Shaped
from torch import Tensor

from zooscope.arguments import check_arguments
from zooscope.attacks.gradients import require_gradients
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import InvalidValueError
from zooscope.spelling import KIND, spell

LATER: Final = {"later": True}


class Attacked(NamedTuple):
    """What an attack gives.

    Attributes:
        pixels: attacked pixels, in [0, 1].
        facts: what the attack tells of each image besides, by name: queries used, the loss reached, ...

    Example:
        >>> import torch
        >>> from zooscope.attacks import Attacked
        >>> pixels, facts = Attacked(torch.zeros(2, 3, 32, 32), {"queries": torch.tensor([7, 9])})
        >>> facts["queries"].tolist()
        [7, 9]
    """

    pixels: Float[Tensor, "batch channel height width"]
    facts: Mapping[str, Shaped[Tensor, " batch"]] = {}


class Cost(NamedTuple):
    """What an attack costs at most, per image.

    Attributes:
        gradients: passes forward and back to the pixels.
        forwards: passes forward alone.

    Example:
        >>> from zooscope.attacks import Cost
        >>> Cost(gradients=50).forwards
        0
    """

    gradients: int = 0
    forwards: int = 0


@check_arguments
@dataclass(frozen=True, kw_only=True)
class Attack(ABC):
    """Settings of an attack, validated when made; the fields are its identity.

    A field is a number, a text, a boolean, another attack, or a tuple of these, and none is called `attack`. One that came when the
    attack was in use already is made by `field(default=..., metadata=LATER)`: the description names it only where it has another
    value, so that older studies stay what they are. `REFERENCE` says where the attack was published.

    Example:
        >>> import zooscope
        >>> attack = zooscope.attacks.LinfPGD(epsilon=4 / 255, step_size=0.01, iterations=20)
        >>> print(attack)
        LinfPGD?epsilon=4/255&step_size=0.01&iterations=20&random_start=false
    """

    REFERENCE: ClassVar[str] = ""

    @abstractmethod
    def perturb(
        self,
        classifier: Classifier,
        pixels: Float[Tensor, "batch channel height width"],
        labels: Int[Tensor, " batch"],
        seeds: Sequence[int] | None = None,
    ) -> Attacked:
        """Attacked pixels, and facts about each image.

        >>> import torch
        >>> resnet = zooscope.load_classifier("bundled:resnet")
        >>> images = zooscope.load_images("bundled:cifar10").sample(4)
        >>> attacked = attack.perturb(resnet, images.pixels(resnet), torch.from_numpy(images.labels))
        >>> attacked.pixels.shape
        torch.Size([4, 3, 32, 32])

        Args:
            classifier: the source.
            pixels: clean pixels in [0, 1] as the classifier takes them.
            labels: the true classes.
            seeds: one per image, for attacks that draw random numbers; an image's result depends on its own seed only.

        Returns:
            Pixels of the same shape and type, in [0, 1]; facts by the names of `fact_names`.

        Raises:
            NotFiniteError: the loss or a gradient is not finite.
        """

    @property
    def fact_names(self) -> tuple[str, ...]:
        """The names of the facts that `perturb` gives; the record is asked whether it has them."""
        return ()

    @property
    def cost(self) -> Cost | None:
        """What it costs at most, per image; None where it doesn't say."""
        return None

    def require(self, classifier: Classifier) -> None:
        """Refuses a source that the attack can't attack, before anything is measured: here, one without gradients.

        An attack that needs something else says so by a method of its own.

        >>> attack.require(zooscope.load_classifier("bundled:resnet"))  # no error: it has gradients

        Raises:
            ClassifierError: the attack can't attack it.
        """
        require_gradients(classifier, attack=type(self).__name__)

    @property
    def description(self) -> str:
        """The attack and its settings as JSON; equal texts are equal attacks."""
        return json.dumps(_describe(self))

    @property
    def digest(self) -> str:
        """SHA-256 of the description."""
        return hashlib.sha256(self.description.encode()).hexdigest()

    def __str__(self) -> str:
        """The attack as the command line takes it, with all fields: `LinfPGD?epsilon=8/255&step_size=0.1`."""
        return spell(self.description)


def _describe(attack: Attack) -> dict[str, Any]:
    kind = type(attack).__name__
    if KIND in (field.name for field in fields(attack)):
        msg = f"{kind} has a field called {KIND!r}, where descriptions of attacks have the attack's name; rename the field."
        raise InvalidValueError(msg)
    return {
        KIND: kind,
        **{
            field.name: _describe_value(f"{kind}.{field.name}", getattr(attack, field.name))
            for field in fields(attack)
            if not field.metadata.get("later") or getattr(attack, field.name) != field.default
        },
    }


def _describe_value(field: str, value: object) -> object:
    if isinstance(value, Attack):
        return _describe(value)
    if isinstance(value, tuple):
        return [_describe_value(field, element) for element in value]
    if not isinstance(value, bool | int | float | str):
        msg = f"{field} must be a number, a text, a boolean, an attack, or a tuple of these: got {type(value).__name__}."
        raise InvalidValueError(msg)
    return value
