"""Linear CKA of penultimate features, exact over all images and unbiased.

CKA = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)) of the Gram matrices K and L of two classifiers' features on n images, diagonals set
to 0, with the unbiased HSIC(K, L) = [tr(K L) + sum(K) sum(L) / ((n - 1)(n - 2)) - 2 sum_i (K 1)_i (L 1)_i / (n - 2)] / (n (n - 3)).
Features are centred first, which changes nothing but the rounding; sums are float64.

It is the cosine of the U-centred Gram matrices: in [-1, 1], symmetric, larger is more similar, 1 with itself, 0 on average for
unrelated features. Rotating or scaling all features of a classifier changes nothing. Undefined for fewer than 4 images, and for
features that are the same on all images.

Intervals are percentiles over half-samples of the images without replacement: a half-sample differs from the whole as much as the
whole from other images. The bootstrap with replacement would be wrong: a repeated image is similar to itself for every classifier.

Source: Kornblith et al., Similarity of Neural Network Representations Revisited, ICML 2019; the unbiased form: Song et al., Feature
Selection via Dependence Maximization, JMLR 13 (2012); Nguyen, Raghu and Kornblith, ICLR 2021.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Real

from zooscope.scores.similarity import FEATURES, Measured, Pairs, Resampling, Similarity, make_pairs
from zooscope.scores.tables import divide
from zooscope.statistics.bootstrap import find_percentiles

FEWEST_IMAGES: Final = 4
NUM_HALVES: Final = 200
TILE: Final = 256  # images by images of the Gram matrices that are in memory at once, of all classifiers
_CONSTANT: Final = 1e-6  # relative change of features that are taken for constant
_NOTHING: Final = 1e-10  # share of the sum of squares of a Gram matrix that U-centring leaves of a trivial one, by rounding


def cka(features: Sequence[Real[np.ndarray, "image _"]]) -> Float[np.ndarray, "a b"]:
    """Unbiased linear CKA of all pairs; NaN where it is undefined.

    Example:
        >>> features = np.random.default_rng(0).normal(size=(50, 3))
        >>> rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
        >>> cka([features, 2 * features @ rotation]).round(6)
        array([[1., 1.],
               [1., 1.]])

    Args:
        features: of each classifier, on the same images; how many features there are may differ.
    """
    everything = np.ones((1, len(features[0])), dtype=np.bool_)
    return np.asarray(_compute(features, everything)[0])


def draw_halves(num_images: int, *, num_halves: int = NUM_HALVES, seed: int = 0) -> Bool[np.ndarray, "half image"]:
    """Half of the images, rounded down, drawn without replacement, many times."""
    order = np.random.default_rng(seed).permuted(np.tile(np.arange(num_images), (num_halves, 1)), axis=1)
    return np.asarray(order < num_images // 2)


def _score(measured: Measured, confidence: float | None) -> Pairs:
    parts = list(measured.read_parts())
    features = [np.concatenate([part[name] for part in parts]) for name in measured.names]
    num_images, size = len(measured.labels), len(features)
    selected = np.ones((1, num_images), dtype=np.bool_)
    if confidence is not None:
        selected = np.concatenate([selected, draw_halves(num_images)])
    draws = _compute(features, selected)
    interval = None if confidence is None else find_percentiles(draws[1:], confidence)
    reason = np.full((size, size), "", dtype=object)
    for place, (name, values) in enumerate(zip(measured.names, features, strict=True)):
        if values.shape[1] == 0:
            reason[place, :] = reason[:, place] = (
                f"{name} has no final linear layer from which its logits come, so it has no features"
            )
        elif np.isnan(draws[0, place, place]):
            reason[place, :] = reason[:, place] = f"the features of {name} are the same on all images, or trivial"
    if num_images < FEWEST_IMAGES:
        reason[:] = f"it takes at least {FEWEST_IMAGES} images"
    count = np.full((size, size), num_images)
    return make_pairs(draws[0], interval, count, undefined=reason, fewest=2 * FEWEST_IMAGES)


def _compute(
    features: Sequence[Real[np.ndarray, "image _"]], selected: Bool[np.ndarray, "draw image"]
) -> Float[np.ndarray, "draw a b"]:
    """CKA of all pairs on each selection of images."""
    size, num = len(features), selected.sum(axis=1)[:, None, None].astype(np.float64)
    if num.min() < FEWEST_IMAGES:
        usable = num.ravel() >= FEWEST_IMAGES
        result = np.full((len(selected), size, size), np.nan)
        if usable.any():
            result[usable] = _compute(features, selected[usable])
        return result
    centred = [_centre(values) for values in features]
    traces = _sum_products(centred, selected)
    products, totals = _sum_rows(centred, selected)
    hsic = traces + totals[:, :, None] * totals[:, None, :] / ((num - 1) * (num - 2)) - 2 * products / (num - 2)
    own, whole = (np.diagonal(each, axis1=1, axis2=2) for each in (hsic, traces))
    norms = np.sqrt(np.where(own > _NOTHING * whole, own, 0))
    return divide(hsic, norms[:, :, None] * norms[:, None, :])


def _centre(values: Real[np.ndarray, "image _"]) -> Float[np.ndarray, "image _"]:
    """Features minus their means, float64; zeros where they are constant or where there are none."""
    if values.shape[1] == 0:
        return np.zeros((len(values), 1))
    values = values.astype(np.float64)
    centred = values - values.mean(axis=0)
    largest = np.abs(values).max()
    return np.zeros_like(centred) if np.abs(centred).max() <= _CONSTANT * largest else np.asarray(centred / largest)


def _sum_products(
    centred: Sequence[Float[np.ndarray, "image _"]], selected: Bool[np.ndarray, "draw image"]
) -> Float[np.ndarray, "draw a b"]:
    """tr(K L) of all pairs on each selection, from one tile of all Gram matrices after the other."""
    num_images, size = selected.shape[1], len(centred)
    traces = np.zeros((len(selected), size, size))
    starts = range(0, num_images, TILE)
    for first in starts:
        for second in range(first, num_images, TILE):
            rows, columns = slice(first, first + TILE), slice(second, second + TILE)
            tile = np.stack([values[rows] @ values[columns].T for values in centred])
            if first == second:
                tile[:, np.arange(tile.shape[1]), np.arange(tile.shape[1])] = 0
            times = 1 if first == second else 2
            for draw, chosen in enumerate(selected):
                part = tile[:, chosen[rows]][:, :, chosen[columns]].reshape(size, -1)
                traces[draw] += times * (part @ part.T)
    return traces


def _sum_rows(
    centred: Sequence[Float[np.ndarray, "image _"]], selected: Bool[np.ndarray, "draw image"]
) -> tuple[Float[np.ndarray, "draw a b"], Float[np.ndarray, "draw classifier"]]:
    """The inner products of the row sums K 1 and L 1 of all pairs, and the sums of all K, on each selection."""
    num_images, size = selected.shape[1], len(centred)
    chosen = selected.astype(np.float64)
    sums = [chosen @ values for values in centred]
    products, totals = np.zeros((len(selected), size, size)), np.zeros((len(selected), size))
    for start in range(0, num_images, TILE):
        here = slice(start, start + TILE)
        rows = np.stack(
            [
                (total @ values[here].T - np.square(values[here]).sum(axis=1)) * chosen[:, here]
                for total, values in zip(sums, centred, strict=True)
            ],
            axis=1,
        )
        products += rows @ rows.transpose(0, 2, 1)
        totals += rows.sum(axis=2)
    return products, totals


CKA: Final = Similarity(
    name="cka",
    title="linear CKA of penultimate features, unbiased",
    lowest=-1.0,
    highest=1.0,
    is_symmetric=True,
    larger_is_more_similar=True,
    with_itself=1.0,
    passes_per_image=1,
    resampling=Resampling.HALVES,
    reference="Kornblith et al., ICML 2019",
    kind=FEATURES,
    also=FEATURES,
    compute=_score,
)
