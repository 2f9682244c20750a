"""From words to addresses."""

from pathlib import Path

import pytest
import timm

from zooscope import classifier_addresses
from zooscope.classifiers import load
from zooscope.classifiers.providers.registry import list_bundled_names
from zooscope.errors import ClassifierError, InvalidValueError, MissingFileError, UnknownNameError


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["bundled:a"], ["bundled:a"]),
        (["bundled:a", "bundled:b"], ["bundled:a", "bundled:b"]),
        (["bundled:a,bundled:b, timm:c"], ["bundled:a", "bundled:b", "timm:c"]),
        (["bundled:b,bundled:a", "bundled:b"], ["bundled:b", "bundled:a"]),
        (
            ["timm:r?weights=/x/y.pth&mean=0.5,0.5,0.5&size=224,bundled:a"],
            ["timm:r?weights=/x/y.pth&mean=0.5,0.5,0.5&size=224", "bundled:a"],
        ),
        (["timm:r?weights=/x/[1]*.pth"], ["timm:r?weights=/x/[1]*.pth"]),
        (["checkpoint:run[1].pth?architecture=r"], ["checkpoint:run[1].pth?architecture=r"]),
        (["timm:local-dir:/x/[1]"], ["timm:local-dir:/x/[1]"]),
        (["bundled:a,"], ["bundled:a"]),
    ],
)
def test_lists_are_taken_apart_at_addresses_only(words: list[str], expected: list[str]) -> None:
    assert classifier_addresses(words) == tuple(expected)


# Patterns


def test_a_pattern_stands_for_all_classifiers_that_match() -> None:
    assert classifier_addresses(["bundled:*"]) == list_bundled_names()
    assert set(classifier_addresses(["bundled:resnet*"])) == {
        name for name in list_bundled_names() if name.startswith("bundled:resnet")
    }
    assert classifier_addresses(["bundled:[v]it", "bundled:vit"]) == ("bundled:vit",)


def test_patterns_mix_with_names_and_nothing_comes_twice() -> None:
    mixed = classifier_addresses(["bundled:vit,bundled:*"])
    assert mixed[0] == "bundled:vit"
    assert sorted(mixed) == sorted(list_bundled_names())


def test_options_behind_a_pattern_go_to_all_that_it_stands_for() -> None:
    found = classifier_addresses(["bundled:resnet*?group=cnn", "bundled:vit"])
    assert found[-1] == "bundled:vit"
    assert {address.partition("?")[2] for address in found[:-1]} == {"group=cnn"}


def test_a_pattern_over_timm_stands_for_the_weights_that_timm_has() -> None:
    found = classifier_addresses(["timm:resnet18.*"])
    assert found == tuple(f"timm:{name}" for name in timm.list_pretrained("resnet18.*"))
    assert classifier_addresses(["timm:resnet1[8]"]) == found
    assert "timm:vit_small_patch14_dinov2.lvd142m" not in classifier_addresses(["timm:vit_small*"])  # it gives features alone


def test_the_paper_and_torchvision_take_patterns_too() -> None:
    assert len(classifier_addresses(["paper:"])) == 69
    assert classifier_addresses(["paper:"]) == classifier_addresses(["paper:*"])
    assert "torchvision:ResNet50_Weights.IMAGENET1K_V2" in classifier_addresses(["torchvision:ResNet*"])


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("bundled:nothing*", r"unknown pattern of classifiers 'bundled:nothing\*'\..* It matches no name; `zooscope classifiers"),
        ("timm:resnat18*", r"unknown pattern of classifiers 'timm:resnat18\*'\. Did you mean timm:resnet18"),
        ("paper:nothing*", r"unknown pattern of classifiers 'paper:nothing\*'"),
    ],
)
def test_a_pattern_that_matches_nothing_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        classifier_addresses([pattern])


def test_one_name_for_a_whole_pattern_is_refused() -> None:
    with pytest.raises(
        InvalidValueError, match=rf"bundled:\*\?name=x gives one name to {len(list_bundled_names())} classifiers; leave name="
    ):
        classifier_addresses(["bundled:*?name=x"])


# Zoo files


def test_zoo_files_patterns_and_names_mix_in_order(tmp_path: Path) -> None:
    file = tmp_path / "my zoo, 2.toml"
    file.write_text(
        '[[classifiers]]\naddress = "bundled:resnet*"\ngroup = "cnn"\n[[classifiers]]\naddress = "bundled:visformer"\n', "utf-8"
    )
    found = classifier_addresses(["bundled:vit", str(file), "bundled:visformer,bundled:swin"])
    resnets = tuple(f"{name}?group=cnn" for name in list_bundled_names() if name.startswith("bundled:resnet"))
    assert found == ("bundled:vit", *resnets, "bundled:visformer", "bundled:swin")


def test_a_zoo_file_is_read_where_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zoo.toml").write_text('[[classifiers]]\naddress = "checkpoint:a.pth"\narchitecture = "resnet18"', "utf-8")
    monkeypatch.chdir(tmp_path)
    (address,) = classifier_addresses(["zoo.toml"])
    assert address == f"checkpoint:{tmp_path}/a.pth?architecture=resnet18&name=checkpoint%3Aa.pth".replace("%3A", ":")


def test_a_missing_zoo_file_is_refused() -> None:
    with pytest.raises(MissingFileError, match=r"there is no zoo file nowhere/zoo\.toml"):
        classifier_addresses(["nowhere/zoo.toml"])


# All


def test_two_classifiers_of_one_name_are_refused() -> None:
    with pytest.raises(ClassifierError, match=r"two classifiers are called timm:a: timm:a\?size=32 and timm:a\?size=64; give one"):
        classifier_addresses(["timm:a?size=32", "timm:a?size=64"])
    assert len(classifier_addresses(["timm:a?size=32", "timm:a?size=64&name=b"])) == 2


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown classifier 'resnet'\. Did you mean bundled:resnet"):
        classifier_addresses(["bundled:visformer,resnet"])


def test_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("something was loaded")

    monkeypatch.setattr(load, "load_classifier", refuse)
    monkeypatch.setattr(timm, "create_model", refuse)
    monkeypatch.setattr("zooscope.classifiers.providers.bundled.load", refuse)
    assert classifier_addresses(["bundled:*", "timm:resnet18*", "paper:"])
