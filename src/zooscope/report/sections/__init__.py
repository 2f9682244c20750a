"""The sections of the report, in their order."""

from typing import Final

from zooscope.report.sections.base import Section
from zooscope.report.sections.classifiers import ClassifiersSection
from zooscope.report.sections.gallery import GallerySection
from zooscope.report.sections.matrix import MatrixSection
from zooscope.report.sections.methods import MethodsSection

SECTIONS: Final[tuple[Section, ...]] = (MatrixSection(), ClassifiersSection(), GallerySection(), MethodsSection())
