"""Components entered into a record."""

from pathlib import Path

import pandas as pd
import pytest

from zooscope.errors import UnknownComponentWarning
from zooscope.study.study import Study

MATRIX = pd.DataFrame([[4.6, 3.0], [3.0, 4.6]], index=["a", "b"], columns=["a", "b"])


def test_components_are_entered_in_the_vocabularys_spelling(tmp_path: Path) -> None:
    table = pd.DataFrame({"2D SA": [0, 1], "Base architecture": ["conv", "vit"]}, index=["a", "b"])
    with Study.from_matrix(tmp_path / "study", MATRIX, components=table) as study:
        assert study.components().to_dict(orient="list") == {
            "base architecture": ["CNN", "Transformer"],
            "2D self-attention": ["No", "Yes"],
        }


def test_what_is_unknown_is_kept_and_said(tmp_path: Path) -> None:
    with Study.from_matrix(tmp_path / "study", MATRIX) as study:
        table = pd.DataFrame({"colour": ["red", "blue", "red"]}, index=["a", "b", "c"])
        with pytest.warns(UnknownComponentWarning) as said:
            study.set_components(table)
        assert [str(each.message) for each in said] == [
            "components: columns that are none of the 13 components are kept under their names: colour.",
            "components: 1 row of other classifiers not used: c.",
        ]
        assert study.components()["colour"].tolist() == ["red", "blue"]
