import re
from typing import Any

import pytest

from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.training.recipe import Recipe, list_setting_names
from zooscope.training.recipe_tree import change, make_recipe

VIT = {"name": "vit", "network": {"architecture": "bundled:vit"}}


def make(**settings: object) -> Recipe:
    return make_recipe({**VIT, **settings}, place="r.toml")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"epochs": 0}, "r.toml: epochs must be at least 1: got 0."),
        ({"epochs": "3"}, "r.toml: epochs must be a whole number: got '3'"),
        ({"seed": -1}, "seed must be at least 0: got -1"),
        ({"name": "::"}, "name must be printable text: got '::'"),
        ({"precision": "int8"}, "precision must be one of float32, bf16, fp16: got 'int8'"),
        ({"average": 1.0}, "average must be in [0, 1): got 1.0"),
        ({"network": {}}, "names its network once"),
        ({"network": {"architecture": "resnet18", "from": "timm:resnet18"}}, "names its network once"),
        ({"network": {"from": "timm:resnet18", "options": {"drop_rate": 0.1}}}, "timm:resnet18 is built already"),
        ({"network": {"architecture": "resnet18", "mean": [0.5]}}, "network.mean must be three numbers: got (0.5,)"),
        ({"optimizer": {"learning_rate": 0}}, "optimizer.learning_rate must be positive: got 0"),
        ({"optimizer": {"learning_rate": "fast"}}, "r.toml: optimizer.learning_rate must be a number: got 'fast'"),
        ({"schedule": {"name": "cosin"}}, "schedule.name must be one of cosine, step, constant: got 'cosin'"),
        ({"schedule": {"warmup_epochs": 10}}, "schedule.warmup_epochs must be less than epochs, 10: got 10"),
        ({"augmentation": {"crop": "random"}}, "augmentation.crop must be one of none, shift, resized: got 'random'"),
        ({"augmentation": {"scale": [0.5]}}, "augmentation.scale must be two shares"),
        ({"mixing": {"on": "labels"}}, "mixing.on must be one of input, features: got 'labels'"),
        ({"mixing": {"mixup": 1.0}, "batch_size": 33}, "mixing takes pairs of images, so batch_size must be even: got 33"),
        ({"loss": {"label_smoothing": 1.0}}, "loss.label_smoothing must be in [0, 1): got 1.0"),
        ({"mixing": {"mixup": 1.0}, "loss": {"attack": "LinfPGD"}}, "an attack needs one label per image"),
        ({"mixing": {"mixup": 1.0, "on": "features"}, "loss": {"teacher": "bundled:resnet"}}, "a teacher sees no mixed features"),
        ({"optimizer": 3}, "optimizer of r.toml must be a section: begin it with [optimizer]"),
    ],
)
def test_settings_that_can_not_be_used_are_refused_by_name(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidValueError, match=re.escape(sentence)):
        make(**settings)


def test_a_recipe_without_a_network_says_how_to_name_one() -> None:
    with pytest.raises(InvalidValueError, match=r"r\.toml names no network; write network\.architecture = NAME"):
        make_recipe({"name": "vit"}, place="r.toml")


@pytest.mark.parametrize(
    ("settings", "near"),
    [({"epoch": 3}, "epochs"), ({"optimizer": {"learningrate": 1.0}}, "optimizer.learning_rate"), ({"mixin": {}}, "mixing")],
)
def test_unknown_settings_are_errors_with_near_ones(settings: dict[str, Any], near: str) -> None:
    with pytest.raises(UnknownNameError, match=rf"unknown setting of r\.toml .* Did you mean {re.escape(near)}"):
        make(**settings)


def test_every_setting_can_be_changed_by_its_dotted_name() -> None:
    recipe = make()
    same = {name: recipe.settings[name] for name in list_setting_names() if name in recipe.settings}
    assert len(same) > 40
    assert change(recipe, same) == recipe
    changed = change(
        recipe, {"optimizer.learning_rate": 0.5, "network.options.depth": 3, "network.architecture": "vit_base_patch16_224"}
    )
    assert (changed.optimizer.learning_rate, changed.network.options) == (0.5, {"depth": 3})
    with pytest.raises(UnknownNameError, match=r"Did you mean optimizer\.momentum"):
        change(recipe, {"optimizer.momentun": 0.5})


def test_settings_list_every_field() -> None:
    assert set(list_setting_names()) - {"network.options"} == set(make().settings)
