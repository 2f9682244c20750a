import itertools
import json
import math

import pytest

from tests.report.synthetic import planted_study
from zooscope.pictures.similarity_map import SimilarityMap, draw_similarity_map
from zooscope.report.facts import Facts
from zooscope.report.sections.base import show_interval, show_number, show_percent
from zooscope.report.sections.heat_map import map_similarity
from zooscope.study.study import Study

BLOCKS = [[f"{family} {number}" for number in range(5)] for family in ("convolution", "transformer", "mixer", "hybrid")]


def picture_of(study: Study) -> SimilarityMap:
    return map_similarity(Facts.read(study, confidence=0.95))


def hover_of(picture: SimilarityMap, a: str, b: str) -> str:
    return "\n".join(picture.hover[picture.names.index(a)][picture.names.index(b)])


def test_classifiers_of_a_planted_block_stand_beside_each_other() -> None:
    names = picture_of(planted_study(BLOCKS)).names
    families = [family for family, _ in itertools.groupby(names, key=lambda name: name.split()[0])]
    assert sorted(names) == sorted(name for block in BLOCKS for name in block)
    assert len(families) == len(BLOCKS)


def test_the_heat_map_holds_the_scores_of_the_study_in_its_own_order() -> None:
    study = planted_study(BLOCKS[:2])
    picture, scores = picture_of(study), study.sat()
    for row, a in enumerate(picture.names):
        assert picture.white_box[row] == float(study.transfer().sel(source=a, target=a))
        for column, b in enumerate(picture.names):
            expected = math.nan if a == b else float(scores.sel(a=a, b=b))
            assert picture.score[row, column] == pytest.approx(expected, nan_ok=True)


def test_hover_says_the_numbers_of_the_study() -> None:
    study = planted_study(BLOCKS[:2])
    picture, scores, transfer = picture_of(study), study.sat(confidence=0.95), study.transfer()
    normalized, same = study.sat(confidence=0.95, normalize=True), study.same_mistake()
    for a, b in itertools.permutations(study.names, 2):
        score, text = scores.sel(a=a, b=b), hover_of(picture, a, b)
        assert f"SAT {show_number(float(score))} (95 % interval {show_interval(float(score.low), float(score.high))})" in text
        assert f"{a} \N{RIGHTWARDS ARROW} {b}: {show_percent(float(transfer.sel(source=a, target=b)))} fooled" in text
        assert f"{b} \N{RIGHTWARDS ARROW} {a}: {show_percent(float(transfer.sel(source=b, target=a)))} fooled" in text
        assert f"fooled, {show_percent(float(same.sel(source=a, target=b)))} into the same wrong class" in text
        assert f"fooled, {show_percent(float(same.sel(source=b, target=a)))} into the same wrong class" in text
        assert f"normalised SAT {show_number(float(normalized.sel(a=a, b=b)))} (" in text
        assert f"of {int(score['count'])} images" in text
        assert "without attack" not in text


def test_hover_says_the_control_where_preprocessing_differs() -> None:
    study = planted_study(BLOCKS[:2], large=["mixer 0", "convolution 1"])
    picture, control = picture_of(study), study.transfer()["control"]
    a, b = "convolution 1", "transformer 0"
    there, back = float(control.sel(source=a, target=b)), float(control.sel(source=b, target=a))
    assert there > 0
    text = hover_of(picture, a, b)
    assert f"{b} without attack: {show_percent(there)} wrong, preprocessed for {a} (resized from 64 x 48 to 32 x 32)" in text
    assert f"{a} without attack: {show_percent(back)} wrong, preprocessed for {b} (resized from 32 x 32 to 64 x 48)" in text
    assert "without attack" not in hover_of(picture, "transformer 0", "transformer 1")


def test_the_diagonal_says_white_box_success_and_marks_weak_sources() -> None:
    study = planted_study(BLOCKS[:2], weak=["transformer 1"])
    picture = picture_of(study)
    own = study.transfer().sel(source="transformer 1", target="transformer 1")
    assert f"attacked itself: {show_percent(float(own))} fooled" in hover_of(picture, "transformer 1", "transformer 1")
    assert f"of {int(own['count'])} images" in hover_of(picture, "transformer 1", "transformer 1")
    assert "weak source" in hover_of(picture, "transformer 1", "transformer 1")
    assert [name for name, weak in zip(picture.names, picture.weak, strict=True) if weak] == ["transformer 1"]
    diagonal = draw_similarity_map(picture).data[1]
    levels = [diagonal.z[place][place] for place in range(len(picture.names))]
    assert levels == [float(weak) for weak in picture.weak]


def test_cells_without_a_score_are_empty_and_say_why() -> None:
    picture = picture_of(planted_study([["seeing", "other"], ["blind"]], blind=["blind"]))
    assert "no image that both get right" in hover_of(picture, "blind", "seeing")
    assert "no white-box success" in hover_of(picture, "blind", "blind")
    cells, diagonal, empty, _ = draw_similarity_map(picture).data
    drawn = {(int(row), int(column)) for column, row in zip(empty.x, empty.y, strict=True)}
    blind = picture.names.index("blind")
    assert drawn == {(row, column) for row in range(3) for column in range(3) if blind in (row, column)}
    assert picture.num_empty == len(drawn)
    for row, column in itertools.product(range(3), repeat=2):
        shown = [cells.z[row][column], diagonal.z[row][column]]
        assert sum(value is not None for value in shown) + ((row, column) in drawn) == 1


def test_a_study_without_measurements_has_an_empty_heat_map() -> None:
    picture = picture_of(planted_study(BLOCKS[:1], num_shards=0))
    assert "not measured yet" in hover_of(picture, "convolution 0", "convolution 1")
    assert picture.num_empty == 25


def test_pairs_that_never_fool_each_other_do_not_take_the_colour_scale() -> None:
    picture = picture_of(planted_study(BLOCKS[:2], between=0.0))
    assert picture.score[0, -1] == pytest.approx(math.log(0.01))
    assert picture.colour_range[0] > 3.5


@pytest.mark.parametrize("num_blocks", [1, 2, 4])
def test_the_colour_scale_has_ticks_at_their_places(num_blocks: int) -> None:
    picture = picture_of(planted_study(BLOCKS[:num_blocks]))
    low, high = picture.colour_range
    assert 2 <= len(picture.ticks) <= 7
    for tick in picture.ticks:
        assert low + tick.place * (high - low) == pytest.approx(tick.score) == pytest.approx(math.log(tick.percent))
        assert 0 <= tick.place <= 1


def test_names_reach_plotly_escaped_and_as_labels_of_numbers() -> None:
    hostile = "<a href='javascript:alert(1)'>x</a> & %{x}"
    figure = json.loads(draw_similarity_map(picture_of(planted_study([[hostile, "2024-01-01"]]))).to_json())
    assert figure["layout"]["xaxis"]["tickvals"] == [0, 1]
    texts = [*figure["layout"]["meta"]["labels"], *figure["layout"]["meta"]["narrow_labels"]]
    texts += [text for trace in figure["data"][:2] for row in trace["hovertext"] for text in row]
    assert any("&lt;a href=" in text for text in texts)
    assert {piece[:2] for text in texts for piece in text.split("<")[1:]} <= {"b>", "/b", "br"}
    assert all(trace["hoverinfo"] in {"text", "skip"} for trace in figure["data"])
