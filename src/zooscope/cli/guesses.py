"""Components that were read with little certainty: marked wherever they are shown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zooscope.words import shorten_names

if TYPE_CHECKING:
    import pandas as pd

    from zooscope.study.snapshot import Snapshot


class Guesses:
    """The guesses among the components of some classifiers.

    Attributes:
        names: of the classifiers.
        by_component: the classifiers whose value is a guess, by component.
    """

    def __init__(self, by_classifier: Mapping[str, frozenset[str]], names: Sequence[str]) -> None:
        self.names = tuple(names)
        components = sorted({component for name in names for component in by_classifier.get(name, ())})
        self.by_component = {
            component: [name for name in names if component in by_classifier.get(name, ())] for component in components
        }

    def mark_values(self, component: str, values: "pd.Series") -> "pd.Series":
        """Values of a component by classifier, those that are guesses marked."""
        guessed = [name for name in self.by_component.get(component, ()) if name in values.index]
        marked = values.astype(object)
        marked[guessed] = [mark(value) for value in marked[guessed]]
        return marked

    def mark_component(self, component: str) -> str:
        """The name of a component, marked if it is a guess of some classifiers."""
        return mark(component, "partly ") if component in self.by_component else component

    def describe(self) -> str:
        """A note that names them; empty if there are none."""
        if not self.by_component:
            return ""
        short = shorten_names(self.names)
        which = "; ".join(
            f"the {component} of {', '.join(short[name] for name in names)}" for component, names in self.by_component.items()
        )
        return f"Note: read with little certainty, a guess: {which}. `zooscope components read CLASSIFIER` prints why."


def find_guesses(study: "Snapshot", file: Path | None, names: Sequence[str]) -> Guesses:
    """The guesses among the components in a study; components of a file are no guesses."""
    return Guesses(study.guesses if file is None else {}, [str(name) for name in names])


def mark(text: str, how: str = "") -> str:
    """A value, marked as a guess."""
    return f"{text} ({how}a guess)"
