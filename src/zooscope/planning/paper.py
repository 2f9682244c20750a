"""The plan of the paper's own study, without its weights: 69 networks of random weights, counted and never run."""

from collections.abc import Callable, Mapping
from typing import Final

import timm
import torch
from torch import nn

from zooscope.attacks.linf_pgd import LinfPGD
from zooscope.attacks.settings import require_at_least
from zooscope.classifiers.providers import gluon_xception65
from zooscope.classifiers.providers.paper import Entry, read_entries
from zooscope.engine.shelf import BATCH_SIZE, require_settings
from zooscope.planning.passes import Pass, count_pass
from zooscope.planning.plan import Plan, plan_passes

NUM_IMAGES: Final = 5000
NUM_CLASSES: Final = 1000
ITERATIONS: Final = 50
ACCURACY: Final = 0.8  # about the mean of the 69 on ImageNet


def plan_paper(
    *,
    num_images: int = NUM_IMAGES,
    iterations: int = ITERATIONS,
    batch_size: int = BATCH_SIZE,
    listen: Callable[[int, int], None] = lambda _done, _total: None,
) -> Plan:
    """Counts the study of the paper's 69 networks under PGD.

    Args:
        num_images: of ImageNet's validation set; the paper takes 5,000.
        iterations: of PGD.
        batch_size: images that go through a network at once.
        listen: called after every network.

    Raises:
        InvalidValueError: a number is not positive.
    """
    cost = LinfPGD(iterations=iterations).cost
    require_settings(batch_size=batch_size)
    require_at_least("num_images", num_images, 1)
    entries, passes = read_entries(), dict[str, Pass]()
    for number, entry in enumerate(entries, 1):
        passes[entry.name] = count_pass(_build(entry), entry.input_size)
        listen(number, len(entries))
    names = tuple(passes)
    return plan_passes(
        names,
        passes,
        cost=cost,
        sources=names,
        transforms=_describe_sizes(entries),
        accuracies=dict.fromkeys(names, ACCURACY),
        num_images=num_images,
        num_classes=NUM_CLASSES,
        batch_size=batch_size,
    )


def _describe_sizes(entries: tuple[Entry, ...]) -> Mapping[str, str]:
    """Networks of one size share a transform here; in truth crops and interpolations differ, too, which takes more controls."""
    return {entry.name: "x".join(map(str, entry.input_size)) for entry in entries}


def _build(entry: Entry) -> nn.Module:
    if entry.timm is None:
        return gluon_xception65.GluonXception65(NUM_CLASSES).eval()
    name = entry.timm.partition(".")[0]
    try:
        with torch.device("meta"):
            network: nn.Module = timm.create_model(name, pretrained=False)
    except Exception:  # noqa: BLE001  (some look at values while they are built)
        network = timm.create_model(name, pretrained=False)
    return network.eval()
