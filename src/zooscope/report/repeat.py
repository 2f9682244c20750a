"""The command that measures a study again, and what it can't reproduce."""

import shlex
from dataclasses import dataclass
from enum import Enum
from typing import Final

from zooscope.addresses import parse_address
from zooscope.classifiers.addresses import find_name
from zooscope.engine.chance import is_at_chance
from zooscope.errors import ZooscopeError
from zooscope.records.entries import COMPILED, EXACT
from zooscope.records.predictions import NOT_MEASURED
from zooscope.report.facts import Facts
from zooscope.scores.matrices import CONFIDENCE
from zooscope.spelling import spell

OPTIONS: Final = {"epsilon": "--epsilon", "step_size": "--step-size", "iterations": "--iterations"}
SHORT_FORM: Final = "LinfPGD"  # the attack whose fields have their own options


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """How to measure a study again.

    Attributes:
        command: for a shell; empty if there is none.
        caveats: sentences that say what it doesn't reproduce.
    """

    command: str
    caveats: tuple[str, ...]


class Choice(Enum):
    """How the images of a study were chosen; the value says what follows for the command."""

    SAMPLE = ""
    OTHER = (
        "The images were chosen by hand, or with another seed than the study's, so the command measures another sample "
        "of the same size."
    )
    UNKNOWN = (
        "The images were not available when this page was written, so it was not checked that the command takes the same ones."
    )


@dataclass(frozen=True, kw_only=True)
class Images:
    """What a command needs to know about a study's images: whether their classes need a file, and how they were chosen."""

    needs_classes: bool
    choice: Choice


def write_repeat(facts: Facts) -> Repeat:
    """The command that measures the study again in a new folder, and writes its report."""
    if ":" not in facts.definition.images:
        return Repeat(command="", caveats=("The images were made by hand in Python, so no command measures the same again.",))
    folder = (facts.path.name if facts.path else "") or "study"
    images = find_choice(facts)
    caveats = [images.choice.value] if images.choice.value else []
    if not all(facts.take_column("address")):
        caveats.append("Some classifiers were made by hand in Python and have no address; the command leaves them out.")
    words = ["zooscope", "measure", folder, "--images", facts.definition.images, "--count", str(facts.num_images)]
    words += ["--seed", str(facts.definition.seed), "--shard-size", str(facts.definition.shard_size)]
    words += ["--precision", facts.definition.precision] if facts.definition.precision != "float32" else []
    words += {EXACT: ["--exact"], COMPILED: ["--compile"]}.get(facts.definition.computing, [])
    classes = f"{folder}-classes.txt"
    words += ["--classes", classes] if images.needs_classes else []
    words += _spell_attack_options(facts)
    words += ["--allow-chance"] if _has_guessing(facts) else []
    words += ["--classifiers", *_list_addresses(facts)]
    words += ["--sources", ",".join(facts.sources)] if len(facts.sources) < len(facts.names) else []
    report = ["zooscope", "report", folder] + ([] if facts.confidence == CONFIDENCE else ["--confidence", f"{facts.confidence!r}"])
    commands = [shlex.join(words), shlex.join(report)]
    if images.needs_classes:
        commands.insert(0, f"printf '%s\\n' {shlex.join(facts.class_names)} > {shlex.quote(classes)}")
    return Repeat(command=" && ".join(commands), caveats=tuple(caveats))


def find_choice(facts: Facts) -> Images:
    """Loads the images' address and checks whether a sample with the study's seed gives the images of the study."""
    try:
        from zooscope.images.load import load_images  # noqa: PLC0415  (it needs torch, and the page can do without)

        address = facts.definition.images
        by_default = load_images(address, trust=False).class_names == facts.class_names
        everything = load_images(address, classes=None if by_default else facts.class_names, trust=False)
        sampled = everything.sample(facts.num_images, seed=facts.definition.seed) if facts.num_images <= len(everything) else None
    except (ZooscopeError, OSError, ImportError):
        return Images(needs_classes=True, choice=Choice.UNKNOWN)
    is_sample = sampled is not None and tuple(sampled.ids) == facts.image_ids
    return Images(needs_classes=not by_default, choice=Choice.SAMPLE if is_sample else Choice.OTHER)


def _spell_attack_options(facts: Facts) -> list[str]:
    attack = facts.attack
    if attack["attack"] != SHORT_FORM:
        return ["--attack", spell(facts.definition.attack)]
    words = [word for field, option in OPTIONS.items() for word in (option, _spell_exactly(attack[field]))]
    return [*words, "--random-start"] if attack["random_start"] else words


def _spell_exactly(value: float) -> str:
    """A setting as the command line reads it exactly."""
    steps = round(255 * value)
    return f"{steps}/255" if steps > 0 and steps / 255 == value and value < 1 else f"{value!r}"


def _has_guessing(facts: Facts) -> bool:
    """Whether a measured classifier is no better than guessing and needs an option."""
    predictions = facts.require_predictions()
    clean, labels = predictions.clean, predictions.labels
    known = [said for said in clean if (said != NOT_MEASURED).all()]
    return any(is_at_chance(said, labels, num_classes=len(facts.class_names)) for said in known)


def _list_addresses(facts: Facts) -> list[str]:
    """Addresses that give the classifiers their names in the study."""
    result = []
    for name, text in zip(facts.names, facts.take_column("address"), strict=True):
        if text:
            address = parse_address(text)
            result.append(str(address if find_name(address) == name else address.with_options({"name": name})))
    return result
