"""How well the components read from a network agree with the paper's table: 68 networks, 13 components, as Markdown.

    python benchmarks/components.py
    python benchmarks/components.py --networks resnet50 swin_tiny_patch4_window7_224

Every network is built without weights, on torch's meta device, so this takes about a minute and needs no download. The tables of
docs/components.md are what it prints. The rules were written while looking at one half of the networks, drawn by a fixed seed; the
other half was held out, and its result at the first reading is kept in FIRST.
"""

import argparse
import gc
import random
from collections.abc import Iterable, Mapping
from typing import Final

from zooscope.classifiers.providers import paper
from zooscope.components.reading.read import Components, read_components
from zooscope.components.reading.skeleton import load_skeleton
from zooscope.components.vocabulary import COMPONENTS

NETWORKS: Final = tuple(sorted(entry.name for entry in paper.read_entries() if entry.timm is not None))
LOOKED_AT: Final = frozenset(random.Random(2024).sample(NETWORKS, len(NETWORKS) // 2))  # noqa: S311  (a draw, not a secret)
HELD_OUT: Final = frozenset(NETWORKS) - LOOKED_AT
FIRST: Final = {  # disagreements in the held-out half at the first reading
    "base architecture": 3,
    "hierarchical": 1,
    "normalization": 1,
    "pooling at stem": 1,
    "2D self-attention": 1,
    "location of channel-wise attention": 1,
    "depth-wise convolution": 2,
}
READING, TABLE, EITHER = "reading", "table", "either"
NO_DEPTHWISE: Final = "timm builds no convolution with as many groups as channels there"
JUDGED: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("convmixer_1536_20", "hierarchical"): (READING, "ConvMixer keeps 32x32 places from its stem to its end"),
    ("gmlp_s16_224", "hierarchical"): (READING, "gMLP keeps 14x14 tokens; the table says No of ResMLP-S24, which does the same"),
    ("resmlp_big_24_224", "hierarchical"): (
        READING,
        "ResMLP-B24 keeps 28x28 tokens; the table says No of ResMLP-S24, which is built alike",
    ),
    ("vit_small_r26_s32_224", "hierarchical"): (
        EITHER,
        "its convolutional half shrinks from 56x56 to 7x7, its Transformer half doesn't",
    ),
    ("pit_b_224", "base architecture"): (
        EITHER,
        "the table calls PiT-S, which is built alike, a Transformer; its convolutions only shrink the grid",
    ),
    ("swin_s3_tiny_224", "base architecture"): (TABLE, "its window sizes came from a search; nothing in the structure tells that"),
    ("poolformer_m48", "normalization"): (
        READING,
        "today's timm has a layer norm in the head, behind the group norms of the blocks",
    ),
    ("resnest50d", "location of channel-wise attention"): (
        READING,
        "the table's cell is empty; the split attention is before the last convolution",
    ),
    ("gcresnet50t", "depth-wise convolution"): (READING, NO_DEPTHWISE),
    ("gcresnext50ts", "depth-wise convolution"): (READING, f"{NO_DEPTHWISE}, but with groups of 32"),
    ("nf_regnet_b1", "depth-wise convolution"): (READING, f"{NO_DEPTHWISE}, but with groups of 8"),
}


def main() -> None:
    """Reads and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS, metavar="NAME")
    found = read_networks(parser.parse_args().networks)
    print("\n".join([*tabulate_agreement(found), "", *tabulate_disagreements(found)]))


def read_networks(names: Iterable[str]) -> dict[str, Components]:
    """The components of some of the paper's networks, one network in memory at a time."""
    found = {}
    for name in names:
        found[name] = read_components(load_skeleton(f"paper:{name}"))
        gc.collect()
    return found


def find_disagreements(found: Mapping[str, Components]) -> list[tuple[str, str]]:
    """Network and component wherever reading and table differ."""
    return [
        (name, component)
        for name, components in found.items()
        for component in COMPONENTS
        if components[component].value != paper.find_entry(name).components[component]
    ]


def tabulate_agreement(found: Mapping[str, Components]) -> list[str]:
    """The table of agreement per component, as Markdown."""
    wrong = find_disagreements(found)
    halves = [[name for name in found if name in half] for half in (LOOKED_AT, HELD_OUT)]
    lines = [
        f"| component | all {len(found)} | looked at ({len(halves[0])}) | held out ({len(halves[1])}) | held out, at first |",
        "|---|---|---|---|---|",
    ]
    for component in (*COMPONENTS, "all"):
        of = [name for name, where in wrong if component in {where, "all"}]
        times = len(COMPONENTS) if component == "all" else 1
        shares = [
            _format_share(len([name for name in of if name in group]), times * len(group)) for group in (list(found), *halves)
        ]
        first = sum(FIRST.values()) if component == "all" else FIRST.get(component, 0)
        lines.append(f"| {component} | {' | '.join(shares)} | {_format_share(first, times * len(HELD_OUT))} |")
    return lines


def tabulate_disagreements(found: Mapping[str, Components]) -> list[str]:
    """Every disagreement, and who is right, as Markdown."""
    lines = ["| network | component | table | reading | right is | because |", "|---|---|---|---|---|---|"]
    for name, component in find_disagreements(found):
        table, reading = paper.find_entry(name).components[component], found[name][component]
        right, because = JUDGED.get((name, component), ("not judged yet", reading.why))
        lines.append(f"| {name} | {component} | {table} | {reading.value} | {right} | {because} |")
    return lines


def _format_share(wrong: int, total: int) -> str:
    return f"{total - wrong} of {total}, {100 * (total - wrong) / total:.1f} %" if total else "-"


if __name__ == "__main__":
    main()
