import fcntl
import json
import re
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from tests.cli.calling import CLASSIFIERS, IMAGES, SMALL, call, one_line
from tests.engine.fake_ray import FakeRay
from zooscope import read_snapshot
from zooscope.attacks import LinfPGD
from zooscope.classifiers.bundled.architectures import resnet
from zooscope.engine import ray_cluster
from zooscope.images.load import load_images
from zooscope.measurements import registry
from zooscope.records.kinds import ASKED_FOR
from zooscope.records.lock import LOCK
from zooscope.scores.registry import SIMILARITIES
from zooscope.study.study import Study

pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")


def transfers(folder: Path) -> np.ndarray:
    with Study.open(folder) as study:
        return study.predictions.transfer


def guesser_images(tmp_path: Path) -> str:
    """Bundled images under wrong labels: every class holds the images of the next one."""
    images = load_images("bundled:cifar10").sample(40, seed=0)
    names = images.class_names
    for name, label in zip(images.ids, images.labels, strict=True):
        place = tmp_path / "wrong" / names[(label + 1) % len(names)]
        place.mkdir(parents=True, exist_ok=True)
        (place / Path(name).name).write_bytes(images.read(name))
    return f"folder:{tmp_path / 'wrong'}"


def test_a_study_is_measured_to_the_end(measured_study: Path) -> None:
    with Study.open(measured_study) as study:
        assert study.names == ("bundled:resnet", "bundled:vit")
        assert study.num_images == 20
        assert study.attack == LinfPGD(iterations=2)
        assert study.predictions.find_complete().all()


def test_the_sample_is_that_of_python(measured_study: Path) -> None:
    with Study.open(measured_study) as study:
        assert study.predictions.image_ids == load_images("bundled:cifar10").sample(20, seed=0).ids


def test_piped_it_says_where_to_look_and_no_more(study: Path) -> None:
    result = call("measure", study)
    assert result.exit_code == 0
    assert one_line(result.stdout) == (
        f"{study}: 2 classifiers are measured on 20 images. "
        f"To see the scores: `zooscope show {study}`, or `zooscope report {study}`"
    )
    assert all(line.startswith("Note: the attack on ") for line in result.stderr.splitlines())


@pytest.mark.parametrize("options", [(), SMALL, CLASSIFIERS, IMAGES, ("--seed", "0"), ("--images", "bundled:cifar10")])
def test_the_same_again_changes_nothing(study: Path, options: tuple[str, ...]) -> None:
    before = transfers(study)
    assert call("measure", study, *options).exit_code == 0
    np.testing.assert_array_equal(transfers(study), before)


def test_more_classifiers_are_added_and_nothing_is_measured_twice(study: Path) -> None:
    before = transfers(study)
    result = call("measure", study, "--classifiers", "bundled:resnet?name=twin")
    assert result.exit_code == 0
    after = transfers(study)
    assert after.shape == (3, 3, 20)
    np.testing.assert_array_equal(after[:2, :2], before)
    np.testing.assert_array_equal(after[2, 2], before[0, 0])


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (("--attack", "LinfPGD?iterations=3"), "iterations of the attack: 2, now 3"),
        (("--epsilon", "4/255"), "epsilon of the attack: 0.03137254901960784, now 0.01568627450980392"),
        (("--step-size", "2/255"), "step_size of the attack"),
        (("--iterations", "3"), "iterations of the attack: 2, now 3"),
        (("--random-start",), "random_start of the attack: False, now True"),
        (("--count", "21"), "number of images: 20, now 21"),
        (("--seed", "1"), "seed: 0, now 1"),
        (("--shard-size", "10"), "shard size: 100, now 10"),
        (("--exact",), "way of computing: fast, now exact"),
        (("--compile",), "way of computing: fast, now compiled"),
    ],
)
def test_an_option_that_contradicts_the_study_is_refused(measured_study: Path, options: tuple[str, ...], field: str) -> None:
    result = call("measure", measured_study, *options)
    assert result.exit_code == 1
    line = one_line(result.stderr)
    assert f"was measured with another {field}" in line
    assert line.endswith("Measure into a new folder, or ask for the same again.")


