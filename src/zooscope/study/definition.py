"""What makes a study this study, and a classifier this classifier: how they stand in the record, and whether they still fit it."""

import json
import warnings
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from zooscope.addresses import parse_address
from zooscope.attacks.base import Attack
from zooscope.classifiers.class_map import match_classes
from zooscope.classifiers.class_matching import describe_matchings
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.prepared import PRECISIONS
from zooscope.components.reading.read import Components, read_components
from zooscope.components.reading.reading import Reading
from zooscope.components.table import read_paper_components
from zooscope.engine.numerics import Numerics
from zooscope.errors import ClassifierError, ClassMatchingWarning, InvalidValueError, StudyError, UnknownNameError
from zooscope.images.image_set import ImageSet
from zooscope.images.load import load_images
from zooscope.records.entries import COMPILED, EXACT, FAST, ClassifierRecord, Definition
from zooscope.records.records import GIVEN_CLASSES, LEFT_OUT, Records


def make_definition(images: ImageSet, attack: Attack, *, seed: int, shard_size: int, numerics: Numerics) -> Definition:
    """A study's definition; reads every image once.

    Raises:
        InvalidValueError: the shard size is not positive.
        ImagesError: some images can't be read.
    """
    if shard_size < 1:
        msg = f"shard_size must be at least 1: got {shard_size}."
        raise InvalidValueError(msg)
    return Definition(
        images=images.address,
        image_digest=images.digest,
        class_names="\n".join(images.class_names),
        attack=attack.description,
        seed=seed,
        shard_size=shard_size,
        precision=numerics.precision,
        computing=EXACT if numerics.is_exact else COMPILED if numerics.is_compiled else FAST,
    )


def find_numerics(definition: Definition) -> Numerics:
    """How a study's passes through networks are computed.

    Raises:
        StudyError: this zooscope can't compute so.
    """
    if definition.computing not in {EXACT, FAST, COMPILED} or definition.precision not in PRECISIONS:
        msg = (
            f"the study is computed in a way that this zooscope doesn't know ({definition.computing}, {definition.precision}); "
            "take a newer one."
        )
        raise StudyError(msg)
    computing = definition.computing
    return Numerics(precision=definition.precision, is_exact=computing == EXACT, is_compiled=computing == COMPILED)


def find_images(records: Records, *, study: str, trust: bool) -> ImageSet:
    """The images of a record, found again at their address.

    Args:
        records: of the study.
        study: what to call it in an error.
        trust: whether to run code that the address names.

    Raises:
        UntrustedCodeError: the address names code, and `trust` is False.
        StudyError: some are gone, or have changed.
    """
    definition, ids = records.definition, records.image_ids
    if ":" not in definition.images:
        msg = f"the images of {study} ({definition.images}) were made by hand; pass them to Study.open(..., images=...)."
        raise StudyError(msg)
    everything = load_images(definition.images, classes=definition.class_names.split("\n"), trust=trust)
    place = {name: position for position, name in enumerate(everything.ids)}
    gone = [name for name in ids if name not in place]
    if gone:
        msg = (
            f"{study}: {len(gone)} of its images are gone from {definition.images}, {gone[0]} first; "
            "put them back or measure a new study."
        )
        raise StudyError(msg)
    found = everything.take([place[name] for name in ids])
    require_same(definition, len(ids), images=found, study=study)
    return found


def make_record(classifier: Classifier) -> ClassifierRecord:
    """A classifier as the record knows it."""
    return ClassifierRecord(
        name=classifier.name,
        address=classifier.address,
        architecture=classifier.architecture,
        num_classes=classifier.num_classes,
        weights=classifier.digest,
        transform=classifier.transform.description,
        mean=json.dumps(classifier.mean),
        std=json.dumps(classifier.std),
        class_matching=classifier.class_matching,
    )


def find_components(classifier: Classifier) -> Components:
    """Architectural components: the paper's own for its networks, else as read off the network; none where that fails."""
    address = parse_address(classifier.address) if classifier.address else None
    if address is not None and address.provider == "paper":
        table = read_paper_components().loc[address.rest]
        return {str(component): Reading(value=str(value), why="the paper's table") for component, value in table.items()}
    try:
        return read_components(classifier)
    except ClassifierError:
        return {}


def enter_found_components(records: Records, names: Sequence[str], *, classifier: Callable[[str], Classifier]) -> None:
    """Enters the components of classifiers that have none yet; what a user has said of a classifier stays.

    Args:
        records: of the study, open for writing.
        names: of the classifiers.
        classifier: gives one by name.
    """
    for name in set(names) - records.components().keys():
        found = find_components(classifier(name))
        guesses = [component for component, reading in found.items() if reading.is_guess]
        records.set_components(name, {component: reading.value for component, reading in found.items()}, guesses=guesses)


