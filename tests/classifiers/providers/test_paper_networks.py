"""The paper's networks, with random weights, go through everything that measures: at their own size, with their own settings.

The few that are small run always. All 69 take some minutes and 4 GB of memory: set ZOOSCOPE_ALL_NETWORKS=1.
"""

import gc
import os
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from torch import nn

from tests.specimens import Linear, images_of, noise
from zooscope import Classifier, PixelTransform, Study
from zooscope.attacks import LinfPGD
from zooscope.classifiers.providers import paper
from zooscope.classifiers.providers.gluon_xception65 import GluonXception65
from zooscope.classifiers.providers.timm import make_classifier as with_settings_of_timm
from zooscope.images.image_set import ImageSet
from zooscope.images.make_pixels import make_pixels

NUM_CLASSES, NUM_IMAGES = 1000, 3
MOST = 0.9
ATTACK = LinfPGD(iterations=1)
FEW = ("coat_lite_small", "eca_botnext26ts_256", "nf_regnet_b1", "pit_s_224", "rexnet_150")
OTHERS = [entry.name for entry in paper.read_entries() if entry.name not in FEW]


# With random weights a network may give all images one answer, from which no attack leads away; the partner's outputs are small.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning"),
    pytest.mark.filterwarnings("ignore::zooscope.errors.ProbabilitiesWarning"),
]


@pytest.mark.parametrize("name", FEW)
def test_a_network_of_the_paper_is_measured_at_its_own_size(tmp_path: Path, name: str) -> None:
    measured(name, tmp_path)


@pytest.mark.skipif(not os.environ.get("ZOOSCOPE_ALL_NETWORKS"), reason="it takes minutes: set ZOOSCOPE_ALL_NETWORKS=1")
@pytest.mark.parametrize("name", OTHERS)
def test_every_other_network_of_the_paper_is_measured_at_its_own_size(tmp_path: Path, name: str) -> None:
    measured(name, tmp_path)


def measured(name: str, folder: Path) -> None:
    """Measures a network with random weights together with a small partner that takes other pixels; labels are what it answers."""
    entry = paper.find_entry(name)
    torch.manual_seed(0)
    network: nn.Module = timm.create_model(entry.timm, pretrained=False) if entry.timm else GluonXception65()
    for parameter in network.parameters():
        if not parameter.any():  # a head or a block that starts at zero lets no gradient through
            nn.init.normal_(parameter, std=0.02)
    classifier = with_settings_of_timm(network, {}, name=name, address=f"paper:{name}", asked=name)
    assert (classifier.transform.size, classifier.num_classes) == (entry.input_size, NUM_CLASSES)
    levels = noise(NUM_IMAGES, (270, 310))
    unlabelled = images_of(levels, np.zeros(NUM_IMAGES, dtype=np.int64), num_classes=NUM_CLASSES)
    pixels = unlabelled.pixels(classifier)
    with torch.inference_mode():
        labels = classifier.logits(pixels).argmax(1).numpy()
    images = images_of(levels, labels, num_classes=NUM_CLASSES)
    assert is_attacked(classifier, images)
    partner = answering("partner", images)
    with Study.create(folder / "study", classifiers=[classifier, partner], images=images, attack=ATTACK) as study:
        study.run(device="cpu", batch_size=NUM_IMAGES, allow_chance=True)
        np.testing.assert_array_equal(study.predictions.clean, np.tile(labels, (2, 1)))
        scores = study.sat(confidence=None)
        np.testing.assert_array_equal(scores.coords["count"], np.full((2, 2), NUM_IMAGES))
        assert np.isfinite(scores.values).all()
    del classifier, network
    gc.collect()


def is_attacked(classifier: Classifier, images: ImageSet) -> bool:
    """Whether a gradient reaches the first image, nearly all of it.

    It is that of another label than the answer, of which an untrained network may be so sure that its loss is flat.
    """
    pixels = images.pixels(classifier, [0])
    attacked = ATTACK.perturb(classifier, pixels, torch.as_tensor((images.labels[:1] + 1) % NUM_CLASSES), [0]).pixels
    return bool(attacked.isfinite().all() and (attacked != pixels).float().mean() > MOST)


def answering(name: str, images: ImageSet) -> Classifier:
    """A linear classifier of small pixels that gives these images their labels: the least squares solution is exact."""
    transform = PixelTransform(height=24, width=20)
    pixels = (
        torch.stack([make_pixels(transform, images.image(position)) for position in range(len(images))])
        .flatten(1)
        .numpy()
        .astype(np.float64)
    )
    weights = np.linalg.pinv(pixels) @ np.eye(NUM_CLASSES)[images.labels]
    network = Linear(weights.T, np.zeros(NUM_CLASSES), torch.float32)
    return Classifier(name=name, network=network.eval(), num_classes=NUM_CLASSES, transform=transform)
