"""All similarity scores, by name. One more is a file with a `Similarity`, and a row here."""

from typing import Final

from zooscope.errors import UnknownNameError
from zooscope.scores.agreement import AGREEMENT
from zooscope.scores.capa import CAPA
from zooscope.scores.cka import CKA
from zooscope.scores.disagreement import DISAGREEMENT
from zooscope.scores.double_fault import DOUBLE_FAULT
from zooscope.scores.error_consistency import ERROR_CONSISTENCY
from zooscope.scores.gradient_cosine import GRADIENT_COSINE
from zooscope.scores.positive_flips import POSITIVE_FLIPS
from zooscope.scores.q_statistic import Q_STATISTIC
from zooscope.scores.similarity import Similarity

SIMILARITIES: Final[dict[str, Similarity]] = {
    one.name: one
    for one in (
        ERROR_CONSISTENCY,
        CAPA,
        DISAGREEMENT,
        DOUBLE_FAULT,
        Q_STATISTIC,
        POSITIVE_FLIPS,
        CKA,
        AGREEMENT,
        GRADIENT_COSINE,
    )
}


def find_similarity(name: str) -> Similarity:
    """The score of a name.

    Example:
        >>> find_similarity("disagreement").larger_is_more_similar
        False

    Raises:
        UnknownNameError: there is none.
    """
    if name not in SIMILARITIES:
        what = "similarity"
        raise UnknownNameError(what, name, SIMILARITIES, f"Similarities: {', '.join(SIMILARITIES)}.")
    return SIMILARITIES[name]
