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
        (
            'network.architecture = "resnet18"\n[sweep]\nseeds = 0',
            "must be at least 1, or a list of seeds: got 0",
        ),
        ('network.architecture = "resnet18"\n[sweep]\nseeds = [1.5]', r"mine.toml: sweep.seeds must be a list of whole numbers"),
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


def factors(name: str, setting: str, base: float) -> set[float]:
    return {round(one.settings[setting] / base, 6) for one in read_recipe_file(RECIPES / name).list_recipes()}


def test_the_paper_s_sweeps_have_its_numbers_of_networks_and_its_factors() -> None:
    counts = {
        "paper-resnet50": 21,
        "paper-resnet50-settings": 28,
        "paper-vit-s": 16,
        "paper-vit-s-settings": 9,
        "small-resnet": 4,
        "small-resnet-settings": 6,
        "small-resnet-regimes": 6,
        "small-vit": 4,
        "small-vit-settings": 6,
        "small-vit-regimes": 6,
    }
    assert {name: len(read_recipe_file(RECIPES / f"{name}.toml").list_recipes()) for name in counts} == counts
    six, three = {0.1, 0.2, 0.5, 1.0, 2.0, 5.0}, {0.2, 0.4, 1.0}
    assert factors("paper-resnet50-settings.toml", "optimizer.learning_rate", 0.1) == six
    assert factors("paper-resnet50-settings.toml", "optimizer.weight_decay", 1e-4) == six
    assert factors("paper-vit-s-settings.toml", "optimizer.learning_rate", 5e-4) == three
    assert factors("paper-vit-s-settings.toml", "optimizer.weight_decay", 0.05) == three
    assert factors("small-resnet-settings.toml", "optimizer.learning_rate", 0.004) <= six
    assert factors("small-vit-settings.toml", "optimizer.learning_rate", 0.004) <= three
    schedules = {one.schedule.name for one in read_recipe_file(RECIPES / "paper-resnet50-settings.toml").list_recipes()}
    assert schedules == {"step", "cosine"}


def test_the_paper_s_vit_is_trained_as_deit() -> None:
    recipe = read_recipe_file(RECIPES / "paper-vit-s.toml").list_recipes()[0]
    settings = recipe.settings
    deit = {
        "epochs": 300,
        "optimizer.name": "adamw",
        "optimizer.learning_rate": 5e-4 * recipe.batch_size / 512,
        "optimizer.weight_decay": 0.05,
        "optimizer.clip_norm": 0.0,
        "schedule.name": "cosine",
        "schedule.warmup_epochs": 5,
        "schedule.warmup_learning_rate": 1e-6,
        "schedule.lowest_learning_rate": 1e-5,
        "network.options.drop_path_rate": 0.1,
        "average": 0.99996,
        "loss.label_smoothing": 0.1,
        "augmentation.rand_augment": "rand-m9-mstd0.5-inc1",
        "augmentation.random_erasing": 0.25,
        "augmentation.repeats": 3,
        "mixing.mixup": 0.8,
        "mixing.cutmix": 1.0,
        "mixing.switch": 0.5,
        "network.crop": 0.875,
    }
    assert {name: settings[name] for name in deit} == deit
    student = read_recipe_file(RECIPES / "paper-student.toml").list_recipes()[0]
    assert student.optimizer.learning_rate == 5e-4 * student.batch_size / 512