@pytest.mark.parametrize("gib", ["-1", "0", "nan", "inf"])
def test_a_memory_budget_is_refused_in_its_own_unit(tmp_path: Path, gib: str) -> None:
    result = call("measure", tmp_path / "study", *CLASSIFIERS, *IMAGES, "--memory-budget", gib)
    assert result.exit_code == 1
    assert one_line(result.stderr) == f"Error: --memory-budget must be above 0 (in GiB): got {gib}."
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--until-width", "0"), "--until-width must be above 0 and below 100 (percentage points): got 0."),
        (("--until-width", "150"), "--until-width must be above 0 and below 100 (percentage points): got 150."),
        (("--until-width", "nan"), "--until-width must be above 0 and below 100 (percentage points): got nan."),
        (("--until-width", "5", "--until-order"), "--until-width and --until-order are two rules to stop by: name one of them."),
    ],
)
def test_a_rule_to_stop_by_is_refused_before_anything_is_made(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    result = call("measure", tmp_path / "study", *CLASSIFIERS, *IMAGES, *options)
    assert (result.exit_code, one_line(result.stderr)) == (1, f"Error: {message}")
    assert not (tmp_path / "study").exists()


def test_until_a_width_it_stops_early_and_says_what_that_saves_and_the_rest_is_measured_later(tmp_path: Path) -> None:
    folder, short = tmp_path / "study", ("--shard-size", "5", "--count", "20", "--images", "bundled:cifar10", "--iterations", "1")
    said = one_line(call("measure", folder, *CLASSIFIERS, *short, "--until-width", "99").stdout)
    enough = "They are enough: the interval of bundled:resnet and bundled:vit is "
    assert said.startswith(f"{folder}: 2 classifiers are measured on 5 of 20 images. {enough}")
    saved = re.search(
        rf"This saves (\d+) % of all passes through the networks\. `zooscope measure {folder}` measures the rest\.", said
    )
    assert saved
    assert 40 < int(saved[1]) < 75, "three quarters of the images are left, but all are classified"
    assert "Measured so far: 5 of 20 images per pair." in call("show", folder).stdout
    said = one_line(call("measure", folder, "--until-width", "10").stdout)
    assert "2 classifiers are measured on all 20 images. Now the interval of bundled:resnet and bundled:vit is " in said
    assert " percentage points wide: what was asked for would take more images. To see the scores: " in said
    assert "2 classifiers are measured on all 20 images. Now the nearest neighbours of all 2 classifiers are certain. " in one_line(
        call("measure", folder, "--until-order").stdout
    )


def test_other_images_are_refused(measured_study: Path, tmp_path: Path) -> None:
    result = call("measure", measured_study, "--images", guesser_images(tmp_path))
    assert "was measured with another set of images (contents, labels or sample): bundled:cifar10" in one_line(result.stderr)


@pytest.mark.parametrize(
    ("options", "lacking"),
    [((), "--classifiers and --images"), (CLASSIFIERS, "--images"), (IMAGES, "--classifiers")],
)
def test_a_new_study_needs_classifiers_and_images(tmp_path: Path, options: tuple[str, ...], lacking: str) -> None:
    result = call("measure", tmp_path / "new", *options)
    assert result.exit_code == 1
    assert f"there is no study at {tmp_path / 'new'} yet; add {lacking} to make one" in one_line(result.stderr)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--classifiers", "bundled:resnt", *IMAGES), "Did you mean"),
        (("--classifiers", "bundled:nothing*", *IMAGES), "unknown pattern of classifiers"),
        ((*CLASSIFIERS, "--images", "bundled:imagenet"), "unknown bundled image set"),
        ((*SMALL, "--attack", "LinfPGD?radius=1"), "LinfPGD has no field 'radius'; its fields are epsilon, step_size"),
        ((*SMALL, "--device", "abacus"), "there is no device 'abacus' here"),
        ((*SMALL, "--batch-size", "0"), "batch_size must be at least 1"),
        ((*SMALL, "--shard-size", "0"), "shard_size must be at least 1"),
        ((*SMALL, "--exact", "--compile"), "exact runs networks as they are, so they can't be compiled"),
    ],
)
def test_a_failed_creation_leaves_nothing(tmp_path: Path, options: tuple[str, ...], sentence: str) -> None:
    result = call("measure", tmp_path / "new", *options)
    assert result.exit_code == 1
    assert sentence in one_line(result.stderr)
    assert not (tmp_path / "new").exists()


