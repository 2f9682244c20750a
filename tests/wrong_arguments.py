"""Calls every public function with arguments of wrong kinds, and writes what comes out besides results and zooscope's own errors.

A program, not a test: under pytest beartype would refuse them first. `tests/test_public_names.py` runs it.
"""

import inspect
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import zooscope.images.torchvision_operators

import numpy as np
import pandas as pd
import torch
from torch import nn

import zooscope
from zooscope import ImageSet, PixelTransform, Study, analyses, attacks
from zooscope.analyses.averaging import CleanLogits
from zooscope.analyses.importance import BOOSTING

WRONG: tuple[Any, ...] = (
    None,
    3,
    -1.5,
    "text",
    [],
    {},
    object(),
    pd.DataFrame({"a": [1]}),
    torch.zeros(2),
    np.zeros((2, 2)),
    (1, 2),
    [None],
)
NAMES = ("bundled:vit", "bundled:mixer", "bundled:resnext_gn", "bundled:swin")
ATTACK = attacks.LinfPGD(step_size=0.02, iterations=1)
ON_THE_CPU = {"device": "cpu", "batch_size": 10}
SCORED = {"confidence": 0.9, "epsilon_s": 0.01, "seed": 0}
PERMUTED = {"num_permutations": 9, "seed": 0}
Cases = Iterator[tuple[Callable[..., Any], dict[str, Any]]]  # functions, with arguments that are right


def listen(_: object) -> None:
    """Hears of progress."""


def list_trainers(folder: Path) -> Cases:
    """What trains networks."""
    recipe = folder / "recipe.toml"
    few = "images.count = 20\nimages.held_out_count = 10\nepochs = 1\nbatch_size = 10\n"
    recipe.write_text(f'network.architecture = "bundled:resnet"\nimages.train = "bundled:cifar10"\n{few}', encoding="utf-8")
    options: dict[str, Any] = {"images": None, "held_out": None, "changes": {}, "part": None, "device": "cpu", "listen": listen}
    yield zooscope.train, {"recipe": recipe, "out": folder / "trained", "start": None, **options}
    yield zooscope.distill, {"recipe": recipe, "out": folder / "students", "teachers": NAMES[0], **options}


def list_makers(images: ImageSet, folder: Path) -> Cases:
    """What makes classifiers, images and studies."""
    size = PixelTransform(height=32, width=32)
    scaled = {"interpolation": "bicubic", "crop_fraction": 1.0, "crop_mode": "center"}
    yield PixelTransform, {"height": 32, "width": 32, **scaled}
    yield PixelTransform.parse, {"description": size.description}
    network = {"name": "mine", "network": nn.Flatten().eval(), "num_classes": 10, "transform": size}
    looks = {"mean": (0, 0, 0), "std": (1, 1, 1), "address": None, "architecture": "", "class_names": None, "class_matching": ""}
    yield zooscope.Classifier, {**network, **looks}
    labelled = {"address": "mine", "ids": images.ids, "labels": images.labels, "class_names": images.class_names}
    yield ImageSet, {**labelled, "read": images.read, "bits": None, "left_out": {}, "has_given_classes": False}
    yield zooscope.classifier_addresses, {"words": ["bundled:vit"]}
    yield zooscope.collect_classifiers, {"given": ["bundled:vit"]}
    yield zooscope.collect_images, {"given": images, "classes": None, "num_classes": 3}
    yield zooscope.load_classifier, {"address": "bundled:vit", "name": None, "trust": True}
    yield zooscope.load_images, {"address": "bundled:cifar10", "classes": None, "trust": True}
    made = {
        "classifiers": NAMES[:1],
        "images": images,
        "attack": ATTACK,
        "seed": 0,
        "shard_size": 10,
        "sources": None,
        "precision": "float32",
        "exact": True,
        "compiled": False,
    }
    yield Study.in_memory, made
    yield Study.create, {"path": folder / "new", **made}
    square = pd.DataFrame([[4.6, 2], [2, 4.6]], index=["a", "b"], columns=["a", "b"])
    yield Study.from_matrix, {"path": folder / "published", "matrix": square, "components": None}
    Study.create(folder / "study", classifiers=NAMES[:1], images=images).close()
    yield Study.open, {"path": folder / "study", "classifiers": (), "images": None, "trust": False}
    yield Study.exists, {"path": folder}
    yield zooscope.read_snapshot, {"folder": folder / "study"}
    yield zooscope.merge_studies, {"out": folder / "merged", "parts": [folder / "study"], "allow_chance": False}
    yield (
        zooscope.sat,
        {
            "a": NAMES[0],
            "b": NAMES[1],
            "images": images.sample(3),
            "attack": ATTACK,
            **SCORED,
            **ON_THE_CPU,
            "precision": "float32",
            "exact": True,
            "allow_chance": True,
            "listen": listen,
        },
    )


