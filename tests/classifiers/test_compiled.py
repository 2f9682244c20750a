from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.specimens import classifier_of, conv_network
from zooscope.attacks import LinfPGD
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.compiled import CompiledNetwork, require_compiler
from zooscope.classifiers.prepared import PreparedClassifier, prepare
from zooscope.errors import InvalidValueError, NotCompiledWarning
from zooscope.measurements.penultimate import compute_features, find_final_layer

PIXELS = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(6) % 3
compile_by_torch = torch.compile
pytestmark = [
    # torch warns of itself while it compiles
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:The .grad attribute"),
    pytest.mark.usefixtures("compiled_anew"),
]


class Layers(nn.Module):
    """A network, to be changed."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = conv_network(0)

    def forward(self, pixels: Tensor) -> Any:  # noqa: ANN401
        return self.layers(pixels)


class Noting(Layers):
    """Counts how often it ran uncompiled."""

    runs = 0

    def forward(self, pixels: Tensor) -> Any:  # noqa: ANN401
        if not torch.compiler.is_compiling():
            self.runs += 1
        return super().forward(pixels)


class Cheating(Layers):
    """Gives other logits once it is compiled."""

    def forward(self, pixels: Tensor) -> Any:  # noqa: ANN401
        logits = super().forward(pixels)
        return -logits if torch.compiler.is_compiling() else logits


class Uncopied(Layers):
    """Can't be copied."""

    def __deepcopy__(self, _memo: dict[int, Any]) -> "Uncopied":
        raise TypeError


@dataclass
class Output:
    """As libraries give it: an object with logits and more."""

    loss: Tensor | None
    logits: Tensor


