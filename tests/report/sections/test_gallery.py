import base64
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.report.synthetic import planted_study
from tests.specimens import family
from zooscope.attacks import LinfPGD
from zooscope.errors import MissingFileError, UnknownNameError
from zooscope.records.predictions import NOT_COUNTED, NOT_MEASURED
from zooscope.report.facts import Facts
from zooscope.report.pixels import amplify, encode_data_address, find_amplification
from zooscope.report.sections import gallery as module
from zooscope.report.sections.gallery import Gallery, GallerySection, Verdict, choose_images, make_gallery, pick_evenly
from zooscope.study.study import Study

EPSILON = 16 / 255


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    classifiers, images = family(3, sizes=((6, 6), (8, 8)))
    folder, attack = tmp_path_factory.mktemp("gallery") / "study", LinfPGD(epsilon=EPSILON, iterations=3)
    made = Study.create(folder, classifiers=classifiers, images=images, attack=attack)
    made.run(device="cpu", allow_chance=True)
    return made


def gallery_of(study: Study) -> Gallery:
    return make_gallery(study, study.predictions, study.names, study.class_names)


def pixels_of(address: str) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(base64.b64decode(address.partition(",")[2])))).astype(float) / 255


def test_every_source_has_its_panel_at_its_own_size(study: Study) -> None:
    panels = gallery_of(study).panels
    assert tuple(panel.source for panel in panels) == study.names
    assert [panel.size for panel in panels] == [(6, 6), (8, 8), (6, 6)]
    assert gallery_of(study).remarks == ()


def test_pictures_show_the_clean_image_and_an_attack_within_epsilon(study: Study) -> None:
    panel = gallery_of(study).panels[0]
    for example in panel.examples:
        if example.attacked is None or example.perturbation is None:
            continue
        clean, attacked, perturbation = (pixels_of(address) for address in (example.clean, example.attacked, example.perturbation))
        assert 0 < np.abs(attacked - clean).max() <= EPSILON + 1 / 255
        assert perturbation == pytest.approx(0.5 + panel.factor * (attacked - clean), abs=(panel.factor + 1) / 255)
        original = study.images.image(study.images.ids.index(example.image_id))
        assert np.array_equal(np.asarray(original), np.round(255 * clean))


def test_responses_are_those_of_the_record(study: Study) -> None:
    predictions = study.predictions
    for panel in gallery_of(study).panels:
        source = predictions.names.index(panel.source)
        for example in panel.examples:
            position = predictions.image_ids.index(example.image_id)
            if not example.responses:
                assert predictions.clean[source, position] != predictions.labels[position]
                assert example.source_says == study.class_names[predictions.clean[source, position]]
            for response in example.responses:
                said = predictions.transfer[source, predictions.names.index(response.name), position]
                assert (response.verdict is Verdict.WRONG_BEFORE) == (said == NOT_COUNTED)
                if said != NOT_COUNTED:
                    assert response.says == study.class_names[said]
                    assert (response.verdict is Verdict.RIGHT) == (said == predictions.labels[position])
                assert response.is_source == (response.name == panel.source)


def test_images_are_of_different_classes_and_mostly_right() -> None:
    predictions = planted_study([["a", "b", "c"]], num_images=40).predictions
    right = (predictions.clean == predictions.labels).sum(0)
    chosen = choose_images(predictions, 4)
    assert sorted(predictions.labels[list(chosen)]) == [0, 1, 2, 3]
    assert all(right[place] == right[predictions.labels == predictions.labels[place]].max() for place in chosen)
    assert len(set(choose_images(predictions, 9))) == 9
    assert len(choose_images(predictions, 100)) == 40


def test_only_measured_images_are_chosen() -> None:
    predictions = planted_study([["a", "b"]], num_shards=1).predictions
    measured = (predictions.transfer != NOT_MEASURED).any((0, 1))
    assert all(measured[place] for place in choose_images(predictions, 100))
    empty = planted_study([["a", "b"]], num_shards=0)
    assert gallery_of(empty) == Gallery(panels=(), remarks=("No image is measured yet.",))


def test_without_weights_the_gallery_says_why_it_is_missing() -> None:
    found = gallery_of(planted_study([["a", "b"]]))
    assert found.panels == ()
    assert len(found.remarks) == 1
    assert "and 1 more can't be shown" in found.remarks[0]
    assert "made by hand" in found.remarks[0]


def test_a_source_that_is_gone_leaves_the_others(study: Study) -> None:
    assert study.path is not None
    classifiers, images = family(3, sizes=((6, 6), (8, 8)))
    with Study.open(study.path, classifiers=classifiers[1:], images=images) as opened:
        found = gallery_of(opened)
    assert tuple(panel.source for panel in found.panels) == study.names[1:]
    assert found.remarks[0].startswith(f"Attacks made on {study.names[0]} can't be shown: ")


def test_images_that_are_gone_leave_no_gallery(study: Study) -> None:
    assert study.path is not None
    classifiers, _ = family(3, sizes=((6, 6), (8, 8)))
    with Study.open(study.path, classifiers=classifiers) as opened:
        assert gallery_of(opened).panels == ()
        assert gallery_of(opened).remarks


def test_large_pictures_make_few_panels(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_VALUES", 2 * 6 * 36)
    found = gallery_of(study)
    assert len(found.panels) == 1 or found.panels[0].size == (6, 6)
    assert f"{len(found.panels)} of the 3 classifiers" in found.remarks[0]


def test_sources_are_spread_evenly() -> None:
    assert pick_evenly(list("abc"), 5) == ("a", "b", "c")
    assert pick_evenly(list("abcdefghi"), 3) == ("a", "e", "i")


def test_examples_name_unknown_sources(study: Study) -> None:
    with pytest.raises(UnknownNameError, match="unknown classifier"):
        study.examples("nobody", [0])


def test_a_perturbation_is_amplified_about_grey_without_being_cut() -> None:
    perturbation = np.array([[[8, -8, 0]]], dtype=np.float32) / 255
    factor = find_amplification(perturbation)
    shown = amplify(perturbation, factor)
    assert factor == 11
    assert shown.ravel() == pytest.approx([0.5 + 88 / 255, 0.5 - 88 / 255, 0.5])
    assert find_amplification(np.zeros((1, 1, 3), np.float32)) == 1
    assert find_amplification(np.ones((1, 1, 3), np.float32)) == 1


def test_small_pictures_are_kept_without_loss_and_large_ones_small() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.float32) / 255
    assert encode_data_address(pixels).startswith("data:image/png;base64,")
    assert pixels_of(encode_data_address(pixels)) == pytest.approx(pixels)
    large = np.full((224, 224, 3), 0.5, np.float32)
    assert encode_data_address(large).startswith("data:image/webp;base64,")
    assert pixels_of(encode_data_address(large)) == pytest.approx(large, abs=2 / 255)


def test_a_page_tells_no_folder_of_the_machine_that_wrote_it(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = Facts.read(study, confidence=0.9)

    def fail(*_: object) -> None:
        msg = f"there is no checkpoint {Path.cwd()}/nets/mine.pth for {facts.path}."
        raise MissingFileError(msg)

    monkeypatch.setattr(Study, "examples", fail)
    page = GallerySection().show(facts).html
    assert "there is no checkpoint nets/mine.pth for study." in page
    assert str(Path.cwd()) not in page
    assert str(study.path) not in page
