"""The network that a recipe trains, and how it is written and found again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from zooscope.addresses import parse_address
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.load import load_classifier
from zooscope.classifiers.options import parse_value
from zooscope.classifiers.providers import bundled, timm
from zooscope.classifiers.providers.registry import BUNDLED, is_bundled
from zooscope.errors import InvalidValueError
from zooscope.training.randomness import seed_all
from zooscope.training.recipe import NetworkSettings, Recipe

FROM_WHERE: Final = ("bundled", "timm", "checkpoint")  # whose networks can be built again from a name
KEYWORD: Final = "architecture."


def build_classifier(recipe: Recipe, class_names: tuple[str, ...]) -> Classifier:
    """The classifier before its training, in eval mode, its parameters frozen as those of all classifiers.

    Raises:
        UnknownNameError: there is no such architecture, or no such classifier to start from.
        ClassifierError: it can't be built with these options, or its last layer can't be made anew.
        InvalidValueError: a setting can't be used with it.
    """
    settings = recipe.network
    with seed_all(recipe.seed, "network"):
        if settings.start:
            built = _load_start(settings, class_names, name=recipe.name)
        else:
            built = _build(settings, len(class_names), name=recipe.name)
    return replace(built, class_names=class_names)


def describe_checkpoint(classifier: Classifier, settings: NetworkSettings) -> dict[str, Any]:
    """The keys by which a zoo file loads the weights of a trained classifier into its architecture."""
    architecture, options = settings.architecture, settings.options
    if settings.start:
        architecture, options = _find_architecture(settings.start, classifier)
    return {
        "architecture": architecture,
        **{f"{KEYWORD}{key}": value for key, value in options.items()},
        "num_classes": classifier.num_classes,
        "size": classifier.transform.height,
        "mean": list(classifier.mean),
        "std": list(classifier.std),
        "interpolation": classifier.transform.interpolation,
        "crop": classifier.transform.crop_fraction,
    }


def _build(settings: NetworkSettings, num_classes: int, *, name: str) -> Classifier:
    architecture, options = settings.architecture, _write_options(settings)
    if is_bundled(architecture):
        if settings.options:
            msg = f"{architecture} takes no network.options; those of timm's architectures do."
            raise InvalidValueError(msg)
        bare = architecture.removeprefix(BUNDLED)
        network = bundled.build(bare, num_classes)
        return bundled.make_classifier(
            network, options, name=name, num_classes=num_classes, address=None, architecture=bare, class_names=None
        )
    timm.read_facts(architecture)  # refuses names that timm doesn't know
    keywords = {"num_classes": num_classes, **settings.options}
    network = timm.build(architecture, keywords, size=settings.size or None, what=f"timm's {architecture}")
    return timm.make_classifier(
        network, options, name=name, address=None, asked=f"timm's {architecture}", architecture=architecture
    )


def _write_options(settings: NetworkSettings) -> dict[str, str]:
    """What the settings say of the images, as options of an address."""
    chosen = {
        "size": settings.size,
        "mean": settings.mean,
        "std": settings.std,
        "interpolation": settings.interpolation,
        "crop": settings.crop,
    }
    return {key: ",".join(map(str, value)) if isinstance(value, tuple) else str(value) for key, value in chosen.items() if value}


def _load_start(settings: NetworkSettings, class_names: tuple[str, ...], *, name: str) -> Classifier:
    """A classifier to fine-tune; its last layer is made anew where it has other classes."""
    _require_known(settings.start)
    if _write_options(settings):
        msg = f"{settings.start} brings its own size, mean and std; leave those of network out, or put them into its address."
        raise InvalidValueError(msg)
    classifier = load_classifier(settings.start, name=name)
    network, num_classes = classifier.network, len(class_names)
    has_others = classifier.class_names is not None and classifier.class_names != class_names
    if classifier.num_classes != num_classes or has_others:
        if not hasattr(network, "reset_classifier"):
            msg = f"the last layer of {settings.start}, of {classifier.num_classes} classes, can't be made anew; take timm's."
            raise InvalidValueError(msg)
        network.reset_classifier(num_classes)  # type: ignore[operator]  # timm's networks have it
    return Classifier(
        name=name,
        network=network.eval(),
        num_classes=num_classes,
        transform=classifier.transform,
        mean=classifier.mean,
        std=classifier.std,
        architecture=classifier.architecture,
    )


def _require_known(start: str) -> None:
    """Refuses a classifier whose weights, once changed, could not be loaded into its architecture by a zoo file."""
    address = parse_address(start)
    if address.provider not in FROM_WHERE or set(address.options) & {"class_map", "outputs"}:
        msg = (
            f"{start} can't be fine-tuned here, since its weights could not be loaded again by name; "
            "take a bundled:, timm: or checkpoint: address without class_map and outputs."
        )
        raise InvalidValueError(msg)


def _find_architecture(start: str, classifier: Classifier) -> tuple[str, Mapping[str, Any]]:
    """The architecture of a classifier that was fine-tuned, and its options, as a checkpoint's address names them."""
    address = parse_address(start)
    if address.provider == "bundled":
        return f"{BUNDLED}{classifier.architecture}", {}
    if address.provider == "timm":
        return classifier.architecture, {}
    options = {key.removeprefix(KEYWORD): parse_value(text) for key, text in address.options.items() if key.startswith(KEYWORD)}
    return address.options["architecture"], options
