"""What a study says, each time from what the record holds at that moment."""

from abc import ABC, abstractmethod
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float16

from zooscope.arguments import check_arguments
from zooscope.errors import ZooscopeError
from zooscope.inline.facts import format_facts
from zooscope.inline.page import InlinePage
from zooscope.records.predictions import Predictions
from zooscope.scores.closer import Closer
from zooscope.scores.matrices import CONFIDENCE
from zooscope.scores.sat import EPSILON_S
from zooscope.statistics.bootstrap import require_confidence
from zooscope.study.showing import show_study
from zooscope.study.snapshot import Snapshot


@check_arguments
class Scored(ABC):
    """Scores and tables from a fresh snapshot each; take one with `snapshot` where several must fit together."""

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """Everything that the study holds now, of one moment."""

    def _repr_html_(self) -> str:
        try:
            return show_study(type(self).__name__, self.snapshot())
        except ZooscopeError as error:
            return format_facts(type(self).__name__, {"can't be shown": str(error)})

    def report(self, *, confidence: float = CONFIDENCE) -> InlinePage:
        """The report, which a notebook shows in place; `zooscope.report.write_report` writes it as a file.

        Args:
            confidence: of all intervals, in (0, 1).

        Raises:
            StudyError: nothing is measured yet.
            InvalidValueError: the confidence is not in (0, 1).
        """
        require_confidence(confidence)
        page = import_module("zooscope.report.page")  # it stands above studies, which are read without it
        title = f"How alike the classifiers of {self.snapshot().place} are"
        return InlinePage(title=title, text=str(page.render(self, confidence=confidence)))

    @property
    def predictions(self) -> Predictions:
        """Everything measured so far, as arrays; see `Snapshot.predictions`."""
        return self.snapshot().predictions

    def clean_logits(self, name: str) -> Float16[np.ndarray, "image cls"]:
        """Logits of one classifier on the clean images; see `Snapshot.clean_logits`."""
        return self.snapshot().clean_logits(name)

    def components(self) -> pd.DataFrame:
        """Architectural components of the classifiers; see `Snapshot.components`."""
        return self.snapshot().components()

    def sat(self, *, confidence: float | None = CONFIDENCE, epsilon_s: float = EPSILON_S, normalize: bool = False) -> xr.DataArray:
        """SAT of all pairs, with intervals; see `Snapshot.sat`."""
        return self.snapshot().sat(confidence=confidence, epsilon_s=epsilon_s, normalize=normalize)

    def transfer(self) -> xr.DataArray:
        """Share of images that a source's attack fools a target on, in percent; see `Snapshot.transfer`."""
        return self.snapshot().transfer()

    def one_sided(self, *, epsilon_s: float = EPSILON_S, normalize: bool = False) -> xr.DataArray:
        """SAT from one direction alone; see `Snapshot.one_sided`."""
        return self.snapshot().one_sided(epsilon_s=epsilon_s, normalize=normalize)

    def same_mistake(self, *, confidence: float | None = CONFIDENCE) -> xr.DataArray:
        """Share of images fooled into the class that the source takes them for, in percent; see `Snapshot.same_mistake`."""
        return self.snapshot().same_mistake(confidence=confidence)

    def closer(self, a: str, b: str, c: str, *, confidence: float = CONFIDENCE, epsilon_s: float = EPSILON_S) -> Closer:
        """Is A closer to B than to C? The difference of both SAT with its interval; see `Snapshot.closer`."""
        return self.snapshot().closer(a, b, c, confidence=confidence, epsilon_s=epsilon_s)

    def nearest(self, *, confidence: float = CONFIDENCE, epsilon_s: float = EPSILON_S) -> pd.DataFrame:
        """Each classifier's nearest neighbour, and whether the images show that no other is nearer; see `Snapshot.nearest`."""
        return self.snapshot().nearest(confidence=confidence, epsilon_s=epsilon_s)

    def similarity(self, name: str, confidence: float | None = CONFIDENCE) -> xr.DataArray:
        """Another similarity of all pairs than SAT, with intervals; see `Snapshot.similarity`."""
        return self.snapshot().similarity(name, confidence)

    def classifiers(self) -> pd.DataFrame:
        """A row per classifier; see `Snapshot.classifiers`."""
        return self.snapshot().classifiers()

    def export(self, folder: str | Path, *, confidence: float = CONFIDENCE) -> tuple[Path, ...]:
        """Writes scores, classifiers and predictions as CSV and Parquet; see `Snapshot.export`."""
        return self.snapshot().export(folder, confidence=confidence)
