"""A study received from someone runs no code, whatever addresses it holds."""

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.cli.calling import call, one_line
from zooscope import Study, load_classifier, load_images
from zooscope.attacks import LinfPGD
from zooscope.errors import ClassifierError, UntrustedCodeError
from zooscope.records.records import Records
from zooscope.study.at_hand import AtHand

OPTIONS = "size=32&mean=0&std=1"
SHELL = f"checkpoint:w.safetensors?architecture=subprocess:getoutput&architecture.cmd=touch PWNED&{OPTIONS}"
SYSTEM = f"checkpoint:w.safetensors?architecture=os:system&architecture.command=touch PWNED&{OPTIONS}"
MODULE = f"checkpoint:w.safetensors?architecture=evil:Network&{OPTIONS}"
ADDRESSES = pytest.mark.parametrize("address", [SHELL, SYSTEM, MODULE])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which everything runs; in it lie weights and a module that leave PWNED when they are run."""
    save_file({"weight": torch.zeros(1)}, tmp_path / "w.safetensors")
    (tmp_path / "evil.py").write_text("from pathlib import Path\nPath('PWNED').touch()\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def received(address: str) -> Path:
    """A study as someone might have made it: measured, with a classifier whose address names code."""
    path = Path("study")
    harmless = load_classifier("bundled:resnet")
    crafted = replace(load_classifier("bundled:vit"), name="crafted", address=address)
    with Study.create(
        path,
        classifiers=[harmless, crafted],
        images=load_images("bundled:cifar10").sample(4),
        attack=LinfPGD(iterations=1),
    ) as study:
        study.run(device="cpu", allow_chance=True)
    return path


@ADDRESSES
def test_the_report_leaves_its_classifier_out_of_the_gallery(here: Path, address: str) -> None:
    path = received(address)
    result = call("report", str(path))
    assert result.exit_code == 0, result.stderr
    page = (path / "report.html").read_text(encoding="utf-8")
    assert "Attacks made on crafted can&#39;t be shown: crafted is built by code that its address in the study names" in page
    assert "Attack on bundled:resnet" in page or "bundled:resnet" in page
    assert not (here / "PWNED").exists()


@ADDRESSES
@pytest.mark.parametrize(
    "words",
    [("measure", "--classifiers", "bundled:mixer", "--allow-chance"), ("place", "--classifier", "bundled:mixer", "--allow-chance")],
)
def test_going_on_with_it_is_refused_in_one_sentence(here: Path, address: str, words: tuple[str, ...]) -> None:
    command, *rest = words
    result = call(command, str(received(address)), *rest)
    assert result.exit_code != 0
    code = address.partition("?")[2].partition("&")[0]
    said = one_line(result.stderr)
    assert f"crafted is built by code that its address in the study names ({code})" in said
    assert "give the address again yourself, or trust the study" in said
    assert "Traceback" not in result.stderr
    assert not (here / "PWNED").exists()


@pytest.mark.parametrize("command", ["show", "clusters", "map", "ensembles", "select", "export", "components"])
def test_what_only_reads_it_runs_nothing(here: Path, command: str) -> None:
    path = received(SHELL)
    call(command, str(path), *(("--out", "tables") if command == "export" else ()))
    assert not (here / "PWNED").exists()


def test_in_python_it_is_refused_unless_the_study_is_trusted(here: Path) -> None:
    path = received(SHELL)
    with (
        Study.open(path) as study,
        pytest.raises(UntrustedCodeError, match=r"crafted is built by code .*subprocess:getoutput.*trust=True"),
    ):
        study.classifier("crafted")
    assert not (here / "PWNED").exists()
    with Study.open(path, trust=True) as study, pytest.raises(ClassifierError, match=r"must give a torch\.nn\.Module: got str"):
        study.classifier("crafted")
    assert (here / "PWNED").exists()


def test_a_report_of_a_trusted_study_runs_it(here: Path) -> None:
    assert call("report", str(received(MODULE)), "--trust").exit_code == 0
    assert (here / "PWNED").exists()


def test_an_address_that_is_typed_is_trusted(here: Path) -> None:
    with pytest.raises(ClassifierError, match=r"must give a torch\.nn\.Module"):
        load_classifier(SHELL)
    assert (here / "PWNED").exists()
    with pytest.raises(UntrustedCodeError, match="names"):
        load_classifier(SHELL, trust=False)


@ADDRESSES
def test_in_another_process_it_runs_nothing_either(here: Path, address: str) -> None:
    with Records.open(received(address) / "study.db") as records:
        record = next(one for one in records.classifiers if one.name == "crafted")
        sent = pickle.loads(pickle.dumps(AtHand(records, study="study")))  # noqa: S301  (our own bytes)
        with pytest.raises(UntrustedCodeError, match="crafted"):
            sent.classifier(record)
        mine = load_classifier("bundled:vit", name="crafted")
        sent = pickle.loads(pickle.dumps(AtHand(records, study="study", classifiers=[mine])))  # noqa: S301  (our own bytes)
    assert sent.classifier(record).address == "bundled:vit", "the user's own address, not the record's"
    assert not (here / "PWNED").exists()
