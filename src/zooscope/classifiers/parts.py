"""The networks in a checkpoint: dictionaries of tensors, within dictionaries, with or without something in front of all names."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor

DEEPEST: Final = 4  # dictionaries within dictionaries
TECHNICAL: Final = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_fpw_module", "_checkpoint_wrapped_module"})
"""What torch.compile, FSDP and activation checkpointing put into names, anywhere."""
BOOKKEEPING: Final = frozenset({"n_averaged", "num_updates", "decay", "initted", "step", "total_ops", "total_params"})
"""Single numbers that averaging and counters of operations keep beside the weights."""
COUNTED: Final = "num_batches_tracked"  # PyTorch did not always write it, and nothing here reads it
AVERAGED: Final = re.compile(r"(^|[._])(ema|averaged|swa)([._]|$)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Tensors by name, from one dictionary of a checkpoint.

    Attributes:
        path: the keys that lead to the dictionary.
        tensors: by name, without what is technical in a name.
    """

    path: tuple[str, ...]
    tensors: Mapping[str, Tensor]

    def inside(self, label: str) -> "Part | None":
        """What lies at a label or below it; None if nothing does."""
        own = ".".join(self.path)
        if own == label or own.startswith(f"{label}."):
            return self
        start = label.removeprefix(f"{own}.") if own else label
        tensors = {name.removeprefix(f"{start}."): value for name, value in self.tensors.items() if name.startswith(f"{start}.")}
        return Part(path=(label,), tensors=tensors) if tensors and (not own or start != label) else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """A part read as the weights of a network.

    Attributes:
        label: where the weights are: the part's path, and what is in front of their names.
        weights: by the network's names; what the network doesn't know keeps its own.
        beside: names in the part that have something else in front.
        is_complete: whether all weights of the network are there.
        num_known: how many are.
    """

    label: str
    weights: Mapping[str, Tensor] = field(repr=False)
    beside: Sequence[str]
    is_complete: bool
    num_known: int

    @property
    def is_averaged(self) -> bool:
        """Whether these are averages over the steps of training."""
        return AVERAGED.search(self.label) is not None

    def equals(self, other: "Candidate") -> bool:
        """Whether both hold the same values."""
        return self.weights.keys() == other.weights.keys() and all(
            value.shape == other.weights[name].shape
            and value.dtype == other.weights[name].dtype
            and torch.equal(value, other.weights[name])
            for name, value in self.weights.items()
        )

    def fits(self, expected: Mapping[str, Tensor]) -> bool:
        """Whether all shapes are those of the network."""
        return all(value.shape == expected[name].shape for name, value in self.weights.items() if name in expected)


def find_parts(content: object, path: tuple[str, ...] = ()) -> Iterator[Part]:
    """All dictionaries that hold tensors by name, those outside first."""
    if not isinstance(content, Mapping):
        return
    tensors = {name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, Tensor)}
    if tensors:
        yield Part(path=path, tensors=_remove_prefix(tensors))
    for key, value in content.items():
        if isinstance(key, str) and len(path) < DEEPEST:
            yield from find_parts(value, (*path, key))


def find_candidates(part: Part, expected: Collection[str]) -> list[Candidate]:
    """The readings of a part that have all weights of a network; if there are none, the one that has most.

    What is in front of all names is told from the ends of the names.
    """
    known = _find_plain_names(expected)
    required = {name for name in known if not name.endswith(COUNTED)}
    counts: Counter[str] = Counter()
    for name in part.tensors:
        pieces = name.split(".")
        for start in range(len(pieces)):
            if ".".join(pieces[start:]) in required:
                counts[".".join(pieces[:start])] += 1
    whole = sorted(prefix for prefix, count in counts.items() if count == len(required))
    if whole:
        return [
            _read(part, prefix, known, count=counts[prefix], others=[other for other in whole if other != prefix])
            for prefix in whole
        ]
    best = max(counts, key=lambda prefix: (counts[prefix], -len(prefix)), default="")
    return [_read(part, best, known, count=counts[best], others=None)]


def find_common_start(names: Iterable[str]) -> str:
    """The pieces, with dots between, that all names begin with."""
    split = [name.split(".")[:-1] for name in names]
    first, last = min(split, default=[]), max(split, default=[])
    num = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), min(len(first), len(last)))
    return ".".join(first[:num])


def _read(part: Part, prefix: str, known: Mapping[str, str], *, count: int, others: Sequence[str] | None) -> Candidate:
    """The tensors without a prefix; `others` are prefixes of other complete networks, None if this one is not complete."""
    start = f"{prefix}." if prefix else ""
    away = tuple(f"{other}." for other in others or () if other and not start.startswith(f"{other}."))
    weights, beside = {}, []
    for name, value in part.tensors.items():
        bare = name.removeprefix(start)
        if name.startswith(start) and bare in known:
            weights[known[bare]] = value
        elif name.startswith(away) or ("" in (others or ()) and name in known) or _is_bookkeeping(name, value):
            continue
        elif name.startswith(start):
            weights[bare] = value
        else:
            beside.append(name)
    label = ".".join(piece for piece in (*part.path, prefix) if piece)
    return Candidate(label=label, weights=weights, beside=beside, is_complete=others is not None, num_known=count)


def _is_bookkeeping(name: str, value: Tensor) -> bool:
    return value.numel() == 1 and name.rpartition(".")[2] in BOOKKEEPING


def _find_plain_names(names: Iterable[str]) -> dict[str, str]:
    """Names by what they are without the technical pieces; as they are if two would become one."""
    originals = list(names)
    plain = {".".join(piece for piece in name.split(".") if piece not in TECHNICAL): name for name in originals}
    return plain if len(plain) == len(originals) else {name: name for name in originals}


def _remove_prefix(tensors: Mapping[str, Any]) -> dict[str, Tensor]:
    return {plain: tensors[name] for plain, name in _find_plain_names(tensors).items()}