class Wrapping(Layers):
    """Gives its logits in something."""

    def __init__(self, wrap: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.wrap = wrap

    def forward(self, pixels: Tensor) -> Any:  # noqa: ANN401
        return self.wrap(super().forward(pixels))


def plain(network: nn.Module) -> Classifier:
    return classifier_of("net", network, num_classes=3, size=(32, 32))


def compiled(network: nn.Module) -> PreparedClassifier:
    ready = prepare(plain(network), compiled=True)
    assert isinstance(ready, PreparedClassifier)
    return ready


def gradient(classifier: Classifier, pixels: Tensor) -> Tensor:
    leaf = pixels.clone().requires_grad_()
    (found,) = torch.autograd.grad(classifier.logits(leaf).sin().sum(), leaf)
    return found


def require_same(ready: PreparedClassifier, network: nn.Module) -> None:
    for count in (6, 5, 1):
        torch.testing.assert_close(ready.logits(PIXELS[:count]), plain(network).logits(PIXELS[:count]), rtol=1e-4, atol=1e-4)
        with torch.inference_mode():
            torch.testing.assert_close(ready.logits(PIXELS[:count]), plain(network).logits(PIXELS[:count]), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(gradient(ready, PIXELS[:count]), gradient(plain(network), PIXELS[:count]), rtol=1e-4, atol=1e-4)


def require_uncompiled(ready: PreparedClassifier, network: nn.Module, *, reason: str) -> None:
    with pytest.warns(NotCompiledWarning, match=rf"net can't be compiled \({reason}\): it runs as it is.") as said:
        logits = ready.logits(PIXELS)
    assert len([one for one in said if one.category is NotCompiledWarning]) == 1
    torch.testing.assert_close(logits, plain(network).logits(PIXELS))
    ready.logits(PIXELS)  # warnings are errors here


@pytest.mark.slow
def test_kernels_give_the_logits_gradients_and_attacks_of_the_network() -> None:
    network = conv_network(0)
    ready = compiled(network)
    require_same(ready, network)
    attack = LinfPGD(step_size=1 / 255, iterations=3)
    leaf = PIXELS.clone().requires_grad_()
    logits = ready.logits(leaf)
    first, again = (torch.autograd.grad(logits[:, 0].sum(), leaf, retain_graph=True)[0] for _ in range(2))
    torch.testing.assert_close(first, again)
    same = attack.perturb(ready, PIXELS, LABELS).pixels == attack.perturb(plain(network), PIXELS, LABELS).pixels
    assert same.float().mean() > 0.99  # rounding moves the sign of a gradient that is nearly 0


def test_it_is_compiled_once_with_gradients_and_once_without_for_all_sizes_of_a_batch(traced: list[object]) -> None:
    ready = compiled(nn.Sequential(nn.Conv2d(3, 4, 8, stride=8), nn.GELU(), nn.Flatten(), nn.Linear(64, 3)).eval())
    for count in (6, 5, 2, 1):
        gradient(ready, PIXELS[:count])
    assert len(traced) == 1
    with torch.inference_mode():
        for count in (6, 5, 2, 1):
            ready.logits(PIXELS[:count])
    assert len(traced) == 2


@pytest.mark.usefixtures("traced")
def test_what_is_compiled_gives_the_same() -> None:
    network = conv_network(0)
    require_same(compiled(network), network)


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize(
    "wrap",
    [
        lambda logits: {"loss": None, "logits": logits},
        lambda logits: Output(loss=None, logits=logits),
        lambda logits: (logits, logits.mean()),
    ],
    ids=["mapping", "object", "tuple"],
)
def test_logits_are_found_in_whatever_a_network_gives(wrap: Callable[[Tensor], object]) -> None:
    network = Wrapping(wrap)
    require_same(compiled(network), network)


@pytest.mark.parametrize("error", [RuntimeError("can't allocate memory: 4 bytes"), torch.OutOfMemoryError("CUDA out of memory")])
def test_a_want_of_memory_is_not_taken_for_a_network_that_cannot_be_compiled(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_: object) -> Tensor:
        raise error

    monkeypatch.setattr(torch, "compile", lambda _what, options: fail)  # noqa: ARG005
    with pytest.raises(RuntimeError, match="memory"):
        compiled(conv_network(0)).logits(PIXELS)


@pytest.mark.usefixtures("traced")
def test_hooks_of_gradients_are_called() -> None:
    ready, seen = compiled(conv_network(0)), list[int]()
    gradient(ready, PIXELS)
    handle = ready.network.get_submodule("network.0").register_full_backward_hook(lambda *_: seen.append(1))
    gradient(ready, PIXELS)
    handle.remove()
    gradient(ready, PIXELS)
    assert seen == [1]


@pytest.mark.usefixtures("traced")
def test_hooks_are_called() -> None:
    ready, seen = compiled(conv_network(0)), list[int]()
    ready.logits(PIXELS)
    layer = find_final_layer(ready)
    assert layer is not None
    handle = layer.register_forward_hook(lambda *_: seen.append(1))
    ready.logits(PIXELS)
    handle.remove()
    ready.logits(PIXELS)
    assert seen == [1]
    expected = find_final_layer(plain(ready.network.get_submodule("network")))
    assert expected is layer
    assert len(compute_features(ready, layer, PIXELS, batch_size=4)) == len(PIXELS)


@pytest.mark.usefixtures("traced")
def test_what_is_compiled_runs_compiled() -> None:
    ready = compiled(Noting())
    noting: Any = ready.network.get_submodule("network")
    ready.logits(PIXELS)
    before = noting.runs
    ready.logits(PIXELS)
    assert noting.runs == before


@pytest.mark.usefixtures("traced")
def test_a_network_that_gives_other_logits_once_compiled_runs_as_it_is() -> None:
    network = Cheating()
    require_uncompiled(compiled(network), network, reason="it gives other logits then")


def test_a_network_that_cannot_be_compiled_runs_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_graph: object, _inputs: object) -> object:
        msg = "no kernel for this"
        raise RuntimeError(msg)

    monkeypatch.setattr(torch, "compile", lambda what, options: compile_by_torch(what, backend=fail))  # noqa: ARG005
    network = conv_network(0)
    require_uncompiled(compiled(network), network, reason=".*no kernel for this.*")


def test_a_network_that_cannot_be_copied_is_compiled_too(traced: list[object]) -> None:
    network = Uncopied()
    require_same(compiled(network), network)
    assert traced


@pytest.mark.usefixtures("traced")
def test_half_precision_is_compiled_too() -> None:
    network = conv_network(0)
    half = prepare(plain(network), precision="bf16", compiled=True)
    torch.testing.assert_close(half.logits(PIXELS), plain(network).logits(PIXELS), rtol=0.05, atol=0.05)


def test_weights_count_once() -> None:
    network = conv_network(0)
    assert len(CompiledNetwork(network, name="net").state_dict()) == len(network.state_dict())


def test_no_compiler_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> Tensor:
        msg = "No working C++ compiler found in torch._inductor.config.cpp.cxx: (None, 'g++')\nand more"
        raise RuntimeError(msg)

    monkeypatch.setattr(torch, "compile", lambda _: fail)
    with pytest.raises(
        InvalidValueError, match=r"torch can't compile networks for cpu here \(No working C\+\+ compiler .*\): install"
    ) as e:
        require_compiler("cpu")
    assert "\n" not in str(e.value)


@pytest.mark.slow
def test_a_compiler_is_found() -> None:
    require_compiler("cpu")
