"""Real ImageNet classifiers on real ImageNet images: accuracies are those measured without zooscope.

The five checkpoints are timm's architectures as safetensors; the images are 500 of the training set, one for every second synset,
as JPEG files in one folder per synset.
"""

import os
from pathlib import Path

import pytest
import torch
from scipy.stats import binom

from zooscope import load_classifier, load_images

VARIABLES = ("ZOOSCOPE_IMAGENET_WEIGHTS", "ZOOSCOPE_IMAGENET", "ZOOSCOPE_IMAGENET_CLASSES")
HALF = f"mean={127 / 255}&std={128 / 255}"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(os.environ.get(variable) for variable in VARIABLES),
        reason=f"ImageNet is not bundled: set {', '.join(VARIABLES)} to the folders of weights and images and the file of synsets",
    ),
]


@pytest.mark.parametrize(
    ("architecture", "options", "size", "accuracy"),
    [
        ("tf_efficientnet_lite0", HALF, 224, 0.886),
        ("tf_efficientnet_lite1", HALF, 240, 0.874),
        ("tf_efficientnet_lite2", HALF, 260, 0.896),
        ("mobilenetv2_100", "interpolation=bilinear", 224, 0.830),
        ("resnet18", "interpolation=bilinear&crop=0.875", 224, 0.810),
    ],
)
def test_accuracies_are_the_known_ones(architecture: str, options: str, size: int, accuracy: float) -> None:
    weights, folder, classes = (os.environ[variable] for variable in VARIABLES)
    classifier = load_classifier(f"timm:{architecture}?weights={Path(weights) / architecture}.safetensors&{options}")
    images = load_images(f"folder:{folder}", classes=classes)
    assert (classifier.num_classes, classifier.transform.size) == (1000, (size, size))
    right = 0
    with torch.inference_mode():
        for start in range(0, len(images), 50):
            batch = range(start, min(start + 50, len(images)))
            right += int((classifier.logits(images.pixels(classifier, batch)).argmax(1).numpy() == images.labels[batch]).sum())
    # The same images were used: only rounding and details of resizing may change an answer.
    low, high = binom.interval(0.95, len(images), accuracy)
    assert low <= right <= high
