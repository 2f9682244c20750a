"""Weights from a checkpoint into a network, wherever in the file they are and whatever is in front of their names."""

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from zooscope.classifiers.class_names import NAMELESS, ClassNames, find_class_names
from zooscope.classifiers.parts import COUNTED, Candidate, Part, find_candidates, find_common_start, find_parts
from zooscope.classifiers.weights_file import read_content
from zooscope.errors import ClassifierError, ClassMatchingWarning, UnknownNameError
from zooscope.words import list_few

NUM_NAMED_IN_ERROR: Final = 3
FULL: Final = "take the weights in full precision"


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """What a file holds that could be the weights of a network.

    Attributes:
        file: the file.
        parts: its dictionaries of tensors.
        class_names: what it calls the outputs of its network.
    """

    file: Path
    parts: Sequence[Part]
    class_names: ClassNames = NAMELESS

    def name_outputs(self, num_classes: int) -> tuple[str, ...] | None:
        """What it calls the outputs of a network; None where it doesn't say.

        Warns:
            ClassMatchingWarning: what it says can't be used: it names another number of outputs, or contradicts itself.
        """
        names, flaw = self.class_names
        if names is not None and len(names) != num_classes:
            flaw = f"there are {len(names)} of them for {num_classes} outputs"
        if flaw:
            msg = f"the names of classes in {self.file} are not used: {flaw}; outputs are matched by position, or by class_map=."
            warnings.warn(msg, ClassMatchingWarning, stacklevel=2)
            return None
        return names

    def renamed(self, rename: Callable[[str], str]) -> "Checkpoint":
        """The same with other names of tensors."""
        parts = [Part(path=part.path, tensors={rename(name): value for name, value in part.tensors.items()}) for part in self.parts]
        return replace(self, parts=parts)

    def names(self) -> frozenset[str]:
        """All names of tensors."""
        return frozenset(name for part in self.parts for name in part.tensors)

    def lengths(self, name: str) -> tuple[int, ...]:
        """The different lengths of a tensor with this name; with as little in front of the name as can be."""
        found = [
            (own.count("."), len(value))
            for part in self.parts
            for own, value in part.tensors.items()
            if f".{own}".endswith(f".{name}") and value.ndim
        ]
        return tuple(sorted({length for depth, length in found if depth == min(found)[0]}))


class Found(NamedTuple):
    """What a checkpoint has for a network.

    Attributes:
        weights: by the network's names.
        part: where they are; None if the checkpoint holds no others for this network.
        misfit: why the network can't be filled with them; None if it can.
        may_be_older: whether they may still be of the same network, under older names.
    """

    weights: dict[str, Tensor]
    part: str | None
    misfit: str | None
    may_be_older: bool


def read_checkpoint(file: Path, *, part: str | None = None) -> Checkpoint:
    """The tensors of a checkpoint by name, on the CPU.

    Args:
        file: `.safetensors`, or what `torch.save` wrote.
        part: where in it the weights are: keys, and what all names begin with, with dots between.

    Raises:
        MissingFileError: there is no such file.
        ClassifierError: the file is damaged, or holds no weights.
        UnknownNameError: it has no such part.
    """
    content = read_content(file)
    parts = list(find_parts(content))
    if not parts:
        msg = f"{file} holds no weights by name, but {_describe(content)}; save the network's state_dict()."
        raise ClassifierError(msg)
    class_names = find_class_names(content)
    if part is None:
        return Checkpoint(file=file, parts=parts, class_names=class_names)
    inside = [found for found in (one.inside(part) for one in parts) if found]
    if not inside:
        kind = f"part of {file}"
        labels = {".".join((*one.path, find_common_start(one.tensors))).strip(".") for one in parts} - {""}
        raise UnknownNameError(
            kind, part, labels, f"It has {_list_first(sorted(labels))}." if labels else "It has none; leave part= out."
        )
    return Checkpoint(file=file, parts=inside, class_names=class_names)


def find_weights(checkpoint: Checkpoint, expected: Mapping[str, Tensor], *, architecture: str) -> Found:
    """The weights in a checkpoint that fit a network: names as they are, or without what all have in front.

    Every name and every shape must fit. Only the counts of training batches may be missing. Where two networks fit and only one is
    an average over steps of training (EMA), the average is taken.

    Args:
        checkpoint: see `read_checkpoint`.
        expected: the network's `state_dict()`.
        architecture: the network, as a sentence about it calls it.

    Raises:
        ClassifierError: several networks in it fit, or the numbers are no weights.
    """
    candidates = [candidate for part in checkpoint.parts for candidate in find_candidates(part, expected)]
    complete = [candidate for candidate in candidates if candidate.is_complete]
    most = max(candidate.num_known for candidate in candidates)
    near = complete or [candidate for candidate in candidates if candidate.num_known == most]
    chosen, is_alone = _choose([candidate for candidate in near if candidate.fits(expected)] or near, checkpoint.file, architecture)
    unusable = _describe_unusable(chosen.weights, expected)
    if unusable:
        msg = f"{checkpoint.file} doesn't fit {architecture}: {unusable}."
        raise ClassifierError(msg)
    problem = _describe_problem(chosen, expected)
    misfit = f"{checkpoint.file} doesn't fit {architecture}: {problem}" if problem else None
    part = None if is_alone else chosen.label
    return Found(dict(chosen.weights), part, misfit, may_be_older=not chosen.beside and chosen.fits(expected))


