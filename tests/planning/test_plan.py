from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import timm
from torch import Tensor, nn

from tests.recipes.test_attack import Shade
from tests.specimens import family
from zooscope.attacks import LinfPGD
from zooscope.classifiers.prepared import prepare
from zooscope.errors import InvalidValueError
from zooscope.kept.kept_attacks import KeptAttacks
from zooscope.planning.machines import GPUS, estimate_seconds
from zooscope.planning.passes import count_pass
from zooscope.planning.plan import Share, plan_study
from zooscope.planning.speed import FEWEST, FEWEST_STEPS, Speed, calibrate
from zooscope.study.study import Study

ATTACK = LinfPGD(epsilon=0.03, step_size=0.01, iterations=7)


def test_operations_of_a_convolution_and_a_linear_layer() -> None:
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Flatten(), nn.Linear(5 * 36, 7)).eval()
    found = count_pass(network, (8, 8))
    assert found.forward == 2 * (5 * 36 * 27 + 7 * 180)  # each output takes 27 and 180 multiplications
    assert found.gradient == 2 * found.forward
    assert found.weights == 4 * (5 * 27 + 5 + 7 * 180 + 7)


@pytest.mark.parametrize(
    ("name", "millions"), [("resnet18", 1819), ("mobilenetv2_100", 301)]
)  # as their papers and timm's table say
def test_multiplications_are_those_that_are_published(name: str, millions: int) -> None:
    found = count_pass(timm.create_model(name).eval(), (224, 224))
    assert found.forward / 2e6 == pytest.approx(millions, rel=0.01)


def test_a_network_that_looks_at_values_is_counted_while_it_computes() -> None:
    class Looking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 2, 1, bias=False)

        def forward(self, pixels):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            assert float(pixels.detach().sum()) >= 0
            return self.layer(pixels).mean((2, 3))

    assert count_pass(Looking().eval(), (4, 4)).forward == 2 * 2 * 3 * 16


def test_the_plan_counts_what_is_then_measured(tmp_path: Path) -> None:
    classifiers, images = family(3, sizes=((6, 6), (9, 9)), num_images=40)
    with Study.create(tmp_path, classifiers=classifiers, images=images, attack=ATTACK, shard_size=16) as study:
        plan = plan_study(study, device="cpu")
        before = (tmp_path / "study.db").stat().st_size
        study.run(device="cpu", allow_chance=True)
        after = plan_study(study, device="cpu")
        right = study.predictions.clean == study.predictions.labels
    grown = (tmp_path / "study.db").stat().st_size - before
    gradients = ATTACK.iterations * right.sum()
    assert plan.gradients == gradients  # all 40 images are in the calibration
    controls = 2 * 40 + 40  # two of one size on the way from the other, and the other on theirs
    tests = (right[:, None] & right).sum()
    assert plan.forwards == pytest.approx(3 * 40 + controls + tests, rel=0.05)  # which are right together is estimated
    assert plan.bytes == pytest.approx(grown + before, rel=0.6)
    assert (after.gradients, after.forwards) == (0, 0)
    assert plan.seconds is not None
    assert plan.seconds > 0
    assert after.seconds == 0


def test_an_added_classifier_is_planned_alone() -> None:
    classifiers, images = family(4, num_images=30)
    with Study.in_memory(classifiers=classifiers[:3], images=images, attack=ATTACK) as study:
        study.run(device="cpu", allow_chance=True)
        right = study.predictions.clean == study.predictions.labels
        study.add(classifiers[3:])
        plan = plan_study(study, device="cpu")
        study.run(device="cpu", allow_chance=True)
        mine = (study.predictions.clean == study.predictions.labels)[3]
    by_name = {share.name: share for share in plan.shares}
    new = classifiers[3].name
    assert round(by_name[new].gradients) == ATTACK.iterations * mine.sum()
    assert round(by_name[classifiers[0].name].gradients) == ATTACK.iterations * right[0].sum()  # again, for the new one
    assert by_name[new].forwards == pytest.approx(30 + mine.sum() + sum((one & mine).sum() for one in right), rel=0.05)


