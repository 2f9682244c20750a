"""SAT in one study against SAT in another, as points."""

import json
from typing import Any, Final

import numpy as np

from zooscope.analyses.study_agreement import StudyAgreement
from zooscope.pictures.data import Band, Points
from zooscope.pictures.labels import FEW, join_pairs
from zooscope.records.entries import Definition
from zooscope.spelling import KIND, spell

NUMBERED: Final = ("first study", "second study")


def make_agreement_picture(found: StudyAgreement, labels: tuple[str, str]) -> Points:
    """SAT in the second study by SAT in the first, a point per pair, with the trend line and its band (Figure 2 of the paper).

    Args:
        found: of the two studies.
        labels: of the two studies, different from each other, as `label_studies` makes them.
    """
    first, second = labels
    pairs, pearson = found.pairs, found.pearson
    ranked = "" if np.isnan(found.spearman.r) else f", Spearman {found.spearman.r:.2f}"
    tested = "" if np.isnan(pearson.r) else f": r = {pearson.r:.2f}, p = {pearson.p_mantel:.2g} (Mantel){ranked}"
    return Points(
        title=f"SAT of {len(found.names)} classifiers, {second} against {first}{tested}",
        x_label=f"SAT (natural log), {first}",
        y_label=f"SAT (natural log), {second}",
        x=pairs["first"].to_numpy(np.float64),
        y=pairs["second"].to_numpy(np.float64),
        names=tuple(f"{a} and {b}" for a, b in zip(pairs["a"], pairs["b"], strict=True)),
        are_named=len(pairs) <= FEW,
        labels=join_pairs(pairs["a"], pairs["b"], "and"),
        trend=Band.of_trend(found.trend),
    )


def label_studies(definitions: tuple[Definition, Definition], places: tuple[str, str]) -> tuple[str, str]:
    """What differs between two studies, as a label for each: of the attack its name and the fields that differ, then the images.

    Example:
        >>> from dataclasses import replace
        >>> attack = '{"attack": "LinfPGD", "epsilon": 0.1, "iterations": 3}'
        >>> one = Definition(images="folder:photos", image_digest="", class_names="", attack=attack, seed=0, shard_size=1)
        >>> label_studies((one, replace(one, attack=attack.replace("3", "50"))), ("a", "b"))
        ('LinfPGD?iterations=3', 'LinfPGD?iterations=50')
        >>> label_studies((one, replace(one, images="torchvision:Flowers102?root=data&split=test")), ("a", "b"))
        ('folder:photos', 'torchvision:Flowers102')
        >>> label_studies((one, one), ("a", "b"))
        ('a', 'b')

    Args:
        definitions: what the studies are about.
        places: their folders, the labels of studies with the same attack and images.

    Raises:
        StudyError: a record holds no attack's description.
    """
    attacks = _spell_different(*(definition.attack_settings for definition in definitions))
    images = _name_different(*(definition.images for definition in definitions))
    first, second = (", ".join(filter(None, parts)) for parts in zip(attacks, images, strict=True))
    if first and second and first != second:
        return first, second
    return places if places[0] != places[1] else NUMBERED


def _name_different(first: str, second: str) -> tuple[str, str]:
    """Two addresses of images, if they differ; without their options where they differ without them."""
    if first == second:
        return "", ""
    heads = first.partition("?")[0], second.partition("?")[0]
    return heads if heads[0] != heads[1] else (first, second)


def _spell_different(first: dict[str, Any], second: dict[str, Any]) -> tuple[str, str]:
    """Spellings of two attacks without the fields that are equal; of different kinds also without those that only one has."""
    if first == second:
        return "", ""
    fields = first.keys() | second.keys() if first[KIND] == second[KIND] else first.keys() & second.keys()
    different = {field for field in fields - {KIND} if field not in first or field not in second or first[field] != second[field]}
    shown = ({field: value for field, value in attack.items() if field == KIND or field in different} for attack in (first, second))
    one, other = (spell(json.dumps(attack)) for attack in shown)
    return one, other
