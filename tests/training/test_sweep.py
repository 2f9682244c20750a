from dataclasses import replace
from itertools import product

import pytest

from zooscope.classifiers.selection import select_classifiers
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.training.recipe import NetworkSettings, Recipe
from zooscope.training.sweep import Regime, Sweep, list_tuned, take_part

RECIPE = Recipe(name="net", group="nets", network=NetworkSettings(architecture="resnet18"))


def test_a_sweep_is_every_regime_with_every_combination_and_seed() -> None:
    regimes = (Regime(name="plain", settings={}), Regime(name="smooth", settings={"loss.label_smoothing": 0.1}))
    sweep = Sweep(
        recipe=RECIPE,
        seeds=(3, 5),
        grid={"optimizer.learning_rate": (0.1, 0.2), "schedule.name": ("step", "cosine")},
        regimes=regimes,
    )
    found = [
        (one.loss.label_smoothing, one.optimizer.learning_rate, one.schedule.name, one.seed, one.group)
        for one in sweep.list_recipes()
    ]
    assert found == [(*values, "nets") for values in product((0.0, 0.1), (0.1, 0.2), ("step", "cosine"), (3, 5))]
    names = [one.name for one in sweep.list_recipes()]
    assert names[0] == "net-plain-learning_rate=0.1-schedule=step-seed3"
    assert len(set(names)) == len(names)


def test_draws_are_different_combinations_and_the_same_each_time() -> None:
    grid = {"optimizer.learning_rate": tuple(range(1, 7)), "optimizer.weight_decay": tuple(range(6))}
    sweep = Sweep(recipe=RECIPE, grid=grid, draws=28)
    drawn = [(one.optimizer.learning_rate, one.optimizer.weight_decay) for one in sweep.list_recipes()]
    assert len(set(drawn)) == 28
    assert set(drawn) <= set(product(range(1, 7), range(6)))
    assert drawn == [(one.optimizer.learning_rate, one.optimizer.weight_decay) for one in sweep.list_recipes()]
    others = Sweep(recipe=RECIPE, grid=grid, draws=28, draw_seed=1).list_recipes()
    assert drawn != [(one.optimizer.learning_rate, one.optimizer.weight_decay) for one in others]


def test_the_parts_of_a_sweep_are_all_of_it_and_share_nothing() -> None:
    recipes = Sweep(recipe=RECIPE, seeds=tuple(range(11))).list_recipes()
    parts = [take_part(recipes, f"{number}/4") for number in (1, 2, 3, 4)]
    assert sorted(one.seed for part in parts for one in part) == list(range(11))
    for text in ("0/4", "5/4", "2", "a/4", "1/0"):
        with pytest.raises(InvalidValueError, match="a part is written 2/8"):
            take_part(recipes, text)


def test_unknown_settings_and_names_that_come_twice_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown setting of the sweep of net 'optimizer\.rate'"):
        Sweep(recipe=RECIPE, grid={"optimizer.rate": (1, 2)}).list_recipes()
    twice = (Regime(name="a", settings={}), Regime(name="a", settings={}))
    with pytest.raises(InvalidValueError, match="a name twice: a, a"):
        Sweep(recipe=RECIPE, regimes=twice)


def test_a_regime_may_have_a_seed_of_its_own_where_the_sweep_has_none() -> None:
    regimes = (Regime(name="a", settings={}), Regime(name="b", settings={"seed": 7, "group": "others"}))
    found = Sweep(recipe=RECIPE, regimes=regimes).list_recipes()
    assert [(one.seed, one.group) for one in found] == [(0, "nets"), (7, "others")]
    assert [one.seed for one in Sweep(recipe=RECIPE, regimes=regimes, seeds=(1,)).list_recipes()] == [1, 1]


def test_classifiers_are_fine_tuned_under_their_names() -> None:
    starts = select_classifiers(["bundled:vit", "bundled:swin?name=b/c"])
    found = list_tuned(Sweep(recipe=RECIPE, seeds=(0, 1)), starts)
    assert [one.name for one in found] == ["bundled:vit-seed0", "bundled:vit-seed1", "b/c-seed0", "b/c-seed1"]
    assert [one.folder for one in found][1:3] == ["bundled-vit-seed1", "b-c-seed0"]
    assert {one.group for one in found} == {"nets"}
    assert found[0].network == NetworkSettings(start="bundled:vit")
    same_folder = select_classifiers(["bundled:vit", "bundled:swin?name=bundled-vit"])
    with pytest.raises(InvalidValueError, match="two networks would go into the folder bundled-vit"):
        list_tuned(Sweep(recipe=RECIPE), same_folder)


def test_each_network_may_have_a_seed_of_its_own() -> None:
    regimes = (Regime(name="a", settings={}), Regime(name="b", settings={}))
    grid = {"optimizer.learning_rate": (0.1, 0.2)}
    found = Sweep(recipe=replace(RECIPE, seed=100), own_seeds=True, regimes=regimes, grid=grid).list_recipes()
    assert [one.seed for one in found] == [100, 101, 102, 103]
    with pytest.raises(InvalidValueError, match="a sweep has seeds or own_seeds, not both"):
        Sweep(recipe=RECIPE, seeds=(1,), own_seeds=True)