def list_methods(study: Study, other: Study, folder: Path) -> Cases:
    """Methods of what was made: a measured study, and one that may be changed."""
    images, classifier, snapshot = study.images, study.classifier(NAMES[0]), study.snapshot()
    pixels = images.pixels(classifier)
    yield classifier.to, {"device": "cpu"}
    yield classifier.logits, {"pixels": pixels}
    yield images.take, {"indices": [0]}
    yield images.sample, {"count": 2, "seed": 0}
    yield images.image, {"index": 0}
    yield images.pixels, {"classifier": classifier, "indices": [0]}
    yield images.as_stored, {"indices": [0]}
    yield other.add, {"classifiers": NAMES[1], "sources": None}
    yield other.match, {"classifiers": [classifier]}
    yield other.remove, {"names": []}
    yield (
        other.require,
        {"images": None, "attack": None, "seed": None, "shard_size": None, "precision": None, "exact": None, "compiled": None},
    )
    yield other.set_components, {"table": pd.DataFrame({"activation": ["ReLU"]}, index=[NAMES[0]])}
    running: dict[str, Any] = {**ON_THE_CPU, "memory_budget": None, "cache_limit": 0, "allow_nonfinite": True}
    yield study.run, {**running, "allow_chance": True, "also": (), "part": None, "until": None, "listen": listen}
    yield study.kept_attacks, {"limit": 0}
    exported = {"folder": folder / "attacked", "sources": NAMES[:1], "file_format": "npz", **ON_THE_CPU, "listen": listen}
    yield zooscope.export_attacks, {"study": study, **exported}
    yield study.shelf, {**running, "guests": ()}
    yield study.classifier, {"name": NAMES[0]}
    yield study.examples, {"source": NAMES[0], "positions": [0]}
    for holder in (study, snapshot):
        yield holder.clean_logits, {"name": NAMES[0]}
        yield holder.sat, {"confidence": None, "epsilon_s": 0.01, "normalize": True}
        yield holder.similarity, {"name": "error_consistency", "confidence": 0.9}
        yield holder.same_mistake, {"confidence": 0.9}
        yield holder.closer, {"a": NAMES[0], "b": NAMES[1], "c": NAMES[2], "confidence": 0.9, "epsilon_s": 0.01}
        yield holder.nearest, {"confidence": 0.9, "epsilon_s": 0.01}
        yield holder.one_sided, {"epsilon_s": 0.01, "normalize": True}
        yield holder.export, {"folder": folder / "tables", "confidence": 0.9}
    yield snapshot.take, {"names": [NAMES[0]]}
    yield snapshot.require_known, {"name": NAMES[0]}
    yield snapshot.require_measured, {"what": "logits"}


def list_attacks(study: Study) -> Cases:
    """The attacks, and what makes them."""
    images, classifier = study.images, study.classifier(NAMES[0])
    pixels = images.pixels(classifier)
    yield attacks.build_attack, {"description": ATTACK.description}
    yield attacks.parse_attack, {"text": "LinfPGD"}
    yield attacks.register, {"kind": attacks.LinfPGD}
    steps = {"epsilon": 0.1, "iterations": 1}
    options = {"loss": "ce", "momentum": 0.5, "diversity": 0.5, "kernel_size": 3}
    yield attacks.LinfPGD, {**steps, "step_size": 0.1, "random_start": False, **options}
    yield attacks.APGD, {**steps, "loss": "ce", "num_targets": 0, "restarts": 1, "keep": "latest"}
    yield attacks.FAB, {**steps, "num_targets": 1}
    yield attacks.Square, {"epsilon": 0.1, "queries": 1}
    yield attacks.AutoAttack, {**steps, "num_targets": 1, "queries": 1, "keep": "latest"}
    given = {"classifier": classifier, "pixels": pixels, "labels": torch.as_tensor(images.labels)}
    auto = attacks.AutoAttack(iterations=1, num_targets=1, queries=1)
    for attack in (ATTACK, auto, *auto.members.values()):
        yield attack.perturb, {**given, "seeds": range(len(images))}
        yield attack.require, {"classifier": classifier}
    settings = {"num_patches": 1, "epsilon": 0.1, "iterations": 1, "learning_rate": 0.1, "decay": 0.9, "decay_interval": 1}
    yield attacks.PatchFool, {**settings, "attention_weight": 0.1, "block": 1}
    fooled = {"classifier": classifier, "pixels": pixels, "labels": torch.as_tensor(images.labels), "seeds": range(len(images))}
    yield attacks.PatchFool(iterations=1).perturb, fooled
    yield attacks.PatchFool(iterations=1).require, {"classifier": classifier}


