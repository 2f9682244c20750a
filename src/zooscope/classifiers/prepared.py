"""Classifiers that compute the same faster, or in another precision."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from itertools import chain
from threading import Lock
from typing import Final, Literal, cast, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.compiled import CompiledNetwork
from zooscope.classifiers.folding import fold_batch_norms
from zooscope.classifiers.kernels import suit_processor
from zooscope.classifiers.layout import lay_out
from zooscope.classifiers.probe import make_probe_pixels
from zooscope.errors import InvalidValueError

Precision = Literal["float32", "tf32", "bf16", "fp16"]
PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)
CLOSE: Final = 1e-4  # logits of the network and of its copy, of the largest
NUM_IMAGES: Final = 2  # on which both are compared
_HALF: Final = {"bf16": torch.bfloat16, "fp16": torch.float16}
_SCALE: Final = 1024.0  # of gradients in fp16, which ends at 6e-8


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparedClassifier(Classifier):
    """A classifier as the engine runs it: a copy of the network, laid out for speed.

    Attributes:
        precision: of the network's passes; pixels, losses and steps are float32.
        is_compiled: whether torch compiles the network.
    """

    precision: Precision = "float32"
    is_compiled: bool = False
    _replicas: "list[PreparedClassifier]" = field(default_factory=list, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def logits(self, pixels: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch cls"]:
        """See `Classifier.logits`; float32 whatever the precision."""
        if self.is_compiled and len(pixels) == 1:
            return self.logits(pixels.repeat(2, 1, 1, 1))[:1]  # for a single image torch would compile anew
        if self.precision not in _HALF:
            return super().logits(pixels)
        scale = _SCALE if self.precision == "fp16" else 1.0
        with torch.autocast(pixels.device.type, dtype=_HALF[self.precision]):
            logits = super().logits(_scale_gradient(pixels, 1 / scale))
        return _scale_gradient(logits.float(), scale)

    @property
    def takes_one_thread(self) -> bool:
        """Whether a CPU computes every batch on one thread, so that the number of threads changes no bit: copies can be made."""
        return not self.is_compiled and len(self.replicate(2)) > 1

    def replicate(self, count: int) -> "list[PreparedClassifier]":
        """Itself, and copies that share its weights, so that each can run in a thread of its own; fewer where it can't be copied.

        A network may keep things in its modules while it runs; in copies of the modules threads don't meet.
        """
        with self._lock:
            while len(self._replicas) < count - 1:
                network = _copy(self.network, sharing=True)
                if network is None:
                    break
                self._replicas.append(_rebuild(self, network))
            return [self, *self._replicas[: count - 1]]


def prepare(
    classifier: Classifier, *, precision: Precision = "float32", device: torch.device | str = "cpu", compiled: bool = False
) -> Classifier:
    """A classifier whose network is a copy that gives the same logits, rounding aside, and faster.

    Batch normalisations are folded into convolutions, and networks with convolutions over neighbouring pixels are laid out with
    the channels as last axis; for a CPU, what `kernels.suit_processor` says. A network that can't be copied stays as it is,
    but may be compiled.

    Example:
        >>> import zooscope
        >>> from torch import testing
        >>> resnet = zooscope.load_classifier("bundled:resnet")
        >>> pixels = torch.rand(2, 3, 32, 32)
        >>> testing.assert_close(prepare(resnet).logits(pixels), resnet.logits(pixels))

    Args:
        classifier: on any device; not changed.
        precision: of the network's passes.
        device: what it is prepared for; it is not moved there.
        compiled: whether torch compiles the network, when it first runs; then kernels are left to torch on a CPU, too.

    Raises:
        InvalidValueError: there is no such precision.
    """
    require_precision(precision)
    if any(module.training for module in classifier.network.modules()):
        return classifier  # which refuses to be asked anything
    network = _copy(classifier.network, sharing=False)
    if network is None:
        if precision == "float32" and not compiled:
            return classifier
        network = classifier.network
    else:
        if not _simplify(classifier, network, suits_processor=torch.device(device).type == "cpu" and not compiled):
            network = cast("nn.Module", _copy(classifier.network, sharing=False))
        lay_out(network)
    if compiled:
        network = CompiledNetwork(network, name=classifier.name)
    return _wrap(classifier, network, precision=precision, is_compiled=compiled)


def require_precision(precision: str, device: torch.device | None = None) -> None:
    """Refuses a precision that there isn't, or not on this device.

    Raises:
        InvalidValueError: there is no such precision.
    """
    if precision not in PRECISIONS:
        msg = f"precision must be one of {', '.join(PRECISIONS)}: got {precision!r}."
        raise InvalidValueError(msg)
    if precision == "tf32" and device is not None and device.type != "cuda":
        msg = f"precision tf32 is of NVIDIA's GPUs: on {device} take float32."
        raise InvalidValueError(msg)


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Deterministic kernels, and TF32 where it is asked for and nowhere else."""
    matmul, allowed = torch.backends.cuda.matmul, torch.backends.cuda.matmul.allow_tf32
    is_tf32 = precision == "tf32"
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=is_tf32):
        matmul.allow_tf32 = is_tf32
        try:
            yield
        finally:
            matmul.allow_tf32 = allowed


