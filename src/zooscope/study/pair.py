"""Two classifiers compared, without a study on disk."""

import json
from typing import Any, final

import torch

from zooscope.arguments import check_arguments
from zooscope.attacks import Attack
from zooscope.classifiers.collect import collect_classifier
from zooscope.classifiers.prepared import Precision
from zooscope.engine.progress import ProgressListener
from zooscope.engine.shelf import BATCH_SIZE
from zooscope.inline.facts import format_facts
from zooscope.scores.matrices import CONFIDENCE
from zooscope.scores.sat import EPSILON_S
from zooscope.statistics.bootstrap import require_confidence
from zooscope.study.study import Study
from zooscope.words import format_count, format_interval, format_number, format_percent


@final
class SatScore(float):
    """SAT of two classifiers: a float (natural log) with its confidence interval. `zooscope.sat` gives it.

    Example:
        >>> import zooscope
        >>> facts = dict(low=3.2, high=3.6, confidence=0.95, percent=30.0, a_to_b=35.0, b_to_a=25.0, control_a_to_b=0.0,
        ...              control_b_to_a=0.0, count=150, names=("a", "b"), attack="{}",
        ...              class_matchings=("by name", "by name"))
        >>> score = zooscope.SatScore(3.4, **facts)
        >>> score
        SatScore(3.400, low=3.200, high=3.600, percent=30.0, count=150)
        >>> score > 3
        True

    Attributes:
        low: lower end of the confidence interval, natural log.
        high: upper end.
        confidence: of the interval.
        percent: mean of both directions' fooled images per hundred, without the log.
        a_to_b: images per hundred on which the attack made on `a` fools `b`.
        b_to_a: the other direction.
        control_a_to_b: images per hundred that `b` gets wrong when they take the way from `a` unattacked; 0 where both take the
            same pixels.
        control_b_to_a: the other direction.
        count: images that both classify correctly when clean.
        names: of the classifiers.
        attack: the attack and its settings as JSON.
        class_matchings: how the outputs of each are matched with the images' classes, in words.
    """

    low: float
    high: float
    confidence: float
    percent: float
    a_to_b: float
    b_to_a: float
    control_a_to_b: float
    control_b_to_a: float
    count: int
    names: tuple[str, str]
    attack: str
    class_matchings: tuple[str, str]

    def __new__(cls, value: float, **facts: Any) -> "SatScore":  # noqa: ANN401  (the attributes above)
        """A float with these attributes."""
        score = super().__new__(cls, value)
        for name, fact in facts.items():
            setattr(score, name, fact)
        return score

    def _repr_html_(self) -> str:
        a, b = self.names
        facts = {
            "classifiers": f"{a}, {b}",
            f"{100 * self.confidence:g} % interval": format_interval(self.low, self.high),
            "fooled": f"{format_percent(self.percent)} of {format_count(self.count, 'image')} that both get right",
            f"attack on {a} fools {b}": format_percent(self.a_to_b),
            f"attack on {b} fools {a}": format_percent(self.b_to_a),
        }
        if max(self.control_a_to_b, self.control_b_to_a) > 0:
            facts["without an attack"] = f"{format_percent(self.control_a_to_b)}, {format_percent(self.control_b_to_a)}"
        return format_facts(f"SAT {format_number(self)}", facts)

    def __repr__(self) -> str:
        """The score with its interval."""
        return (
            f"SatScore({float(self):.3f}, low={self.low:.3f}, high={self.high:.3f}, percent={self.percent:.1f}, count={self.count})"
        )


@check_arguments
def sat(
    a: object,
    b: object,
    images: object,
    *,
    attack: Attack | str | None = None,
    confidence: float = CONFIDENCE,
    epsilon_s: float = EPSILON_S,
    device: str | torch.device = "auto",
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    precision: Precision = "float32",
    exact: bool = False,
    allow_chance: bool = False,
    listen: ProgressListener = lambda _: None,
) -> SatScore:
    """Similarity by attack transferability of two classifiers: both are attacked, each is tested on the other's attacked images.

    Source: Hwang et al., ECCV 2024, Equation 1. Symmetric; larger is more similar; from log(epsilon_s) to log(100) = 4.6.

    Example:
        >>> import zooscope
        >>> images = zooscope.load_images("bundled:cifar10").sample(20, seed=0)
        >>> attack = zooscope.attacks.LinfPGD(step_size=2 / 255, iterations=10)
        >>> score = zooscope.sat("bundled:resnet", "bundled:vit", images, attack=attack)
        >>> bool(score.low <= score <= score.high)
        True

    Args:
        a: one classifier, as `zooscope.collect_classifiers` takes it: an address, or a `Classifier`.
        b: another, of another name; for a classifier against itself see the diagonal of `Study.sat`.
        images: labelled images, as `zooscope.collect_images` takes them: an address, `(images, labels)`, a data set of torch, or an
            `ImageSet`; those that both get right are used.
        attack: itself, or its spelling as the command line takes it, such as "LinfPGD?iterations=10"; `LinfPGD()` by default.
        confidence: of the interval, in (0, 1).
        epsilon_s: the smallest percentage told apart from none.
        device: where to compute; "auto" takes a GPU where there is one.
        batch_size: images that go through a network at once.
        seed: for attacks that draw random numbers.
        precision: as for `Study.create`.
        exact: as for `Study.create`.
        allow_chance: whether to compare classifiers that guess.
        listen: called after every unit of work.

    Returns:
        The score with its interval; NaN if no image is classified correctly by both.

    Raises:
        ClassifierError: a classifier guesses, gives NaN, or its classes don't fit the images'.
        ImagesError: some images can't be read.

    Warns:
        ClassMatchingWarning: outputs have other names than the images' classes, or are in another order, which is followed.
        ImplausibleClassifierWarning: a classifier is far less accurate than it should be.
    """
    require_confidence(confidence)
    first, second = collect_classifier(a), collect_classifier(b)
    with Study.in_memory(
        classifiers=[first, second], images=images, attack=attack, seed=seed, precision=precision, exact=exact
    ) as study:
        study.run(device=device, batch_size=batch_size, allow_chance=allow_chance, listen=listen)
        snapshot = study.snapshot()
    scores, transfer = snapshot.sat(confidence=confidence, epsilon_s=epsilon_s), snapshot.transfer()
    score = scores.sel(a=first.name, b=second.name)
    forth, back = transfer.sel(source=first.name, target=second.name), transfer.sel(source=second.name, target=first.name)
    return SatScore(
        float(score),
        low=float(score.low),
        high=float(score.high),
        confidence=confidence,
        percent=float(score.percent),
        a_to_b=float(forth),
        b_to_a=float(back),
        control_a_to_b=float(forth.control),
        control_b_to_a=float(back.control),
        count=int(score["count"]),
        names=(first.name, second.name),
        attack=json.dumps(snapshot.definition.attack_settings),
        class_matchings=(snapshot.class_matchings[first.name], snapshot.class_matchings[second.name]),
    )
