"""Self-attention, found by its matrix products: scores between places (or features), and the products that use them as weights."""

from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from zooscope.components.reading.axes import Axis, count
from zooscope.components.reading.layers import SOFTMAX, Layers, Product, are_scores
from zooscope.components.reading.reading import Reading, list_modules
from zooscope.components.reading.trace import Step
from zooscope.components.reading.value import Value

Kind = Literal["global", "window", "halo", "features", "lambda", "linear", "token"]

NAMES: Final = {"lambda": "Lambda", "halo": "Halo", "global": "BoT", "window": "Window", "features": "XCA", "linear": "Linear"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Attention:
    """One layer of self-attention, or one head of it where heads run one by one.

    Attributes:
        step: the product that makes its scores.
        kind: between all places, the places of a window, or a window and its surroundings; between features; by a summary of all
            places that each place queries, with a softmax over the places (lambda layers) or without (linear attention); from a
            single token.
    """

    step: Step
    kind: Kind


def find_attention(layers: Layers) -> tuple[Attention, ...]:
    """Every layer of self-attention, in order."""
    found, scored = list[Attention](), set[int]()
    for product in layers.products:
        if product.step.number in scored:
            continue
        kind = _find_kind(layers, product)
        if kind is None:
            continue
        weighed = _find_weighing(layers, product)
        if weighed:
            scored.update(each.step.number for each in weighed)
            found.append(Attention(step=product.step, kind=kind))
    return tuple(found)


def read_self_attention(attention: tuple[Attention, ...], base: str) -> Reading:
    """Self-attention in a convolutional network; for Transformers, the base architecture already says it."""
    layers = [each for each in attention if each.kind != "token"]
    if not layers:
        return Reading(value="No", why="no product of features gives attention scores")
    if "CNN" not in base:
        return Reading(
            value="No", why=f"the base architecture, {base}, already covers the attention in {list_modules([layers[0].step.path])}"
        )
    counts = Counter(NAMES[each.kind] for each in layers)
    names = [name for name in NAMES.values() if counts[name]]
    first = {NAMES[each.kind]: each.step.where for each in reversed(layers)}
    return Reading(
        value=f"Yes ({', '.join(names)})", why="; ".join(f"{name}: {first[name]}, {counts[name]} in total" for name in names)
    )


def _find_weighing(layers: Layers, product: Product) -> list[Product]:
    """The products that take the scores of a product as weights; layers that mix the scores of several heads may come between."""
    products = {each.step.number: each for each in layers.products}
    scores = product.step.output.num_places

    def stop(step: Step) -> bool:
        return step.number in products or (step.number in layers.working and step.output.num_places != scores)

    return [products[step.number] for step in layers.walk_forward(product.step, stop=stop) if step.number in products]


def _find_kind(layers: Layers, product: Product) -> Kind | None:
    """The kind of attention, if the product computes scores; None otherwise."""
    return _classify_summary(layers, product) if product.sums_over_places else _classify_scores(product)


def _classify_summary(layers: Layers, product: Product) -> Kind | None:
    """The kind of a product whose result is features by features; None for a weighted sum or a pooling."""
    no_places = _count_places(product.rows) == _count_places(product.columns) == 1
    if not no_places or min(_count_features(product.rows), _count_features(product.columns)) == 1:
        return None
    if are_scores(layers, product.step):
        return "features"
    return "lambda" if any(_is_weighed(layers, value) for value in product.step.data) else "linear"


def _classify_scores(product: Product) -> Kind | None:
    """The kind of a product whose result is places by places, or one token by places."""
    rows, columns = _count_places(product.rows), _count_places(product.columns)
    if min(rows, columns) == 1:
        no_features = _count_features(product.rows) == _count_features(product.columns) == 1
        return "token" if no_features and max(rows, columns) > 1 else None
    if columns > rows:
        return "halo"
    windows = count(product.step.output.axes[:-2], "place")
    return "global" if windows == 1 else "window"


def _is_weighed(layers: Layers, value: Value) -> bool:
    """Whether a value is the result of a softmax."""
    made = layers.walk_backward(value, stop=lambda step: step.operation in SOFTMAX or step.number in layers.working)
    return any(step.operation in SOFTMAX for step in made)


def _count_places(of: Axis) -> int:
    return count([of], "place")


def _count_features(of: Axis) -> int:
    return count([of], "feature")
