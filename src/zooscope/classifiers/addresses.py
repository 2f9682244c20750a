"""What the addresses of all classifiers have in common: the options that every provider takes, and the name that they give."""

from typing import Final

from zooscope.addresses import Address

COMMON_OPTIONS: Final = ("name", "group", "class_map", "outputs")
BACKGROUND: Final = "background"  # the class map that is no file


def find_name(address: Address) -> str:
    """What the classifier is called: the option `name`, else the address without its options."""
    return address.options.get("name", address.head)


def find_group(address: Address) -> str | None:
    """Which group of settings the classifier belongs to; None where the address doesn't say."""
    return address.options.get("group")
