import pytest
import torch

from zooscope.engine.device import choose_device
from zooscope.errors import InvalidValueError


def test_a_device_is_found_by_name() -> None:
    assert choose_device("cpu") == choose_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize("there_is_one", [True, False])
def test_auto_is_a_gpu_where_there_is_one(there_is_one: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001  (a parameter)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there_is_one)
    assert choose_device("auto").type == ("cuda" if there_is_one else "cpu")


@pytest.mark.parametrize("name", ["abacus", "cuda:97"])
def test_a_device_that_is_not_there_is_an_error_that_names_it(name: str) -> None:
    with pytest.raises(InvalidValueError, match=rf"there is no device '{name}' here .*`zooscope doctor` lists what there is"):
        choose_device(name)
