"""The grammar of addresses."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooscope.classifiers.addresses import SOURCES, extended, group_of, name_of, parsed, written
from zooscope.errors import InvalidValueError, UnknownNameError

PRINTABLE = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1)


def test_an_address_is_taken_apart() -> None:
    parts = parsed("timm:resnet18?weights=/a%26b.pth&mean=0.5,0.5,0.5&group=cnn&class_map=background&name=mine")
    assert (parts.source, parts.head, parts.rest) == ("timm", "timm:resnet18", "resnet18")
    assert parts.options == {"weights": "/a&b.pth", "mean": "0.5,0.5,0.5"}
    assert parts.common == {"name": "mine", "group": "cnn", "class_map": "background"}


@given(source=st.sampled_from(SOURCES), rest=PRINTABLE, options=st.dictionaries(PRINTABLE, PRINTABLE))
def test_what_is_written_is_read_again(source: str, rest: str, options: dict[str, str]) -> None:
    parts = parsed(written(source, rest, options))
    assert (parts.source, parts.rest, {**parts.options, **parts.common}) == (source, rest, options)


@given(options=st.dictionaries(PRINTABLE, PRINTABLE), more=PRINTABLE)
def test_an_address_is_extended(options: dict[str, str], more: str) -> None:
    parts = parsed(
        extended(written("timm", "a", {key: value for key, value in options.items() if key != "group"}), {"group": more})
    )
    assert parts.common["group"] == more


def test_a_name_and_a_group_are_told_without_loading_anything() -> None:
    assert name_of("timm:nothing.like_it?weights=nowhere.pth") == "timm:nothing.like_it"
    assert name_of("timm:nothing?weights=nowhere.pth&name=mine") == "mine"
    assert group_of("timm:nothing?group=long%20training") == "long training"
    assert group_of("timm:nothing") is None
    program = (
        "import sys; from zooscope.classifiers.addresses import name_of; from zooscope.classifiers import selection, zoo_file;"
        "name_of('huggingface:a/b'); sys.exit(any(name in sys.modules for name in ('torch', 'timm', 'transformers')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("timm:a?size=1&size=2", r"timm:a\?size=1&size=2: the option size is given twice; leave one out"),
        ("timm:a?name=1&name=1", "the option name is given twice"),
        ("timm:a?size", r"the option size has no value; write size=VALUE"),
        ("timm:a?size=&mean=0", r"the option size has no value"),
    ],
)
def test_an_option_without_one_value_is_refused(address: str, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        parsed(address)


def test_an_unknown_source_suggests_the_near_one() -> None:
    with pytest.raises(
        UnknownNameError, match=r"unknown classifier source 'hugingface'\. Did you mean huggingface\? Write SOURCE:NAME"
    ):
        name_of("hugingface:a/b")
