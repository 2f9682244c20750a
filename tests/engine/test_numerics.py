from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

import zooscope
from tests.specimens import family
from zooscope.attacks import LinfPGD
from zooscope.engine.numerics import Numerics
from zooscope.errors import InvalidValueError, StudyError
from zooscope.study.study import Study

ATTACK = LinfPGD(epsilon=8 / 255, step_size=0.1, iterations=4)


def attack_plainly(classifier: zooscope.Classifier, pixels: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """PGD by its definition, in plain torch."""
    attacked = pixels.clone()
    for _ in range(ATTACK.iterations):
        attacked = attacked.detach().requires_grad_()
        gradient = torch.autograd.grad(cross_entropy(classifier.logits(attacked), labels, reduction="sum"), attacked)[0]
        attacked = attacked.detach() + ATTACK.step_size * gradient.sign()
        attacked = (pixels + (attacked - pixels).clamp(-ATTACK.epsilon, ATTACK.epsilon)).clamp(0, 1)
    return attacked.detach()


def test_exact_is_what_plain_torch_gives() -> None:
    classifiers, images = family(3, num_images=40, in_double=False)
    with Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK, exact=True) as study:
        study.run(device="cpu", allow_chance=True)
        said = study.predictions.transfer
    source, target = classifiers[0], classifiers[1]
    pixels, labels = images.pixels(source), torch.from_numpy(images.labels)
    right = [one.logits(pixels).argmax(1) == labels for one in (source, target)]
    attacked = attack_plainly(source, pixels[right[0]], labels[right[0]])
    both = (right[0] & right[1])[right[0]]
    expected = target.logits(attacked[both]).argmax(1)
    np.testing.assert_array_equal(said[0, 1][(right[0] & right[1]).numpy()], expected.numpy())


def test_fast_gives_the_same_whatever_the_number_of_threads() -> None:
    classifiers, images = family(2, num_images=40, in_double=False)
    before, said = torch.get_num_threads(), []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        try:
            with Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK) as study:
                study.run(device="cpu", allow_chance=True)
                said.append(study.predictions.transfer)
        finally:
            torch.set_num_threads(before)
    np.testing.assert_array_equal(said[0], said[1])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:The .grad attribute")  # torch warns of itself while it compiles
def test_compiled_gives_what_fast_does_but_for_rounding(traced: list[object], tmp_path: Path) -> None:
    classifiers, images = family(2, num_images=40, in_double=False)
    attack, said = LinfPGD(epsilon=8 / 255, step_size=1 / 255, iterations=4), []
    for compiled in (False, True):
        place = tmp_path / str(compiled)
        with Study.create(place, classifiers=classifiers, images=images, attack=attack, compiled=compiled) as study:
            study.run(device="cpu", allow_chance=True)
            said.append(study.predictions.transfer)
    assert traced
    assert (said[0] == said[1]).mean() > 0.99  # a gradient that is nearly 0 may point either way
    with Study.open(tmp_path / "True", classifiers=classifiers, images=images) as study:
        study.require(compiled=True, exact=False)
        study.run(device="cpu", allow_chance=True)
        for way, now in ({"exact": True}, "exact"), ({"compiled": False}, "fast"):
            with pytest.raises(StudyError, match=f"another way of computing: compiled, now {now}"):
                study.require(**way)  # type: ignore[arg-type]


def test_a_study_keeps_to_its_numerics(tmp_path: Path) -> None:
    classifiers, images = family(2)
    Study.create(tmp_path, classifiers=classifiers, images=images, attack=ATTACK, precision="bf16").close()
    with Study.open(tmp_path, classifiers=classifiers, images=images) as study:
        assert study.definition.attack_settings["precision"] == "bf16"
        study.require(attack=ATTACK, precision="bf16", exact=False)
        with pytest.raises(StudyError, match="another precision: bf16, now float32"):
            study.require(precision="float32")
        with pytest.raises(StudyError, match="another way of computing: fast, now exact"):
            study.require(exact=True)


def test_what_a_device_has_not_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="tf32 is of NVIDIA's GPUs: on cpu take float32"):
        Numerics(precision="tf32").require(torch.device("cpu"))
    with pytest.raises(InvalidValueError, match="exact runs networks as they are, so they can't be compiled"):
        Numerics(is_exact=True, is_compiled=True)
    with pytest.raises(InvalidValueError, match="exact is of float32 alone"):
        Numerics(precision="bf16", is_exact=True)
