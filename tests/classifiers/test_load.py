"""Classifiers by address."""

import sys
from contextlib import chdir
from pathlib import Path

import pytest
import torch
from torch import nn

from zooscope import load_classifier
from zooscope.addresses import parse_address
from zooscope.classifiers.addresses import find_group
from zooscope.classifiers.probe import probe
from zooscope.classifiers.providers.registry import (
    PROVIDERS,
    find_provider,
    import_provider,
    list_bundled_names,
    list_names,
    parse_classifier_address,
)
from zooscope.errors import ClassifierError, InvalidValueError, MissingExtraError, UnknownNameError


def test_a_bundled_classifier_is_called_by_its_address_or_as_asked() -> None:
    assert load_classifier("bundled:resnet").name == "bundled:resnet"
    assert load_classifier("bundled:resnet?name=mine").name == "mine"
    assert load_classifier("bundled:resnet?name=mine", name="yours").name == "yours"
    assert load_classifier("bundled:resnet", name="yours").address == "bundled:resnet"


def test_bundled_names_are_addresses() -> None:
    assert "bundled:resnet" in list_bundled_names()
    assert all(load_classifier(address).address == address for address in list_bundled_names())


def test_an_unknown_source_suggests_the_near_one() -> None:
    with pytest.raises(
        UnknownNameError,
        match=r"unknown classifier provider 'tim'\. Did you mean timm\? Write PROVIDER:NAME, or the path of a zoo file",
    ):
        load_classifier("tim:resnet18?weights=/some/where/far/away.pth")


def test_a_bare_name_suggests_addresses() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown classifier 'resnet'\. Did you mean bundled:resnet"):
        load_classifier("resnet")


def test_an_unknown_bundled_classifier_suggests_near_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown bundled classifier 'resnt'\. Did you mean resnet"):
        load_classifier("bundled:resnt")


def test_a_bundled_classifier_takes_no_options_of_its_own() -> None:
    with pytest.raises(InvalidValueError, match="bundled classifiers take no option but name, group, class_map, outputs: got size"):
        load_classifier("bundled:resnet?size=64")


# What every source takes


def test_a_group_is_kept_in_the_address_and_changes_nothing_else() -> None:
    plain, grouped = load_classifier("bundled:resnet"), load_classifier("bundled:resnet?group=conv%20nets&name=mine")
    assert grouped.address == "bundled:resnet?group=conv+nets"
    assert find_group(parse_address(str(grouped.address))) == "conv nets"
    assert plain.digest == grouped.digest


