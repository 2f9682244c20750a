"""Other ways to write the components and their values: of the paper's own tables, of papers in general, and of libraries."""

from typing import Final

from zooscope.components.vocabulary import COMPONENTS

# Words of a column's name that say the same, and words that say nothing: {channelwise, attention} is what is left of
# "Using channel-wise (CW) attention".
SAME_WORDS: Final = {
    "arch": "architecture",
    "archi": "architecture",
    "norm": "normalization",
    "norms": "normalization",
    "normalisation": "normalization",
    "act": "activation",
    "activations": "activation",
    "nonlinearity": "activation",
    "pool": "pooling",
    "pooled": "pooling",
    "conv": "convolution",
    "convs": "convolution",
    "convolutions": "convolution",
    "grouped": "group",
    "dw": "depthwise",
    "cw": "channelwise",
    "channel": "channelwise",
    "hierarchy": "hierarchical",
    "loc": "location",
    "res": "resolution",
    "img": "image",
    "attentions": "attention",
}
PAIRS_OF_WORDS: Final = {
    "depth wise": "depthwise",
    "channel wise": "channelwise",
    "dwconv": "dw conv",
    "groupconv": "group conv",
    "batchnorm": "batch norm",
    "inres": "input resolution",
    "2 d": "2d",
    "2dsa": "2d self attention",
    "cwa": "channelwise attention",
    "sa": "self attention",
    "att": "attention",
    "attn": "attention",
    "nonlinear": "nonlinearity",
}
# fmt: off
IDLE_WORDS: Final = frozenset({
    "a", "an", "the", "of", "for", "at", "in", "to", "by", "with", "is", "has", "have", "use", "uses", "using", "used", "type",
    "kind", "layer", "layers", "function", "functions", "structure", "feature", "features", "block", "blocks", "component",
})
# fmt: on

# The sets of words that name a component.
COLUMNS: Final = {
    "base architecture": ("base architecture", "base"),
    "hierarchical": ("hierarchical",),
    "stem layer": ("stem", "stem convolution"),
    "input resolution": ("input resolution", "resolution", "input size", "image size", "image resolution"),
    "normalization": ("normalization",),
    "activation": ("activation",),
    "pooling at stem": ("pooling stem",),
    "pooling for final feature": ("pooling final", "pooling head", "pooling global"),
    "2D self-attention": ("2d self attention", "2d attention"),
    "channel-wise attention": ("channelwise attention",),
    "location of channel-wise attention": ("location channelwise attention", "location attention"),
    "depth-wise convolution": ("depthwise convolution", "depthwise"),
    "group convolution": ("group convolution",),
}
# Names that often mean something else: taken only where every value is known.
UNSURE_COLUMNS: Final = {
    "architecture": "base architecture",
    "architecture family": "base architecture",
    "family": "base architecture",
    "self attention": "2D self-attention",
    "input": "input resolution",
}

YES: Final = frozenset(
    {"yes", "y", "true", "t", "1", "1.0", "\N{CHECK MARK}", "\N{HEAVY CHECK MARK}", "\N{WHITE HEAVY CHECK MARK}"}
)
NO: Final = frozenset(
    {"no", "n", "false", "f", "0", "0.0", "none", "\N{BALLOT X}", "\N{HEAVY BALLOT X}", "\N{CROSS MARK}", "\N{MULTIPLICATION SIGN}"}
)
NOT_KNOWN: Final = frozenset({"", "?", "nan", "n/a", "na", "<na>", "null", "unknown", "notknown"})

# Values as `make_key` of `zooscope.components.recognize` leaves them: lower case, without spaces, hyphens and parentheses.
_VALUES: Final = {
    "base architecture": {
        "CNN": "conv convs convnet convolution convolutional convolutionalnetwork convolutionalneuralnetwork convnets",
        "Transformer": "tfm transformers vit visiontransformer",
        "MLP-Mixer": "mlp mixer",
        "Hybrid": "cnn+transformer hybridcnn+transformer cnn+tfm conv+transformer",
        "NAS (CNN)": "nasnetcnn",
        "NAS (TFM)": "nasnettfm nastransformer",
    },
    "normalization": {
        "BN": "batchnorm batchnorm2d batchnormalization batch",
        "LN": "layernorm layernorm2d layernormalization layer",
        "GN": "groupnorm groupnormalization group",
        "IN": "instancenorm instancenorm2d instancenormalization instance",
        "RMSNorm": "rms rmsnormalization",
        "Norm-free": "none no normalizationfree nonorm nonormalization nf",
        "EvoNorm": "evonorms0 evos",
        "Affine transform": "affine affinetransformation",
    },
    "activation": {
        "GeLU": "gaussianerrorlinearunit quickgelu gelutanh",
        "SiLU": "swish",
        "HardSwish": "hswish",
        "Leaky ReLU": "lrelu",
        "ReLU6": "",
        "ELU": "",
        "SELU": "",
        "CELU": "",
        "Softplus": "",
        "Tanh": "",
        "Mish": "",
        "PReLU": "",
        "-": "none no",
    },
    "pooling for final feature": {
        "GAP": "avg avgpool average averagepool averagepooling mean globalaverage globalaveragepool globalaveragepooling globalavg",
        "CLS token": "cls token classtoken classificationtoken classificationclstoken",
        "GMP": "max maxpool maxpooling globalmaxpool globalmaxpooling",
        "Attention": "attentionpool attentionpooling",
        "Flatten": "",
    },
    "location of channel-wise attention": {
        "Middle": "mid inthemiddle middleofblock middleofblocks inthemiddleofeachblock middleofeachblock",
        "End": "attheend endofblock endofblocks attheendofeachblock endofeachblock",
        "-": "none no",
    },
}
VALUES_BY_KEY: Final = {
    component: {key: value for value, keys in _VALUES.get(component, {}).items() for key in keys.split()}
    for component in COMPONENTS
}
OTHER_VALUES: Final = {component: tuple(values) for component, values in _VALUES.items()}

# What may stand behind "Yes", in the order in which several are written.
KINDS: Final = {
    "2D self-attention": {
        "Lambda": "lambdalayer lambdalayers",
        "Halo": "haloattention",
        "BoT": "bottleneck bottlenecktransformer",
        "Window": "",
        "Linear": "",
        "XCA": "",
    },
    "channel-wise attention": {
        "SE": "squeezeandexcitation squeezeexcitation squeezeexcite",
        "ECA": "efficientchannelattention",
        "ESE": "effectivese effectivesqueezeandexcitation",
        "GCA": "gc globalcontext globalcontextattention",
        "CBAM": "",
    },
}
