"""Reads the 13 components of any network."""

from collections.abc import Mapping
from pathlib import Path

from zooscope.classifiers.classifier import Classifier
from zooscope.components.reading.activations import read_activation
from zooscope.components.reading.attention import find_attention, read_self_attention
from zooscope.components.reading.base import find_mixing, read_base
from zooscope.components.reading.gates import find_gates, read_channel_attention, read_location
from zooscope.components.reading.grid import read_final_pooling, read_hierarchical
from zooscope.components.reading.layers import Layers
from zooscope.components.reading.norms import read_normalization
from zooscope.components.reading.reading import Reading, list_modules
from zooscope.components.reading.stem import find_stem
from zooscope.components.reading.trace import Trace, trace
from zooscope.components.recognize import recognize_components
from zooscope.components.table import read_component_table
from zooscope.errors import UnknownNameError

Components = Mapping[str, Reading]


def read_components(classifier: Classifier) -> Components:
    """The 13 components of a classifier's network, in the table's order, each with the reason for its value.

    Raises:
        ClassifierError: the network can't process one image.

    Example:
        >>> import zooscope
        >>> found = read_components(zooscope.load_classifier("bundled:vit"))
        >>> found["base architecture"].value, found["normalization"].value
        ('Transformer', 'LN')
    """
    return read_trace(trace(classifier))


def read_trace(seen: Trace) -> Components:
    """The components of a network from the trace of a pass."""
    layers = Layers(seen)
    stem, attention, gates = find_stem(layers), find_attention(layers), find_gates(layers)
    base = read_base(layers, find_mixing(layers, stem, attention))
    return {
        "base architecture": base,
        "hierarchical": read_hierarchical(layers, stem),
        "stem layer": stem.layer,
        "input resolution": Reading(value=f"{seen.height}x{seen.width}", why="the classifier's input size"),
        "normalization": read_normalization(layers),
        "activation": read_activation(layers),
        "pooling at stem": stem.is_pooled,
        "pooling for final feature": read_final_pooling(layers),
        "2D self-attention": read_self_attention(attention, base.value),
        "channel-wise attention": read_channel_attention(gates),
        "location of channel-wise attention": read_location(gates),
        "depth-wise convolution": _read_presence(
            [each.step.path for each in layers.convolutions if each.is_depthwise], "each channel separately"
        ),
        "group convolution": _read_presence(
            [each.step.path for each in layers.convolutions if each.is_grouped], "channels in groups"
        ),
    }


def override_components(found: Components, file: str | Path, *, name: str) -> Components:
    """Replaces readings by the values of a CSV file, and appends components that only the file has.

    Args:
        found: readings.
        file: see `zooscope.components.table.read_component_table`; an empty cell keeps the reading.
        name: of the classifier, as in the file's first column.

    Raises:
        UnknownNameError: the file has no line for the classifier.
        MissingFileError: there is no such file.
        InvalidValueError: the file is not such a CSV file.
    """
    table = recognize_components(read_component_table(file)).table
    if name not in table.index:
        kind = f"classifier in {file}"
        raise UnknownNameError(kind, name, table.index, "Its first column must contain this name.")
    given = {str(component): str(value) for component, value in table.loc[name].dropna().items()}
    return {**found, **{component: Reading(value=value, why=str(file)) for component, value in given.items()}}


def _read_presence(paths: list[str], what: str) -> Reading:
    if not paths:
        return Reading(value="No", why=f"no convolution processes {what}")
    return Reading(value="Yes", why=f"convolutions that process {what}: {list_modules(paths)}")
