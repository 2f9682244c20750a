"""What a record says of the study and of its classifiers."""

import json
from dataclasses import dataclass
from typing import Any, Final

from zooscope.errors import StudyError

EXACT: Final = "exact"
FAST: Final = "fast"
COMPILED: Final = "compiled"


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What a study is about; none of it may change once something is measured.

    Attributes:
        images: address of the image set.
        image_digest: SHA-256 over the sampled images, their ids and labels.
        class_names: the classes, in the order of the logits, joined by newlines.
        attack: the attack and its settings as JSON.
        seed: from which every image's own seed is made.
        shard_size: images per unit of work.
        precision: of passes through networks.
        computing: "exact" where networks run as they are, "fast" where they are prepared for speed, "compiled" where torch
            compiles them, too; "exact" if not said.
    """

    images: str
    image_digest: str
    class_names: str
    attack: str
    seed: int
    shard_size: int
    precision: str = "float32"
    computing: str = EXACT

    @property
    def attack_settings(self) -> dict[str, Any]:
        """The attack's name, under "attack", and its settings; the precision is one of them, if it isn't float32.

        Example:
            >>> text = '{"attack": "LinfPGD", "epsilon": 0.03}'
            >>> Definition(images="", image_digest="", class_names="", attack=text, seed=0, shard_size=1).attack_settings["attack"]
            'LinfPGD'

        Raises:
            StudyError: the record holds no attack's description there.
        """
        try:
            settings = json.loads(self.attack)
        except (ValueError, RecursionError):
            settings = None
        if not isinstance(settings, dict) or not isinstance(settings.get("attack"), str):
            found = repr(self.attack[:40])
            msg = f"the study's attack can't be read: {found} is no JSON object with a name and settings; restore a copy."
            raise StudyError(msg)
        return settings | ({} if self.precision == "float32" else {"precision": self.precision})


@dataclass(frozen=True, kw_only=True)
class ClassifierRecord:
    """What the record knows of a classifier; the weights' digest is its identity.

    Attributes:
        name: unique in the study.
        address: where it came from; None where it was made by hand.
        architecture: of the network.
        num_classes: how many logits it gives.
        weights: their digest.
        transform: how its pixels are made, as JSON: the description of a `PixelTransform`; empty where scores were imported.
        mean: of each channel, as JSON.
        std: of each channel, as JSON.
        class_matching: how its outputs are matched with the classes of the images, in words; empty where that is not known.
    """

    name: str
    address: str | None
    architecture: str
    num_classes: int
    weights: str
    transform: str
    mean: str
    std: str
    class_matching: str = ""

    @property
    def transform_settings(self) -> dict[str, Any]:
        """The fields of the transform; none where it is not known."""
        try:
            settings = json.loads(self.transform)
        except (ValueError, RecursionError):
            return {}
        return settings if isinstance(settings, dict) else {}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A classifier's place in the record.

    Attributes:
        classifier: what the record knows of it.
        is_source: whether it is attacked; all are targets.
        is_admitted: whether something of it is measured. Until then it waits: it is in no score, and another classifier may take
            its name.
        refusal: why it can't be measured; empty where nothing is known against it.
    """

    classifier: ClassifierRecord
    is_source: bool = True
    is_admitted: bool = False
    refusal: str = ""

    @property
    def name(self) -> str:
        """The classifier's."""
        return self.classifier.name


DATABASE: Final = "study.db"  # within the study's folder
IDENTITY: Final = ("weights", "num_classes", "transform", "mean", "std")


def require_unchanged(known: ClassifierRecord, classifier: ClassifierRecord) -> None:
    """Refuses a classifier that is not the one that the record holds under its name.

    Raises:
        StudyError: the field that differs is named.
    """
    for field in IDENTITY:
        old, new = getattr(known, field), getattr(classifier, field)
        if old != new and field == "weights" and known.class_matching != classifier.class_matching:
            msg = (
                f"{classifier.name} is in the study with its classes matched {known.class_matching or 'by position'}, "
                f"now it would be {classifier.class_matching}; give it another name, or measure into a new study."
            )
            raise StudyError(msg)
        if old != new:
            msg = (
                f"{classifier.name} is in the study with other {field} ({_shorten(old)}, now {_shorten(new)}); "
                "give the changed classifier another name, or measure into a new study."
            )
            raise StudyError(msg)


def _shorten(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}..."  # noqa: PLR2004
