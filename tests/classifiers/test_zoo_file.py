"""Lists of classifiers as TOML."""

from pathlib import Path

import pytest

from zooscope.addresses import Address
from zooscope.classifiers.addresses import find_name
from zooscope.classifiers.zoo_file import read_zoo_file
from zooscope.errors import InvalidValueError, MissingFileError, UnknownNameError, ZooscopeError


def zoo(folder: Path, content: str) -> Path:
    file = folder / "zoo.toml"
    file.write_text(content, encoding="utf-8")
    return file


def one(folder: Path, *lines: str) -> Address:
    (address,) = read_zoo_file(zoo(folder, "\n".join(["[[classifiers]]", *lines])))
    return address


def test_addresses_come_in_the_order_of_the_file_with_keys_as_options(tmp_path: Path) -> None:
    found = read_zoo_file(
        zoo(
            tmp_path,
            """
            [[classifiers]]
            address = "timm:resnet18.a1_in1k"
            mean = [0.5, 0.4, 0.25]
            std = 1
            crop = 0.9
            group = "long training"

            [[classifiers]]
            address = "bundled:*"

            [[classifiers]]
            address = "timm:vit_tiny_patch16_224?size=96"
            name = "vit & co"
            """,
        )
    )
    assert tuple(map(str, found)) == (
        "timm:resnet18.a1_in1k?mean=0.5,0.4,0.25&std=1&crop=0.9&group=long+training",
        "bundled:*",
        "timm:vit_tiny_patch16_224?size=96&name=vit+%26+co",
    )


def test_keywords_of_an_architecture_keep_their_types(tmp_path: Path) -> None:
    address = one(
        tmp_path,
        'address = "checkpoint:vit.pth"',
        'architecture = "vit_tiny_patch16_224"',
        '"architecture.embed_dim" = 96',
        '"architecture.depths" = [2, 2]',
        '"architecture.class_token" = false',
        '"architecture.global_pool" = "avg"',
        '"architecture.block_args" = { attn_layer = "se" }',
    )
    options = address.options
    assert options["architecture"] == "vit_tiny_patch16_224"
    assert [options[f"architecture.{key}"] for key in ("embed_dim", "depths", "class_token", "global_pool", "block_args")] == [
        "96",
        "[2, 2]",
        "false",
        '"avg"',
        '{ "attn_layer" = "se" }',
    ]


@pytest.mark.parametrize(
    ("address", "rest"),
    [
        ("checkpoint:sub/a.pth", "{folder}/sub/a.pth"),
        ("onnx:a.onnx", "{folder}/a.onnx"),
        ("timm:local-dir:mine", "local-dir:{folder}/mine"),
        ("huggingface:mine", "{folder}/mine"),
        ("huggingface:./elsewhere", "{folder}/elsewhere"),
        ("checkpoint:/x/a.pth", "/x/a.pth"),
        ("huggingface:org/name", "org/name"),
        ("timm:hf-hub:org/name", "hf-hub:org/name"),
        ("timm:resnet18", "resnet18"),
    ],
)
def test_paths_are_relative_to_the_file_and_names_stay_as_written(tmp_path: Path, address: str, rest: str) -> None:
    (tmp_path / "mine").mkdir()
    found = one(tmp_path, f'address = "{address}"')
    assert found.rest == rest.format(folder=tmp_path)
    assert find_name(found) == address


def test_options_that_are_paths_are_relative_to_the_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = zoo(
        tmp_path,
        """
        [[classifiers]]
        address = "timm:resnet18?weights=in%20address.pth"
        class_map = "maps/a.txt"
        [[classifiers]]
        address = "timm:resnet34"
        weights = "as key.pth"
        class_map = "background"
        """,
    )
    monkeypatch.chdir(tmp_path.parent)
    first, second = read_zoo_file(file.relative_to(tmp_path.parent))
    assert (first.options["weights"], first.options["class_map"]) == (f"{tmp_path}/in address.pth", f"{tmp_path}/maps/a.txt")
    assert (second.options["weights"], second.options["class_map"]) == (f"{tmp_path}/as key.pth", "background")


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("[[classifiers]\n", InvalidValueError, r"the zoo file .*zoo\.toml is no TOML: .*line 1"),
        ('[[classifiers]]\naddress = "a\n', InvalidValueError, r"is no TOML: .*line 2"),
        ("", InvalidValueError, r"zoo\.toml lists no classifiers; begin each with \[\[classifiers\]\]"),
        ("classifiers = []", InvalidValueError, "lists no classifiers"),
        ("classifiers = ['bundled:vit']", InvalidValueError, "lists no classifiers"),
        ("[classifiers]\naddress = 'bundled:vit'", InvalidValueError, "lists no classifiers"),
        (
            "[[classifier]]\naddress = 'bundled:vit'",
            UnknownNameError,
            r"unknown key of the zoo file .* 'classifier'\. Did you mean classifiers\?",
        ),
        (
            "[[classifiers]]\nname = 'a'",
            InvalidValueError,
            r'classifier 1 of .*zoo\.toml has no address; write address = "PROVIDER:NAME"',
        ),
        ("[[classifiers]]\naddress = 3", InvalidValueError, "classifier 1 of .* has no address"),
        (
            "[[classifiers]]\naddress = 'bundled:vit'\n[[classifiers]]\naddress = 'timm:a'\nszie = 3",
            UnknownNameError,
            r"unknown key of classifier 2 of .*zoo\.toml 'szie'\. Did you mean size\? timm: takes weights,",
        ),
        (
            "[[classifiers]]\naddress = 'bundled:vit'\nsize = 3",
            UnknownNameError,
            r"unknown key of classifier 1 of .* 'size'.* bundled: takes name, group, class_map",
        ),
        (
            "[[classifiers]]\naddress = 'timm:a?size=3'\nsize = 3",
            InvalidValueError,
            r"classifier 1 of .* says size twice, in its address",
        ),
        ("[[classifiers]]\naddress = 'timm:a?name=b'\nname = 'b'", InvalidValueError, r"says name twice"),
        (
            "[[classifiers]]\naddress = 'checkpoint:a'\narchitecture = {embed_dim = 3}",
            InvalidValueError,
            r"architecture of classifier 1 .* must be text, a number, .*: got a dict\. An option with a dot",
        ),
        ("[[classifiers]]\naddress = 'timm:a'\nmean = [[0.5]]", InvalidValueError, r"mean of classifier 1 .*: got a list"),
        ("[[classifiers]]\naddress = 'tim:a'", UnknownNameError, r"unknown classifier provider 'tim'"),
    ],
)
def test_what_is_no_zoo_file_is_refused(tmp_path: Path, content: str, error: type[ZooscopeError], message: str) -> None:
    with pytest.raises(error, match=message):
        read_zoo_file(zoo(tmp_path, content))


def test_a_missing_zoo_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no zoo file .*zoo\.toml; give the path of a TOML file"):
        read_zoo_file(tmp_path / "zoo.toml")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "zoo.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidValueError, match="is no TOML"):
        read_zoo_file(tmp_path / "zoo.toml")


@pytest.mark.parametrize(
    ("value", "message"),
    [("[" * 10_000 + "]" * 10_000, "nests values too deeply; give plain values"), ("9" * 5000, "is no TOML: Exceeds the limit")],
)
def test_values_that_python_can_not_hold_are_refused(value: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=message):
        one(tmp_path, 'address = "timm:resnet18"', f"num_classes = {value}")
