"""The grammar of addresses."""

import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooscope.addresses import Address, parse_address, write_address
from zooscope.errors import InvalidValueError

PRINTABLE = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1)
PROVIDER = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1)
OPTIONS = st.dictionaries(PRINTABLE, PRINTABLE)


def test_an_address_is_taken_apart() -> None:
    address = parse_address("timm:local-dir:a?weights=/a%26b.pth&mean=0.5,0.5,0.5&group=long%20training")
    assert (address.provider, address.rest, address.head) == ("timm", "local-dir:a", "timm:local-dir:a")
    assert address.options == {"weights": "/a&b.pth", "mean": "0.5,0.5,0.5", "group": "long training"}


@given(provider=PROVIDER, rest=PRINTABLE, options=OPTIONS)
def test_what_is_written_is_read_again(provider: str, rest: str, options: dict[str, str]) -> None:
    address = Address(provider=provider, rest=rest, options=options)
    text = str(address)
    assert parse_address(text) == address
    assert str(parse_address(text)) == text == write_address(provider, rest, options)


def test_what_was_read_is_written_as_it_was() -> None:
    text = "timm:a%20b?group=long%20training&weights=/x/*.pth"
    address = parse_address(text)
    assert (str(address), address.head) == (text, "timm:a%20b")
    assert str(replace(address, rest="c")) == "timm:c?group=long+training&weights=/x/%2A.pth"


@given(provider=PROVIDER, rest=PRINTABLE, options=OPTIONS)
def test_equal_addresses_have_equal_hashes_and_survive_pickling(provider: str, rest: str, options: dict[str, str]) -> None:
    address = Address(provider=provider, rest=rest, options=options)
    reordered = replace(address, options=dict(reversed(options.items())))
    assert (reordered, hash(reordered)) == (address, hash(address))
    assert pickle.loads(pickle.dumps(address)) == address  # noqa: S301  (our own)


def test_an_address_keeps_its_own_copy_of_the_options() -> None:
    options = {"size": "32"}
    address = Address(provider="timm", rest="a", options=options)
    options["size"] = "64"
    assert address.options == {"size": "32"}


@given(options=OPTIONS, more=PRINTABLE)
def test_options_are_added_and_taken_out(options: dict[str, str], more: str) -> None:
    address = Address(provider="timm", rest="a", options=options)
    assert address.with_options({"group": more}).options == {**options, "group": more}
    assert address.without_options(*options).options == {}


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("timm:a?size=1&size=2", r"timm:a\?size=1&size=2: the option size is given twice; leave one out"),
        ("timm:a?name=1&name=1", "the option name is given twice"),
        ("timm:a?size", r"the option size has no value; write size=VALUE"),
        ("timm:a?size=&mean=0", r"the option size has no value"),
        ("resnet18", r"'resnet18' is no address; write PROVIDER:NAME"),
        ("resnet18?weights=C:a", "is no address"),
    ],
)
def test_what_is_no_address_is_refused(address: str, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        parse_address(address)
