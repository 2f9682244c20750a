"""A study as its record is at one moment: read once, scored once. Read on any machine, also without torch."""

import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import final

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float, Float16, Int

from zooscope.arguments import check_arguments
from zooscope.components.vocabulary import COMPONENTS
from zooscope.engine.permuted import Permutation
from zooscope.engine.plausible import describe_implausible, find_permutations
from zooscope.errors import OneSidedWarning, StudyError
from zooscope.exchange.export import export, export_matrices
from zooscope.exchange.published import make_published_matrix
from zooscope.records.entries import DATABASE, ClassifierRecord, Definition
from zooscope.records.predictions import Predictions
from zooscope.records.reading import read_clean_logits, read_left_out, read_predictions, read_published
from zooscope.records.records import Records
from zooscope.scores.classifiers import make_classifier_table
from zooscope.scores.closer import Closer
from zooscope.scores.matrices import (
    CONFIDENCE,
    make_one_sided_matrix,
    make_same_mistake_matrix,
    make_sat_matrix,
    make_transfer_matrix,
)
from zooscope.scores.nearest import find_nearest
from zooscope.scores.outcomes import Outcomes, find_outcomes
from zooscope.scores.registry import find_similarity
from zooscope.scores.sat import EPSILON_S
from zooscope.study.closeness import compare_closeness
from zooscope.study.refusals import require_images, require_name
from zooscope.study.showing import show_study
from zooscope.study.similarities import score_similarity
from zooscope.words import quote_path