def test_a_class_map_is_kept_in_the_address_as_a_path_that_holds_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "two of ten.csv").write_text("class,output\ncat,3\ndog,5\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    classifier, whole = load_classifier("bundled:resnet?class_map=two%20of%20ten.csv"), load_classifier("bundled:resnet")
    pixels = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(classifier.logits(pixels), whole.logits(pixels)[:, [3, 5]])
    monkeypatch.chdir(tmp_path.parent)
    again = load_classifier(str(classifier.address))
    assert (again.digest, again.num_classes) == (classifier.digest, 2)
    assert load_classifier("bundled:resnet?class_map=background").address == "bundled:resnet?class_map=background"


# Sources


@pytest.mark.parametrize("provider", PROVIDERS.names)
def test_every_provider_has_a_module_that_loads(provider: str) -> None:
    address = parse_classifier_address(f"{provider}:any")
    if find_provider(address).extra is None:  # those are slow to import, and have tests of their own
        assert callable(import_provider(address).load)


@pytest.mark.parametrize("provider", ["bundled", "timm", "torchvision", "paper"])
def test_names_that_can_be_listed_are_addresses(provider: str) -> None:
    names = list_names(find_provider(parse_classifier_address(f"{provider}:")))
    assert len(names) == len(set(names)) > 10
    assert all(name.startswith(f"{provider}:") for name in names)


@pytest.mark.parametrize(("provider", "library"), [("huggingface", "transformers"), ("onnx", "onnx")])
def test_a_provider_without_its_libraries_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, provider: str, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    for module in [name for name in sys.modules if name.startswith(f"zooscope.classifiers.providers.{provider}")]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(
        MissingExtraError, match=rf"{provider} needs libraries that are not installed: `pip install 'zooscope\[{provider}\]'`"
    ):
        load_classifier(f"{provider}:anything")


def test_a_broken_installation_is_no_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zooscope.classifiers.providers.checkpoint", None)
    with pytest.raises(ModuleNotFoundError, match="checkpoint"):
        import_provider(parse_address("checkpoint:any"))


def test_a_softmax_at_the_end_of_one_s_own_network_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "sure.py").write_text(
        "from torch import nn\n"
        "def sequence(): return nn.Sequential(nn.Flatten(), nn.Linear(48, 5), nn.Softmax(dim=1))\n"
        "class Nested(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__(); self.attention, self.body = nn.Softmax(dim=-1), sequence()\n"
        "        self.head = nn.ModuleDict({'end': nn.Identity()})\n"
        "    def forward(self, x): self.attention(x); return {'logits': self.head['end'](self.body(x))}\n"
        "class Shared(nn.Module):\n"
        "    def __init__(self): super().__init__(); self.body, self.sure = nn.Linear(48, 5), nn.Softmax(dim=1)\n"
        "    def forward(self, x): return self.sure(self.body(self.sure(x.flatten(1))))\n"
    )
    pixels, linear = torch.rand(6, 3, 4, 4), nn.Linear(48, 5)
    for kind, start in (("sequence", "1"), ("Nested", "body.1"), ("Shared", "body")):
        torch.save({f"{start}.weight": linear.weight, f"{start}.bias": linear.bias}, tmp_path / "w.pth")
        with chdir(tmp_path):
            classifier = load_classifier(f"checkpoint:{tmp_path / 'w.pth'}?architecture=sure:{kind}&size=4&mean=0&std=1")
        if kind == "Shared":
            with pytest.raises(ClassifierError, match="gives probabilities, not logits"):
                probe(classifier)
        else:
            torch.testing.assert_close(classifier.logits(pixels), linear(pixels.flatten(1)))
            probe(classifier)


def test_the_logarithm_of_probabilities_is_taken_where_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "probable.py").write_text(
        "import torch\n"
        "class Probable(torch.nn.Sequential):\n"
        "    def __init__(self): super().__init__(torch.nn.Flatten(), torch.nn.Linear(48, 5))\n"
        "    def forward(self, x): return torch.softmax(super().forward(x), 1)\n"
        "class Surely(torch.nn.Sequential):\n"
        "    def __init__(self): super().__init__(torch.nn.Flatten(), torch.nn.Linear(48, 1))\n"
        "    def forward(self, x): return torch.sigmoid(super().forward(x))\n"
    )
    pixels = torch.rand(6, 3, 4, 4)
    for kind, num_classes in (("Probable", 5), ("Surely", 2)):
        linear = nn.Linear(48, num_classes if kind == "Probable" else 1)
        torch.save({"1.weight": linear.weight, "1.bias": linear.bias}, tmp_path / "w.pth")
        address = f"checkpoint:{tmp_path / 'w.pth'}?architecture=probable:{kind}&size=4&mean=0&std=1&num_classes={num_classes}"
        with chdir(tmp_path):
            plain, logarithm = load_classifier(address), load_classifier(f"{address}&outputs=probabilities")
        with pytest.raises(ClassifierError, match="gives probabilities, not logits"):
            probe(plain)
        probe(logarithm)
        expected = linear(pixels.flatten(1))
        expected = expected if num_classes == 5 else torch.cat([torch.zeros_like(expected), expected], 1)
        torch.testing.assert_close(logarithm.logits(pixels).softmax(1), expected.softmax(1))
        assert logarithm.digest != plain.digest
        assert "outputs=probabilities" in str(logarithm.address)
    with pytest.raises(InvalidValueError, match="the option outputs takes logits or probabilities: got 'classes'"):
        load_classifier("bundled:resnet?outputs=classes")
