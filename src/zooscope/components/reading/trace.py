"""One pass of one image through a network, recorded: each operation with its module, inputs and outputs."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only
from torch.utils.weak import WeakTensorKeyDictionary

from zooscope.classifiers.classifier import NUM_CHANNELS, Classifier
from zooscope.components.reading.axes import Axes, make_pixels_axes, make_weights_axes
from zooscope.components.reading.following import follow_axes
from zooscope.components.reading.value import Value
from zooscope.errors import ClassifierError, first_line


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """An operation on a value that depends on the image.

    Attributes:
        number: its position in the trace.
        operation: its name in `torch.ops.aten`, without underscores at either end.
        path: of the innermost module in which it ran, as in `named_modules()`.
        arguments: as it was called, with values in place of tensors.
        inputs: the values among the arguments.
        outputs: its results.
    """

    number: int
    operation: str
    path: str
    arguments: tuple[Any, ...]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]

    @property
    def output(self) -> Value:
        """Its first output."""
        return self.outputs[0]

    @cached_property
    def data(self) -> tuple[Value, ...]:
        """The inputs that depend on the image."""
        return tuple(value for value in self.inputs if value.from_pixels)

    @property
    def where(self) -> str:
        """The module's path, for sentences."""
        return self.path or "the network itself"


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """All steps of a pass, in order, and the values that connect them.

    Attributes:
        steps: in the order in which they ran.
        pixels: the input of the network.
        height: rows of the image.
        width: columns of the image.
    """

    steps: tuple[Step, ...]
    pixels: Value
    height: int
    width: int

    @cached_property
    def takers(self) -> Mapping[int, Sequence[Step]]:
        """The steps that take a value, by the value's number."""
        found: dict[int, list[Step]] = defaultdict(list)
        for step in self.steps:
            for number in dict.fromkeys(value.number for value in step.data):
                found[number].append(step)
        return found

    def find_after(self, step: Step) -> list[Step]:
        """The steps that take a step's outputs."""
        return [taker for value in step.outputs for taker in self.takers.get(value.number, ())]

    def find_before(self, step: Step) -> list[Step]:
        """The steps that made a step's inputs."""
        return [made for value in step.data if (made := self.find_maker(value)) is not None]

    def find_maker(self, value: Value) -> Step | None:
        """The step that made a value; None for the image."""
        return None if value.made_by is None else self.steps[value.made_by]


def trace(classifier: Classifier) -> Trace:
    """Runs one grey image through a classifier, on the device of its parameters, and records every operation.

    The network stays as it is: its hooks are removed afterwards, its parameters and buffers are only read.

    Raises:
        ClassifierError: the pass fails.
    """
    network, (height, width) = classifier.network, classifier.transform.size
    recorder = _Recorder(network)
    dtype = next((value.dtype for value in network.parameters() if value.is_floating_point()), torch.float32)
    with torch.inference_mode(mode=False), torch.no_grad():
        pixels = torch.zeros(1, NUM_CHANNELS, height, width, dtype=dtype, device=classifier.device)
    try:
        with _use_plain_operations(classifier.device), recorder.watch_modules(network), recorder:
            recorder.start_at(pixels)
            network(pixels)
    except Exception as error:  # a user's network may raise anything
        where = recorder.path or "the network"
        msg = (
            f"{classifier.name}: the components can't be read, since a pass of one {height}x{width} image fails in {where} "
            f"({first_line(error)}); the network must take pixels of shape (1, {NUM_CHANNELS}, {height}, {width})."
        )
        raise ClassifierError(msg) from error
    return Trace(steps=tuple(recorder.steps), pixels=recorder.pixels, height=height, width=width)


@contextmanager
def _use_plain_operations(device: torch.device) -> Iterator[None]:
    """Attention as products and softmax instead of one fused operation; new tensors on the parameters' device."""
    fast = torch.backends.mha.get_fastpath_enabled()
    with torch.inference_mode(mode=False), torch.no_grad(), sdpa_kernel(SDPBackend.MATH), device:
        torch.backends.mha.set_fastpath_enabled(value=False)
        try:
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(value=fast)


@dataclass(eq=False)
class _Recorder(TorchDispatchMode):
    """Records every operation below torch's functions."""

    network: nn.Module
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's mode has no annotations
        self._values: WeakTensorKeyDictionary = WeakTensorKeyDictionary()
        self._paths = [""]
        self._count = 0
        for learned, tensors in ((True, self.network.named_parameters()), (False, self.network.named_buffers())):
            for name, tensor in tensors:
                self._values[tensor] = self._make_value(tensor, make_weights_axes(tensor.shape), learned=learned, name=name)

    def start_at(self, pixels: Tensor) -> None:
        """Sets the tensor that is the image."""
        self.pixels = self._make_value(pixels, make_pixels_axes(pixels.shape), from_pixels=True)
        self._values[pixels] = self.pixels

    @property
    def path(self) -> str:
        """The current module, or the one that failed."""
        return self._paths[-1]

    @contextmanager
    def watch_modules(self, network: nn.Module) -> Iterator[None]:
        """Tracks the current module."""
        with ExitStack() as stack:
            for path, module in network.named_modules():
                for handle in (
                    module.register_forward_pre_hook(self._enter(path)),
                    module.register_forward_hook(self._leave),
                ):
                    stack.callback(handle.remove)
            yield

    def _enter(self, path: str) -> Callable[..., None]:
        return lambda *_: self._paths.append(path)

    def _leave(self, *_: object) -> None:
        self._paths.pop()

    def _make_value(self, tensor: Tensor, axes: Axes, **facts: Any) -> Value:  # noqa: ANN401  (fields of Value)
        self._count += 1
        return Value(number=self._count, shape=tuple(tensor.shape), axes=axes, **facts)

    def _find_value(self, tensor: Tensor) -> Value:
        if tensor not in self._values:  # made earlier, and neither a parameter nor a buffer
            self._values[tensor] = self._make_value(tensor, make_weights_axes(tensor.shape))
        value: Value = self._values[tensor]
        return value

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401  (an operation of torch's, for which it has no public type)
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  (whatever the operation gives)
        """Runs an operation and records it."""
        arguments = tree_map_only(Tensor, self._find_value, (args, kwargs or {}))
        result = func(*args, **(kwargs or {}))
        outputs = [each for each in tree_flatten(result)[0] if isinstance(each, Tensor)]
        inputs = [each for each in tree_flatten(arguments)[0] if isinstance(each, Value)]
        if any(value.from_pixels for value in inputs):
            self._write(func.overloadpacket.__name__.strip("_"), arguments[0], inputs, outputs)
        else:
            learned = any(value.learned for value in inputs)
            name = next((value.name for value in inputs if value.name), "")
            for output in outputs:
                self._values[output] = self._make_value(output, make_weights_axes(output.shape), learned=learned, name=name)
        return result

    def _write(self, operation: str, arguments: tuple[Any, ...], inputs: list[Value], outputs: list[Tensor]) -> None:
        learned, number = any(value.learned for value in inputs), len(self.steps)
        made = [
            self._make_value(
                output,
                follow_axes(operation, arguments, inputs, tuple(output.shape)),
                from_pixels=True,
                learned=learned,
                made_by=number,
            )
            for output in outputs
        ]
        for output, value in zip(outputs, made, strict=True):
            self._values[output] = value
        self.steps.append(
            Step(
                number=number,
                operation=operation,
                path=self.path,
                arguments=arguments,
                inputs=tuple(inputs),
                outputs=tuple(made),
            )
        )
