"""The gradient of a loss with respect to the pixels, and whether a classifier has one."""

from typing import Final

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import cross_entropy

from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.probe import make_probe_pixels
from zooscope.errors import ClassifierError, NotFiniteError, first_line

MOST: Final = 0.5


def compute_gradient(
    loss: Float[Tensor, ""],
    pixels: Float[Tensor, "batch channel height width"],
    *,
    classifier: Classifier,
    keep_graph: bool = False,
) -> Float[Tensor, "batch channel height width"]:
    """The gradient of a loss with respect to the pixels.

    Raises:
        ClassifierError: the classifier's logits have no gradient.
    """
    if not loss.requires_grad:
        raise ClassifierError(_describe_missing_gradient(classifier))
    (gradient,) = torch.autograd.grad(loss, pixels, allow_unused=True, retain_graph=keep_graph)
    if gradient is None:
        raise ClassifierError(_describe_missing_gradient(classifier))
    return gradient


def require_gradients(classifier: Classifier, *, attack: str) -> None:
    """Refuses a classifier whose logits have no gradient, or one that is zero although the logits change with the pixels.

    Looks at a few images: one grey, the others noise. A network that rounds its logits to steps has a gradient, but it is zero; so
    is that of the cross-entropy if the logits are so large that their softmax is zeros and a one.
    Logits that never change at all are those of a classifier that guesses; that is for others to refuse.

    Raises:
        ClassifierError: there is no gradient to follow.
    """
    pixels = make_probe_pixels(classifier).requires_grad_()
    try:
        logits = classifier.logits(pixels)
    except ClassifierError:
        raise
    except Exception as error:  # a network that leaves torch, or whatever else it stumbles over
        msg = (
            f"{classifier.name} fails when gradients are recorded ({first_line(error)}), so {attack} can't attack it; leave it "
            "out, or let it be a target only."
        )
        raise ClassifierError(msg) from error
    loss = cross_entropy(logits, logits.detach().argmax(1), reduction="sum")
    has_gradient = compute_gradient(loss, pixels, classifier=classifier, keep_graph=True).flatten(1).any(1)
    if has_gradient.float().mean() >= MOST:
        return
    weights = torch.linspace(-1, 1, classifier.num_classes, device=logits.device, dtype=logits.dtype)  # no two logits cancel out
    gradient = compute_gradient((logits * weights).sum(), pixels, classifier=classifier)
    if gradient.any():
        largest = float(logits.detach().abs().max())
        msg = (
            f"{classifier.name}: its logits are so large (up to {largest:.3g}) that the cross-entropy has no gradient where it is "
            f"sure, so {attack} can't attack it; divide them by a constant, or let it be a target only."
        )
        raise ClassifierError(msg)
    if (logits != logits[0]).any():
        msg = (
            f"{classifier.name}: the gradient of its logits is zero (they are rounded to steps), so {attack} can't attack it; "
            "leave it out, or let it be a target only."
        )
        raise ClassifierError(msg)


def find_undefined(gradient: Float[Tensor, "batch channel height width"]) -> Bool[Tensor, " batch"]:
    """Of which images the gradient has a NaN somewhere.

    The largest value is NaN then; asking for it is far faster than asking each value.
    """
    return gradient.flatten(1).amax(1).isnan()


def require_finite(failed: Bool[Tensor, " batch"], problem: str) -> None:
    """Refuses images of which a loss, a gradient or a logit is not finite.

    Raises:
        NotFiniteError: there are some; it knows their positions.
    """
    if failed.any():
        raise NotFiniteError(problem, failed.nonzero().flatten().tolist())


def _describe_missing_gradient(classifier: Classifier) -> str:
    return (
        f"{classifier.name}: its logits have no gradient (the network detaches or quantises them), so it can't be attacked; "
        "leave it out, or let it be a target only."
    )
