import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import zooscope
from zooscope.attacks import APGD, Attack, LinfPGD, PatchFool
from zooscope.attacks.linf_ball import LinfBall
from zooscope.errors import StudyError
from zooscope.kept import packing
from zooscope.kept.packing import pack, unpack
from zooscope.measurements.transfer import perturb

EPSILON = 8 / 255
VALUES = 3 * 32 * 32


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def is_same(first: Tensor, second: Tensor) -> bool:
    """In every bit, also where both are NaN, or zeros of either sign."""
    width = {2: torch.int16, 4: torch.int32, 8: torch.int64}[first.element_size()]
    return first.dtype == second.dtype and torch.equal(first.view(width), second.view(width))


def attack_bundled(attack: Attack, name: str) -> tuple[Tensor, Tensor]:
    images, classifier = zooscope.load_images("bundled:cifar10").sample(4, seed=0), zooscope.load_classifier(f"bundled:{name}")
    pixels = images.pixels(classifier)
    labels = torch.from_numpy(images.labels)
    return pixels, perturb(attack, classifier, pixels, labels, images.ids, seed=0, batch_size=100).pixels


# The bytes are those that the information needs, with a tenth for headers of so few images.
@pytest.mark.parametrize(
    ("attack", "source", "most_bits"),
    [
        (LinfPGD(iterations=3), "resnet", 1.1),
        (LinfPGD(step_size=2 / 255, iterations=6), "resnet", 6.0),
        (LinfPGD(step_size=2 / 255, iterations=3, random_start=True), "resnet", 20.0),
        (APGD(epsilon=EPSILON, iterations=4), "resnet", 16.0),
        (PatchFool(iterations=2), "vit", 1.0),
    ],
    ids=str,
)
def test_what_attacks_leave_comes_back_bit_for_bit_and_takes_few_bits(attack: Attack, source: str, most_bits: float) -> None:
    clean, attacked = attack_bundled(attack, source)
    epsilon = float(attack.epsilon)  # type: ignore[attr-defined]
    packed = pack(attacked, clean, epsilon=epsilon)
    assert is_same(unpack(packed, clean, epsilon=epsilon), attacked)
    assert 8 * len(packed) / (len(clean) * VALUES) < most_bits


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_any_bits_of_any_float_come_back(dtype: torch.dtype) -> None:
    clean = draw(3, 3, 5, 7).to(dtype)
    width = {2: torch.int16, 4: torch.int32, 8: torch.int64}[clean.element_size()]
    limits = torch.iinfo(width)
    bits = torch.randint(limits.min, limits.max, clean.shape, generator=torch.Generator().manual_seed(1), dtype=width)
    attacked = bits.view(dtype)
    attacked[0, 0, 0, :4] = torch.tensor([float("nan"), float("inf"), -float("inf"), -0.0])
    assert is_same(unpack(pack(attacked, clean, epsilon=EPSILON), clean, epsilon=EPSILON), attacked)


@given(st.integers(1, 4), st.integers(1, 9), st.integers(0, 3), st.sampled_from([0.0, 1 / 255, EPSILON, 1.0]), st.integers(0, 99))
def test_corners_clean_and_other_values_in_any_mixture_come_back(
    count: int, side: int, kinds: int, epsilon: float, seed: int
) -> None:
    clean = (255 * draw(count, 3, side, side, seed=seed)).round() / 255
    ball = LinfBall.around(clean, epsilon)
    options = torch.stack([ball.upper, ball.lower, clean, draw(count, 3, side, side, seed=seed + 1)])
    chosen = torch.randint(0, kinds + 1, clean.shape, generator=torch.Generator().manual_seed(seed))
    attacked = options.gather(0, chosen[None])[0]
    assert is_same(unpack(pack(attacked, clean, epsilon=epsilon), clean, epsilon=epsilon), attacked)


def test_many_images_are_packed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    clean = draw(7, 3, 6, 6)
    attacked = LinfBall.around(clean, EPSILON).random_point(range(7))
    whole = pack(attacked, clean, epsilon=EPSILON)
    monkeypatch.setattr(packing, "NUM_VALUES", 2 * 3 * 6 * 6)
    parts = pack(attacked, clean, epsilon=EPSILON)
    assert len(parts) > len(whole)
    assert is_same(unpack(parts, clean, epsilon=EPSILON), attacked)


def test_pixels_in_another_layout_of_memory_are_the_same_pixels() -> None:
    clean = draw(2, 3, 6, 6)
    attacked = LinfBall.around(clean, EPSILON).upper
    swapped = attacked.contiguous(memory_format=torch.channels_last)
    assert pack(swapped, clean, epsilon=EPSILON) == pack(attacked, clean, epsilon=EPSILON)


def test_bytes_that_are_cut_off_too_long_or_changed_are_refused_or_give_other_pixels() -> None:
    clean = draw(1, 3, 6, 6)
    packed = pack(LinfBall.around(clean, EPSILON).random_point([0]), clean, epsilon=EPSILON)
    for bad in (packed[:-1], packed[: len(packed) // 2], b"", packed + b"\0", b"\xff" * len(packed)):
        with pytest.raises(StudyError, match="packed pixels are damaged"):
            unpack(bad, clean, epsilon=EPSILON)
    generator = np.random.default_rng(0)
    for place in generator.choice(len(packed), 60):  # whoever keeps them holds a checksum; here nothing else may go wrong
        flipped = bytearray(packed)
        flipped[place] ^= 1 << int(generator.integers(8))
        try:
            assert unpack(bytes(flipped), clean, epsilon=EPSILON).shape == clean.shape
        except StudyError as error:
            assert "packed pixels are damaged" in str(error)  # noqa: PT017  (either is right)


def test_few_bytes_that_unpack_to_many_are_not_unpacked() -> None:
    clean = draw(1, 3, 6, 6)
    bomb = packing._compress(bytes(10_000_000))  # noqa: SLF001  (what `pack` never writes)
    with pytest.raises(StudyError, match="packed pixels are damaged"):
        unpack(bomb, clean, epsilon=EPSILON)
