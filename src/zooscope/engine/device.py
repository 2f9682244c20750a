"""Where to compute."""

import torch

from zooscope.errors import InvalidValueError


def choose_device(name: str | torch.device) -> torch.device:
    """A device by name; "auto" is a GPU where there is one.

    Raises:
        InvalidValueError: there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        msg = f"there is no device {str(name)!r} here ({str(error).splitlines()[0]}); `zooscope doctor` lists what there is."
        raise InvalidValueError(msg) from error
    return device


def describe_device(device: torch.device) -> str:
    """The kind of processor, on which the last bits of results depend.

    >>> describe_device(torch.device("cpu")).split(" with ")[0]
    'cpu'
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu with {torch.backends.cpu.get_cpu_capability()}" if device.type == "cpu" else device.type
