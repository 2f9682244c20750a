"""What the addresses of all classifiers have in common."""

import subprocess
import sys

import pytest

from zooscope.addresses import parse_address
from zooscope.classifiers.addresses import find_group, find_name
from zooscope.classifiers.providers.registry import parse_classifier_address
from zooscope.errors import UnknownNameError


def test_a_name_and_a_group_are_told_without_loading_anything() -> None:
    assert find_name(parse_address("timm:nothing.like_it?weights=nowhere.pth")) == "timm:nothing.like_it"
    assert find_name(parse_address("timm:nothing?weights=nowhere.pth&name=mine")) == "mine"
    assert find_group(parse_address("timm:nothing?group=long%20training")) == "long training"
    assert find_group(parse_address("timm:nothing")) is None
    program = (
        "import sys; from zooscope.classifiers import selection, zoo_file;"
        "selection.classifier_addresses(['huggingface:a/b', 'timm:c?name=d']);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'timm', 'transformers')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_an_unknown_provider_suggests_the_near_one() -> None:
    with pytest.raises(
        UnknownNameError, match=r"unknown classifier provider 'hugingface'\. Did you mean huggingface\? Write PROVIDER:NAME"
    ):
        parse_classifier_address("hugingface:a/b")
