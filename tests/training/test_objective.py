"""Each regime reaches the loss."""

from math import log
from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn

from zooscope import Classifier, PixelTransform, load_classifier
from zooscope.classifiers.providers.bundled import CLASS_NAMES
from zooscope.errors import ClassifierError, ClassMatchingWarning
from zooscope.training.objective import Objective, Result, prepare_network
from zooscope.training.randomness import seed_all
from zooscope.training.recipe import Recipe
from zooscope.training.recipe_tree import make_recipe
from zooscope.training.teacher import Teacher

CPU = torch.device("cpu")


class Told(nn.Module):
    """Gives the logits that it is told; keeps what it sees."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits, self.seen = nn.Parameter(logits), torch.empty(0)

    def forward(self, inputs: Tensor) -> Tensor:
        self.seen = inputs
        return self.logits


def make(**settings: object) -> Recipe:
    return make_recipe({"name": "net", "network": {"architecture": "resnet18"}, **settings}, place="r")


def tell(logits: Tensor) -> Classifier:
    transform = PixelTransform(height=8, width=8)
    return Classifier(
        name="told",
        network=Told(logits).eval(),
        num_classes=logits.shape[1],
        transform=transform,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
    )


def compute(recipe: Recipe, logits: Tensor, labels: Tensor, pixels: Tensor | None = None) -> tuple[Result, Told]:
    classifier = tell(logits)
    network = prepare_network(classifier, is_taught=False)
    assert isinstance(network, Told)
    with seed_all(0):
        images = torch.rand(len(labels), 3, 8, 8) if pixels is None else pixels
        return Objective(recipe, classifier, CPU).compute(network, images, labels, seed=0), network


def test_the_plain_loss_is_the_cross_entropy_and_the_right_answers_are_counted() -> None:
    logits, labels = torch.tensor([[1.0, 2.0, 3.0], [0.0, 5.0, 0.0]]), torch.tensor([2, 0])
    result, _ = compute(make(), logits, labels)
    assert result.loss.item() == pytest.approx(float(nn.functional.cross_entropy(logits, labels)))
    assert int(result.num_correct) == 1


def test_pixels_are_normalised() -> None:
    pixels = torch.rand(2, 3, 8, 8)
    _, network = compute(make(), torch.zeros(2, 3), torch.tensor([0, 1]), pixels.clone())
    torch.testing.assert_close(network.seen, (pixels - 0.5) / 0.5)


def test_the_smallest_loss_of_label_smoothing_is_the_entropy_of_the_smoothed_labels() -> None:
    smoothing, classes = 0.2, 5
    truth = torch.full((1, classes), smoothing / classes)
    truth[0, 3] += 1 - smoothing
    entropy = -float((truth * truth.log()).sum())
    recipe = make(loss={"label_smoothing": smoothing})
    assert compute(recipe, truth.log(), torch.tensor([3]))[0].loss.item() == pytest.approx(entropy)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        other = truth.log() + 0.3 * torch.randn(truth.shape, generator=generator)
        assert compute(recipe, other, torch.tensor([3]))[0].loss.item() > entropy


@pytest.mark.parametrize("mixing", [{"mixup": 1.0}, {"cutmix": 1.0}])
def test_mixed_images_come_with_mixed_labels(mixing: dict[str, float]) -> None:
    pixels = torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)])
    result, network = compute(make(mixing=mixing), torch.tensor([[3.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1]), pixels.clone())
    share = 1 - float((network.seen[0] * 0.5 + 0.5).mean())  # of the first image in the first mixture
    assert 0 < share < 1
    low = -log(torch.softmax(torch.tensor([3.0, 0.0]), 0)[0])
    high = -log(torch.softmax(torch.tensor([3.0, 0.0]), 0)[1])
    assert result.loss.item() == pytest.approx((share * low + (1 - share) * high + log(2)) / 2, rel=1e-4)


def test_mixing_and_smoothing_go_together() -> None:
    recipe = make(mixing={"mixup": 1.0}, loss={"label_smoothing": 0.3})
    pixels = torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)])
    result, network = compute(recipe, torch.tensor([[3.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1]), pixels.clone())
    share = 1 - float((network.seen[0] * 0.5 + 0.5).mean())
    truth = 0.7 * share + 0.15
    logs = torch.log_softmax(torch.tensor([3.0, 0.0]), 0)
    assert result.loss.item() == pytest.approx((-truth * float(logs[0]) - (1 - truth) * float(logs[1]) + log(2)) / 2, rel=1e-4)


def test_adversarial_training_sees_attacked_images_and_trains_all_weights() -> None:
    recipe = make(loss={"attack": "LinfPGD?epsilon=0.1&step_size=0.05&iterations=3"})
    classifier = load_classifier("bundled:resnet")
    network = prepare_network(classifier, is_taught=False)
    seen: list[Tensor] = []
    network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].detach()) if module.training else None)
    pixels = torch.rand(2, 3, 32, 32)
    result = Objective(recipe, classifier, CPU).compute(network, pixels.clone(), torch.tensor([0, 1]), seed=5)
    result.loss.backward()
    std, mean = (torch.tensor(values).view(1, 3, 1, 1) for values in (classifier.std, classifier.mean))
    moved = (seen[-1] * std + mean - pixels).abs()
    assert 0.09 < float(moved.max()) <= 0.1 + 1e-5
    assert all(weight.grad is not None for weight in network.parameters())
    assert network.training


def test_hard_distillation_learns_the_teacher_s_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Teacher, "classify", lambda _self, pixels: torch.full((len(pixels),), 2))
    logits, labels = torch.tensor([[1.0, 2.0, 3.0, *7 * [0.0]], [0.0, 5.0, 1.0, *7 * [0.0]]]), torch.tensor([0, 1])
    recipe = make(loss={"teacher": "bundled:resnet", "teacher_share": 0.25, "label_smoothing": 0.1})
    own = nn.functional.cross_entropy(logits, labels, label_smoothing=0.1)
    taught = nn.functional.cross_entropy(logits, torch.tensor([2, 2]))
    assert compute(recipe, logits, labels)[0].loss.item() == pytest.approx(float(0.75 * own + 0.25 * taught))


def test_the_teacher_s_class_goes_to_the_distillation_head_where_there_is_one() -> None:
    network: Any = timm.create_model(
        "deit_tiny_distilled_patch16_224", img_size=32, patch_size=8, embed_dim=24, depth=1, num_heads=2, num_classes=10
    ).eval()
    student = Classifier(name="deit", network=network, num_classes=10, transform=PixelTransform(height=32, width=32))
    recipe = make(loss={"teacher": "bundled:resnet", "teacher_share": 1.0})
    objective = Objective(recipe, student, CPU)
    trained = prepare_network(student, is_taught=True)
    objective.compute(trained, torch.rand(2, 3, 32, 32), torch.tensor([0, 1]), seed=0).loss.backward()
    head, token_head = network.head.weight.grad, network.head_dist.weight.grad
    assert head is None or not head.any()
    assert token_head is not None
    assert token_head.any()


def test_the_teacher_gets_its_own_size_and_normalisation_and_stays_frozen() -> None:
    teacher = Teacher("bundled:resnet", class_names=CLASS_NAMES)
    classifier = teacher.classifier
    seen: list[Tensor] = []
    classifier.network.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].clone()))
    pixels = torch.rand(2, 3, 48, 48)
    before = {name: value.clone() for name, value in classifier.network.state_dict().items()}
    predicted = teacher.classify(pixels)
    smaller = nn.functional.interpolate(pixels, size=(32, 32), mode="bilinear", antialias=False).clamp(0, 1)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (classifier.mean, classifier.std))
    torch.testing.assert_close(seen[0], (smaller - mean) / std)
    assert predicted.tolist() == load_classifier("bundled:resnet").logits(smaller).argmax(1).tolist()
    assert not classifier.network.training
    assert not any(weight.requires_grad for weight in classifier.network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in classifier.network.state_dict().items())


def test_a_teacher_of_other_classes_is_refused() -> None:
    with pytest.raises(ClassifierError, match=r"the teacher bundled:resnet has 10 classes, but the images have 3"):
        Teacher("bundled:resnet", class_names=("a", "b", "c"))


def test_a_teacher_s_outputs_are_matched_with_the_images_classes_by_name() -> None:
    pixels, turned = torch.rand(20, 3, 32, 32), CLASS_NAMES[::-1]
    with pytest.warns(ClassMatchingWarning, match=r"the classes of the teacher bundled:resnet are matched by name: the order"):
        teacher = Teacher("bundled:resnet", class_names=turned)
    own = load_classifier("bundled:resnet").logits(pixels).argmax(1).tolist()
    assert [turned[place] for place in teacher.classify(pixels).tolist()] == [CLASS_NAMES[place] for place in own]
    with pytest.warns(ClassMatchingWarning, match=r"by position: 10 of its 10 names differ"):
        Teacher("bundled:resnet", class_names=tuple("abcdefghij"))


def test_manifold_mixup_reaches_the_loss() -> None:
    classifier = load_classifier("bundled:resnet")
    recipe, pixels = make(mixing={"mixup": 1.0, "on": "features"}), torch.rand(4, 3, 32, 32)
    network, labels = prepare_network(classifier, is_taught=False).eval(), torch.tensor([0, 1, 2, 3])
    losses = set()
    objective = Objective(recipe, classifier, CPU)
    for seed in range(8):
        with seed_all(seed):
            losses.add(round(objective.compute(network, pixels.clone(), labels, seed=0).loss.item(), 5))
    assert len(losses) == 8
    plain = Objective(make(), classifier, CPU).compute(network, pixels, labels, seed=0).loss.item()
    assert np.abs(np.array(sorted(losses)) - plain).min() > 0
