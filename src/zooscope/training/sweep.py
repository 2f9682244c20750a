"""Many networks of one recipe: seeds, a grid of settings, regimes."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod
from typing import Any, Final

from zooscope.addresses import Address
from zooscope.arguments import check_arguments
from zooscope.classifiers.addresses import find_name
from zooscope.errors import InvalidValueError
from zooscope.spelling import parse_part
from zooscope.training.recipe import NetworkSettings, Recipe
from zooscope.training.recipe_tree import change

SWEEP_KEYS: Final = ("seeds", "own_seeds", "grid", "draws", "draw_seed", "regimes")


@dataclass(frozen=True, kw_only=True)
class Regime:
    """A way to train, by what it changes in the recipe.

    Attributes:
        name: what it is called; the end of the networks' names.
        settings: by dotted name.
    """

    name: str
    settings: Mapping[str, Any]


@check_arguments
@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The networks that are trained: every regime, with every combination of the grid, with every seed.

    Attributes:
        recipe: whose settings are changed.
        seeds: the recipe's own if empty.
        own_seeds: whether each network has a seed of its own, from the recipe's on, where there are no `seeds`. Networks of one
            seed have the same first weights and the same order of images, and are the more alike for it.
        grid: values by the dotted name of a setting.
        draws: so many different combinations of the grid, drawn at random; all if 0.
        draw_seed: of the draw.
        regimes: only the recipe itself if empty.

    Example:
        >>> from zooscope.training.recipe import NetworkSettings
        >>> recipe = Recipe(name="vit", network=NetworkSettings(architecture="bundled:vit"))
        >>> sweep = Sweep(recipe=recipe, seeds=(0, 1), grid={"optimizer.learning_rate": (0.001, 0.002)})
        >>> [member.name for member in sweep.list_recipes()][:2]
        ['vit-learning_rate=0.001-seed0', 'vit-learning_rate=0.001-seed1']
    """

    recipe: Recipe
    seeds: tuple[int, ...] = ()
    own_seeds: bool = False
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    draws: int = 0
    draw_seed: int = 0
    regimes: tuple[Regime, ...] = ()

    def __post_init__(self) -> None:
        """Refuses what gives no network, or one twice."""
        for what, values in (("seeds", self.seeds), *((f"grid, {name},", values) for name, values in self.grid.items())):
            if len(set(values)) != len(values):
                msg = f"sweep.{what} names a value twice: {', '.join(map(str, values))}."
                raise InvalidValueError(msg)
        if self.seeds and self.own_seeds:
            msg = "a sweep has seeds or own_seeds, not both; leave one out."
            raise InvalidValueError(msg)
        names = [regime.name for regime in self.regimes]
        if len(set(names)) != len(names):
            msg = f"sweep.regimes has a name twice: {', '.join(names)}."
            raise InvalidValueError(msg)
        combinations = prod(map(len, self.grid.values()))
        if not 0 <= self.draws <= combinations:
            msg = f"sweep.draws must be between 0 and {combinations}, the number of combinations of its grid: got {self.draws}."
            raise InvalidValueError(msg)

    def list_recipes(self) -> tuple[Recipe, ...]:
        """One recipe per network, in an order that does not change.

        Raises:
            UnknownNameError: a grid or a regime names a setting that does not exist.
            InvalidValueError: a value can't be used.
        """
        regimes = self.regimes or (Regime(name="", settings={}),)
        members: list[Recipe] = []
        for regime, chosen, seed in product(regimes, self._list_combinations(), self.seeds or (self.recipe.seed,)):
            parts = [self.recipe.name, regime.name, *(f"{_shorten(name)}={_spell(value)}" for name, value in chosen.items())]
            if self.seeds:
                parts.append(f"seed{seed}")
            name = "-".join(part for part in parts if part)
            changes = {"group": self.recipe.group or self.recipe.name, **regime.settings, **chosen, "name": name}
            if self.seeds:
                changes["seed"] = seed
            elif self.own_seeds:
                changes["seed"] = self.recipe.seed + len(members)
            members.append(change(self.recipe, changes, place=f"the sweep of {self.recipe.name}"))
        return tuple(members)

    def _list_combinations(self) -> list[dict[str, Any]]:
        every = [dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())]
        if not self.draws:
            return every
        chosen = random.Random(self.draw_seed).sample(range(len(every)), self.draws)  # noqa: S311  (no secret)
        return [every[place] for place in sorted(chosen)]


def list_tuned(sweep: Sweep, starts: Sequence[Address]) -> tuple[Recipe, ...]:
    """The networks of a sweep, once for each classifier that they start from and are called by.

    Example:
        >>> from zooscope.addresses import parse_address
        >>> from zooscope.training.recipe import NetworkSettings
        >>> sweep = Sweep(recipe=Recipe(name="tuned", network=NetworkSettings(architecture="bundled:vit")))
        >>> [one.network.start for one in list_tuned(sweep, [parse_address("bundled:vit"), parse_address("bundled:swin")])]
        ['bundled:vit', 'bundled:swin']

    Raises:
        InvalidValueError: two networks would have the same folder.
    """
    tuned = [
        recipe
        for start in starts
        for recipe in replace(
            sweep,
            recipe=replace(
                sweep.recipe,
                name=find_name(start),
                group=sweep.recipe.group or sweep.recipe.name,
                network=NetworkSettings(start=str(start)),
            ),
        ).list_recipes()
    ]
    return require_different(tuned)


def require_different(recipes: Sequence[Recipe]) -> tuple[Recipe, ...]:
    """Recipes of which each has a folder of its own.

    Raises:
        InvalidValueError: two have the same.
    """
    folders = [recipe.folder for recipe in recipes]
    twice = next((folder for folder in folders if folders.count(folder) > 1), None)
    if twice is not None:
        msg = f"two networks would go into the folder {twice}; give one of their classifiers another name (name=...)."
        raise InvalidValueError(msg)
    return tuple(recipes)


def take_part(recipes: tuple[Recipe, ...], part: str) -> tuple[Recipe, ...]:
    """The share of one of several machines, as `2/8`: every eighth network from the second on.

    Raises:
        InvalidValueError: the text is no such share.
    """
    number, of = parse_part(part)
    return recipes[number - 1 :: of]


def _shorten(name: str) -> str:
    """The last word of a dotted name; of a `name`, what is named."""
    words = name.split(".")
    return words[-2] if words[-1] == "name" and len(words) > 1 else words[-1]


def _spell(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else str(value)
