"""Whether an error says that there is too little memory."""

import torch


def is_out_of_memory(error: Exception) -> bool:
    """Whether a device, or the machine, has too little memory; on a CPU torch has no error of its own for that.

    >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory")), is_out_of_memory(RuntimeError("shape"))
    (True, False)
    """
    return isinstance(error, torch.OutOfMemoryError) or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
