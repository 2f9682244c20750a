import pytest

from zooscope.classifiers.load import bundled_names
from zooscope.cli.addresses import addresses
from zooscope.errors import UnknownNameError


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["bundled:a"], ["bundled:a"]),
        (["bundled:a", "bundled:b"], ["bundled:a", "bundled:b"]),
        (["bundled:a,bundled:b, timm:c"], ["bundled:a", "bundled:b", "timm:c"]),
        (["bundled:b,bundled:a", "bundled:b"], ["bundled:b", "bundled:a"]),
        (["bundled:a,b"], ["bundled:a", "b"]),
        (
            ["timm:r?weights=/x/y.pth&mean=0.5,0.5,0.5&size=224,bundled:a"],
            ["timm:r?weights=/x/y.pth&mean=0.5,0.5,0.5&size=224", "bundled:a"],
        ),
        (["timm:r?weights=/x/[1]*.pth"], ["timm:r?weights=/x/[1]*.pth"]),
        (["bundled:a,"], ["bundled:a"]),
    ],
)
def test_lists_are_taken_apart_at_addresses_only(words: list[str], expected: list[str]) -> None:
    assert addresses(words) == tuple(expected)


def test_a_pattern_stands_for_all_bundled_classifiers_that_match() -> None:
    assert addresses(["bundled:*"]) == bundled_names()
    assert set(addresses(["bundled:resnet*"])) == {name for name in bundled_names() if name.startswith("bundled:resnet")}
    assert addresses(["bundled:[v]it", "bundled:vit"]) == ("bundled:vit",)


def test_patterns_mix_with_names_and_nothing_comes_twice() -> None:
    mixed = addresses(["bundled:vit,bundled:*"])
    assert mixed[0] == "bundled:vit"
    assert sorted(mixed) == sorted(bundled_names())


@pytest.mark.parametrize("pattern", ["bundled:nothing*", "timm:*", "bundled:resnet*?name=x"])
def test_a_pattern_that_matches_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(
        UnknownNameError, match=r"unknown pattern of classifiers .* Patterns match bundled classifiers, and take no options"
    ):
        addresses([pattern])
