"""Linear CKA of penultimate features, exact over all images and unbiased.

CKA = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)) of the Gram matrices K and L of two classifiers' features on n images, diagonals set
to 0, with the unbiased HSIC(K, L) = [tr(K L) + sum(K) sum(L) / ((n - 1)(n - 2)) - 2 sum_i (K 1)_i (L 1)_i / (n - 2)] / (n (n - 3)).
Features are centred first, which changes nothing but the rounding; sums are float64.

It is the cosine of the U-centred Gram matrices: in [-1, 1], symmetric, larger is more similar, 1 with itself, 0 on average for
unrelated features. Rotating or scaling all features of a classifier changes nothing. Undefined for fewer than 4 images, and for
features that are the same on all images.

Intervals are percentiles over half-samples of the images without replacement: a half-sample differs from the whole as much as the
whole from other images. Images are drawn in groups, 40 at random, of which 20 make a half-sample: then one pass over the Gram
matrices serves all half-samples. The bootstrap with replacement would be wrong: a repeated image is similar to itself for every
classifier.

Source: Kornblith et al., Similarity of Neural Network Representations Revisited, ICML 2019; the unbiased form: Song et al., Feature
Selection via Dependence Maximization, JMLR 13 (2012); Nguyen, Raghu and Kornblith, ICLR 2021.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int, Real

from zooscope.records.kinds import FEATURES
from zooscope.scores.similarity import Measured, Pairs, Resampling, Similarity, make_pairs
from zooscope.scores.tables import divide
from zooscope.statistics.bootstrap import find_percentiles

FEWEST_IMAGES: Final = 4
NUM_HALVES: Final = 200
NUM_GROUPS: Final = 40
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
    groups = group_images(len(features[0]))
    return np.asarray(_compute(features, groups, np.ones((1, len(groups)), dtype=np.bool_))[0])


def group_images(num_images: int, *, seed: int = 0) -> list[Int[np.ndarray, " _"]]:
    """Positions of images in 40 random groups of equal size, up to one image; fewer images are a group each."""
    order = np.random.default_rng(seed).permutation(num_images)
    return np.array_split(order, min(num_images, NUM_GROUPS))


def draw_halves(num_groups: int, *, num_halves: int = NUM_HALVES, seed: int = 0) -> Bool[np.ndarray, "half group"]:
    """Half of the groups, rounded down, drawn without replacement, many times."""
    order = np.random.default_rng(seed).permuted(np.tile(np.arange(num_groups), (num_halves, 1)), axis=1)
    return np.asarray(order < num_groups // 2)


def _score(measured: Measured, confidence: float | None) -> Pairs:
    parts = list(measured.read_parts())
    features = [np.concatenate([part[name] for part in parts]) for name in measured.names]
    num_images, size = len(measured.labels), len(features)
    groups = group_images(num_images)
    selected = np.ones((1, len(groups)), dtype=np.bool_)
    if confidence is not None:
        selected = np.concatenate([selected, draw_halves(len(groups))])
    draws = _compute(features, groups, selected)
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
    features: Sequence[Real[np.ndarray, "image _"]],
    groups: Sequence[Int[np.ndarray, " _"]],
    selected: Bool[np.ndarray, "draw group"],
) -> Float[np.ndarray, "draw a b"]:
    """CKA of all pairs on each selection of groups of images; NaN where it has too few images."""
    num = (selected @ np.array([float(len(group)) for group in groups]))[:, None, None]
    centred = [_centre(values) for values in features]
    traces = _sum_products(centred, groups, selected)
    products, totals = _sum_rows(centred, groups, selected)
    few = num < FEWEST_IMAGES
    num = np.where(few, np.nan, num)
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
    centred: Sequence[Float[np.ndarray, "image _"]],
    groups: Sequence[Int[np.ndarray, " _"]],
    selected: Bool[np.ndarray, "draw group"],
) -> Float[np.ndarray, "draw a b"]:
    """tr(K L) of all pairs on each selection, from one tile of all Gram matrices after the other: a group by a group."""
    size, chosen = len(centred), selected.astype(np.float64)
    traces = np.zeros((len(selected), size, size))
    for first, rows in enumerate(groups):
        for second in range(first, len(groups)):
            columns = groups[second]
            tile = np.stack([values[rows] @ values[columns].T for values in centred])
            if first == second:
                tile[:, np.arange(len(rows)), np.arange(len(rows))] = 0
            flat = tile.reshape(size, -1)
            times = (1 if first == second else 2) * chosen[:, first] * chosen[:, second]
            traces += times[:, None, None] * (flat @ flat.T)
    return traces


def _sum_rows(
    centred: Sequence[Float[np.ndarray, "image _"]],
    groups: Sequence[Int[np.ndarray, " _"]],
    selected: Bool[np.ndarray, "draw group"],
) -> tuple[Float[np.ndarray, "draw a b"], Float[np.ndarray, "draw classifier"]]:
    """The inner products of the row sums K 1 and L 1 of all pairs, and the sums of all K, on each selection."""
    size, chosen = len(centred), selected.astype(np.float64)
    sums = [chosen @ np.stack([values[group].sum(axis=0) for group in groups]) for values in centred]
    products, totals = np.zeros((len(selected), size, size)), np.zeros((len(selected), size))
    for number, group in enumerate(groups):
        rows = np.stack(
            [
                (total @ values[group].T - np.square(values[group]).sum(axis=1)) * chosen[:, number, None]
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
