"""Classifiers by address."""

import pytest

from zooscope import load_classifier
from zooscope.classifiers.load import bundled_names
from zooscope.errors import InvalidValueError, UnknownNameError


def test_a_bundled_classifier_is_called_by_its_address_or_as_asked() -> None:
    assert load_classifier("bundled:resnet").name == "bundled:resnet"
    assert load_classifier("bundled:resnet?name=mine").name == "mine"
    assert load_classifier("bundled:resnet?name=mine", name="yours").name == "yours"
    assert load_classifier("bundled:resnet", name="yours").address == "bundled:resnet"


def test_bundled_names_are_addresses() -> None:
    assert "bundled:resnet" in bundled_names()
    assert all(load_classifier(address).address == address for address in bundled_names())


def test_an_unknown_source_suggests_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown classifier source 'tim'\. Did you mean timm\? Write bundled:NAME or"):
        load_classifier("tim:resnet18?weights=/some/where/far/away.pth")


def test_a_bare_name_suggests_addresses() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown classifier 'resnet'\. Did you mean bundled:resnet"):
        load_classifier("resnet")


def test_an_unknown_bundled_classifier_suggests_near_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown bundled classifier 'resnt'\. Did you mean resnet"):
        load_classifier("bundled:resnt")


def test_a_bundled_classifier_takes_no_other_option() -> None:
    with pytest.raises(InvalidValueError, match="bundled classifiers take no option but name: got size"):
        load_classifier("bundled:resnet?size=64")
