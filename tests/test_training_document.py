from pathlib import Path

import pytest

from zooscope.training.recipe import list_setting_names
from zooscope.training.recipe_file import read_recipe_file

DOCUMENT = (Path(__file__).parents[1] / "docs/training.md").read_text(encoding="utf-8")


def test_every_setting_is_in_the_table() -> None:
    cells = [line.split("|")[1] for line in DOCUMENT.splitlines() if line.startswith("| `")]
    named, section = set(), ""
    for cell in cells:
        for word in (part.strip(" `") for part in cell.split(",")):
            section = word.partition(".")[0] if "." in word and not word.startswith(".") else section
            named.add(f"{section}{word}" if word.startswith(".") else word)
    assert [name for name in list_setting_names() if name not in named] == []


@pytest.mark.parametrize("number", [0, 1])
def test_its_recipes_can_be_read(number: int, tmp_path: Path) -> None:
    text = DOCUMENT.split("```toml")[number + 1].partition("```")[0]
    file = tmp_path / "recipe.toml"
    file.write_text(
        text if "[network]" in text else f'network.architecture = "resnet18"\n{text.replace("draws = 28", "draws = 3")}'
    )
    assert read_recipe_file(file).list_recipes()
