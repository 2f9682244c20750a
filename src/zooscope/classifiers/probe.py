"""Looks at a classifier before anything is measured of it: whether its logits are a function of the image alone."""

import warnings
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zooscope.classifiers.classifier import NUM_CHANNELS, Classifier
from zooscope.errors import ClassifierError, ProbabilitiesWarning, first_line

NUM_IMAGES: Final = 4
SAME: Final = 1e-4  # between two passes, of the logits' spread; rounding alone differs by less
SAME_IN_HALF: Final = 0.1  # the same for weights or logits of half precision
SUM_TO_ONE: Final = 1e-3
WIDE: Final = 0.5  # probabilities differ by as much; small logits that happen to be positive do not
NORMALISING: Final = {"SoftmaxBackward0": "softmax", "SigmoidBackward0": "sigmoid"}
UNCHANGING: Final = frozenset(
    f"{operation}Backward{number}"
    for operation in ("View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze", "Clone", "ToCopy", "Alias", "Cat")
    for number in (0, 1)
)
_SEED: Final = 0


def probe(classifier: Classifier) -> None:
    """Refuses a classifier of which nothing could be measured rightly.

    Four images, grey and noise, go through it: twice together, the second time as an attack would ask it, with gradients
    recorded; one of them alone; and two together. Its answers must be the same each time, and must be logits.

    Example:
        >>> import zooscope
        >>> probe(zooscope.load_classifier("bundled:resnet"))

    Raises:
        ClassifierError: it fails on images of its size; answers differently when asked again, or in another batch; is in training
            mode afterwards; or gives probabilities.

    Warns:
        ProbabilitiesWarning: its outputs look like probabilities, and nothing says that they are.
    """
    pixels = make_probe_pixels(classifier)
    logits = _look(classifier, pixels)
    if any(module.training for module in classifier.network.modules()):
        msg = f"{classifier.name}: the network puts itself into training mode when it is called; take that out of its forward()."
        raise ClassifierError(msg)
    tolerance = _find_tolerance(classifier, logits)
    again = _look_with_gradient(classifier, pixels)
    if not _are_same(logits, again.detach(), tolerance):
        msg = (
            f"{classifier.name} answers differently when it is asked the same again: noise, or dropout that stays on in eval mode; "
            "switch it off."
        )
        raise ClassifierError(msg)
    others = (_look(classifier, pixels[:1]), _look(classifier, pixels[1:3]))
    if not all(_are_same(*pair, tolerance) for pair in zip((logits[:1], logits[1:3]), others, strict=True)):
        msg = (
            f"{classifier.name}: what it says of an image depends on the other images of the batch, as with batch normalisation "
            "that has no running statistics; load those, or give it others."
        )
        raise ClassifierError(msg)
    _refuse_probabilities(classifier, again)


def make_probe_pixels(classifier: Classifier, num_images: int = NUM_IMAGES) -> Float[Tensor, "batch channel height width"]:
    """One grey image, and noise; the same each time, on the classifier's device."""
    height, width = classifier.transform.size
    noise = torch.rand((num_images - 1, NUM_CHANNELS, height, width), generator=torch.Generator().manual_seed(_SEED))
    return torch.cat([torch.full_like(noise[:1], 0.5), noise]).to(classifier.device)


