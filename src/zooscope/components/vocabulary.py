"""The 13 components and the values that the paper's tables give them.

Source: Hwang et al., Similarity of Neural Architectures using Adversarial Attack Transferability, ECCV 2024, Tables A.2 to A.4. The
spelling is theirs, unified: `224x224` for "224 x 224" with a multiplication sign, and `-` wherever a cell is empty.
"""

import re
from types import MappingProxyType
from typing import Final

YES_OR_NO: Final = {"Yes": "the network has it", "No": "the network has none"}

MEANINGS: Final = MappingProxyType(
    {
        "base architecture": {
            "CNN": "convolutions mix neighbouring places",
            "Transformer": "attention mixes all tokens, or those of a window",
            "MLP-Mixer": "linear layers across tokens mix them, without attention",
            "Hybrid": "convolutions and Transformer blocks together",
            "NAS (CNN)": "a convolutional network found by architecture search; NAS-Net in Table A.2",
            "NAS (TFM)": "a Transformer found by architecture search; NAS-Net in Table A.2",
        },
        "hierarchical": {
            "Yes": "the grid of features or tokens shrinks between blocks",
            "No": "the grid behind the stem stays as it is",
        },
        "stem layer": {
            "3s1": "one 3x3 convolution with stride 1",
            "3s2": "one 3x3 convolution with stride 2",
            "3s2/3": "two 3x3 convolutions, the first with stride 2",
            "3s2/3s2": "two 3x3 convolutions, both with stride 2",
            "3s2/3/3": "three 3x3 convolutions, the first with stride 2",
            "3s2/3/3s2": "three 3x3 convolutions, the first and the last with stride 2",
            "3s2/3s2/3s2": "three 3x3 convolutions, all with stride 2",
            "3s2/3/3/3s2": "four 3x3 convolutions, the first and the last with stride 2",
            "3s2/3s2/3s2/3s2": "four 3x3 convolutions, all with stride 2",
            "4s4": "patches of 4x4, side by side",
            "7s1": "one 7x7 convolution with stride 1",
            "7s2": "one 7x7 convolution with stride 2",
            "7s4": "patches of 7x7 every 4 pixels, overlapping",
            "7s7": "patches of 7x7, side by side",
            "8s8": "patches of 8x8, side by side",
            "14s7": "patches of 14x14 every 7 pixels, overlapping",
            "16s8": "patches of 16x16 every 8 pixels, overlapping",
            "16s16": "patches of 16x16, side by side",
            "32s32": "patches of 32x32, side by side",
        },
        "input resolution": {
            "224x224": "224 rows and columns of pixels",
            "240x240": "240 rows and columns of pixels",
            "256x256": "256 rows and columns of pixels",
            "299x299": "299 rows and columns of pixels",
        },
        "normalization": {
            "BN": "batch norm",
            "GN": "group norm",
            "LN": "layer norm",
            "LN + BN": "layer norm and batch norm, in different places",
            "LN + GN": "layer norm and group norm, in different places",
            "Norm-free": "none; scaled weights in its place",
            "EvoNorm": "a layer found by search that is normalization and activation in one",
            "Affine transform": "a scale and a shift per channel, without statistics",
        },
        "activation": {
            "ReLU": "max(x, 0)",
            "Leaky ReLU": "ReLU with a small slope below 0",
            "GeLU": "x times the normal distribution function",
            "SiLU": "x times the logistic function; also called Swish",
            "HardSwish": "SiLU in straight pieces",
            "ReLU + SiLU": "both, in different places",
            "ReLU + SiLU + ReLU6": "all three, in different places; ReLU6 is ReLU cut at 6",
            "GeLU + ReLU": "both, in different places",
            "-": "no layer of its own: EvoNorm contains it",
        },
        "pooling at stem": {
            "Yes": "a pooling layer closes the stem",
            "No": "the stem has no pooling layer",
        },
        "pooling for final feature": {
            "GAP": "global average pooling over all places",
            "CLS token": "a class token, which the blocks fill",
        },
        "2D self-attention": {
            "No": "none, or Transformer blocks, which the base architecture covers",
            "Yes (BoT)": "in a convolutional network, over all places (Bottleneck Transformer)",
            "Yes (Halo)": "in a convolutional network, over blocks and the places around them (HaloNet)",
            "Yes (Halo, BoT)": "both kinds",
            "Yes (Lambda)": "in a convolutional network, as lambda layers (LambdaNetworks)",
            "Yes (Lambda, Halo, BoT)": "all three kinds",
        },
        "channel-wise attention": {
            "No": "none",
            "Yes": "of another kind (ResNeSt's split attention)",
            "Yes (SE)": "squeeze-and-excitation",
            "Yes (ECA)": "efficient channel attention: a convolution along the channels",
            "Yes (ESE)": "effective squeeze-and-excitation: one layer",
            "Yes (GCA)": "global context attention",
        },
        "location of channel-wise attention": {
            "Middle": "before a block's last convolution",
            "End": "behind a block's last convolution",
            "-": "the table's cell is empty",
        },
        "depth-wise convolution": YES_OR_NO,
        "group convolution": YES_OR_NO,
    }
)

COMPONENTS: Final = tuple(MEANINGS)
VALUES: Final = {component: tuple(meanings) for component, meanings in MEANINGS.items()}

# The same spelling for networks other than the 69.
_LAYER: Final = r"[1-9]\d*(s[1-9]\d*)?"
_SEVERAL: Final = r"[A-Z][\w -]*( \+ [A-Z][\w -]*)*"
PATTERNS: Final = MappingProxyType(
    {
        "stem layer": re.compile(rf"{_LAYER}(/{_LAYER})*"),
        "input resolution": re.compile(r"[1-9]\d*x[1-9]\d*"),
        "normalization": re.compile(_SEVERAL),
        "activation": re.compile(_SEVERAL),
        "2D self-attention": re.compile(r"Yes \(\w+(, \w+)*\)"),
        "channel-wise attention": re.compile(r"Yes \(\w+(, \w+)*\)"),
    }
)


def is_known(component: str, value: str) -> bool:
    """Whether a value is in the paper's table, or spelled like one (`5s2`, `384x384`, `BN + GN`).

    Example:
        >>> is_known("stem layer", "5s2"), is_known("stem layer", "five")
        (True, False)
    """
    pattern = PATTERNS.get(component)
    return value in VALUES.get(component, ()) or (pattern is not None and pattern.fullmatch(value) is not None)
