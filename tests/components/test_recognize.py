"""Components and values in other spellings than the vocabulary's."""

import pandas as pd
import pytest

from zooscope.components.recognize import recognize_component, recognize_components, recognize_value
from zooscope.components.table import read_paper_components
from zooscope.components.vocabulary import COMPONENTS, VALUES
from zooscope.errors import InvalidValueError

# The headings of the paper's Tables A.2 (its wording, in the vocabulary's order), A.3 and A.4, and what others write.
HEADINGS_OF_A2 = [
    "Base architecture",
    "Using hierarchical structure",
    "Stem layer",
    "Input resolution",
    "Normalization layer",
    "Activation functions",
    "Using pooling at stem",
    "Type of pooling for final feature",
    "Using 2D self-attention",
    "Using channel-wise (CW) attention",
    "Location of CW attentions",
    "Using depth-wise convolution",
    "Using group convolution",
]
HEADINGS_OF_A3_AND_A4 = [
    "Base architecture",
    "Hierarchical structure",
    "Stem layer",
    "Input resolution",
    "Normalization",
    "Activation",
    "Pooling (stem)",
    "Pooling (final)",
    "2D SA",
    "CW attention",
    "Location of CW attention",
    "DW conv",
    "Group conv",
]
OTHERS = [
    "base_arch",
    "isHierarchical",
    "stem",
    "img_size",
    "norm_layer",
    "act",
    "stemPooling",
    "final pool",
    "2d_self_attention",
    "CWA",
    "CWA location",
    "DWConv",
    "grouped_convs",
]


@pytest.mark.parametrize("headings", [HEADINGS_OF_A2, HEADINGS_OF_A3_AND_A4, OTHERS])
def test_headings_of_the_paper_and_of_others_name_the_13_components(headings: list[str]) -> None:
    assert tuple(map(recognize_component, headings)) == COMPONENTS


@pytest.mark.parametrize("column", ["accuracy", "ERR", "FLOPs", "Params (M)", "group", "name", "Architecture", "attention", ""])
def test_other_columns_are_no_components(column: str) -> None:
    assert recognize_component(column) is None


@pytest.mark.parametrize("component", COMPONENTS)
def test_known_values_stay_and_are_known_in_any_case_and_spacing(component: str) -> None:
    for value in VALUES[component]:
        for text in (value, value.lower(), value.upper(), value.replace(" ", ""), value.replace(" ", "_")):
            assert recognize_value(component, text) == value


@pytest.mark.parametrize(
    ("component", "text", "value"),
    [
        ("base architecture", "Conv", "CNN"),
        ("base architecture", "vision transformer", "Transformer"),
        ("base architecture", "Hybrid (CNN + Transformer)", "Hybrid"),
        ("base architecture", "NAS-Net", None),  # of convolutions or of attention?
        ("hierarchical", "1", "Yes"),
        ("hierarchical", "0.0", "No"),
        ("hierarchical", "\N{CHECK MARK}", "Yes"),
        ("hierarchical", "x", None),  # a cross or a tick?
        ("stem layer", "7\N{MULTIPLICATION SIGN}7 conv with stride 2", "7s2"),
        ("stem layer", "3S2 / 3 / 3", "3s2/3/3"),
        ("stem layer", "five", None),
        ("input resolution", "224 \N{MULTIPLICATION SIGN} 224", "224x224"),
        ("input resolution", "(3, 240, 320)", "240x320"),
        ("input resolution", "224.0", "224x224"),
        ("input resolution", "large", None),
        ("normalization", "batchnorm", "BN"),
        ("normalization", "BN + LN", "LN + BN"),  # one set, one spelling
        ("normalization", "gn+bn", "BN + GN"),
        ("normalization", "none", "Norm-free"),
        ("activation", "GELU", "GeLU"),
        ("activation", "relu, swish", "ReLU + SiLU"),
        ("pooling for final feature", "Classification (CLS) token", "CLS token"),
        ("pooling for final feature", "global average pooling", "GAP"),
        ("2D self-attention", "BoT & Halo", "Yes (Halo, BoT)"),
        ("2D self-attention", "true", "Yes"),
        ("channel-wise attention", "squeeze-and-excitation", "Yes (SE)"),
        ("channel-wise attention", "Yes (NEW)", None),
        ("activation", "Swash", None),
        ("activation", "tanh", "Tanh"),
        ("normalization", "BatchNrm", None),
        ("location of channel-wise attention", "At the end of each block", "End"),
    ],
)
def test_values_of_others_are_written_as_in_the_vocabulary(component: str, text: str, value: str | None) -> None:
    assert recognize_value(component, text) == value


