from pathlib import Path

import pytest

from zooscope.errors import InvalidValueError, MissingFileError, UnknownNameError
from zooscope.training.recipe_file import read_recipe_file

RECIPES = Path(__file__).parents[2] / "recipes"


def write(folder: Path, text: str, name: str = "mine.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file_gives_its_recipe_and_its_name(tmp_path: Path) -> None:
    file = write(tmp_path, 'epochs = 3\n[network]\nfrom = "bundled:vit"\n[optimizer]\nlearning_rate = 0.5\n')
    sweep = read_recipe_file(file)
    recipe = sweep.list_recipes()[0]
    assert len(sweep.list_recipes()) == 1
    assert (recipe.name, recipe.epochs, recipe.network.start, recipe.optimizer.learning_rate) == ("mine", 3, "bundled:vit", 0.5)


def test_a_file_changes_the_settings_of_its_base_but_not_its_sweep(tmp_path: Path) -> None:
    write(tmp_path, 'epochs = 3\nseed = 7\n[network]\narchitecture = "resnet18"\n[sweep]\nseeds = 5\n', "base.toml")
    file = write(tmp_path, 'base = "base.toml"\nepochs = 4\nnetwork.options.drop_rate = 0.1\n')
    (recipe,) = read_recipe_file(file).list_recipes()
    assert (recipe.epochs, recipe.seed, recipe.network.architecture) == (4, 7, "resnet18")
    assert recipe.network.options == {"drop_rate": 0.1}


def test_changes_from_outside_take_the_place_of_the_file_s(tmp_path: Path) -> None:
    file = write(tmp_path, 'epochs = 3\n[network]\narchitecture = "resnet18"\n')
    (recipe,) = read_recipe_file(file, {"epochs": 9, "images.train": "folder:photos"}).list_recipes()
    assert (recipe.epochs, recipe.images.train) == (9, "folder:photos")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("epochs = ", "is no TOML"),
        ("sweep = 3", r"must be a section: begin it with \[sweep\]"),
        ("base = 3", "must be the path of another recipe"),
        ('base = "mine.toml"', "which is not based on this one"),
        ('network.architecture = "resnet18"\n[sweep]\nseeds = "3"', "seeds is a number or a list"),
        ('network.architecture = "resnet18"\n[sweep]\nseeds = [1, 1]', "sweep.seeds names a value twice: 1, 1"),
        ('network.architecture = "resnet18"\n[sweep]\ngrid.epochs = 3', "grid has a list of values"),
        (
            'network.architecture = "resnet18"\n[sweep]\ngrid.epochs = [1, 2]\ndraws = 3',
            "between 0 and 2, the number of combinations",
        ),
        ('network.architecture = "resnet18"\n[[sweep.regimes]]\nepochs = 3', "each of regimes has a name"),
    ],
)
def test_files_that_can_not_be_used_are_refused(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=sentence):
        read_recipe_file(write(tmp_path, text))


def test_missing_files_and_unknown_keys_of_a_sweep_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no recipe .*none\.toml; give the path of a TOML file"):
        read_recipe_file(tmp_path / "none.toml")
    with pytest.raises(MissingFileError, match=r"there is no recipe .*none\.toml"):
        read_recipe_file(write(tmp_path, 'base = "none.toml"'))
    with pytest.raises(UnknownNameError, match=r"unknown key of sweep .* 'seed'\. Did you mean seeds"):
        read_recipe_file(write(tmp_path, 'network.architecture = "resnet18"\nsweep.seed = 3'))


@pytest.mark.parametrize("file", sorted(RECIPES.glob("*.toml")), ids=lambda file: file.stem)
def test_the_recipes_that_ship_can_be_read(file: Path) -> None:
    assert read_recipe_file(file).list_recipes()
