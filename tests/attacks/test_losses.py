import pytest
import torch

from zooscope.attacks.losses import compute_margins, make_objective, rank_other_classes

LOGITS = torch.tensor([[4.0, 1.0, 3.0, -2.0], [0.0, 5.0, 2.0, 1.0]], dtype=torch.float64)
LABELS = torch.tensor([0, 2])


def test_margins_are_the_largest_other_logit_minus_the_true_one() -> None:
    assert compute_margins(LOGITS, LABELS).tolist() == [-1.0, 3.0]


def test_losses_by_hand() -> None:
    torch.testing.assert_close(make_objective("ce", LABELS)(LOGITS), LOGITS.logsumexp(1) - LOGITS[[0, 1], LABELS])
    assert make_objective("margin", LABELS)(LOGITS).tolist() == [-1.0, 3.0]
    assert make_objective("dlr", LABELS)(LOGITS).tolist() == pytest.approx([-1 / (4 - 1), 3 / (5 - 1)])
    targets = torch.tensor([1, 1])
    assert make_objective("margin", LABELS, targets)(LOGITS).tolist() == [-3.0, 3.0]
    assert make_objective("dlr", LABELS, targets)(LOGITS).tolist() == pytest.approx([-3 / (4 - (1 - 2) / 2), 3 / (5 - 0.5)])


def test_the_quotient_does_not_change_with_the_scale_of_the_logits() -> None:
    objective = make_objective("dlr", LABELS)
    torch.testing.assert_close(objective(100 * LOGITS), objective(LOGITS))


@pytest.mark.parametrize("num_classes", [2, 3])
def test_too_few_classes_for_the_quotient_leave_the_margin(num_classes: int) -> None:
    logits, labels = LOGITS[:, :num_classes], torch.tensor([0, 1])
    targets = torch.tensor([1, 0])
    targeted = make_objective("dlr", labels, targets)(logits)
    assert torch.equal(targeted, make_objective("margin", labels, targets)(logits))
    untargeted, margins = make_objective("dlr", labels)(logits), compute_margins(logits, labels)
    assert torch.equal(untargeted, margins) == (num_classes == 2)


def test_other_classes_are_ranked_by_their_logits_and_are_never_the_true_one() -> None:
    assert rank_other_classes(LOGITS, LABELS, 9).tolist() == [[2, 1, 3], [1, 3, 0]]
    assert rank_other_classes(LOGITS, LABELS, 2).tolist() == [[2, 1], [1, 3]]
