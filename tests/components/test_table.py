"""Tables of components: the paper's, and those that a user writes."""

from pathlib import Path

import pandas as pd
import pytest

from zooscope.classifiers.providers import paper
from zooscope.components.table import read_component_table, read_paper_components
from zooscope.components.vocabulary import COMPONENTS
from zooscope.errors import InvalidValueError, MissingFileError, UnknownNameError


def written(folder: Path, text: str) -> Path:
    file = folder / "components.csv"
    file.write_bytes(text.encode())
    return file


# The paper's


def test_the_paper_has_69_networks_and_no_empty_cell() -> None:
    table = read_paper_components()
    assert table.shape == (69, 13)
    assert tuple(table.index) == paper.list_names()
    assert not table.isna().any(axis=None)


def test_the_paper_has_as_many_of_each_kind_as_its_tables_list() -> None:
    # Counted by hand in Tables A.3 and A.4.
    table = read_paper_components()
    counts = table["base architecture"].value_counts().to_dict()
    assert counts == {"CNN": 39, "Transformer": 10, "NAS (CNN)": 8, "Hybrid": 8, "MLP-Mixer": 3, "NAS (TFM)": 1}
    assert table["input resolution"].value_counts().to_dict() == {"224x224": 48, "256x256": 18, "240x240": 2, "299x299": 1}
    assert (table["pooling for final feature"] == "CLS token").sum() == 13
    assert (table["pooling at stem"] == "Yes").sum() == 24


def test_only_attention_has_a_location() -> None:
    table = read_paper_components()
    without = table["location of channel-wise attention"] == "-"
    # The paper names no location for the split attention of ResNeSt.
    assert list(table.index[without & (table["channel-wise attention"] != "No")]) == ["resnest50d"]
    assert (table.loc[~without, "channel-wise attention"] != "No").all()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("resnet50", "CNN Yes 7s2 224x224 BN ReLU Yes GAP No No - No No"),
        ("deit_small_patch16_224", "Transformer No 16s16 224x224 LN GeLU No CLS_token No No - No No"),
        ("eca_nfnet_l0", "CNN Yes 3s2/3/3/3s2 224x224 Norm-free SiLU No GAP No Yes_(ECA) End No Yes"),
        ("lamhalobotnet50ts_256", "CNN Yes 3s2/3/3s2 256x256 BN SiLU No GAP Yes_(Lambda,_Halo,_BoT) No - No No"),
        ("rexnet_150", "NAS_(CNN) Yes 3s2 224x224 BN ReLU_+_SiLU_+_ReLU6 No GAP No Yes_(SE) Middle Yes No"),
    ],
)
def test_rows_are_those_of_the_paper(name: str, values: str) -> None:
    expected = [value.replace("_", " ") for value in values.split(" ")]
    assert list(read_paper_components().loc[name]) == expected


# A user's


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    read_paper_components().to_csv(tmp_path / "paper.csv")
    pd.testing.assert_frame_equal(read_component_table(tmp_path / "paper.csv", in_vocabulary=True), read_paper_components())


def test_any_columns_are_read_and_empty_cells_are_missing(tmp_path: Path) -> None:
    table = read_component_table(written(tmp_path, "\ufeffwho, colour ,NA\r\n bundled:vit ,None,\r\n\r\nb,,nan\r\n"))
    assert list(table.index) == ["bundled:vit", "b"]
    assert list(table.columns) == ["colour", "NA"]
    assert table.loc["bundled:vit", "colour"] == "None"
    assert table.loc["b", "NA"] == "nan"
    assert table.isna().to_numpy().tolist() == [[False, True], [True, False]]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no file .*nothing\.csv; give the path of a CSV file"):
        read_component_table(tmp_path / "nothing.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"names no components; its first line must name the columns"),
        ("name\na\n", r"names no components; its first line must name the columns"),
        ("name,colour\n\n", r"has only its first line; add one line per classifier"),
        ("name,colour,\na,red,\n", r"a component has no name; fill in the whole first line"),
        ("name,colour\na,red,blue\n", r"the line 'a,red,blue' has 3 cells, the first line 2; write as many"),
        ("name,colour\n,red\n", r"the line ',red' doesn't name its classifier; put the name into its first cell"),
        ("name,colour\na,red\nb,red\na,blue\n", r"has the classifier 'a' twice; leave one out"),
        ("name,colour,colour\na,red,blue\n", r"has the component 'colour' twice; leave one out"),
        ('name,colour\na,"red\n', r"can't be read as CSV \(unexpected end of data\); save it as UTF-8 text with commas"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        read_component_table(written(tmp_path, text))


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"name,colour\na,\xff\n")
    with pytest.raises(InvalidValueError, match=r"can't be read as CSV \('utf-8' codec can't decode .*\); save it as UTF-8"):
        read_component_table(tmp_path / "a.csv")


def test_the_vocabulary_is_held_to_when_asked(tmp_path: Path) -> None:
    file = written(tmp_path, "name,stem layer,hierarchical\na,5s2,\nb,3s2,perhaps\n")
    assert read_component_table(file).shape == (2, 2)
    with pytest.raises(InvalidValueError, match=r"b has the hierarchical 'perhaps'; write one of Yes, No, or in the same way"):
        read_component_table(file, in_vocabulary=True)
    file = written(tmp_path, "name,stem\na,5s2\n")
    with pytest.raises(
        UnknownNameError, match=r"unknown component 'stem'\. Did you mean stem layer\? It stands in .*; the components"
    ):
        read_component_table(file, in_vocabulary=True)


def test_the_components_are_named_as_everywhere() -> None:
    assert COMPONENTS[0] == "base architecture"
    assert COMPONENTS[10] == "location of channel-wise attention"