def test_attacked_images_that_are_kept_are_not_planned_again(tmp_path: Path) -> None:
    classifiers, images = family(3, num_images=30)
    with Study.create(tmp_path, classifiers=classifiers[:2], images=images, attack=ATTACK) as study:
        study.run(device="cpu", allow_chance=True)
        study.add(classifiers[2:])
        plan = plan_study(study, device="cpu")
        again = plan_study(study, device="cpu", kept=KeptAttacks(tmp_path / "none"))
        study.run(device="cpu", allow_chance=True)
        right = study.predictions.clean == study.predictions.labels
    by_name = {share.name: round(share.gradients) for share in plan.shares}
    expected = [0, 0, ATTACK.iterations * right[2].sum()]
    assert [by_name[one.name] for one in classifiers] == expected
    assert again.gradients == ATTACK.iterations * right.sum()


def test_time_of_gpus_is_operations_over_what_they_reach() -> None:
    gpu = GPUS["H100"]
    assert estimate_seconds(2 * gpu.float32, gpu, number=4, precision="float32", utilization=0.25) == pytest.approx(2)
    assert estimate_seconds(2 * gpu.half, gpu, number=1, precision="bf16", utilization=1) == pytest.approx(2)


def test_an_attack_that_does_not_say_what_it_costs_is_refused() -> None:
    classifiers, images = family(2)
    with (
        Study.in_memory(classifiers=classifiers, images=images, attack=Shade()) as study,
        pytest.raises(InvalidValueError, match="Shade doesn't say what it costs"),
    ):
        plan_study(study, device="cpu")


def test_a_target_without_gradients_is_planned_too() -> None:
    (source, plain), images = family(2, num_images=20)
    target = replace(plain, network=Detached(plain.network).eval())
    with Study.in_memory(classifiers=[source, target], images=images, attack=ATTACK, sources=[source.name]) as study:
        shares = {share.name: share for share in plan_study(study, device="cpu").shares}
    assert shares[target.name].gradients == 0
    assert shares[target.name].forwards > 20
    assert shares[target.name].one.forward == shares[source.name].one.forward


class Detached(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.network(pixels)
        return logits.detach()


def test_what_the_first_passes_take_counts_where_there_is_something_to_do() -> None:
    speed = Speed(gradient=2.0, forward=1.0, accuracy=1.0, warm_up=7.0)
    share = Share(name="a", gradients=10, forwards=5, one=count_pass(nn.Flatten().eval(), (4, 4)), speed=speed)
    assert share.seconds == 7 + 20 + 5
    assert replace(share, gradients=0, forwards=0).seconds == 0


@pytest.mark.usefixtures("traced")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:The .grad attribute")  # torch warns of itself while it compiles
@pytest.mark.parametrize(("compiled", "places"), [(False, ([0], 2, 3)), (True, ([0, 2, 3], 4, 5))])
def test_the_speed_of_a_compiled_network_is_taken_after_it_was_compiled(
    monkeypatch: pytest.MonkeyPatch, *, compiled: bool, places: tuple[list[int], int, int]
) -> None:
    (classifier,), images = family(1, num_images=6, in_double=False)
    runs, seconds = list[object](), [1.0, 10.0, 100.0, 1000.0, 10000.0, 100000.0]

    def take_time(_: object, work: Callable[[], object]) -> float:
        runs.append(work())
        return seconds[len(runs) - 1]

    monkeypatch.setattr("zooscope.planning.speed._time", take_time)
    ready = prepare(classifier, compiled=compiled)
    speed = calibrate(ready, images.pixels(classifier), images.labels, batch_size=100)
    first, test, attack = places
    assert speed.warm_up == sum(seconds[place] for place in first)
    assert speed.forward == seconds[test] / FEWEST
    assert speed.gradient == seconds[attack] / (FEWEST * FEWEST_STEPS)
