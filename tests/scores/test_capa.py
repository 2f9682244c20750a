import numpy as np
import pytest
from scipy.special import softmax

from tests.scores.synthetic import make_logits, make_measured
from zooscope.scores.capa import CAPA, capa
from zooscope.scores.error_consistency import error_consistency


def test_kappa_p_is_that_of_its_authors() -> None:
    metrics = pytest.importorskip("lmsim.metrics", reason="lm-sim, the reference of CAPA, is not installed: pip install lm-sim")
    labels, logits = make_logits(3, 60)
    shares = softmax(logits, axis=-1)
    expected = [[metrics.CAPA().compute_k(list(a), list(b), labels.tolist()) for b in shares] for a in shares]
    np.testing.assert_allclose(capa(shares, labels), expected, rtol=1e-10)


def test_of_two_classes_and_sure_answers_it_is_error_consistency() -> None:
    labels, logits = make_logits(3, 80, num_classes=2)
    said = logits.argmax(-1)
    np.testing.assert_allclose(capa(np.eye(2)[said], labels), error_consistency(said == labels), rtol=1e-12)


def test_sure_and_right_on_all_images_is_undefined() -> None:
    labels = np.array([0, 1, 2, 0])
    sure = 1000 * np.eye(3)[labels]
    pairs = CAPA.compute(make_measured(labels, labels[None], [sure]), 0.95)
    assert np.isnan([pairs.score, pairs.low, pairs.high]).all()
    assert "the expected agreement is 1" in pairs.reason[0, 0]


def test_cutting_the_images_into_parts_changes_nothing() -> None:
    labels, logits = make_logits(3, 50)
    whole, cut = (CAPA.compute(make_measured(labels, logits.argmax(-1), list(logits), num_parts=parts), 0.9) for parts in (1, 7))
    np.testing.assert_allclose(whole[:3], cut[:3], rtol=1e-10)
    np.testing.assert_allclose(whole.score, capa(softmax(logits, axis=-1), labels), rtol=1e-12)