def _look(classifier: Classifier, pixels: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch cls"]:
    """The logits; whatever a network stumbles over is a sentence."""
    try:
        with torch.no_grad():  # in inference mode a network might keep a tensor that could take no part in a gradient later
            return classifier.logits(pixels)
    except ClassifierError:
        raise
    except Exception as error:  # each network has its own way to stumble
        msg = f"{classifier.name} {describe_failure(classifier.network, classifier.transform.size, error)}"
        raise ClassifierError(msg) from error


def _look_with_gradient(classifier: Classifier, pixels: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch cls"]:
    """The logits with the operations that made them; without, of a network that fails then: it can still be a target."""
    try:
        with torch.enable_grad():
            return classifier.logits(pixels.clone().requires_grad_())
    except Exception:  # noqa: BLE001  (as above)
        return _look(classifier, pixels)


def describe_failure(network: nn.Module, size: tuple[int, int], error: Exception) -> str:
    """Why a network fails on images, as the rest of a sentence that begins with its name."""
    height, width = size
    weights = [parameter for parameter in network.parameters() if parameter.is_floating_point()]
    first = next((parameter for parameter in weights if parameter.ndim == 4), None)  # noqa: PLR2004  (a convolution)
    half = next((parameter.dtype for parameter in weights if parameter.dtype in {torch.float16, torch.bfloat16}), None)
    if half is not None and "type" in str(error).lower():
        return (
            f"has weights of {str(half).removeprefix('torch.')} and doesn't take float32 pixels; make it float32 (network.float())."
        )
    if first is not None and first.shape[1] == 1:
        return "takes images of one channel, and all images have three; wrap it in a network that makes one of them."
    return f"can't take images of {height}x{width} pixels ({first_line(error)}); give another size=, or correct the network."


def _find_tolerance(classifier: Classifier, logits: Float[Tensor, "batch cls"]) -> float:
    """How far logits may differ by rounding: by the spread of all images, since one that says little has lost most digits."""
    is_half = any(weight.dtype in {torch.float16, torch.bfloat16} for weight in classifier.network.parameters())
    return (SAME_IN_HALF if is_half else SAME) * max(float(logits.std(1).max()), float(logits.abs().max()) * 1e-2, 1e-12)


def _are_same(logits: Float[Tensor, "batch cls"], again: Float[Tensor, "batch cls"], tolerance: float) -> bool:
    """Whether two passes say the same; NaN is left to what names the image."""
    return bool(((logits - again).abs() <= tolerance).all()) or not bool(logits.isfinite().all())


def _refuse_probabilities(classifier: Classifier, logits: Float[Tensor, "batch cls"]) -> None:
    """Refuses outputs that come out of a softmax or a sigmoid, or are in [0, 1] and sum to one.

    Zeros with a single one are no probabilities but the class alone: good enough for a target, and an attack will find no gradient.
    """
    operation = _find_last_operation(logits)
    logits = logits.detach()
    is_distribution = bool(((logits >= 0) & (logits <= 1)).all()) and bool(((logits.sum(1) - 1).abs() < SUM_TO_ONE).all())
    is_class_alone = bool(((logits == 0) | (logits == 1)).all())
    if operation in NORMALISING or (is_distribution and not is_class_alone):
        msg = (
            f"{classifier.name} gives probabilities, not logits, so that gradients vanish where it is sure: leave its last "
            f"{NORMALISING.get(operation, 'softmax')} out, or say outputs=probabilities to take their logarithm."
        )
        raise ClassifierError(msg)
    if not is_class_alone and (look := _describe_look(logits)):
        msg = (
            f"{classifier.name}'s outputs {look}, as probabilities would: SAT needs logits. If they are probabilities, "
            "leave out what makes them, or say outputs=probabilities."
        )
        warnings.warn(msg, ProbabilitiesWarning, stacklevel=4)


def _describe_look(logits: Float[Tensor, "batch cls"]) -> str:
    """What makes outputs look like probabilities that were made by hand, or scaled; empty where nothing does."""
    if (logits < 0).any():
        return ""
    if (logits <= 1).all():
        return "all lie in [0, 1]" if logits.max() - logits.min() >= WIDE else ""
    sums = logits.sum(1)
    is_spread = bool((logits.std(1) > SUM_TO_ONE * logits.mean(1)).any())
    return (
        f"sum to {float(sums[0]):.4g} on every image" if is_spread and bool(((sums / sums[0] - 1).abs() < SUM_TO_ONE).all()) else ""
    )


def _find_last_operation(logits: Float[Tensor, "batch cls"]) -> str:
    """The operation that made the logits, before those that change no value; empty where nothing is recorded."""
    node = logits.grad_fn
    while node is not None and node.name() in UNCHANGING:
        node = node.next_functions[-1][0]  # of (0, x), x
    return "" if node is None else node.name()