def list_analyses(study: Study) -> Cases:
    """The analyses of a measured study."""
    snapshot, groups = study.snapshot(), dict(zip(NAMES, "aabb", strict=True))
    sat, outcomes, components = snapshot.sat(), snapshot.outcomes, snapshot.components()
    logits = CleanLogits(names=NAMES, values=tuple(map(snapshot.clean_logits, NAMES)), labels=snapshot.labels)
    row = outcomes.take_cells(np.array([0, 0]), np.array([1, 2]))
    clusters = {"clusters": {name: "ab".index(group) for name, group in groups.items()}}
    yield analyses.assign_clusters, {"matrix": sat, "num_clusters": 2, "seed": 0}
    yield analyses.find_clusters, {"matrix": sat, "num_clusters": 2, "seed": 0}
    yield analyses.compare_directions, {"outcomes": outcomes, **clusters, **SCORED, **PERMUTED}
    yield analyses.compare_strategies, {"scores": outcomes, "groups": groups, "epsilon_s": 0.01, "confidence": 0.9}
    yield analyses.find_keywords, {"components": components, "labels": pd.Series(groups), "num_keywords": 3, "without": ()}
    yield analyses.find_shared_values, {"components": components, "labels": pd.Series(groups)}
    kin = {"a": NAMES[0], "b": NAMES[1], "seeds": NAMES[2:], "architectures": dict.fromkeys(NAMES, "vit"), "alpha": 0.1}
    yield analyses.find_kinship, {"outcomes": outcomes, **kin}
    yield analyses.build_tree, {"matrix": sat}
    yield analyses.choose_landmarks, {"clean": snapshot.predictions.clean, "count": 2, "names": NAMES, "method": "spread"}
    yield analyses.draw_pairs, {"names": NAMES, "landmarks": NAMES[:1], "count": 2, "seed": 0}
    yield (
        analyses.make_profiles,
        {"predictions": snapshot.predictions, "landmarks": NAMES[:2], "names": NAMES[2:], **SCORED, "num_resamples": 9},
    )
    tables = {"one_sided": pd.DataFrame(snapshot.one_sided().to_pandas()), "clean": sat.to_pandas()}
    completed = {"matrix": sat, "landmarks": NAMES[:2], **tables, "method": None, "confidence": 0.9, "seed": 0}
    yield analyses.complete_similarity, completed
    yield analyses.rehearse_completion, {**completed, "landmarks": NAMES[:2], "num_extra": 0}
    yield analyses.mantel, {"first": sat.to_numpy(), "second": sat.to_numpy() ** 2, "directed": False, **PERMUTED}
    yield analyses.map_classifiers, {"matrix": sat, "method": "mds", "num_features": None, "perplexity": None, "seed": 0}
    drawn = {"num_draws": 2, "epsilon_s": 0.01, "seed": 0}
    yield (
        analyses.measure_cluster_stability,
        {"found": analyses.find_clusters(sat, 2), "predictions": snapshot.predictions, **drawn},
    )
    yield (
        analyses.measure_component_importance,
        {"matrix": sat, "components": components, "collapse": False, "num_repeats": 1, "num_folds": 2, **PERMUTED},
    )
    compared = {"likenesses": {"one": sat, "other": sat**2}, "architectures": groups, "gains": sat}
    yield analyses.compare_similarities, {**compared, "confidence": 0.9, "num_resamples": 9, **PERMUTED}
    yield analyses.measure_agreement, {"first": sat, "second": sat**2, "confidence": 0.9, **PERMUTED}
    averaged = {"logits": logits, "average": "logits", "seed": 0}
    yield analyses.measure_ensembles_by_cluster, {**averaged, **clusters, "sizes": [1, 2], "num_draws": 3, "confidence": 0.9}
    yield analyses.measure_ensembles_by_group, {**averaged, "groups": groups, "sizes": [1, 2], "num_draws": 3, "confidence": 0.9}
    yield analyses.measure_pair_ensembles, {**averaged, "sat": sat, "confidence": 0.9, **PERMUTED}
    sampled = {"pair": None, "sizes": [4], "num_sets": 3, "width": 2.0, "confidence": 0.9, "seed": 0}
    yield analyses.measure_stability, {"outcomes": outcomes, **sampled}
    flags = {"names": NAMES[1:3], "fooled": row.fooled, "counted": row.counted, "usual": None}
    yield analyses.place_classifier, {**flags, "clusters": None, **SCORED, "num_resamples": 9}
    bases = dict(components["base architecture"])
    students = {
        "students": pd.DataFrame({"teacher": NAMES[1:], "accuracy": [0.5, 0.6, 0.7]}),
        "accuracies": None,
        "flips_before": None,
    }
    yield (
        analyses.measure_distillation,
        {"sat": sat, "base_architectures": bases, "student": NAMES[0], **students, "confidence": 0.9, **PERMUTED},
    )
    ranked = {"sat": sat, "base_architectures": bases, "student": NAMES[0], "accuracies": dict.fromkeys(NAMES, 0.5)}
    yield analyses.rank_teachers, ranked
    yield analyses.select_ensemble, {**averaged, "outcomes": outcomes, "size": 2, "confidence": 0.9, "num_random": 3}


