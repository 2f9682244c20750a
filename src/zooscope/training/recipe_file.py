"""Recipes as TOML, with a sweep over some of their settings.

base = "vit.toml"             # optional: a recipe whose settings these change
name = "vit"
epochs = 8

[network]
architecture = "bundled:vit"

[optimizer]
learning_rate = 0.004

[sweep]                       # optional: many networks of one recipe
seeds = 4                     # or a list of seeds
draws = 28                    # so many of the grid's combinations, drawn at random; all if left out

[sweep.grid]                  # every combination
"optimizer.learning_rate" = [0.001, 0.004]

[[sweep.regimes]]             # each by itself
name = "cutout"
"augmentation.cutout" = 8
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.toml_file import read_toml
from zooscope.training.recipe import Recipe, flatten
from zooscope.training.recipe_tree import make_recipe, put
from zooscope.training.sweep import SWEEP_KEYS, Regime, Sweep

BASE: Final = "base"
SWEEP: Final = "sweep"
DEEPEST: Final = 8  # bases of bases


def read_recipe_file(file: Path, changes: Mapping[str, Any] | None = None) -> Sweep:
    """The recipe and the sweep of a file; a sweep of one network where it has none.

    Args:
        file: TOML; `base` in it is relative to its folder. The name of the file is the recipe's, where it gives none.
        changes: settings by dotted name that take the place of the file's.

    Raises:
        MissingFileError: there is no such file, or not its base.
        InvalidValueError: it is no TOML, or a value can't be used.
        UnknownNameError: there is no such setting.
    """
    tree, sweep = _read_tree(file, DEEPEST)
    for name, value in (changes or {}).items():
        put(tree, name.split("."), value)
    recipe = make_recipe({"name": file.stem, **tree}, place=str(file))
    return _make_sweep(recipe, sweep, file)


def _read_tree(file: Path, depth: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A file's settings over those of its base, and its own sweep."""
    tree = read_toml(file, kind="recipe")
    sweep, base = tree.pop(SWEEP, {}), tree.pop(BASE, None)
    if not isinstance(sweep, dict):
        msg = f"sweep of the recipe {file} must be a section: begin it with [sweep]."
        raise InvalidValueError(msg)
    if base is None:
        return _spread(tree), sweep
    if not isinstance(base, str) or not depth:
        msg = f"base of the recipe {file} must be the path of another recipe, which is not based on this one: got {base!r}."
        raise InvalidValueError(msg)
    below, _ = _read_tree(file.parent / base, depth - 1)
    return _merge(below, _spread(tree)), sweep


def _spread(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Keys with dots as sections."""
    result: dict[str, Any] = {}
    for key, value in tree.items():
        put(result, key.split("."), _spread(value) if isinstance(value, dict) else value)
    return result


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        there = merged.get(key)
        merged[key] = _merge(there, value) if isinstance(there, dict) and isinstance(value, dict) else value
    return merged


def _make_sweep(recipe: Recipe, tree: Mapping[str, Any], file: Path) -> Sweep:
    for key in tree:
        if key not in SWEEP_KEYS:
            kind = f"key of sweep in {file}"
            raise UnknownNameError(kind, key, SWEEP_KEYS, f"A sweep has {', '.join(SWEEP_KEYS)}.")
    seeds, grid, regimes = tree.get("seeds", []), tree.get("grid", {}), tree.get("regimes", [])
    if isinstance(seeds, int) and seeds < 1:
        msg = f"sweep.seeds of {file} must be at least 1, or a list of seeds: got {seeds}."
        raise InvalidValueError(msg)
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        seeds = list(range(recipe.seed, recipe.seed + seeds))
    grid = flatten(grid) if isinstance(grid, dict) else grid
    is_right = (
        isinstance(seeds, list)
        and isinstance(grid, dict)
        and all(isinstance(values, list) and values for values in grid.values())
        and isinstance(regimes, list)
        and all(isinstance(regime, dict) and isinstance(regime.get("name"), str) for regime in regimes)
    )
    if not is_right:
        msg = (
            f"sweep of {file}: seeds is a number or a list, grid has a list of values for each setting, and each of regimes has a "
            "name."
        )
        raise InvalidValueError(msg)
    try:
        return Sweep(
            recipe=recipe,
            seeds=tuple(seeds),
            own_seeds=tree.get("own_seeds", False),
            grid={name: tuple(map(_freeze, values)) for name, values in grid.items()},
            draws=tree.get("draws", 0),
            draw_seed=tree.get("draw_seed", 0),
            regimes=tuple(
                Regime(name=regime["name"], settings=flatten({key: value for key, value in regime.items() if key != "name"}))
                for regime in regimes
            ),
        )
    except InvalidValueError as error:
        named = str(error).replace("Sweep: ", "sweep.", 1)
        msg = f"{file}: {named}"
        raise InvalidValueError(msg) from error


def _freeze(value: Any) -> Any:  # noqa: ANN401  (whatever TOML holds)
    return tuple(value) if isinstance(value, list) else value
