"""Networks that torch compiles: fewer, larger kernels, after a warm-up of some ten seconds a network."""

import warnings
from collections.abc import Callable
from functools import cache, partial
from typing import Final

import torch
from torch import Tensor, nn
from torch._functorch import config

from zooscope.classifiers.memory import is_out_of_memory
from zooscope.classifiers.outputs import find_tensors
from zooscope.errors import InvalidValueError, NotCompiledWarning, first_line

HOOKS: Final = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
CLOSE: Final = {"float32": 1e-4, "tf32": 0.02, "bfloat16": 0.1, "float16": 0.02}  # logits of both, of the largest


class CompiledNetwork(nn.Module):
    """A network through `torch.compile`, once for batches of whatever size.

    It runs as it is where it can't be compiled, gives other logits then, or is watched: compiled code passes hooks by.

    Example:
        >>> CompiledNetwork(nn.Flatten(), name="pixels").is_watched
        False
    """

    def __init__(self, network: nn.Module, *, name: str) -> None:
        """Compiles nothing yet: torch does it when the network first runs, with gradients and without.

        Args:
            network: in eval mode, on whatever device; not changed.
            name: what to call it in a warning.
        """
        super().__init__()
        self.network, self._name = network, name
        self.eval()
        config.donated_buffer = False  # attacks may ask one pass for several gradients; torch reads it all the time
        self._hooks = [getattr(module, kind) for module in network.modules() for kind in HOOKS]
        self._own_hooks, self._works = sum(map(len, self._hooks)), dict[bool, bool]()
        self._run = list[Callable[[Tensor], object]]()  # compiled; as a module of this one its weights would count twice

    @property
    def is_watched(self) -> bool:
        """Whether there are other hooks in it than at first."""
        return sum(map(len, self._hooks)) != self._own_hooks

    def forward(self, pixels: Tensor) -> object:
        """What the network gives.

        Args:
            pixels: of two images at least; for a single one torch would compile anew.

        Warns:
            NotCompiledWarning: it can't be compiled.
        """
        if self.is_watched:
            return self.network(pixels)
        with_gradient = torch.is_grad_enabled() and pixels.requires_grad
        if with_gradient not in self._works:
            self._works[with_gradient] = self._try_out(pixels, with_gradient=with_gradient)
        return self._run_compiled(pixels) if self._works[with_gradient] else self.network(pixels)

    def _run_compiled(self, pixels: Tensor) -> object:
        if not self._run:  # kernels are chosen by rule, not by a stopwatch: the same network gives the same bits
            self._run.append(torch.compile(self.network, options={"deterministic": True}))
        torch._dynamo.maybe_mark_dynamic(pixels, 0)  # noqa: SLF001  (documented, under this name)
        return self._run[0](pixels)

    def _try_out(self, pixels: Tensor, *, with_gradient: bool) -> bool:
        """Whether it can be compiled, and then gives the same; of all images, since for few torch may choose other kernels."""
        leaf = pixels.detach().clone().requires_grad_(with_gradient)
        try:
            made = find_tensors(self._run_compiled(leaf))
            needed = [part.sum() for part in made if part.requires_grad]
            if needed:
                torch.autograd.grad(needed, leaf, allow_unused=True)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            self._warn(_find_reason(error))
            return False
        with torch.no_grad():
            truth = find_tensors(self.network(leaf))
        if len(made) == len(truth) and all(map(partial(_are_close, close=CLOSE[_find_precision(leaf)]), made, truth)):
            return True
        self._warn("it gives other logits then")
        return False

    def _warn(self, reason: str) -> None:
        msg = f"{self._name} can't be compiled ({reason}): it runs as it is."
        warnings.warn(msg, NotCompiledWarning, stacklevel=2)


@cache
def require_compiler(kind: str) -> None:
    """Makes sure that torch can compile for a kind of device: for a CPU it needs a C++ compiler, for a GPU Triton.

    Raises:
        InvalidValueError: it can't.
    """
    try:
        torch.compile(_double)(torch.ones(3, device=kind))
    except Exception as error:
        msg = f"torch can't compile networks for {kind} here ({_find_reason(error)}): install a compiler, or leave compiling out."
        raise InvalidValueError(msg) from error


def _double(values: Tensor) -> Tensor:
    return values + values


def _are_close(made: Tensor, truth: Tensor, *, close: float) -> bool:
    if made.shape != truth.shape:
        return False
    largest = float(truth.float().abs().max()) if truth.numel() else 0.0
    return torch.allclose(made.detach().float(), truth.float(), rtol=0, atol=close * largest)


def _find_reason(error: Exception) -> str:
    return first_line(getattr(error, "inner_exception", error))  # torch wraps what went wrong


def _find_precision(values: Tensor) -> str:
    kind = values.device.type
    if torch.is_autocast_enabled(kind):
        return str(torch.get_autocast_dtype(kind)).removeprefix("torch.")
    return "tf32" if kind == "cuda" and torch.backends.cuda.matmul.allow_tf32 else "float32"
