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
