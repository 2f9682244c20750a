"""The sections of the report, in their order."""

from typing import Final

from zooscope.report.sections.base import Section
from zooscope.report.sections.classifiers import ClassifiersSection
from zooscope.report.sections.clusters import ClustersSection
from zooscope.report.sections.ensembles import EnsemblesSection
from zooscope.report.sections.gallery import GallerySection
from zooscope.report.sections.importance import ImportanceSection
from zooscope.report.sections.map import MapSection
from zooscope.report.sections.matrix import MatrixSection
from zooscope.report.sections.methods import MethodsSection
from zooscope.report.sections.select import SelectSection
from zooscope.report.sections.similarities import SimilaritiesSection
from zooscope.report.sections.stability import StabilitySection
from zooscope.report.sections.strategies import StrategiesSection
from zooscope.report.sections.teachers import TeachersSection

SECTIONS: Final[tuple[Section, ...]] = (
    MatrixSection(),
    MapSection(),
    ClassifiersSection(),
    ClustersSection(),
    ImportanceSection(),
    EnsemblesSection(),
    SelectSection(),
    SimilaritiesSection(),
    StabilitySection(),
    StrategiesSection(),
    TeachersSection(),
    GallerySection(),
    MethodsSection(),
)
