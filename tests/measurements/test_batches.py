import subprocess
import sys
import threading
import time
import warnings
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.classifiers.test_prepared import Keeping
from tests.specimens import classifier_of
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.prepared import prepare
from zooscope.errors import MemoryWarning
from zooscope.measurements.batches import PIXELS_AT_ONCE, SMALLEST, run_batches, split_for_cpu
from zooscope.measurements.predict import compute_logits

ROOT = Path(__file__).parents[2]
OUT_OF_MEMORY = torch.OutOfMemoryError("out of memory")
PIXELS = torch.rand(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))


class Limited(nn.Module):
    """Has memory for so many images."""

    def __init__(self, most: int, *, says: Exception = OUT_OF_MEMORY) -> None:
        super().__init__()
        self.layer, self.most, self.says = nn.Linear(3, 2), most, says
        self.sizes: list[int] = []

    def forward(self, pixels: Tensor) -> Tensor:
        self.sizes.append(len(pixels))
        if len(pixels) > self.most:
            raise self.says
        logits: Tensor = self.layer(pixels.mean((2, 3)))
        return logits


@given(st.integers(0, 300), st.integers(1, 120), st.sampled_from([8, 32, 224, 600]))
def test_batches_cover_every_image_once_and_are_about_equal(num_images: int, batch_size: int, side: int) -> None:
    batches = split_for_cpu(num_images, batch_size, (side, side))
    assert [place for here in batches for place in range(here.start, here.stop)] == list(range(num_images))
    sizes = [here.stop - here.start for here in batches]
    assert not sizes or max(sizes) - min(sizes) <= 1
    assert max(sizes, default=0) <= min(batch_size, max(SMALLEST, PIXELS_AT_ONCE // side**2))
    assert len(sizes) % 2 == 0 or num_images == len(sizes) or num_images == 1


def test_threads_never_meet_in_a_network() -> None:
    torch.manual_seed(0)
    classifier = classifier_of("keeping", Keeping(), num_classes=2, size=(32, 32))
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        for _ in range(10):
            said = compute_logits(prepare(classifier), PIXELS, batch_size=3)
            torch.testing.assert_close(said, classifier.logits(PIXELS), rtol=1e-5, atol=1e-6)
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)


def test_batches_of_a_prepared_classifier_run_at_once_and_the_same_whatever_the_threads() -> None:
    ready = prepare(classifier_of("keeping", Keeping(), num_classes=2, size=(32, 32)))
    meeting, before = threading.Barrier(2, timeout=20), torch.get_num_threads()

    def work(_: Classifier, here: slice) -> tuple[int, int]:
        if torch.get_num_threads() == 1 and threading.current_thread() is not threading.main_thread():
            meeting.wait()  # breaks where one comes alone
        return here.start, here.stop

    results = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(run_batches(ready, 40, 10, work))
    finally:
        torch.set_num_threads(before)
    assert results[0] == results[1]
    assert [start for start, _ in results[0][1:]] == [end for _, end in results[0][:-1]]
    assert all(one < other for one, other in pairwise(results[0]))


def test_nothing_runs_any_more_when_a_batch_has_failed() -> None:
    ready = prepare(classifier_of("keeping", Keeping(), num_classes=2, size=(32, 32)))
    before, running, began = torch.get_num_threads(), list[int](), threading.Event()

    def work(_: Classifier, here: slice) -> None:
        if here.start == 0:
            assert began.wait(20)
            msg = "first"
            raise ValueError(msg)
        began.set()
        running.append(here.start)
        time.sleep(0.2)
        running.remove(here.start)

    torch.set_num_threads(2)
    try:
        for _ in range(2):  # threads that saw an error go on
            began.clear()
            with pytest.raises(ValueError, match="first"):
                run_batches(ready, 40, 4, work)
            assert running == []
    finally:
        torch.set_num_threads(before)


def test_a_forked_process_has_threads_of_its_own() -> None:
    program = (
        "import os, signal, torch\n"
        "from tests.measurements.test_batches import PIXELS, Keeping, classifier_of, prepare, compute_logits\n"
        "torch.set_num_threads(2)\n"
        "ready = prepare(classifier_of('keeping', Keeping(), num_classes=2, size=(32, 32)))\n"
        "expected = compute_logits(ready, PIXELS, batch_size=10)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    signal.alarm(60)\n"
        "    os._exit(0 if torch.equal(compute_logits(ready, PIXELS, batch_size=10), expected) else 1)\n"
        "raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=ROOT).returncode == 0


def test_a_batch_that_is_alone_is_computed_on_one_thread_too() -> None:
    ready = prepare(classifier_of("keeping", Keeping(), num_classes=2, size=(32, 32)))
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert run_batches(ready, 1, 10, lambda *_: torch.get_num_threads()) == [1]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_where_memory_runs_out_smaller_batches_go_on_and_it_is_said_once() -> None:
    torch.manual_seed(0)
    network = Limited(5)
    classifier = classifier_of("limited", network, num_classes=2, size=(32, 32))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        said = compute_logits(classifier, PIXELS, batch_size=32)
        again = compute_logits(classifier, PIXELS, batch_size=32)
    torch.testing.assert_close(said, network.layer(PIXELS.mean((2, 3))))
    assert torch.equal(said, again)
    assert [str(one.message) for one in told] == ["limited: memory ran out with 32 images at once; smaller batches go on."]
    assert issubclass(told[0].category, MemoryWarning)
    assert [size for size in network.sizes if size != 4] == [32, 16, 8]  # what is known to be too large isn't tried again
    assert len(network.sizes) == 3 + 16 + 16


def test_a_processor_has_another_error_and_its_threads_keep_to_one_limit() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**15)  # more than there is anywhere
    torch.manual_seed(0)
    network = Limited(3, says=caught.value)
    ready, before = prepare(classifier_of("limited", network, num_classes=2, size=(32, 32))), torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            said = [compute_logits(ready, PIXELS, batch_size=32) for _ in range(2)]
    finally:
        torch.set_num_threads(before)
    for one in said:
        torch.testing.assert_close(one, network.layer(PIXELS.mean((2, 3))))
    assert len(told) == 1


def test_other_errors_are_not_taken_for_a_want_of_memory() -> None:
    classifier = classifier_of("broken", Limited(5, says=RuntimeError("shapes differ")), num_classes=2, size=(32, 32))
    with pytest.raises(RuntimeError, match="shapes differ"):
        compute_logits(classifier, PIXELS, batch_size=32)


def test_one_image_that_does_not_fit_is_an_error() -> None:
    classifier = classifier_of("limited", Limited(0), num_classes=2, size=(32, 32))
    with pytest.warns(MemoryWarning), pytest.raises(torch.OutOfMemoryError):
        compute_logits(classifier, PIXELS[:2], batch_size=2)
