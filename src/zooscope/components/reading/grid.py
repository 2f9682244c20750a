"""The grid of features or tokens: whether it shrinks between blocks, and how the network pools it at the end."""

from typing import Final

from zooscope.components.reading.layers import POOLINGS, REDUCTIONS, Layers, are_scores, joins
from zooscope.components.reading.reading import Reading
from zooscope.components.reading.stem import Stem
from zooscope.components.reading.trace import Step

CHOOSING: Final = ("select", "slice", "split_with_sizes", "split", "unbind", "index", "index_select", "gather")
MUCH: Final = 1.5  # a class token doesn't change the grid


def read_hierarchical(layers: Layers, stem: Stem) -> Reading:
    """Whether the grid shrinks between blocks, compared where shortcuts end or, without shortcuts, at layers with weights."""
    body = [step for step in layers.trace.steps if step.number > stem.end]
    sized = [step for step in body if joins(step) and not are_scores(layers, step)]
    if not any(step.output.num_places > 1 for step in sized):
        sized = [each.step for each in layers.convolutions if each.step.number > stem.end and each.over_places]
        sized += [each.step for each in layers.linears if each.step.number > stem.end]
    seen: dict[int, Step] = {}
    for step in sized:
        if step.output.num_places > 1:
            seen.setdefault(step.output.num_places, step)
    if not seen:
        return Reading(value="No", why="a guess: no layer after the stem has more than one place", is_guess=True)
    largest, smallest = max(seen), min(seen)
    if largest >= MUCH * smallest:
        why = f"{largest} places in {seen[largest].where}, {smallest} in {seen[smallest].where}"
        return Reading(value="Yes", why=why)
    return Reading(value="No", why=f"{largest} places from the first block to the last")


def read_final_pooling(layers: Layers) -> Reading:
    """The last step before the logits that reduces many places to one."""
    found: dict[str, str] = {}
    for step in _find_last_poolings(layers):
        reading = _name_pooling(layers, step)
        found.setdefault(reading.value, reading.why)
    if not found:
        return Reading(value="-", why="no operation reduces many places to one")
    return Reading(value=" + ".join(sorted(found)), why="; ".join(found[value] for value in sorted(found)))


def _name_pooling(layers: Layers, step: Step) -> Reading:
    """The kind of pooling that a step performs."""
    if step.operation in CHOOSING:
        return Reading(value="CLS token", why=f"{step.where} selects one token")
    if step.operation in {"mean", "sum", "avg_pool2d", "adaptive_avg_pool2d"}:
        return Reading(value="GAP", why=f"{step.where} takes the mean over {step.data[0].num_places} places")
    if step.operation in POOLINGS or step.operation in {"amax", "max"}:
        return Reading(value="GMP", why=f"{step.where} takes the maximum over {step.data[0].num_places} places")
    if step.number in {product.step.number for product in layers.products}:
        return Reading(value="Attention", why=f"{step.where} weights the places by attention")
    if step.operation == "convolution":
        return _read_pooling_after(layers, step)
    return Reading(value="Flatten", why=f"{step.where} feeds all places into one linear layer")


def _find_last_poolings(layers: Layers) -> list[Step]:
    """Searches back from the logits: on each path, the first step that takes several places and gives one."""
    last = layers.trace.steps[-1]
    seen, waiting, found = {last.number}, [last], list[Step]()
    while waiting:
        step = waiting.pop()
        if step.output.num_places <= 1 < max((value.num_places for value in step.data), default=0):
            found.append(step)
            continue
        for before in layers.trace.find_before(step):
            if before.number not in seen:
                seen.add(before.number)
                waiting.append(before)
    return sorted(found, key=lambda each: each.number)


def _read_pooling_after(layers: Layers, step: Step) -> Reading:
    """The pooling after a convolution that leaves one place only."""
    for later in layers.trace.steps[step.number + 1 :]:
        if later.operation in {*REDUCTIONS, *POOLINGS} and later.output.num_places == 1:
            value = "GAP" if "mean" in later.operation or "avg" in later.operation else "GMP"
            return Reading(value=value, why=f"{later.where} pools the output of {step.where}, which has one place")
    return Reading(value="-", why=f"{step.where} leaves one place, and no pooling follows")
