"""Real ImageNet classifiers on real ImageNet images: accuracies are those measured without zooscope.

The five checkpoints are timm's architectures as safetensors; the images are 500 of the training set, one for every second synset,
as JPEG files in one folder per synset. Half of them, a sample, are classified here.
"""

import os
from pathlib import Path

import pytest
import torch
from scipy.stats import hypergeom

from zooscope import load_classifier, load_images
from zooscope.images.image_set import ImageSet

VARIABLES = ("ZOOSCOPE_IMAGENET_WEIGHTS", "ZOOSCOPE_IMAGENET", "ZOOSCOPE_IMAGENET_CLASSES")
HALF = f"mean={127 / 255}&std={128 / 255}"
NUM_IMAGES, BATCH_SIZE = 250, 50

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(os.environ.get(variable) for variable in VARIABLES),
        reason=f"ImageNet is not bundled: set {', '.join(VARIABLES)} to the folders of weights and images and the file of synsets",
    ),
]


@pytest.fixture(scope="module")
def all_images() -> ImageSet:
    folder, classes = os.environ["ZOOSCOPE_IMAGENET"], os.environ["ZOOSCOPE_IMAGENET_CLASSES"]
    return load_images(f"folder:{folder}", classes=classes)


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
def test_accuracies_are_the_known_ones(all_images: ImageSet, architecture: str, options: str, size: int, accuracy: float) -> None:
    file = Path(os.environ["ZOOSCOPE_IMAGENET_WEIGHTS"]) / f"{architecture}.safetensors"
    classifier = load_classifier(f"timm:{architecture}?weights={file}&{options}")
    assert (classifier.num_classes, classifier.transform.size) == (1000, (size, size))
    images, right = all_images.sample(NUM_IMAGES), 0
    with torch.inference_mode():
        for start in range(0, NUM_IMAGES, BATCH_SIZE):
            batch = range(start, start + BATCH_SIZE)
            right += int((classifier.logits(images.pixels(classifier, batch)).argmax(1).numpy() == images.labels[batch]).sum())
    # Of all images round(accuracy * number) are known to come out right; which of them are in the sample is left to chance.
    low, high = hypergeom.interval(0.99, len(all_images), round(accuracy * len(all_images)), NUM_IMAGES)
    assert low <= right <= high