def list_notes(images: ImageSet) -> dict[str, str]:
    """What is kept of a study's images besides the definition."""
    left_out = {LEFT_OUT: json.dumps(dict(images.left_out))} if images.left_out else {}
    return left_out | ({GIVEN_CLASSES: "1"} if images.has_given_classes else {})


def require_usable(classifiers: Sequence[Classifier], class_names: Sequence[str]) -> None:
    """Refuses classifiers that can't be compared on images of these classes.

    Raises:
        ClassifierError: two share a name, or one has another number of classes.
    """
    names = [classifier.name for classifier in classifiers]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        msg = f"two classifiers are called {twice[0]}; give one of them another name (name=...)."
        raise ClassifierError(msg)
    for classifier in classifiers:
        if classifier.num_classes != len(class_names):
            msg = (
                f"{classifier.name} has {classifier.num_classes} classes, but the images have {len(class_names)}; "
                "name all classes of the classifiers in their order (classes=FILE), or take classifiers of these classes."
            )
            raise ClassifierError(msg)


def match_all(classifiers: Sequence[Classifier], class_names: Sequence[str], *, are_given: bool) -> list[Classifier]:
    """Classifiers that can be compared on images of these classes, with their outputs matched with them.

    Args:
        classifiers: to be matched.
        class_names: of the images.
        are_given: whether the user gave the order of the classes.

    Raises:
        ClassifierError: two share a name, or one has another number of classes.

    Warns:
        ClassMatchingWarning: outputs have other names than the classes, or are in another order.
    """
    require_usable(classifiers, class_names)
    matched = [match_classes(classifier, class_names, are_given=are_given) for classifier in classifiers]
    _, sentences = describe_matchings({classifier.name: classifier.class_matching for classifier in matched})
    for sentence in sentences:
        warnings.warn(sentence, ClassMatchingWarning, stacklevel=3)
    return matched


def choose_roles(names: Sequence[str], sources: Sequence[str] | None) -> dict[str, bool]:
    """Whether each classifier is attacked: those whose name is one of the patterns; empty where nothing was asked.

    >>> choose_roles(["resnet18", "vit"], ["resnet*"])
    {'resnet18': True, 'vit': False}

    Raises:
        UnknownNameError: no classifier has such a name.
    """
    if sources is None:
        return {}
    for pattern in sources:
        if not any(fnmatchcase(name, pattern) for name in names):
            what = "source"
            raise UnknownNameError(what, pattern, names, f"Sources are among the study's classifiers: {', '.join(names)}.")
    return {name: any(fnmatchcase(name, pattern) for pattern in sources) for name in names}


def require_same(
    definition: Definition,
    num_images: int,
    *,
    images: ImageSet | None = None,
    attack: Attack | None = None,
    seed: int | None = None,
    shard_size: int | None = None,
    precision: str | None = None,
    exact: bool | None = None,
    compiled: bool | None = None,
    study: str,
) -> None:
    """Refuses what is other than in the study; what is None is not asked.

    Raises:
        StudyError: something differs; it says in what.
    """
    if images is not None:
        _require_equal("number of images", num_images, len(images), study=study)
        if definition.image_digest != images.digest:  # the address alone may differ: the same images lie elsewhere
            known, asked = f"{definition.images} ({definition.image_digest[:8]})", f"{images.address} ({images.digest[:8]})"
            _require_equal("set of images (contents, labels or sample)", known, asked, study=study)
    if attack is not None:
        known_settings, asked_settings = definition.attack_settings, json.loads(attack.description)
        known_settings.pop("precision", None)  # compared by itself
        for field in {**known_settings, **asked_settings}:
            what = "attack" if field == "attack" else f"{field} of the attack"
            _require_equal(what, known_settings.get(field), asked_settings.get(field), study=study)
    if seed is not None:
        _require_equal("seed", definition.seed, seed, study=study)
    if shard_size is not None:
        _require_equal("shard size", definition.shard_size, shard_size, study=study)
    if precision is not None:
        _require_equal("precision", definition.precision, precision, study=study)
    for way, is_asked in ((EXACT, exact), (COMPILED, compiled)):
        if is_asked is not None and is_asked != (definition.computing == way):
            _require_equal("way of computing", definition.computing, way if is_asked else FAST, study=study)


def _require_equal(what: str, known: object, asked: object, *, study: str) -> None:
    if known != asked:
        msg = (
            f"{study} was measured with another {what}: {known}, now {asked}. Measure into a new folder, or ask for the same again."
        )
        raise StudyError(msg)