@final
@check_arguments
@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """What a study holds at one moment. `Study.snapshot` and `read_snapshot` give one; everything that shows or analyses takes one.

    Nothing in it changes while others measure. What is computed from it is computed once and kept. The examples of the methods go
    on from this one.

    Example:
        >>> import tempfile
        >>> import zooscope
        >>> folder, names = tempfile.mkdtemp(), ["bundled:resnet", "bundled:vit", "bundled:mixer"]
        >>> path = f"{folder}/study"
        >>> images = zooscope.load_images("bundled:cifar10").sample(20, seed=0)
        >>> attack = zooscope.attacks.LinfPGD(step_size=2 / 255, iterations=5)
        >>> with zooscope.Study.create(path, classifiers=names, images=images, attack=attack) as study:
        ...     study.run(device="cpu")
        >>> snapshot = zooscope.read_snapshot(path)
        >>> snapshot.names, snapshot.sat().shape
        (('bundled:resnet', 'bundled:vit', 'bundled:mixer'), (3, 3))

    Attributes:
        path: the study's folder; None for one in memory.
        definition: what the study is about.
        classifier_records: what the record knows of each classifier, in the order they came.
        image_ids: the images.
        labels: the true class of every image.
        left_out: what lay beside the images and is not used: how many of each kind.
        published: an imported matrix of scores; None for a study that was measured.
        sources: the classifiers that are attacked; all are targets.
        waiting: classifiers that were added, and of which nothing is measured yet.
        refused: classifiers that can't be measured, with the reason.
        component_values: components by classifier and name.
        guesses: names of the components that were read with little certainty, by classifier.
        measured: everything measured; empty arrays for an imported matrix.
        read_logits: reads a classifier's clean logits; they are too large to be read before they are asked for.
        open_records: gives the record, open, for other arrays that are read when they are asked for.
    """

    path: Path | None
    definition: Definition
    classifier_records: tuple[ClassifierRecord, ...]
    image_ids: tuple[str, ...]
    labels: Int[np.ndarray, " image"]
    left_out: dict[str, int]
    published: Float[np.ndarray, "a b"] | None
    sources: tuple[str, ...]
    waiting: tuple[str, ...]
    refused: dict[str, str]
    component_values: dict[str, dict[str, str]]
    guesses: dict[str, frozenset[str]]
    measured: Predictions
    read_logits: Callable[[str], Float16[np.ndarray, "image cls"]]
    open_records: Callable[[], AbstractContextManager[Records]]
    _scores: dict[tuple[float | None, float, bool], xr.DataArray] = field(default_factory=dict, repr=False)

    @classmethod
    def read(
        cls, records: Records, *, path: Path | None, open_records: Callable[[], AbstractContextManager[Records]] | None = None
    ) -> "Snapshot":
        """What a record holds now; `read_snapshot` finds the record of a folder.

        >>> from pathlib import Path
        >>> from zooscope.records.records import Records
        >>> with Records.open(Path(path, "study.db")) as records:
        ...     zooscope.Snapshot.read(records, path=None).num_images
        20

        Args:
            records: open.
            path: the study's folder.
            open_records: gives the record when more is read from it later; it stays open by default.

        Raises:
            StudyError: it is damaged.
        """

        def reopen() -> AbstractContextManager[Records]:
            return nullcontext(records) if open_records is None else open_records()

        def read_logits(name: str) -> Float16[np.ndarray, "image cls"]:
            with reopen() as opened:
                return read_clean_logits(opened, name)

        with records.one_moment():
            entries = records.entries
            return cls(
                path=path,
                definition=records.definition,
                classifier_records=records.classifiers,
                image_ids=records.image_ids,
                labels=records.labels,
                left_out=read_left_out(records),
                published=None if records.image_ids else read_published(records),
                sources=tuple(entry.name for entry in entries if entry.is_admitted and entry.is_source),
                waiting=tuple(entry.name for entry in entries if not entry.is_admitted and not entry.refusal),
                refused={entry.name: entry.refusal for entry in entries if entry.refusal},
                component_values=records.components(),
                guesses=records.guesses(),
                measured=read_predictions(records),
                read_logits=read_logits,
                open_records=reopen,
            )

    # What the study is

    @property
    def place(self) -> str:
        """The study's folder, for sentences."""
        return str(self.path or "the study in memory")

    @property
    def names(self) -> tuple[str, ...]:
        """The classifiers, in the order they came."""
        return self.measured.names

    @property
    def num_images(self) -> int:
        """How many images there are."""
        return len(self.labels)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the logits."""
        return tuple(self.definition.class_names.split("\n"))

    @property
    def is_imported(self) -> bool:
        """Whether this is a published matrix: scores without images."""
        return self.published is not None

    def _repr_html_(self) -> str:
        return show_study("Snapshot", self)

    def take(self, names: Sequence[str]) -> "Snapshot":
        """The study of some of the classifiers, in the given order.

        >>> snapshot.take(["bundled:mixer", "bundled:vit"]).sat().shape
        (2, 2)

        Raises:
            UnknownNameError: the study has no such classifier.
            StudyError: one waits to be measured, or was refused.
        """
        for name in names:
            self.require_known(name)
        places = [self.names.index(name) for name in names]
        return replace(
            self,
            classifier_records=tuple(self.classifier_records[place] for place in places),
            published=None if self.published is None else self.published[np.ix_(places, places)],
            sources=tuple(name for name in names if name in self.sources),
            component_values={name: self.component_values[name] for name in names if name in self.component_values},
            guesses={name: self.guesses[name] for name in names if name in self.guesses},
            measured=self.measured.take(names),
            _scores={},
        )

    # What was measured

    @property
    def predictions(self) -> Predictions:
        """Everything measured, as arrays.

        Raises:
            StudyError: the study is a published matrix.
        """
        self.require_measured("predictions")
        return self.measured

    @cached_property
    def outcomes(self) -> Outcomes:
        """Which attacked images count, and which fooled their target.

        Raises:
            StudyError: the study is a published matrix.
        """
        return find_outcomes(self.predictions)

    def clean_logits(self, name: str) -> Float16[np.ndarray, "image cls"]:
        """Logits of one classifier on the clean images, float16. They are read now: weights don't change, so neither do they.

        >>> logits = snapshot.clean_logits("bundled:vit")
        >>> bool((logits.argmax(axis=1) == snapshot.predictions.clean[1]).all())
        True

        Raises:
            UnknownNameError: the study has no such classifier.
            StudyError: they are not all measured, or the study is a published matrix.
        """
        self.require_known(name)
        self.require_measured("logits")
        return self.read_logits(name)

    @cached_property
    def permutations(self) -> dict[str, Permutation]:
        """Classifiers whose outputs seem to be in another order than the classes; see `zooscope.engine.permuted`.

        Raises:
            StudyError: the study is a published matrix.
        """
        return find_permutations(self.classifier_records, self.predictions.clean, self.labels)

    @cached_property
    def implausible(self) -> dict[str, str]:
        """What is odd about a classifier's accuracy, by name; see `zooscope.engine.plausible.describe_implausible`.

        Raises:
            StudyError: the study is a published matrix.
        """
        return describe_implausible(self.classifier_records, self.predictions.clean, self.labels, self.permutations)

    @property
    def class_matchings(self) -> dict[str, str]:
        """How the outputs of each classifier are matched with the images' classes; empty where that is not known."""
        return {record.name: record.class_matching for record in self.classifier_records}

    def components(self) -> pd.DataFrame:
        """Architectural components: a row per classifier, a column per component (the 13 first), NaN where a value is not known.

        >>> snapshot.components().loc["bundled:vit", "pooling for final feature"]
        'CLS token'
        """
        table = pd.DataFrame.from_dict(self.component_values, orient="index", dtype=object)
        order = [name for name in (*COMPONENTS, *table.columns.difference(list(COMPONENTS))) if name in table.columns]
        return table.reindex(index=pd.Index(self.names, name="name"), columns=order)

    # Scores

    def sat(self, *, confidence: float | None = CONFIDENCE, epsilon_s: float = EPSILON_S, normalize: bool = False) -> xr.DataArray:
        """SAT of all pairs, with intervals; see `zooscope.scores.matrices.make_sat_matrix`. A published matrix has no intervals.

        SAT takes both directions: a pair of which not both are sources has NaN; see `one_sided`. With `normalize` each direction is
        divided by the success of the source's attack on itself, for sources that the attack fools badly.

        >>> pair = snapshot.sat().sel(a="bundled:resnet", b="bundled:vit")
        >>> bool(pair.low <= pair <= pair.high), int(pair["count"])  # images that both get right
        (True, 13)

        Returns:
            Dimensions `a` and `b`, natural log; coordinates `percent` (without the log), `count` (images), `low`, `high` (log).

        Raises:
            InvalidValueError: confidence or epsilon_s is out of range.
            StudyError: a published matrix can't be normalised.

        Warns:
            EmptyPairWarning, WeakSourceWarning: as `make_sat_matrix`, when the scores are computed.
            OneSidedWarning: some classifiers are not attacked; when the scores are computed.
        """
        if normalize:
            self.require_measured("normalised scores")
        if self.published is not None:
            return make_published_matrix(self.names, self.published)
        key = (confidence, epsilon_s, normalize)
        if key not in self._scores:
            self._warn_if_one_sided()
            made = make_sat_matrix(self.measured, confidence=confidence, epsilon_s=epsilon_s, normalize=normalize)
            self._scores[key] = made.assign_attrs(self._attack_attribute)
        return self._scores[key]

    def transfer(self) -> xr.DataArray:
        """Percent of images on which a source's attack fools a target; see `zooscope.scores.matrices.make_transfer_matrix`.

        >>> snapshot.transfer().sel(source="bundled:resnet", target="bundled:resnet").item()
        100.0

        Returns:
            Dimensions `source` and `target`; coordinates `count` (images) and `control` (percent that the target gets wrong without
            an attack).

        Raises:
            StudyError: the study is a published matrix.
        """
        return self._transfer

    def one_sided(self, *, epsilon_s: float = EPSILON_S, normalize: bool = False) -> xr.DataArray:
        """SAT from one direction alone, natural log; see `zooscope.scores.matrices.make_one_sided_matrix`.

        >>> import numpy as np
        >>> bool(np.allclose(np.exp(snapshot.one_sided()), snapshot.transfer()))
        True

        Returns:
            Dimensions `source` and `target`; coordinates as of `transfer`.

        Raises:
            InvalidValueError: epsilon_s is out of range.
            StudyError: the study is a published matrix.
        """
        made = make_one_sided_matrix(self.predictions, epsilon_s=epsilon_s, normalize=normalize)
        return made.assign_attrs(self._attack_attribute)

    def same_mistake(self, *, confidence: float | None = CONFIDENCE) -> xr.DataArray:
        """Percent of images fooled into the class that the source takes them for.

        See `zooscope.scores.matrices.make_same_mistake_matrix`.

        >>> bool((snapshot.same_mistake() <= snapshot.transfer()).all())
        True

        Returns:
            Dimensions `source` and `target`; coordinates `count` (images), `low`, `high` (percent).

        Raises:
            InvalidValueError: the confidence is not in (0, 1).
            StudyError: the study is a published matrix.
        """
        made = make_same_mistake_matrix(self.predictions, confidence=confidence)
        return made.assign_attrs(self._attack_attribute)

    def similarity(self, name: str, confidence: float | None = CONFIDENCE) -> xr.DataArray:
        """Another similarity of all pairs than SAT, with intervals; see `zooscope.scores.similarity_matrix.make_similarity_matrix`.

        >>> snapshot.similarity("disagreement").sel(a="bundled:resnet", b="bundled:vit").item()
        0.3

        Args:
            name: of the score, one of `zooscope.scores.registry.SIMILARITIES`.
            confidence: of the intervals; None leaves them out.

        Raises:
            UnknownNameError: there is no such score.
            InvalidValueError: the confidence is not in (0, 1).
            StudyError: what it takes is not measured, or the study is a published matrix.
        """
        score = find_similarity(name)
        self.require_measured("predictions")
        with self.open_records() as records:
            return score_similarity(score, records, self.measured, confidence=confidence, place=self.place)

    def closer(self, a: str, b: str, c: str, *, confidence: float = CONFIDENCE, epsilon_s: float = EPSILON_S) -> Closer:
        """Is A closer to B than to C? The difference of both SAT with its paired interval; see `zooscope.scores.closer`.

        >>> closer = snapshot.closer("bundled:mixer", "bundled:vit", "bundled:resnet")
        >>> closer.low <= closer.difference <= closer.high
        True

        Raises:
            UnknownNameError: the study has no such classifier.
            InvalidValueError: the three are not different, or confidence or epsilon_s is out of range.
            StudyError: a pair has no score, or the study is a published matrix.
        """
        self.require_measured("intervals of differences")
        for name in (a, b, c):
            self.require_known(name)
        return compare_closeness(
            self.outcomes, (a, b, c), sources=self.sources, place=self.place, confidence=confidence, epsilon_s=epsilon_s
        )

    def nearest(self, *, confidence: float = CONFIDENCE, epsilon_s: float = EPSILON_S) -> pd.DataFrame:
        """Each classifier's nearest neighbour, and whether the images show that no other is nearer.

        See `zooscope.scores.nearest.find_nearest`.

        >>> snapshot.nearest().loc["bundled:mixer", "nearest"]
        'bundled:vit'

        Raises:
            StudyError: the study is a published matrix, which has no intervals.
            InvalidValueError: confidence or epsilon_s is out of range.

        Warns:
            EmptyPairWarning, OneSidedWarning, WeakSourceWarning: as `sat`.
        """
        self.require_measured("intervals of differences")
        return find_nearest(self.outcomes, self.sat(confidence=confidence, epsilon_s=epsilon_s))

    def classifiers(self) -> pd.DataFrame:
        """A row per classifier: accuracy, address and more; see `zooscope.scores.classifiers.make_classifier_table`.

        >>> snapshot.classifiers()["clean_accuracy"].tolist()  # percent
        [80.0, 80.0, 75.0]

        Raises:
            StudyError: the study is a published matrix.
        """
        return make_classifier_table(self.classifier_records, self.predictions)

    def export(self, folder: str | Path, *, confidence: float = CONFIDENCE) -> tuple[Path, ...]:
        """Writes scores, classifiers and predictions as CSV and Parquet.

        >>> [file.name for file in snapshot.export(f"{folder}/exported")][:3]
        ['sat.csv', 'sat_low.csv', 'sat_high.csv']

        Args:
            folder: is made; files of the same names are replaced.
            confidence: of the intervals.

        Returns:
            The files: sat.csv, sat_low.csv, sat_high.csv and the same of sat_normalized (square, natural log); transfer.csv,
            same_mistake.csv, same_mistake_low.csv and same_mistake_high.csv (source by row, target by column, percent);
            classifiers.csv, and predictions.parquet (source, target, image, label, prediction; a row per counted image).
            Of an imported matrix sat.csv alone; where not all classifiers are attacked, one_sided.csv too.

        Raises:
            InvalidValueError: the confidence is not in (0, 1).
            StudyError: the folder can't be written.
        """
        scores = self.sat(confidence=confidence)
        if self.is_imported:
            return export_matrices(Path(folder), {"sat": scores})
        with_intervals = {
            "sat": scores,
            "sat_normalized": self.sat(confidence=confidence, normalize=True),
            "same_mistake": self.same_mistake(confidence=confidence),
        }
        matrices: dict[str, xr.DataArray] = {}
        for name, matrix in with_intervals.items():
            matrices |= {name: matrix, f"{name}_low": matrix.low, f"{name}_high": matrix.high}
        matrices["transfer"] = self.transfer()
        if len(self.sources) < len(self.names):
            matrices["one_sided"] = self.one_sided()
        return export(Path(folder), matrices, self.classifiers(), self.predictions, class_names=self.class_names)

    def _warn_if_one_sided(self) -> None:
        others = [name for name in self.names if name not in self.sources]
        if others:
            named = others[0] if len(others) == 1 else f"{others[0]} and {len(others) - 1} more"
            msg = (
                f"{named} of the {len(self.names)} classifiers are targets only; SAT takes both directions, so pairs with them "
                "have no score. How far the sources' attacks fool them is the one-sided SAT."
            )
            warnings.warn(msg, OneSidedWarning, stacklevel=3)

    @cached_property
    def _transfer(self) -> xr.DataArray:
        return make_transfer_matrix(self.predictions).assign_attrs(self._attack_attribute)

    @property
    def _attack_attribute(self) -> dict[str, str]:
        """Scores under different attacks are never mixed: each matrix says its own."""
        return {"attack": self.definition.attack}

    # What can't be asked

    def require_known(self, name: str) -> None:
        """Refuses the name of a classifier that is not there.

        >>> snapshot.require_known("mine")
        Traceback (most recent call last):
            ...
        zooscope.errors.UnknownNameError: unknown classifier 'mine'. The study holds 3 classifiers; `zooscope show` lists them.

        Raises:
            UnknownNameError: it isn't.
            StudyError: it waits to be measured, or was refused.
        """
        if name in self.waiting:
            msg = f"nothing of {name} is measured yet; run `zooscope measure {quote_path(self.place)}`."
            raise StudyError(msg)
        if name in self.refused:
            msg = f"{name} was refused when it was to be measured: {self.refused[name]}"
            raise StudyError(msg)
        require_name(name, self.names)

    def require_measured(self, what: str) -> None:
        """Refuses a published matrix where more is needed than scores.

        >>> snapshot.require_measured("predictions")  # they are there

        Raises:
            StudyError: the study is one.
        """
        require_images(self.place, what, is_imported=self.is_imported)


@check_arguments
def read_snapshot(folder: str | Path) -> Snapshot:
    """The study in a folder, as it is now. Nothing is written, so that a folder that can only be read will do.

    Example:
        >>> import tempfile
        >>> import pandas as pd
        >>> import zooscope
        >>> from zooscope.exchange.published import import_matrix
        >>> folder, names = f"{tempfile.mkdtemp()}/study", ["a", "b"]
        >>> import_matrix(folder, pd.DataFrame([[4.6, 3.0], [3.0, 4.6]], index=names, columns=names))
        >>> zooscope.read_snapshot(folder).sat().sel(a="a", b="b").item()
        3.0

    Raises:
        MissingFileError: there is none.
        StudyError: it is damaged.
    """
    path = Path(folder)
    open_records = partial(Records.open, path / DATABASE)
    with open_records() as records:
        return Snapshot.read(records, path=path, open_records=open_records)
