"""What the classifiers of a cluster have in common: component values as keywords."""

from collections.abc import Collection, Sequence
from typing import Final

import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError

NUM_KEYWORDS: Final = 5
EMPTY_CELL: Final = "-"  # as the paper's table writes it


@check_arguments
@check_arguments
def find_shared_values(components: pd.DataFrame, labels: pd.Series) -> list[tuple[str, str]]:
    """The component values that most classifiers of every cluster have: they tell no cluster from another.

    Example:
        >>> import pandas as pd
        >>> from zooscope.analyses import find_shared_values
        >>> names = ["resnet", "vgg", "vit"]
        >>> components = pd.DataFrame({"stem": ["conv", "conv", "patch"], "SE": ["No", "No", "No"]}, index=names)
        >>> find_shared_values(components, pd.Series([1, 1, 2], index=names))
        [('SE', 'No')]

    Args:
        components: as for `find_keywords`.
        labels: as for `find_keywords`.

    Returns:
        Pairs of component and value, in the order of the components; none if there are fewer than two clusters with components.
    """
    documents = _read_documents(components, labels)
    clusters: dict[object, list[set[tuple[str, str]]]] = {}
    for name, words in documents.items():
        clusters.setdefault(labels[name], []).append(set(words))
    if len(clusters) < 2:  # noqa: PLR2004  (one cluster is told from no other)
        return []
    every = list(dict.fromkeys(word for words in documents.values() for word in words))
    place = {str(component): number for number, component in enumerate(components.columns)}
    shared = [word for word in every if all(2 * sum(word in own for own in owns) > len(owns) for owns in clusters.values())]
    return sorted(shared, key=lambda word: (place[word[0]], word[1]))


@check_arguments
def find_keywords(
    components: pd.DataFrame,
    labels: pd.Series,
    *,
    num_keywords: int = NUM_KEYWORDS,
    without: Collection[tuple[str, str]] = (),
) -> pd.DataFrame:
    """The component values that distinguish each cluster.

    Every value is a word, made of the component and the value, so the "Yes" of two components are different words; every
    classifier is a document. A word weighs 1 + log((1 + classifiers) / (1 + classifiers that have it)): inverse document frequency,
    smoothed as scikit-learn does. Each classifier's weights are scaled to length one; a cluster's are their mean.

    Source: Hwang et al., ECCV 2024, Section 4.1 and Table 2.

    Example:
        >>> import pandas as pd
        >>> import zooscope.analyses
        >>> names = ["resnet", "vgg", "vit"]
        >>> components = pd.DataFrame({"stem": ["conv", "conv", "patch"], "SE": ["Yes", "No", "No"]}, index=names)
        >>> found = zooscope.analyses.find_keywords(components, pd.Series([1, 1, 2], index=names), num_keywords=1)
        >>> found[["cluster", "component", "value", "share"]].to_numpy().tolist()
        [[1, 'stem', 'conv', 1.0], [2, 'stem', 'patch', 1.0]]

    Args:
        components: a row per classifier, a column per component; NaN where a value is not known. NaN and `-`, the
            table's empty cell, make no word.
        labels: cluster number of every classifier. Classifiers without components are ignored.
        num_keywords: how many per cluster, at most.
        without: pairs of component and value that are not listed, such as those of `find_shared_values`.

    Returns:
        A row per keyword, cluster by cluster, the largest weight first: `cluster`, `component`, `value`, `weight` (in (0, 1]),
        `share` (of the cluster's classifiers with components that have it).

    Raises:
        InvalidValueError: num_keywords is not positive, or no labelled classifier has components.
    """
    if num_keywords < 1:
        msg = f"num_keywords must be at least 1: got {num_keywords}."
        raise InvalidValueError(msg)
    documents = _read_documents(components, labels)
    if not documents:
        msg = "no classifier of the clusters has components; give a table of components with the classifiers' names."
        raise InvalidValueError(msg)
    vectorizer = TfidfVectorizer(analyzer=_keep_words)
    found = vectorizer.fit_transform(list(documents.values())).toarray()
    place = {str(component): number for number, component in enumerate(components.columns)}
    words = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
    weights = pd.DataFrame(found, index=list(documents), columns=pd.MultiIndex.from_tuples(words))
    rows = []
    for cluster, own in weights.groupby(labels.loc[list(documents)]):
        mean, share = own.mean(), (own > 0).mean()
        best = sorted((-mean[word], place[word[0]], word) for word in mean.index[mean > 0] if word not in without)[:num_keywords]
        rows += [(cluster, *word, -weight, share[word]) for weight, _, word in best]
    return pd.DataFrame(rows, columns=["cluster", "component", "value", "weight", "share"])


def _read_documents(components: pd.DataFrame, labels: pd.Series) -> dict[str, list[tuple[str, str]]]:
    """The words of every classifier that has some, alphabetically."""
    documents = {
        str(name): [
            (str(component), str(value))
            for component, value in components.loc[name].items()
            if pd.notna(value) and value != EMPTY_CELL
        ]
        for name in sorted(map(str, labels.index))
        if name in components.index
    }
    return {name: words for name, words in documents.items() if words}


def _keep_words(words: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    return words
