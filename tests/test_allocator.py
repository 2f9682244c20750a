import resource
from multiprocessing import get_context
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


def keep_blocks() -> tuple[int, int]:
    """Page faults of ten blocks that are kept, and the bytes that are given back afterwards."""
    with keeping_memory():
        count_faults(10)
        faults, held = count_faults(10), measure_resident()
    return faults, held - measure_resident()


def test_kept_blocks_are_not_cleared_again() -> None:
    with get_context("spawn").Pool(1) as fresh:  # the heap of this process has holes of any size
        faults, given_back = fresh.apply(keep_blocks)
    assert faults < 1000, "each block is mapped anew: 10 x 9,766 pages"
    assert given_back > 30e6, "a block of 40 MB"
