"""What the profiles of two classifiers say of their similarity, as numbers for a linear model."""

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from jaxtyping import Float, Int

from zooscope.inline.results import ShownInline

METHODS: Final = ("additive", "nystrom", "regression")
RIDGES: Final = (0.03, 0.3, 3.0)  # as multiples of the mean squared eigenvalue
NUM_SWEEPS: Final = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class Effects(ShownInline):
    """Profiles taken apart: mean + effect of the classifier + effect of the landmark + rest.

    Attributes:
        mean: of all.
        of_landmarks: mean effect of the landmarks, as classifiers.
        own: effect of each classifier; with mean 0.
        rest: what is left; 0 for a landmark with itself.
    """

    mean: float
    of_landmarks: float
    own: Float[np.ndarray, " classifier"]
    rest: Float[np.ndarray, "classifier landmark"]


def fit_effects(profiles: Float[np.ndarray, "classifier landmark"], places: Int[np.ndarray, " landmark"]) -> Effects:
    """Least squares by turns, without the similarities of landmarks with themselves.

    Example:
        >>> profiles = np.array([[np.nan, 3.0], [2.0, np.nan], [4.0, 5.0]])
        >>> effects = fit_effects(profiles, np.array([0, 1]))
        >>> effects.own.round(6), bool(np.abs(effects.rest).max() < 1e-6)
        (array([-0.666667, -0.666667,  1.333333]), True)

    Args:
        profiles: similarity to each landmark.
        places: rows of the landmarks.
    """
    known = np.ones(profiles.shape, dtype=bool)
    known[places, np.arange(len(places))] = False
    values = np.where(known, profiles, 0.0)
    own, theirs = np.zeros(len(profiles)), np.zeros(len(places))
    for _ in range(NUM_SWEEPS):
        own = ((values - theirs) * known).sum(axis=1) / known.sum(axis=1)
        theirs = ((values - own[:, None]) * known).sum(axis=0) / known.sum(axis=0)
    rest = np.where(known, values - own[:, None] - theirs, 0.0)
    centred = own - own.mean()
    return Effects(mean=float(own.mean() + theirs.mean()), of_landmarks=float(centred[places].mean()), own=centred, rest=rest)


def list_settings(method: str) -> tuple[float, ...]:
    """The ridges that a method may take; one where it has none."""
    return (0.0,) if method == METHODS[0] else RIDGES


@final
class PairFeatures:
    """Features of pairs of classifiers."""

    def __init__(
        self, effects: Effects, places: Int[np.ndarray, " landmark"], *, clean: Float[np.ndarray, "a b"] | None = None
    ) -> None:
        """Takes profiles apart.

        Args:
            effects: of the profiles.
            places: rows of the landmarks.
            clean: how often two classifiers predict the same class on clean images.
        """
        self.effects, self._places, self._clean = effects, places, clean

    def make(
        self, method: str, setting: float, pairs: tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]
    ) -> Float[np.ndarray, "pair feature"]:
        """The features of some pairs.

        Args:
            method: one of `METHODS`.
            setting: its ridge.
            pairs: rows and columns.
        """
        rows, columns = pairs
        own, rest = self.effects.own, self.effects.rest
        features = [own[rows] + own[columns]]
        if method != METHODS[0]:
            features.append(np.einsum("pk,kl,pl->p", rest[rows], self._invert(setting), rest[columns]))
        if method == METHODS[2]:
            first, second = rest[rows], rest[columns]
            features.append(np.sqrt(np.mean((first - second) ** 2, axis=1)))
            features.append(np.mean(first * second, axis=1))
            features.append(np.abs(own[rows] - own[columns]))
            if self._clean is not None:
                features.append(self._clean[rows, columns])
        return np.stack(features, axis=1)

    def _invert(self, setting: float) -> Float[np.ndarray, "landmark landmark"]:
        """(W^2 + c)^-1 W of the landmarks' rests: a ridge in place of the inverse, of an indefinite matrix."""
        among = self.effects.rest[self._places]
        values, vectors = np.linalg.eigh((among + among.T) / 2)
        typical = max(float(np.mean(values**2)), np.finfo(np.float64).tiny)
        return np.asarray((vectors * (values / (values**2 + setting * typical))) @ vectors.T)
