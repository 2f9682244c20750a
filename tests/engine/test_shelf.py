import pytest
import torch

from tests.specimens import family
from zooscope.engine.shelf import Shelf, count_bytes
from zooscope.errors import InvalidValueError


def shelf(budget: int | None) -> tuple[Shelf, list[str], int]:
    classifiers, images = family(3, num_images=4)
    by_name = {one.name: one for one in classifiers}
    loaded: list[str] = []

    def load(name: str) -> object:
        loaded.append(name)
        return by_name[name]

    made = Shelf(
        load=load,  # type: ignore[arg-type]
        transforms={name: one.transform for name, one in by_name.items()},
        images=images,
        shards=[range(4)],
        device=torch.device("cpu"),
        budget=budget,
    )
    return made, loaded, count_bytes(classifiers[0].network)


def test_without_a_budget_every_classifier_is_loaded_once_and_stays() -> None:
    made, loaded, _ = shelf(None)
    for number in (0, 1, 2, 0, 1, 2):
        assert made.classifier(f"relative {number}").name == f"relative {number}"
    assert loaded == ["relative 0", "relative 1", "relative 2"]
    assert made.on_device == ("relative 0", "relative 1", "relative 2")


def test_under_a_budget_the_one_not_used_for_the_longest_time_goes() -> None:
    _, _, size = shelf(None)
    made, loaded, _ = shelf(2 * size)
    for number in (0, 1, 0, 2):
        made.classifier(f"relative {number}")
    assert made.on_device == ("relative 0", "relative 2")
    made.classifier("relative 1")
    assert loaded == ["relative 0", "relative 1", "relative 2", "relative 1"]


def test_one_that_is_larger_than_the_budget_is_alone() -> None:
    made, _, _ = shelf(1)
    made.classifier("relative 0")
    made.classifier("relative 1")
    assert made.on_device == ("relative 1",)


def test_the_bytes_of_a_network_are_those_of_its_parameters_and_buffers() -> None:
    network = torch.nn.BatchNorm2d(3)
    assert count_bytes(network) == 4 * 3 * 4 + 8  # weight, bias, mean, variance; and a counter of 64 bits


def test_a_budget_that_is_not_positive_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"memory_budget must be at least 1: got 0\."):
        shelf(0)