def call_wrongly(function: Callable[..., Any], arguments: dict[str, Any]) -> Iterator[str]:
    """What comes out that is neither a result nor an error of zooscope's, a line each; also where the right arguments are none."""
    for name in inspect.signature(function).parameters.keys() - arguments.keys() - {"executor"}:
        yield f"{name} isn't tried"
    for name, wrong in [("", None), *((name, wrong) for name in arguments for wrong in WRONG)]:
        try:
            made = function(**{**arguments, name: wrong} if name else arguments)
        except zooscope.ZooscopeError as error:
            if not name:
                yield f"right arguments: {error}"
        except Exception as error:  # noqa: BLE001  (that is what is looked for)
            yield f"{name}={wrong!r}: {type(error).__name__}: {error}"
        else:
            if isinstance(made, Study):
                made.close()


def list_untried(tried: set[str]) -> Iterator[str]:
    """Public functions and methods that were not called."""
    for room in (zooscope, analyses, attacks):
        for name in room.__all__:
            public = getattr(room, name)
            if inspect.isfunction(public):
                yield from {public.__qualname__} - tried
            elif inspect.isclass(public) and public.__module__.startswith("zooscope"):
                methods = [value for key, value in vars(public).items() if not key.startswith("_")]
                yield from {
                    method.__qualname__
                    for method in methods
                    if inspect.isfunction(method)
                    and len(inspect.signature(method).parameters) > 1
                    and not inspect.isabstract(public)
                } - tried


def main() -> None:
    """Writes a line for each call that came out wrong."""
    warnings.simplefilter("ignore")
    BOOSTING["n_estimators"] = 5
    images, tried = zooscope.load_images("bundled:cifar10").sample(10), set[str]()
    study, other = (Study.in_memory(classifiers=names, images=images, attack=ATTACK) for names in (NAMES, NAMES[:1]))
    study.run(device="cpu", allow_chance=True)
    with tempfile.TemporaryDirectory() as folder:
        for cases in (
            list_makers(images, Path(folder)),
            list_trainers(Path(folder)),
            list_methods(study, other, Path(folder)),
            list_attacks(study),
            list_analyses(study),
        ):
            for function, arguments in cases:
                tried.add(function.__qualname__)
                for line in call_wrongly(function, arguments):
                    sys.stdout.write(" ".join(f"{function.__qualname__}: {line}".split()) + "\n")
    for name in list_untried(tried):
        sys.stdout.write(f"{name} isn't tried\n")


if __name__ == "__main__":
    main()
