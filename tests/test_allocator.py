import gc
import resource
from pathlib import Path

import pytest
import torch

from zooscope.allocator import find_glibc, keeping_memory

pytestmark = pytest.mark.skipif(find_glibc() is None, reason="there is no glibc here")


def count_faults(rounds: int) -> int:
    """Page faults while blocks of 40 MB are taken, written and freed."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        torch.ones(10_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def measure_resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_kept_blocks_are_not_cleared_again() -> None:
    gc.collect()
    with keeping_memory():
        count_faults(10)
        assert count_faults(10) < 1000  # 10 x 9,766 pages where each block is mapped anew
        held = measure_resident()
    assert measure_resident() < held - 50e6  # given back
