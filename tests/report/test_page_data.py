import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
from jaxtyping import Float

from tests.report.synthetic import planted_study
from tests.report.test_packing import unpack
from zooscope.report.facts import Facts
from zooscope.report.packing import Packed
from zooscope.report.page_data import find_colour_range, make_page_data
from zooscope.study.study import Study

BLOCKS = [[f"{family} {number}" for number in range(5)] for family in ("convolution", "transformer", "mixer", "hybrid")]


def data_of(study: Study) -> tuple[dict[str, Any], dict[str, Float[np.ndarray, "a b"]]]:
    """What the page's scripts read: the study, and its planes."""
    data = make_page_data(Facts.read(study, confidence=0.95))
    read = json.loads(data.study)
    return read, unpack(Packed(planes=tuple(read["planes"]), text=data.matrices), len(read["names"]))


def test_classifiers_of_a_planted_block_stand_beside_each_other() -> None:
    read, _ = data_of(planted_study(BLOCKS))
    families = [family for family, _ in itertools.groupby(read["names"][place].split()[0] for place in read["order"])]
    assert sorted(read["order"]) == list(range(20))
    assert len(families) == len(BLOCKS)


def test_planes_hold_the_scores_of_the_study() -> None:
    study = planted_study(BLOCKS[:2], large=["mixer 0", "convolution 1"])
    sat, transfer, same = study.sat(confidence=0.95), study.transfer(), study.same_mistake()
    normalized = study.sat(confidence=0.95, normalize=True)
    _, planes = data_of(study)
    expected = {
        "sat": sat, "sat.low": sat.low, "sat.high": sat.high, "percent": sat.percent, "count": sat["count"],
        "transfer": transfer, "same": same, "same.low": same.low, "same.high": same.high,
        "normalized": normalized, "normalized.low": normalized.low,
        "rival disagreement": study.similarity("disagreement"),
    }  # fmt: skip
    for name, values in expected.items():
        np.testing.assert_allclose(planes[name], values.to_numpy(), rtol=0, atol=3e-3, err_msg=name)


def test_images_fooled_both_ways_are_those_of_the_predictions() -> None:
    study = planted_study(BLOCKS[:2])
    _, planes = data_of(study)
    said, labels = study.predictions.transfer, study.predictions.labels
    for a, b in itertools.combinations(range(10), 2):
        fooled = [(said[one, other] >= 0) & (said[one, other] != labels) for one, other in ((a, b), (b, a))]
        assert planes["both"][a, b] == planes["both"][b, a] == (fooled[0] & fooled[1]).sum()


def test_the_control_is_known_where_preprocessing_differs_and_explained() -> None:
    study = planted_study(BLOCKS[:2], large=["convolution 1"])
    read, planes = data_of(study)
    control, large = study.transfer()["control"].to_numpy(), read["names"].index("convolution 1")
    for a, b in itertools.permutations(range(10), 2):
        if large in (a, b):
            assert planes["control"][a, b] == pytest.approx(control[a, b], abs=3e-3)
        else:
            assert math.isnan(planes["control"][a, b])
    kind, other = read["transforms"][large], read["transforms"][large - 1]
    assert read["differences"][kind][other] == "resized from 64 x 48 to 32 x 32"
    assert read["differences"][kind][kind] == ""


@pytest.mark.parametrize(
    ("planted", "reason"),
    [
        ({"blind": ["blind"]}, "no image that both get right when clean"),
        ({"num_shards": 0}, "not measured yet"),
        ({"num_shards": 1}, ""),
    ],
)
def test_pairs_without_a_score_say_why(planted: dict[str, Any], reason: str) -> None:
    read, planes = data_of(planted_study([["seeing", "other"], ["blind"]], **planted))
    a, b = read["names"].index("seeing"), read["names"].index("blind")
    assert read["gaps"][int(planes["gap"][a, b])] == reason
    assert math.isnan(planes["sat"][a, b]) == bool(reason)


def test_nearest_neighbours_say_whether_they_are_sure() -> None:
    study = planted_study(BLOCKS[:2], num_images=400)
    read, _ = data_of(study)
    for name, row in study.snapshot().nearest().iterrows():
        said = read["nearest"][read["names"].index(name)]
        assert read["names"][said["of"]] == row["nearest"]
        assert said["isSure"] == row["is_sure"]
        assert [read["names"][place] for place in said["orElse"]] == list(row["as_near"])


def test_groups_hold_the_clusters() -> None:
    study = planted_study(BLOCKS[:3])
    read, _ = data_of(study)
    labels = dict(zip(read["names"], read["groups"]["cluster"], strict=True))
    assert {frozenset(name for name in labels if labels[name] == label) for label in labels.values()} == set(
        map(frozenset, BLOCKS[:3])
    )


def test_nothing_in_the_data_can_end_its_element() -> None:
    hostile = "</script><script>alert(1)</script><!--"
    data = make_page_data(Facts.read(planted_study([[hostile, "b"]]), confidence=0.95))
    assert not set("<>&") & set(data.study)
    assert hostile in json.loads(data.study)["names"]


def test_pairs_that_never_fool_each_other_do_not_take_the_colour_scale() -> None:
    score = planted_study(BLOCKS[:2], between=0.0).sat().to_numpy()
    assert score.min() == pytest.approx(math.log(0.01))
    low, high = find_colour_range(score)
    assert low > 3.5
    assert low < high