def test_the_papers_table_under_its_own_headings_comes_out_as_it_is() -> None:
    table = read_paper_components()
    found = recognize_components(table.set_axis(HEADINGS_OF_A3_AND_A4, axis=1))
    pd.testing.assert_frame_equal(found.table, table.astype(object))
    assert found.unknown == ()


def test_what_is_read_as_something_else_and_what_is_unknown_is_said_once_and_kept() -> None:
    table = pd.DataFrame(
        {
            "Architecture": ["Conv", "ViT", "conv"],
            "act": ["GELU", "gelu", "Gelo-2!"],
            "hierarchical": [True, False, None],
            "normalisaton": ["BN", "LN", "LN"],
            "accuracy": [0.8, 0.75, float("nan")],
        },
        index=["a", "b", "c"],
    )
    found = recognize_components(table)
    assert found.table.to_dict(orient="list") == {
        "base architecture": ["CNN", "Transformer", "CNN"],
        "activation": ["GeLU", "GeLU", "Gelo-2!"],
        "hierarchical": ["Yes", "No", None],
        "normalisaton": ["BN", "LN", "LN"],
        "accuracy": ["0.8", "0.75", None],
    }
    assert found.changes == (
        "columns read: Architecture as base architecture, act as activation.",
        (
            "values read, by component: base architecture: Conv as CNN, ViT as Transformer, conv as CNN; "
            "activation: GELU as GeLU, gelu as GeLU; hierarchical: True as Yes, False as No."
        ),
    )
    assert found.unknown == (
        (
            "columns that are none of the 13 components are kept under their names: normalisaton (did you mean normalization?), "
            "accuracy."
        ),
        (
            "unknown values of activation are kept as they are: Gelo-2! (1 classifier, near GeLU). "
            "Known: ReLU, Leaky ReLU, GeLU, SiLU, HardSwish and others."
        ),
    )


def test_a_column_of_names_of_architectures_is_no_base_architecture() -> None:
    found = recognize_components(pd.DataFrame({"architecture": ["resnet50", "ViT"]}, index=["a", "b"]))
    assert list(found.table.columns) == ["architecture"]


def test_a_network_without_channel_wise_attention_has_no_location_of_it() -> None:
    table = pd.DataFrame({"CW attention": ["No", "SE", "No"], "Location of CW attention": [None, None, "-"]}, index=["a", "b", "c"])
    found = recognize_components(table)
    assert found.table["location of channel-wise attention"].tolist() == ["-", None, "-"]
    assert found.changes[-1] == "1 empty cell of location of channel-wise attention filled with -: there is no such attention."


def test_cells_that_say_not_known_are_empty_and_said() -> None:
    found = recognize_components(pd.DataFrame({"activation": ["?", "n/a", "ReLU", ""]}, index=list("abcd")))
    assert found.table["activation"].tolist() == [None, None, "ReLU", None]
    assert found.changes == ("values read, by component: activation: ? as not known, n/a as not known.",)


def test_one_component_in_two_columns_is_refused() -> None:
    table = pd.DataFrame({"Pooling (stem)": ["Yes"], "pooling at stem": ["No"]}, index=["a"])
    with pytest.raises(
        InvalidValueError, match=r"has pooling at stem twice, as 'Pooling \(stem\)' and as 'pooling at stem'; leave one"
    ):
        recognize_components(table)
