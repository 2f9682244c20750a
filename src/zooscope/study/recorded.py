"""A study as its record tells it: what it is about, what was measured, the scores. Read on any machine, also without torch."""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float16

from zooscope.components.vocabulary import COMPONENTS
from zooscope.errors import InvalidValueError, StudyError, UnknownNameError
from zooscope.exchange.export import export, export_matrices
from zooscope.exchange.published import IMPORTED, checked_matrix, published_matrix, published_record
from zooscope.records.entries import Definition
from zooscope.records.predictions import Predictions
from zooscope.records.records import Records
from zooscope.scores.classifiers import classifier_table
from zooscope.scores.matrices import CONFIDENCE, one_sided_matrix, sat_matrix, transfer_matrix
from zooscope.scores.sat import EPSILON_S

DATABASE: Final = "study.db"


class RecordedStudy:
    """A study that is read, not measured; a context manager. `zooscope.Study` is one that can be run on, too.

    Made by `read`, or by `from_matrix` out of scores that others published.
    """

    def __init__(self, records: Records, *, path: Path | None) -> None:
        """Takes open records; use `read` or `from_matrix`."""
        self._records, self.path = records, path

    @classmethod
    def read(cls, path: str | Path) -> "RecordedStudy":
        """The study in a folder.

        Raises:
            MissingFileError: there is none.
            StudyError: it is damaged.
        """
        return cls(Records.open(Path(path) / DATABASE), path=Path(path))

    @classmethod
    def exists(cls, path: str | Path) -> bool:
        """Whether a folder holds a study."""
        return (Path(path) / DATABASE).exists()

    @classmethod
    def from_matrix(cls, path: str | Path, matrix: pd.DataFrame, *, components: pd.DataFrame | None = None) -> "RecordedStudy":
        """A study of scores that others published; what needs only the matrix can be asked of it.

        Args:
            path: the folder; it is made.
            matrix: SAT of all pairs (natural log), square and symmetric, names as index and columns; NaN where a pair is not known.
            components: as for `set_components`.

        Raises:
            InvalidValueError: the matrix is not square, its names differ or repeat, or it is empty.
            StudyError: the folder holds a study, or can't be written.
        """
        scores = checked_matrix(matrix)

        def fill(records: Records) -> None:
            for name in scores.index:
                records.add_classifier(published_record(name))
            records.set_published(scores.to_numpy())
            if components is not None:
                cls(records, path=None).set_components(components)

        return cls(Records.create(Path(path) / DATABASE, IMPORTED, (), np.empty(0, dtype=np.int64), fill=fill), path=Path(path))

    # What it is

    def __repr__(self) -> str:
        """Place and counts."""
        return f"{type(self).__name__}({str(self.path or 'in memory')!r}, {len(self.names)} classifiers, {self.num_images} images)"

    def __enter__(self) -> "RecordedStudy":  # noqa: PYI034  (Self is beyond the tests' type checker, beartype)
        """The study itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the record."""
        self.close()

    def close(self) -> None:
        """Closes the record."""
        self._records.close()

    @property
    def names(self) -> tuple[str, ...]:
        """The classifiers, in the order they came."""
        return self._records.names

    @property
    def definition(self) -> Definition:
        """What the study is about, as recorded."""
        return self._records.definition

    @property
    def num_images(self) -> int:
        """How many images there are."""
        return len(self._records.labels)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the logits."""
        return tuple(self._records.definition.class_names.split("\n"))

    @property
    def is_imported(self) -> bool:
        """Whether this is a published matrix: scores without images."""
        return self.num_images == 0

    @property
    def predictions(self) -> Predictions:
        """Everything measured so far, as arrays.

        Raises:
            StudyError: the study is a published matrix.
        """
        self._require_measured("predictions")
        return self._records.predictions()

    def clean_logits(self, name: str) -> Float16[np.ndarray, "image cls"]:
        """Logits of one classifier on the clean images, float16.

        Raises:
            StudyError: they are not all measured, or the study is a published matrix.
        """
        self._require_known(name)
        self._require_measured("logits")
        return self._records.clean_logits(name)

    def components(self) -> pd.DataFrame:
        """Architectural components: a row per classifier, a column per component (the 13 first), NaN where a value is not known."""
        table = pd.DataFrame.from_dict(self._records.components(), orient="index", dtype=object)
        order = [name for name in (*COMPONENTS, *table.columns.difference(list(COMPONENTS))) if name in table.columns]
        return table.reindex(index=pd.Index(self.names, name="name"), columns=order)

    def set_components(self, table: pd.DataFrame) -> None:
        """Enters components; those that the study has already get the new value.

        Args:
            table: index: names of classifiers, those that the study does not hold are left out; a column per component; cells that
                are NaN or empty say nothing.

        Raises:
            InvalidValueError: none of the names is in the study, or one stands twice.
        """
        if table.index.has_duplicates:
            msg = f"the table of components names {table.index[table.index.duplicated()][0]} twice; give every classifier one row."
            raise InvalidValueError(msg)
        known = [name for name in self.names if name in table.index]
        if not known:
            msg = (
                f"the table of components names none of the study's classifiers; its first name is {next(iter(table.index), '')!r}."
            )
            raise InvalidValueError(msg)
        for name in known:
            values = {str(component): str(value) for component, value in table.loc[name].items() if pd.notna(value) and value != ""}
            self._records.set_components(name, values)

    def _require_known(self, name: str) -> None:
        if name not in self.names:
            kind = "classifier"
            raise UnknownNameError(
                kind, name, self.names, f"The study holds {len(self.names)} classifiers; `zooscope show` lists them."
            )

    def _require_measured(self, what: str) -> None:
        if self.is_imported:
            msg = (
                f"{self.path} is an imported matrix and holds no {what}; measure these classifiers into a new folder: "
                "zooscope measure FOLDER --classifiers ... --images ..."
            )
            raise StudyError(msg)

    # Scores

    def sat(self, *, confidence: float | None = CONFIDENCE, epsilon_s: float = EPSILON_S) -> xr.DataArray:
        """SAT of all pairs, with intervals; see `zooscope.scores.matrices.sat_matrix`. A published matrix has no intervals."""
        if self.is_imported:
            return published_matrix(self.names, self._records.published())
        return sat_matrix(self.predictions, confidence=confidence, epsilon_s=epsilon_s).assign_attrs(self._attack_attribute)

    def transfer(self) -> xr.DataArray:
        """Share of images that a source's attack fools a target on, in percent; see `zooscope.scores.matrices.transfer_matrix`."""
        return transfer_matrix(self.predictions).assign_attrs(self._attack_attribute)

    def one_sided(self, *, epsilon_s: float = EPSILON_S) -> xr.DataArray:
        """SAT from one direction alone; see `zooscope.scores.matrices.one_sided_matrix`."""
        return one_sided_matrix(self.predictions, epsilon_s=epsilon_s).assign_attrs(self._attack_attribute)

    def classifiers(self) -> pd.DataFrame:
        """A row per classifier; see `zooscope.scores.classifiers.classifier_table`."""
        return classifier_table(self._records.classifiers, self.predictions)

    def export(self, folder: str | Path, *, confidence: float = CONFIDENCE) -> tuple[Path, ...]:
        """Writes scores, classifiers and predictions as CSV and Parquet.

        Args:
            folder: is made; files of the same names are replaced.
            confidence: of the intervals.

        Returns:
            The files: sat.csv, sat_low.csv, sat_high.csv (square, natural log), transfer.csv (source by row, target by column,
            percent), classifiers.csv, and predictions.parquet (source, target, image, label, prediction; a row per counted image).
            Of an imported matrix sat.csv alone.

        Raises:
            StudyError: the folder can't be written.
        """
        scores = self.sat(confidence=confidence)
        if self.is_imported:
            return export_matrices(Path(folder), {"sat": scores})
        matrices = {"sat": scores, "sat_low": scores.low, "sat_high": scores.high, "transfer": self.transfer()}
        return export(Path(folder), matrices, self.classifiers(), self.predictions, class_names=self.class_names)

    @property
    def _attack_attribute(self) -> dict[str, str]:
        """Scores under different attacks are never mixed: each matrix says its own."""
        return {"attack": self._records.definition.attack}
