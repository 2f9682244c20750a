"""What a record says of the study and of its classifiers."""

from dataclasses import dataclass
from typing import Final

from zooscope.errors import StudyError


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
    """

    images: str
    image_digest: str
    class_names: str
    attack: str
    seed: int
    shard_size: int


@dataclass(frozen=True, kw_only=True)
class ClassifierRecord:
    """What the record knows of a classifier; the weights' digest is its identity."""

    name: str
    address: str | None
    architecture: str
    num_classes: int
    weights: str
    transform: str
    mean: str
    std: str


DATABASE: Final = "study.db"  # within the study's folder
IDENTITY: Final = ("weights", "num_classes", "transform", "mean", "std")


def require_unchanged(known: ClassifierRecord, classifier: ClassifierRecord) -> None:
    """Refuses a classifier that is not the one that the record holds under its name.

    Raises:
        StudyError: the field that differs is named.
    """
    for field in IDENTITY:
        old, new = getattr(known, field), getattr(classifier, field)
        if old != new:
            msg = (
                f"{classifier.name} is in the study with other {field} ({_short(old)}, now {_short(new)}); "
                "give the changed classifier another name, or measure into a new study."
            )
            raise StudyError(msg)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}..."  # noqa: PLR2004