def fill(network: nn.Module, checkpoint: Checkpoint, *, architecture: str) -> str | None:
    """Loads the weights that fit into a network, and gives the part of the checkpoint in which they are, if it holds others, too.

    Raises:
        ClassifierError: names are missing or too many, or shapes differ; the first are named. Or see `find_weights`.
    """
    expected = network.state_dict()
    found = find_weights(checkpoint, expected, architecture=architecture)
    if found.misfit:
        raise ClassifierError(found.misfit)
    network.load_state_dict(expected | found.weights)
    return found.part


def _choose(candidates: Sequence[Candidate], file: Path, architecture: str) -> tuple[Candidate, bool]:
    """One of several networks, and whether no other differs from it."""
    different: list[Candidate] = []
    for candidate in candidates:
        if not any(candidate.equals(other) for other in different):
            different.append(candidate)
    averaged = [candidate for candidate in different if candidate.is_averaged]
    if len(different) == 1:
        return different[0], True
    if len(averaged) == 1 and len(different) == 2:  # noqa: PLR2004  (one and the average of its steps)
        return averaged[0], False
    labels = [candidate.label for candidate in different if candidate.label]
    msg = f"{file} holds {len(different)} networks for {architecture} ({_list_first(labels)}); say which, as in part={labels[0]}."
    raise ClassifierError(msg)


def _describe_problem(candidate: Candidate, expected: Mapping[str, Tensor]) -> str | None:
    """Why a network can't be filled, as the end of a sentence, with what to do."""
    weights = candidate.weights
    lacking = [name for name in expected if name not in weights and not name.endswith(COUNTED)]
    unknown = [name for name in weights if name not in expected]
    if lacking and set(lacking) <= set(candidate.beside):
        own = f"{_list_first(lacking)} as named, but the other weights have {candidate.label}. in front of their names"
        return f"it has {own}. Save it with the same in front of all names, or with nothing."
    start = find_common_start([*unknown, *candidate.beside]) if lacking and not candidate.num_known else ""
    for problem, names in (
        ("it lacks", lacking),
        ("it has the unknown", unknown),
        (
            "it has other shapes for",
            [
                f"{name} {tuple(weights[name].shape)} instead of {tuple(value.shape)}"
                for name, value in expected.items()
                if name in weights and weights[name].shape != value.shape
            ],
        ),
    ):
        if names:
            said = f" (all its names begin with {start}.)" if start else ""
            return f"{problem} {_list_first(names)}{said}. Check the architecture and its options."
    if candidate.beside:
        own = f"its weights are all in the part {candidate.label}, and beside them"
        return (
            f"{own} it has the unknown {_list_first(candidate.beside)}. Say part={candidate.label} if that is the whole classifier."
        )
    return None


def _describe_unusable(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str | None:
    """Why numbers are no weights, with what to do."""
    for name, value in weights.items():
        kind = str(value.dtype).removeprefix("torch.")
        wants_floats = expected[name].is_floating_point() if name in expected else name.endswith(("weight", "bias"))
        has_fractions = value.is_floating_point() and name in expected and not name.endswith(COUNTED)
        for is_so, sentence in (
            (value.is_quantized, f"is quantised ({kind}); {FULL}"),
            (
                value.is_meta,
                "has a shape but no values (PyTorch's meta device); save the network again when its weights are loaded",
            ),
            (value.layout != torch.strided, "is sparse; save it as a dense tensor"),
            (value.is_complex(), "has complex numbers; give real ones"),
            (wants_floats and not value.is_floating_point(), f"has whole numbers ({kind}), as quantised weights have; {FULL}"),
        ):
            if is_so:
                return f"its {name} {sentence}"
        if has_fractions and not wants_floats and not torch.equal(value, value.round()):
            return f"its {name} has fractions in place of whole numbers; check the architecture"
    return None


def _describe(content: object) -> str:
    """What a file holds instead of weights by name."""
    origin = getattr(content, "origin", None)
    if origin:
        return f"an object ({origin}), which is not built, since that could run code"
    if isinstance(content, Mapping):
        values = [value for value in content.values() if getattr(value, "origin", None)]
        return f"objects ({values[0].origin}, ...)" if values else f"{len(content)} entries without tensors"
    return f"a {type(content).__name__}"


def describe_misfit(error: RuntimeError) -> str | None:
    """What PyTorch's `load_state_dict` complains of, with the first names; None for another error."""
    text = str(error)
    if "loading state_dict" not in text:
        return None
    shapes = [
        f"{name} ({there}) instead of ({expected})"
        for name, there, expected in re.findall(r"size mismatch for (\S+): .*?Size\(\[(.*?)\]\).*?Size\(\[(.*?)\]\)", text)
    ]
    for problem, names in (
        ("has other shapes for", shapes),
        ("lacks", _quote(text, "Missing")),
        ("has the unknown", _quote(text, "Unexpected")),
    ):
        if names:
            return f"{problem} {_list_first(names)}"
    return None


def _quote(text: str, complaint: str) -> list[str]:
    return re.findall(r'"([^"]+)"', "".join(re.findall(rf"{complaint} key\(s\) in state_dict: (.*)", text)))


def _list_first(names: Sequence[str]) -> str:
    return list_few(names, NUM_NAMED_IN_ERROR)
