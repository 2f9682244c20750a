"""A hub that can't be reached is asked once, and the cache is used. The hub is a server in a thread that breaks connections."""

from functools import partial
from pathlib import Path

import datasets
import pytest
import timm
from huggingface_hub import constants

from tests.classifiers.hub_at_hand import broken_server, into_cache, isolated, saved_folder, server
from zooscope import load_classifier, load_images
from zooscope.errors import ClassifierError, ImagesError
from zooscope.hub import explain_offline, offline_if_unreachable

REPOSITORY = "timm/test_resnet.r160_in1k"


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache; the client may go online."""
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    return isolated(monkeypatch, tmp_path, offline=False)


@pytest.mark.parametrize("address", ["timm:test_resnet", "timm:hf-hub:me/mine", "huggingface:me/mine"])
def test_classifiers_are_refused_after_one_attempt(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    message = r"is not in the cache \(.*\), and the Hugging Face hub can't be reached \(.+\); go online once, or "
    with broken_server(monkeypatch) as attempts:
        for _ in range(2):
            with pytest.raises(ClassifierError, match=message):
                load_classifier(address)
    assert len(attempts) == 1
    assert not constants.HF_HUB_OFFLINE


def test_images_are_refused_after_one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    message = r"me/mine is not in the cache \(.*datasets\), and the Hugging Face hub can't be reached \(.+\); go online once"
    with broken_server(monkeypatch) as attempts:
        for address in ("huggingface:me/mine", "huggingface:me/mine?split=test"):
            with pytest.raises(ImagesError, match=message):
                load_images(address)
    assert len(attempts) == 1


def test_weights_in_the_cache_need_no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> None:
    files = saved_folder(tmp_path / "files", timm.create_model("test_resnet"), {})
    into_cache(cache, REPOSITORY, files)
    with broken_server(monkeypatch) as attempts:
        assert load_classifier("timm:test_resnet").num_classes == 1000
    assert len(attempts) == 1


def test_the_hub_is_asked_again_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    with broken_server(monkeypatch) as attempts:
        for now, expected in ((1000.0, 1), (1059.0, 1), (1061.0, 2)):
            monkeypatch.setattr("zooscope.hub.monotonic", partial(float, now))
            with offline_if_unreachable():
                assert constants.HF_HUB_OFFLINE
            assert len(attempts) == expected


def test_a_hub_that_answers_anything_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(monkeypatch, status=403), offline_if_unreachable():
        assert not constants.HF_HUB_OFFLINE


def test_a_proxy_is_asked_in_place_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(monkeypatch, status=404) as asked:
        monkeypatch.setenv("HTTP_PROXY", constants.ENDPOINT)
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setattr(constants, "ENDPOINT", "http://hub.invalid")
        with offline_if_unreachable():
            assert not constants.HF_HUB_OFFLINE
    assert [path.rstrip("/") for path in asked] == ["http://hub.invalid"]


def test_nothing_is_asked_where_the_user_is_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with broken_server(monkeypatch) as attempts, offline_if_unreachable():
        assert explain_offline() == "HF_HUB_OFFLINE is set"
    assert len(attempts) == 0
    assert constants.HF_HUB_OFFLINE