def _simplify(classifier: Classifier, network: nn.Module, *, suits_processor: bool) -> bool:
    """Changes a copy of the classifier's network to compute the same faster; False where it then gives other logits."""
    pixels, changes = make_probe_pixels(classifier, NUM_IMAGES), 0
    with torch.no_grad():
        if any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
            changes += fold_batch_norms(network, _normalise(classifier, pixels[:1]))
        if suits_processor:
            changes += suit_processor(network)
        if not changes:
            return True
        before = classifier.logits(pixels)
    if not before.isfinite().all():
        return False  # nothing can be compared with it
    stand_in = _copy(network, sharing=True)  # what a network keeps in itself while it runs goes with it
    after = _attempt(_wrap(classifier, network if stand_in is None else stand_in), pixels)
    return after is not None and torch.allclose(before, after, rtol=0, atol=CLOSE * float(before.abs().max()))


def _attempt(classifier: Classifier, pixels: Tensor) -> Tensor | None:
    """Logits, from a pass forward and back; None where that fails."""
    leaf = pixels.clone().requires_grad_()
    try:
        logits = classifier.logits(leaf)
        if logits.requires_grad:
            torch.autograd.grad(logits.sum(), leaf, allow_unused=True)
    except Exception:  # noqa: BLE001  (the network as it is may fail, too; whoever asks it next says so)
        return None
    return logits.detach()


def _normalise(classifier: Classifier, pixels: Tensor) -> Tensor:
    mean, std = (torch.tensor(values).to(pixels).view(1, -1, 1, 1) for values in (classifier.mean, classifier.std))
    return (pixels - mean) / std


def _copy(network: nn.Module, *, sharing: bool) -> nn.Module | None:
    """A copy of the modules, with the same weights or copies of them; None where there can't be one."""
    tensors = chain(network.parameters(), network.buffers()) if sharing else ()
    try:
        return copy.deepcopy(network, {id(tensor): tensor for tensor in tensors})
    except Exception:  # noqa: BLE001  (each network has its own way not to be copied, and it runs as it is, too)
        return None


def _wrap(classifier: Classifier, network: nn.Module, **how: object) -> PreparedClassifier:
    kept = {one.name: getattr(classifier, one.name) for one in fields(Classifier)}
    return PreparedClassifier(**{**kept, "network": network, **how})


def _rebuild(classifier: PreparedClassifier, network: nn.Module) -> PreparedClassifier:
    return _wrap(classifier, network, precision=classifier.precision)


class _Scaled(torch.autograd.Function):
    """The values as they are; the gradient times a constant."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, values: Tensor, scale: float) -> Tensor:
        ctx.scale = scale  # type: ignore[attr-defined]
        return values.view_as(values)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * ctx.scale, None  # type: ignore[attr-defined]


def _scale_gradient(values: Tensor, scale: float) -> Tensor:
    return values if scale == 1 else cast("Tensor", _Scaled.apply(values, scale))  # type: ignore[no-untyped-call]
