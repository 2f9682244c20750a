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
    """Scores and tables from a fresh snapshot each; take one with `snapshot` where several must fit together.

    Example:
        >>> import tempfile
        >>> import zooscope
        >>> folder, names = tempfile.mkdtemp(), ["bundled:resnet", "bundled:vit", "bundled:mixer"]
        >>> images = zooscope.load_images("bundled:cifar10").sample(20, seed=0)
        >>> attack = zooscope.attacks.LinfPGD(step_size=2 / 255, iterations=5)
        >>> study = zooscope.Study.in_memory(classifiers=names, images=images, attack=attack)
        >>> study.run(device="cpu")
    """

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """Everything that the study holds now, of one moment."""

    def _repr_html_(self) -> str:
        try:
            return show_study(type(self).__name__, self.snapshot())
        except ZooscopeError as error:
            return format_facts(type(self).__name__, {"can't be shown": str(error)})

    def report(self, *, confidence: float = CONFIDENCE) -> InlinePage:
        """The report, which a notebook shows in place; `save` of what it gives writes it as a file.

        >>> study.report().save(f"{folder}/report.html").name
        'report.html'

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
        """Logits of one classifier on the clean images; see `Snapshot.clean_logits`.

        >>> study.clean_logits("bundled:vit").shape
        (20, 10)
        """
        return self.snapshot().clean_logits(name)

    def components(self) -> pd.DataFrame:
        """Architectural components of the classifiers; see `Snapshot.components`.

        >>> study.components()["base architecture"].tolist()
        ['CNN', 'Transformer', 'MLP-Mixer']
        """
        return self.snapshot().components()

    def sat(self, *, confidence: float | None = CONFIDENCE, epsilon_s: float = EPSILON_S, normalize: bool = False) -> xr.DataArray:
        """SAT of all pairs, with intervals; see `Snapshot.sat`.

        >>> pair = study.sat().sel(a="bundled:resnet", b="bundled:vit")
        >>> bool(pair.low <= pair <= pair.high)
        True
        """
        return self.snapshot().sat(confidence=confidence, epsilon_s=epsilon_s, normalize=normalize)

    def transfer(self) -> xr.DataArray:
        """Percent of images on which a source's attack fools a target; see `Snapshot.transfer`.

        >>> study.transfer().sel(source="bundled:resnet", target="bundled:resnet").item()
        100.0
        """
        return self.snapshot().transfer()

    def one_sided(self, *, epsilon_s: float = EPSILON_S, normalize: bool = False) -> xr.DataArray:
        """SAT from one direction alone; see `Snapshot.one_sided`.

        >>> study.one_sided().dims
        ('source', 'target')
        """
        return self.snapshot().one_sided(epsilon_s=epsilon_s, normalize=normalize)

    def same_mistake(self, *, confidence: float | None = CONFIDENCE) -> xr.DataArray:
        """Percent of images fooled into the class that the source takes them for; see `Snapshot.same_mistake`.

        >>> bool((study.same_mistake() <= study.transfer()).all())
        True
        """
        return self.snapshot().same_mistake(confidence=confidence)

    def closer(self, a: str, b: str, c: str, *, confidence: float = CONFIDENCE, epsilon_s: float = EPSILON_S) -> Closer:
        """Is A closer to B than to C? The difference of both SAT with its interval; see `Snapshot.closer`.

        >>> closer = study.closer("bundled:mixer", "bundled:vit", "bundled:resnet")
        >>> closer.low <= closer.difference <= closer.high
        True
        """
        return self.snapshot().closer(a, b, c, confidence=confidence, epsilon_s=epsilon_s)

    def nearest(self, *, confidence: float = CONFIDENCE, epsilon_s: float = EPSILON_S) -> pd.DataFrame:
        """Each classifier's nearest neighbour, and whether the images show that no other is nearer; see `Snapshot.nearest`.

        >>> study.nearest().loc["bundled:mixer", "nearest"]
        'bundled:vit'
        """
        return self.snapshot().nearest(confidence=confidence, epsilon_s=epsilon_s)

    def similarity(self, name: str, confidence: float | None = CONFIDENCE) -> xr.DataArray:
        """Another similarity of all pairs than SAT, with intervals; see `Snapshot.similarity`.

        >>> study.similarity("disagreement").attrs["larger_is_more_similar"]
        False
        """
        return self.snapshot().similarity(name, confidence)

    def classifiers(self) -> pd.DataFrame:
        """A row per classifier; see `Snapshot.classifiers`.

        >>> study.classifiers()["clean_accuracy"].tolist()  # percent
        [80.0, 80.0, 75.0]
        """
        return self.snapshot().classifiers()

    def export(self, folder: str | Path, *, confidence: float = CONFIDENCE) -> tuple[Path, ...]:
        """Writes scores, classifiers and predictions as CSV and Parquet; see `Snapshot.export`.

        >>> study.export(f"{folder}/exported")[0].name
        'sat.csv'
        """
        return self.snapshot().export(folder, confidence=confidence)
