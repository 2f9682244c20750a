import json
from pathlib import Path

import zooscope
from tests.cli.calling import call, one_line
from zooscope.study.study import Study


def test_a_pack_is_made_and_classifiers_are_tested_on_it(tmp_path: Path) -> None:
    names = ["bundled:resnet", "bundled:vit"]
    images = zooscope.load_images("bundled:cifar10").sample(12, seed=0)
    with Study.create(tmp_path / "study", classifiers=names, images=images, attack="LinfPGD?iterations=2") as study:
        study.run(device="cpu")
    pack = tmp_path / "pack.zoo"
    text = " ".join(call("probe", "make", tmp_path / "study", "--landmarks", "resnet,bundled:vit", "--out", pack).output.split())
    assert "unknown classifier 'resnet'. Did you mean bundled:resnet?" in text
    made = call("probe", "make", tmp_path / "study", "--landmarks", ",".join(names), "--out", pack, "--device", "cpu").stdout
    assert "12 images, attacked through 2 landmarks" in made
    words = (
        "probe",
        "run",
        pack,
        "--classifiers",
        "bundled:mixer",
        "bundled:swin",
        "--device",
        "cpu",
        "--out",
        tmp_path / "profiles",
    )
    text = call(*words).stdout
    assert [line for line in text.splitlines() if len(line) > 80 and str(tmp_path) not in line] == []
    assert "Each nearest landmark is the nearest in at least 95 %" in " ".join(text.split())
    found = json.loads(call(*words, "--json").stdout)
    assert [one["name"] for one in found["classifiers"]] == ["bundled:mixer", "bundled:swin"]
    scores = zooscope.read_snapshot(tmp_path / "profiles").one_sided()
    for one in found["classifiers"]:
        for row in one["profile"]:
            assert row["sat"] == scores.sel(source=row["landmark"], target=one["name"]).item()
    assert "mixer" in call("show", tmp_path / "profiles").stdout


def test_what_is_missing_is_a_sentence(tmp_path: Path) -> None:
    result = call("probe", "run", tmp_path / "pack.zoo")
    assert (result.exit_code, one_line(result.stderr)) == (1, "Error: no classifier to test; name some by --classifiers.")
    result = call("probe", "run", tmp_path / "pack.zoo", "--classifiers", "bundled:vit")
    assert one_line(result.stderr).startswith(f"Error: there is no file {tmp_path / 'pack.zoo'}; give a pack")
    result = call("probe", "make", tmp_path)
    assert one_line(result.stderr).startswith(f"Error: there is no study at {tmp_path}")
