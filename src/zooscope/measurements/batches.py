"""Images through a network, batch by batch: several batches at once on a CPU, smaller ones where memory runs out."""

import gc
import os
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from functools import cache
from itertools import pairwise
from queue import SimpleQueue
from threading import Lock
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import nn

from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.memory import is_out_of_memory
from zooscope.classifiers.prepared import PreparedClassifier
from zooscope.errors import MemoryWarning

PIXELS_AT_ONCE: Final = 100 * 32 * 32  # on one core of a CPU: more fill its caches, fewer waste time on starting kernels
SMALLEST: Final = 12
T = TypeVar("T")
_most: Final[WeakKeyDictionary[nn.Module, int]] = WeakKeyDictionary()  # that fit into memory, of networks of which too many didn't
_lock: Final = Lock()


def run_batches(classifier: Classifier, num_images: int, batch_size: int, work: Callable[[Classifier, slice], T]) -> list[T]:
    """What a piece of work gives for every batch, in order.

    Prepared classifiers on a CPU, unless compiled, run several batches at once, each on one thread. Batches are the same whatever
    the number of threads, so the results are, too. Where memory runs out, a batch is done in halves.

    Args:
        classifier: is handed to `work`, or a copy of it that shares its weights.
        num_images: how many there are.
        batch_size: the most in a batch.
        work: takes a classifier and the places of a batch's images; may run in a thread.

    Warns:
        MemoryWarning: memory ran out.
    """
    batch_size = min(batch_size, _most.get(classifier.network, batch_size))
    if not isinstance(classifier, PreparedClassifier) or classifier.is_compiled or classifier.device.type != "cpu":
        return [part for here in _cut(num_images, batch_size) for part in _run(classifier, here, work, whole=classifier)]
    batches = split_for_cpu(num_images, batch_size, classifier.transform.size)
    replicas = classifier.replicate(min(torch.get_num_threads(), len(batches)))
    if len(replicas) == 1:
        with _one_thread_each() if classifier.takes_one_thread else nullcontext():
            return [part for here in batches for part in _run(classifier, here, work, whole=classifier)]
    free: SimpleQueue[Classifier] = SimpleQueue()
    for replica in replicas:
        free.put(replica)

    def run(here: slice) -> list[T]:
        mine = free.get()
        try:
            return _run(mine, here, work, whole=classifier)
        finally:
            free.put(mine)

    with _one_thread_each():
        futures = [_find_threads(len(replicas)).submit(run, here) for here in batches]
        try:
            return [part for future in futures for part in future.result()]
        finally:  # nothing runs in a replica when it is used again
            for future in futures:
                future.cancel()
            wait(futures)


def split_for_cpu(num_images: int, batch_size: int, size: tuple[int, int]) -> list[slice]:
    """Batches of about equal size, an even number of them, small enough for the caches of a processor core.

    >>> split_for_cpu(40, 100, (224, 224))
    [slice(0, 10, None), slice(10, 20, None), slice(20, 30, None), slice(30, 40, None)]
    """
    most = min(batch_size, max(SMALLEST, PIXELS_AT_ONCE // (size[0] * size[1])))
    number = min(-(-num_images // most) + (-(-num_images // most)) % 2, num_images)
    ends = [num_images * part // number for part in range(number + 1)] if number else []
    return [slice(start, end) for start, end in pairwise(ends)]


def _cut(num_images: int, batch_size: int) -> list[slice]:
    return [slice(start, min(start + batch_size, num_images)) for start in range(0, num_images, batch_size)]


def _run(classifier: Classifier, here: slice, work: Callable[[Classifier, slice], T], *, whole: Classifier) -> list[T]:
    """One batch, or its halves if the device has too little memory; the limit is noted of `whole`, of which it may be a copy."""
    size, half = here.stop - here.start, (here.start + here.stop) // 2
    if size <= _most.get(whole.network, size):
        try:
            return [work(classifier, here)]
        except RuntimeError as error:
            if not is_out_of_memory(error) or size == 1:
                raise
        _note_limit(classifier, half - here.start, tried=size, whole=whole)
    sides = (slice(here.start, half), slice(half, here.stop))
    return [part for side in sides for part in _run(classifier, side, work, whole=whole)]


def _note_limit(classifier: Classifier, most: int, *, tried: int, whole: Classifier) -> None:
    """Frees what can be freed, and says once for each network that memory ran out."""
    gc.collect()
    if classifier.device.type == "cuda":
        torch.cuda.empty_cache()
    with _lock:
        is_new = whole.network not in _most
        _most[whole.network] = min(most, _most.get(whole.network, most))
    if is_new:
        msg = f"{classifier.name}: memory ran out with {tried} images at once; smaller batches go on."
        warnings.warn(msg, MemoryWarning, stacklevel=3)


@cache
def _find_threads(count: int) -> ThreadPoolExecutor:
    """Threads that stay for the next batches: what kernels keep for a thread, memory above all, is made anew for a new one."""
    return ThreadPoolExecutor(count, thread_name_prefix="zooscope-batches", initializer=torch.set_num_threads, initargs=(1,))


os.register_at_fork(after_in_child=_find_threads.cache_clear)  # a forked process has none of the threads


@contextmanager
def _one_thread_each() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # of this thread, and of MKL in all
    try:
        yield
    finally:
        torch.set_num_threads(before)
