"""What a model card says of a classifier's relatives: collected from a study, then written as Markdown."""

from zooscope.card.collect import Card, Relative, collect_card
from zooscope.card.markdown import format_card

__all__ = ["Card", "Relative", "collect_card", "format_card"]
