"""Accelerate: devices, precision, several processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState

from zooscope.engine.device import choose_device
from zooscope.errors import InvalidValueError, first_line

PRECISIONS: Final = {"float32": "no", "bf16": "bf16", "fp16": "fp16"}
DEVICE: Final = "ACCELERATE_TORCH_DEVICE"


def make_accelerator(precision: str, device: str | torch.device) -> Accelerator:
    """Accelerate for a precision; the device is its own choice where it is `auto`, and where there are several processes.

    Raises:
        InvalidValueError: there is no such device, or it can't compute so.
    """
    wanted = choose_device(device) if str(device) != "auto" else None
    # Accelerate keeps one state per process, and refuses another precision; here one process trains network after network.
    is_alone = not PartialState._shared_state or PartialState().num_processes == 1  # noqa: SLF001
    AcceleratorState._reset_state(reset_partial_state=is_alone)  # noqa: SLF001
    try:
        with _choose(wanted):
            return Accelerator(mixed_precision=PRECISIONS[precision], cpu=wanted is not None and wanted.type == "cpu")
    except ValueError as error:
        msg = f'precision {precision} can\'t be had on this device ({first_line(error)}); write precision = "float32".'
        raise InvalidValueError(msg) from error


def is_main_process() -> bool:
    """Whether this is the one of several processes, started by `accelerate launch`, that writes and speaks."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def _choose(device: torch.device | None) -> Iterator[None]:
    """The way to tell Accelerate which of several GPUs it is."""
    if device is None or device.type == "cpu" or DEVICE in os.environ:
        yield
        return
    os.environ[DEVICE] = str(device)
    try:
        yield
    finally:
        del os.environ[DEVICE]
