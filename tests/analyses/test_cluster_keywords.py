"""Keywords are those of a formula written out by hand."""

from collections import Counter
from math import log, sqrt

import numpy as np
import pandas as pd
import pytest

from zooscope.analyses.cluster_keywords import find_keywords, find_shared_values
from zooscope.components.table import read_paper_components
from zooscope.errors import InvalidValueError

COMPONENTS = pd.DataFrame(
    {
        "architecture": ["CNN", "CNN", "CNN", "Transformer", "Transformer", None],
        "attention": ["No", "No", "Yes", "Yes", "Yes", None],
        "grouped": ["Yes", "No", "No", "No", np.nan, None],
        "location": ["-", "-", "End", "-", "-", None],
    },
    index=list("fedcba"),
)
LABELS = pd.Series({"a": 2, "b": 2, "c": 2, "d": 1, "e": 1, "f": 1})


def by_hand(components: pd.DataFrame, labels: pd.Series) -> dict[int, dict[tuple[str, str], float]]:
    """Mean over a cluster's documents of L2-normalised smoothed IDF weights; each word is in a document once."""
    documents = {
        str(name): [(str(component), value) for component, value in row.items() if isinstance(value, str) and value != "-"]
        for name, row in components.iterrows()
    }
    documents = {name: words for name, words in documents.items() if words and name in labels.index}
    having = Counter(word for words in documents.values() for word in words)
    result: dict[int, dict[tuple[str, str], float]] = {}
    for cluster in sorted(set(labels)):
        own = [words for name, words in documents.items() if labels[name] == cluster]
        weights: dict[tuple[str, str], float] = dict.fromkeys(having, 0.0)
        for words in own:
            idf = {word: log((1 + len(documents)) / (1 + having[word])) + 1 for word in words}
            length = sqrt(sum(value**2 for value in idf.values()))
            weights |= {word: weights[word] + value / length / len(own) for word, value in idf.items()}
        result[int(cluster)] = {word: weight for word, weight in weights.items() if weight > 0}
    return result


@pytest.mark.parametrize("table", [COMPONENTS, read_paper_components()], ids=["few", "paper"])
def test_weights_are_those_of_the_formula(table: pd.DataFrame) -> None:
    labels = LABELS if table is COMPONENTS else pd.Series(np.arange(len(table)) % 7, index=table.index)
    found = find_keywords(table, labels, num_keywords=1000)
    expected = by_hand(table, labels)
    for cluster, own in found.groupby("cluster"):
        words = list(zip(own["component"], own["value"], strict=True))
        assert dict(zip(words, own["weight"], strict=True)) == pytest.approx(expected[int(str(cluster))])
        assert list(own["weight"]) == sorted(own["weight"], reverse=True)


def test_the_weightiest_come_first_and_say_how_many_have_them() -> None:
    found = find_keywords(COMPONENTS, LABELS, num_keywords=2)
    assert found[["cluster", "component", "value"]].to_numpy().tolist() == [
        [1, "architecture", "CNN"],
        [1, "attention", "No"],
        [2, "architecture", "Transformer"],
        [2, "attention", "Yes"],
    ]
    assert found["share"].tolist() == pytest.approx([1, 2 / 3, 1, 1])  # classifier a has no components, so it doesn't count


def test_equal_values_of_two_components_are_two_words() -> None:
    words = find_keywords(COMPONENTS, LABELS, num_keywords=1000)
    assert {("attention", "Yes"), ("grouped", "Yes")} <= set(zip(words["component"], words["value"], strict=True))


def test_the_order_of_the_classifiers_does_not_matter() -> None:
    table = read_paper_components()
    labels = pd.Series(np.arange(len(table)) % 5, index=table.index)
    pd.testing.assert_frame_equal(
        find_keywords(table, labels), find_keywords(table[::-1], labels.sample(frac=1, random_state=0)), check_exact=True
    )


def test_shared_values_are_those_that_most_of_every_cluster_have() -> None:
    table = read_paper_components()
    for seed in range(5):
        labels = pd.Series(np.random.default_rng(seed).integers(0, 3, len(table)), index=table.index)
        expected = {
            (str(component), value)
            for component in table
            for value in set(table[component].dropna()) - {"-"}
            if all((own[component] == value).sum() > len(own) / 2 for _, own in table.groupby(labels))
        }
        shared = find_shared_values(table, labels)
        assert set(shared) == expected
        assert expected
        listed = find_keywords(table, labels, num_keywords=1000, without=shared)
        everything = find_keywords(table, labels, num_keywords=1000)
        kept = [pair not in expected for pair in zip(everything["component"], everything["value"], strict=True)]
        pd.testing.assert_frame_equal(listed, everything[kept].reset_index(drop=True))


def test_one_cluster_shares_nothing_with_another() -> None:
    assert find_shared_values(COMPONENTS, pd.Series(1, index=COMPONENTS.index)) == []


def test_what_has_no_keywords_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="num_keywords must be at least 1: got 0"):
        find_keywords(COMPONENTS, LABELS, num_keywords=0)
    for table in (COMPONENTS.loc[["a"]], COMPONENTS.rename(index=str.upper)):
        with pytest.raises(InvalidValueError, match="no classifier of the clusters has components; give a table"):
            find_keywords(table, LABELS)