def test_after_wrong_labels_the_corrected_command_works(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    wrong = call("measure", folder, *CLASSIFIERS, "--images", guesser_images(tmp_path), "--iterations", "1")
    assert wrong.exit_code == 1
    assert "bundled:resnet gets" in one_line(wrong.stderr)
    assert "chance level" in one_line(wrong.stderr)
    assert "1 more can't be measured: bundled:vit." in one_line(wrong.stderr)
    assert str(folder / "study.db") not in {file.path for file in psutil.Process().open_files()}
    assert "bundled:vit is left out: bundled:vit gets" in one_line(call("show", folder).stderr)
    alone = call("measure", folder, "--images", "bundled:cifar10", "--count", "20")
    assert "was measured with another" in one_line(alone.stderr), "it doesn't say all anew"
    right = call("measure", folder, *CLASSIFIERS, *IMAGES, "--iterations", "1")
    assert right.exit_code == 0
    assert right.stderr.count("Note:") == 0


def test_a_refused_classifier_is_left_out_with_a_note_until_it_is_named_again(tmp_path: Path, study: Path) -> None:
    torch.manual_seed(0)
    torch.save(resnet(10).state_dict(), tmp_path / "random.pth")
    address = f"checkpoint:{tmp_path / 'random.pth'}?architecture=zooscope.classifiers.bundled.architectures:resnet&name=random"
    options = ("--classifiers", f"{address}&size=32&mean=0&std=1&architecture.num_classes=10")
    refused = call("measure", study, *options)
    assert "of 20 clean images right: chance level" in one_line(refused.stderr)
    with Study.open(study) as opened:
        assert opened.names == ("bundled:resnet", "bundled:vit")
        assert list(opened.refused) == ["random"]
    again = call("measure", study)
    assert again.exit_code == 0
    notes = " ".join(again.stderr.split())
    assert "Note: random is left out: random gets" in notes
    assert "Name it again to try again." in notes
    assert "random is left out" in " ".join(call("show", study).stdout.split())
    assert call("measure", study, *options, "--allow-chance").exit_code == 0
    with Study.open(study) as opened:
        assert opened.names == ("bundled:resnet", "bundled:vit", "random")
        assert not opened.refused


def test_guessers_are_measured_if_allowed(tmp_path: Path) -> None:
    images = guesser_images(tmp_path)
    result = call("measure", tmp_path / "new", *CLASSIFIERS, "--images", images, "--iterations", "1", "--allow-chance")
    assert result.exit_code == 0


def test_a_classifier_that_can_not_be_measured_is_not_kept(study: Path) -> None:
    result = call("measure", study, "--classifiers", "bundled:vit?name=late", "--batch-size", "0")
    assert result.exit_code == 1
    with Study.open(study) as opened:
        assert opened.names == ("bundled:resnet", "bundled:vit")
    assert call("measure", study).exit_code == 0


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "can't be made" in one_line(call("measure", tmp_path / "file", *SMALL).stderr)


@pytest.mark.parametrize("options", [(), ("--classifiers", "bundled:vit?name=late")])
def test_two_measures_at_once_are_refused(study: Path, options: tuple[str, ...]) -> None:
    with (study / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = call("measure", study, *options)
    assert result.exit_code == 1
    assert "is being measured by another process; wait until it ends, or stop it." in one_line(result.stderr)
    with Study.open(study) as opened:
        assert opened.names == ("bundled:resnet", "bundled:vit")


def test_a_folder_of_images_with_its_classes_is_measured_and_found_again(tmp_path: Path) -> None:
    images = load_images("bundled:cifar10").sample(20, seed=0)
    shuffled = {name: f"{9 - number}-{name}" for number, name in enumerate(images.class_names)}
    for name, label in zip(images.ids, images.labels, strict=True):
        place = tmp_path / "images" / shuffled[images.class_names[label]]
        place.mkdir(parents=True, exist_ok=True)
        (place / Path(name).name).write_bytes(images.read(name))
    (tmp_path / "classes.txt").write_text("\n".join(shuffled[name] for name in images.class_names))
    options = ("--images", f"folder:{tmp_path / 'images'}", "--classes", tmp_path / "classes.txt")
    assert call("measure", tmp_path / "study", *CLASSIFIERS, *options, "--iterations", "1").exit_code == 0
    assert call("measure", tmp_path / "study").exit_code == 0
    assert call("measure", tmp_path / "study", *options).exit_code == 0
    without = call("measure", tmp_path / "study2", *CLASSIFIERS, *options[:2], "--iterations", "1")
    *notes, error = without.stderr.splitlines()
    assert len(notes) == 1
    assert "are matched by position: 10 of its 10 names differ from the images' ('airplane' for '0-truck'," in notes[0]
    assert re.search(r"chance level, but .* with its outputs in another order .* \(some may be wrong: 20 images are few\)", error)


def test_a_missing_file_of_classes_is_told(tmp_path: Path, image_folder: Path) -> None:
    options = ("--images", f"folder:{image_folder}", "--classes", tmp_path / "none.txt")
    assert "there is no file of classes" in one_line(call("measure", tmp_path / "s", *CLASSIFIERS, *options).stderr)


# What the study itself must be able to do for this


def test_a_study_forgets_classifiers(study: Path) -> None:
    with Study.open(study) as opened:
        opened.remove(["bundled:vit"])
        assert opened.names == ("bundled:resnet",)
        assert opened.predictions.transfer.shape == (1, 1, 20)
        with pytest.raises(LookupError, match=r"unknown classifier 'bundled:vit'"):
            opened.remove(["bundled:vit"])


def test_a_deleted_study_is_gone_but_not_what_else_lies_in_its_folder(study: Path) -> None:
    (study / "report.html").write_text("kept")
    with Study.open(study) as opened:
        opened.delete()
    assert [path.name for path in study.iterdir()] == ["report.html"]


def test_outputs_in_another_order_are_noted_with_the_class_map_that_mends_them_and_show_repeats_it(tmp_path: Path) -> None:
    order, folder = [0, 1, 2, 5, 4, 3, 6, 7, 9, 8], tmp_path / "study"
    (tmp_path / "odd.txt").write_text("\n".join(map(str, order)))
    odd = f"bundled:resnet?name=odd&class_map={tmp_path / 'odd.txt'}"
    images = ("--images", "bundled:cifar10", "--count", "60", "--iterations", "1")
    result = call("measure", folder, "--classifiers", odd, "bundled:vit", *images)
    assert result.exit_code == 0
    for text in (result.stderr, call("show", folder).stdout):
        said = " ".join(text.split())
        assert "Note: The classes of odd are matched by its class map: the network's own names have another order" in said
        assert "Note: odd gets " in said
        assert "give it another class map (class_map=FILE) with the lines 0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in said
    assert json.loads(call("show", folder, "--json").stdout)["permutations"] == {"odd": order}


def test_what_is_left_out_of_the_images_is_noted_and_show_repeats_it(tmp_path: Path) -> None:
    images = load_images("bundled:cifar10").sample(20)
    for name, label in zip(images.ids, images.labels, strict=True):
        place = tmp_path / "images" / images.class_names[label]
        place.mkdir(parents=True, exist_ok=True)
        (place / Path(name).name).write_bytes(images.read(name))
        (place / "notes.txt").write_text("none")
    words = (*CLASSIFIERS, "--images", f"folder:{tmp_path / 'images'}", "--iterations", "1")
    assert f"Note: folder:{tmp_path / 'images'}: left out: files .txt: 10." in call("measure", tmp_path / "s", *words).stderr
    assert "Note: Left out of the images: files .txt: 10." in " ".join(call("show", tmp_path / "s").stdout.split())


def test_further_measurements_are_measured_into_the_same_study_and_scored(study: Path) -> None:
    before = transfers(study)
    with read_snapshot(study).open_records() as records:
        assert records.digests("features") == ()
    planes = "planes?num_triplets=10&resolution=4"
    assert call("measure", study, "--also", "features", "gradients", planes).exit_code == 0
    np.testing.assert_array_equal(transfers(study), before)
    snapshot = read_snapshot(study)
    for name in ("cka", "gradient_cosine", "agreement"):
        matrix = snapshot.similarity(name)
        assert np.isfinite(matrix.sel(a="bundled:resnet", b="bundled:vit")), name
        np.testing.assert_allclose(matrix.to_numpy().diagonal(), 1)
        assert matrix.attrs["measurement"].partition("?")[0] == SIMILARITIES[name].also
    assert snapshot.similarity("agreement").attrs["measurement"] == "planes?num_triplets=10&resolution=4&side=0&seed=0"
    later = call("measure", study, "--classifiers", "bundled:mixer")
    assert "Also measured, and completed by every later `measure`: features, gradients?" in " ".join(later.stdout.split())
    for name in ("cka", "gradient_cosine", "agreement"):
        assert np.isfinite(read_snapshot(study).similarity(name)).all(), name
    assert "Also measured" not in call("measure", study, "--also", "none").stdout
    assert "Also measured" not in call("measure", study).stdout


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("plains", "unknown measurement 'plains'. Did you mean planes or"),
        ("features?side=3", "features has no field 'side'; its fields are none."),
        ("planes?triplets=10", "planes has no field 'triplets'; its fields are num_triplets, resolution, side, seed."),
        ("planes?seed=x", "planes.seed must be a whole number: got 'x'."),
        ("planes?seed", "the measurement 'planes?seed' can't be read: 'seed' is not FIELD=VALUE; write NAME?FIELD=VALUE&"),
        ("planes?seed=1&seed=2", "seed is given twice; write NAME?FIELD=VALUE&FIELD=VALUE, as in planes?num_triplets=100."),
        ("planes?num_triplets=5", "Planes.num_triplets must be at least 10: got 5."),
    ],
)
def test_further_measurements_that_there_are_not_are_refused_first(tmp_path: Path, name: str, sentence: str) -> None:
    result = call("measure", tmp_path / "new", *SMALL, "--also", name)
    assert result.exit_code == 1
    assert sentence in one_line(result.stderr)
    assert not (tmp_path / "new").exists()


