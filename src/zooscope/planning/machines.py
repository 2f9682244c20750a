"""GPUs by name: what their makers say that they compute, and what of it networks reach."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from zooscope.errors import UnknownNameError

UTILIZATION: Final = 0.3  # of the peak; a guess for convolutional networks and transformers in eager torch
TERA: Final = 1e12


class Gpu(NamedTuple):
    """Peaks of dense matrix products, from the makers' data sheets.

    Attributes:
        float32: operations per second without tensor cores.
        half: with tensor cores in bf16, or fp16 where there is no bf16.
        memory: bytes.
    """

    float32: float
    half: float
    memory: int


def _gpu(float32: float, half: float, gigabytes: int) -> Gpu:
    return Gpu(float32 * TERA, half * TERA, gigabytes * 10**9)


GPUS: Final[Mapping[str, Gpu]] = MappingProxyType(
    {
        "T4": _gpu(8.1, 65, 16),
        "V100": _gpu(15.7, 125, 32),
        "A10": _gpu(31.2, 125, 24),
        "L4": _gpu(30.3, 121, 24),
        "L40S": _gpu(91.6, 362, 48),
        "A100": _gpu(19.5, 312, 80),
        "H100": _gpu(66.9, 989, 80),
        "H200": _gpu(66.9, 989, 141),
    }
)


def find_gpu(name: str) -> Gpu:
    """One of the GPUs.

    >>> find_gpu("A100").memory
    80000000000

    Raises:
        UnknownNameError: none is called so.
    """
    if name not in GPUS:
        kind = "GPU"
        raise UnknownNameError(kind, name, GPUS, f"There are: {', '.join(GPUS)}.")
    return GPUS[name]


def estimate_seconds(flops: float, gpu: Gpu, *, number: int, precision: str, utilization: float = UTILIZATION) -> float:
    """Time of so many operations on so many GPUs.

    >>> estimate_seconds(585e12, find_gpu("A100"), number=2, precision="float32", utilization=0.5)
    30.0
    """
    peak = gpu.float32 if precision == "float32" else gpu.half
    return flops / (peak * utilization * number)
