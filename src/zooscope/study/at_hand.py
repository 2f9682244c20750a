"""What measuring needs and no record holds: networks, images, the attack. Handed over by the user, or found again."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any, final

import torch

from zooscope.attacks import Attack, build_attack
from zooscope.classifiers.class_map import match_classes
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.load import load_classifier
from zooscope.engine.shelf import Shelf
from zooscope.errors import StudyError
from zooscope.images.image_set import ImageSet
from zooscope.images.pixel_transform import PixelTransform
from zooscope.kept.kept_attacks import KeptAttacks
from zooscope.records.entries import ClassifierRecord, require_unchanged
from zooscope.records.records import GIVEN_CLASSES, Records
from zooscope.study.definition import find_images, find_numerics, make_record


@final
class AtHand:
    """Classifiers, images and attack of a study. What is not handed over is loaded when asked for, and compared with the record."""

    def __init__(
        self,
        records: Records,
        *,
        study: str,
        classifiers: Iterable[Classifier] = (),
        images: ImageSet | None = None,
        attack: Attack | None = None,
        trust: bool = False,
    ) -> None:
        """Takes what is handed over.

        Args:
            records: of the study.
            study: what to call it in an error.
            classifiers: of the study, or to be added to it.
            images: all images of the study.
            attack: of the study.
            trust: whether to run code that addresses in the record name.
        """
        self._records, self._study, self._trust = records, study, trust
        self._images, self._attack = images, attack
        self._classifiers = {classifier.name: classifier for classifier in classifiers}
        self._class_names, self._are_given = records.definition.class_names.split("\n"), GIVEN_CLASSES in records.notes
        self._addresses = dict[str, str]()  # of classifiers that were at hand where this came from

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs to give classifiers: those made by hand; it loads the others itself."""
        by_hand = {
            name: replace(one, network=deepcopy(one.network).cpu())
            for name, one in self._classifiers.items()
            if one.address is None
        }
        own = {"_class_names": self._class_names, "_are_given": self._are_given, "_trust": self._trust}
        addresses = {name: one.address for name, one in self._classifiers.items() if one.address is not None}
        return {**own, "_classifiers": by_hand, "_addresses": addresses}

    @property
    def classifiers(self) -> frozenset[str]:
        """The names of the classifiers that were handed over or loaded."""
        return frozenset(self._classifiers)

    def take(self, *, images: ImageSet | None = None, attack: Attack | None = None, classifiers: Iterable[Classifier] = ()) -> None:
        """Takes what is handed over later, in place of what there was."""
        self._images = images or self._images
        self._attack = attack or self._attack
        self._classifiers |= {classifier.name: classifier for classifier in classifiers}

    def drop(self, name: str) -> None:
        """Lets go of a classifier, if it is there."""
        self._classifiers.pop(name, None)

    def classifier(self, record: ClassifierRecord) -> Classifier:
        """A classifier of the study. Doesn't touch the record, so that it may be called in a thread.

        Raises:
            StudyError: it was made by hand and not handed over, or has changed.
            UntrustedCodeError: its address names code, and the study is not trusted.
        """
        if record.name not in self._classifiers:
            known = self._addresses.get(record.name)  # not what the record says, which may be by someone else
            address = known or record.address
            if address is None:
                msg = f"{record.name} was made by hand; pass it to Study.open(..., classifiers=[...]) to run the study on."
                raise StudyError(msg)
            trust = self._trust or known is not None
            self._classifiers[record.name] = load_classifier(address, name=record.name, trust=trust)
        classifier = self._classifiers[record.name]
        if classifier.num_classes == len(self._class_names):
            classifier = match_classes(classifier, self._class_names, are_given=self._are_given)
            self._classifiers[record.name] = classifier
        require_unchanged(record, make_record(classifier))
        return classifier

    def make_shelf(
        self,
        *,
        device: torch.device,
        batch_size: int,
        memory_budget: int | None,
        allow_nonfinite: bool,
        guests: Sequence[Classifier],
        kept: KeptAttacks | None,
    ) -> Shelf:
        """What tasks are measured with; classifiers are loaded when they are needed. See `Study.shelf`.

        Raises:
            StudyError: the images are not at hand, or have changed.
        """
        visiting = {guest.name: guest for guest in guests}
        known = {entry.name: entry.classifier for entry in self._records.entries}
        return Shelf(
            load=partial(_load, self, visiting, known),
            transforms={name: PixelTransform.parse(one.transform) for name, one in known.items()}
            | {name: guest.transform for name, guest in visiting.items()},
            device=device,
            images=self.images,
            shards=self._records.shards,
            batch_size=batch_size,
            budget=memory_budget,
            allow_nonfinite=allow_nonfinite,
            numerics=find_numerics(self._records.definition),
            kept=kept,
        )

    @property
    def images(self) -> ImageSet:
        """The images, found again at their address and compared with the record.

        Raises:
            StudyError: they have changed, or were made by hand and not handed over.
        """
        if self._images is None:
            self._images = find_images(self._records, study=self._study, trust=self._trust)
        return self._images

    @property
    def attack(self) -> Attack:
        """The attack, with its settings.

        Raises:
            StudyError: this zooscope has no such attack.
        """
        return self._attack or build_attack(self._records.definition.attack)


def _load(at_hand: AtHand, visiting: Mapping[str, Classifier], known: Mapping[str, ClassifierRecord], name: str) -> Classifier:
    """A classifier that visits the study, or one of its own. With its first arguments bound, it can be sent to other processes."""
    return visiting[name] if name in visiting else at_hand.classifier(known[name])