def test_the_command_line_knows_all_further_measurements_and_scores_name_them() -> None:
    assert set(ASKED_FOR) == set(registry.MEASUREMENTS) == {one.also for one in SIMILARITIES.values() if one.also}


# Where it is measured


def test_by_ray_it_is_the_same_study(measured_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "import_module", lambda _: FakeRay(processors=3))
    result = call("measure", tmp_path / "study", *SMALL, "--executor", "ray", "--workers", "2", "--device", "cpu")
    assert result.exit_code == 0, result.stderr
    np.testing.assert_array_equal(transfers(tmp_path / "study"), transfers(measured_study))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--workers", "2"), "--address and --workers are for Ray; add --executor ray, or leave them out."),
        (("--executor", "ray", "--workers", "9"), "9 workers take 9 processors with a processor each, and the cluster has 2"),
        (("--executor", "ray", "--device", "cuda:1"), "name the device auto, cpu or cuda: got 'cuda:1'"),
    ],
)
def test_options_of_ray_that_can_not_be_used_are_one_sentence(
    options: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_cluster, "import_module", lambda _: FakeRay())
    result = call("measure", tmp_path / "study", *SMALL, *options)
    assert result.exit_code == 1
    assert sentence in one_line(result.stderr)


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise ImportError

    monkeypatch.setattr(ray_cluster, "import_module", fail)
    result = call("measure", tmp_path / "study", *SMALL, "--executor", "ray")
    assert one_line(result.stderr) == (
        "Error: the executor `ray` needs libraries that are not installed: `pip install 'zooscope[ray]'`"
    )
    assert not (tmp_path / "study").exists()


def test_a_part_that_can_not_stop_early_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    result = call("measure", tmp_path / "study", *SMALL, "--part", "1/2", "--until-width", "5")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "leave out part or until" in one_line(result.stderr)
    assert not (tmp_path / "study").exists()
