"""What a step minimises: the cross-entropy, with whatever the recipe does to images, labels and features."""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from timm.loss import LabelSmoothingCrossEntropy, SoftTargetCrossEntropy
from torch import Tensor, nn

from zooscope.attacks.registry import parse_attack
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.outputs import find_logits
from zooscope.errors import ClassifierError
from zooscope.training.mixing import Mixing, draw_stage, list_stages
from zooscope.training.recipe import Recipe
from zooscope.training.teacher import Teacher


class Result(NamedTuple):
    """What a step gives.

    Attributes:
        loss: to be minimised.
        num_correct: images whose own label the network predicts, augmented, mixed or attacked as they are.
    """

    loss: Float[Tensor, ""]
    num_correct: Int[Tensor, ""]


class Objective:
    """The loss of a batch.

    Draws from the global generators, so that it is seeded from outside.
    """

    def __init__(self, recipe: Recipe, classifier: Classifier, device: torch.device) -> None:
        """Loads the teacher, and finds the stages whose features are mixed.

        Raises:
            ZooscopeError: the attack, the teacher or the network can't be used so.
        """
        loss, mixing = recipe.loss, recipe.mixing
        self._classifier = classifier
        self._mean, self._std = (
            torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (classifier.mean, classifier.std)
        )
        self._attack = parse_attack(loss.attack) if loss.attack else None
        names = classifier.class_names or tuple(map(str, range(classifier.num_classes)))
        self._teacher = Teacher(loss.teacher, class_names=names).to(device) if loss.teacher else None
        self._teacher_share = loss.teacher_share if self._teacher else 0.0
        self._mixing = (
            Mixing(mixing, label_smoothing=loss.label_smoothing, num_classes=classifier.num_classes) if mixing.is_on else None
        )
        mixes_features = mixing.is_on and mixing.on == "features"
        self._stages = list_stages(classifier.network, name=recipe.name) if mixes_features else ()
        self._loss = LabelSmoothingCrossEntropy(loss.label_smoothing)
        self._soft_loss = SoftTargetCrossEntropy()

    def compute(
        self, network: nn.Module, pixels: Float[Tensor, "batch channel height width"], labels: Int[Tensor, " batch"], *, seed: int
    ) -> Result:
        """The loss of a batch.

        Args:
            network: the classifier's, in training mode; as Accelerate wraps it.
            pixels: in [0, 1].
            labels: classes.
            seed: of the attack.
        """
        if self._attack is not None:
            pixels = self._perturb(pixels, labels, seed)
        targets: Tensor = labels
        stage = draw_stage(self._stages) if self._stages else None
        if self._mixing is not None and stage is None:
            pixels, targets = self._mixing.mix(pixels, labels)
        inputs = ((pixels - self._mean) / self._std).contiguous(memory_format=torch.channels_last)
        if self._mixing is not None and stage is not None:
            mixed: dict[str, Tensor] = {}
            with self._mixing.at_stage(stage, labels, mixed):
                output = network(inputs)
            targets = mixed["labels"]
        else:
            output = network(inputs)
        logits, of_token = self._split(output, len(pixels))
        loss = self._compare(logits, targets)
        if self._teacher is not None:
            taught = nn.functional.cross_entropy(logits if of_token is None else of_token, self._teacher.classify(pixels))
            loss = (1 - self._teacher_share) * loss + self._teacher_share * taught
        return Result(loss, (logits.detach().argmax(1) == labels).sum())

    def _compare(self, logits: Float[Tensor, "batch cls"], targets: Tensor) -> Float[Tensor, ""]:
        loss: Tensor = (self._soft_loss if targets.is_floating_point() else self._loss)(logits, targets)
        return loss

    def _perturb(
        self, pixels: Float[Tensor, "batch channel height width"], labels: Int[Tensor, " batch"], seed: int
    ) -> Float[Tensor, "batch channel height width"]:
        """The attacked images; the network is in eval mode meanwhile, and its parameters get no gradient."""
        assert self._attack is not None  # noqa: S101  (the caller has looked)
        network = self._classifier.network
        network.eval().requires_grad_(requires_grad=False)
        try:
            return self._attack.perturb(self._classifier, pixels, labels, [seed + place for place in range(len(pixels))]).pixels
        finally:
            network.train().requires_grad_(requires_grad=True)

    def _split(self, output: Any, num_images: int) -> tuple[Tensor, Tensor | None]:  # noqa: ANN401  (whatever a network gives)
        """The logits of the class head, and of the distillation head where there is one."""
        if self._teacher is not None and isinstance(output, tuple) and len(output) == 2:  # noqa: PLR2004
            return output
        logits = find_logits(output, num_images=num_images, num_classes=self._classifier.num_classes)
        if logits is None:
            msg = f"{self._classifier.name}: in training mode the network gives something else than logits; take another."
            raise ClassifierError(msg)
        return logits, None


def prepare_network(classifier: Classifier, *, is_taught: bool) -> nn.Module:
    """The classifier's network in training mode, its weights free; with its distillation head, where it has one and a teacher."""
    network: Any = classifier.network
    network.requires_grad_(requires_grad=True).train()
    if is_taught and hasattr(network, "set_distilled_training"):
        network.set_distilled_training(True)
    return classifier.network
