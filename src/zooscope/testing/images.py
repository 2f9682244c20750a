"""What every provider of images promises: the same images with the same labels have the same classes, whatever holds them."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from zooscope.errors import ClassOrderWarning, ImagesError
from zooscope.images.load import load_images
from zooscope.testing.specimens import make_red_png

Write = Callable[[Path, Sequence[str]], str]

SETS: Final[dict[str, tuple[list[str], list[int], int]]] = {  # labels, the index of each one's class, how many classes there are
    "names": (["dog", "cat", "emu", "cat"], [1, 0, 2, 0], 3),
    "numbers": ([str(number) for number in range(12)], list(range(12)), 12),
    "with gaps": (["3", "12", "0", "3"], [3, 12, 0, 3], 13),
    "from 1": (["1", "2", "3"], [1, 2, 3], 4),
    "with zeros in front": (["002", "010", "000"], [2, 10, 0], 11),
    "floats": (["2.0", "10.0", "0.0"], [2, 10, 0], 11),
    "synsets": (["n01491361", "n01440764"], [3, 0], 1000),
    "digits and letters": (["B", "9", "A", "0"], [3, 1, 2, 0], 4),
}
UNSURE: Final = (["0", "1", "-1"], ["cat", "dog", "nan"], ["1", "01", "2"], ["0", "10", "2", "dog"])


class ImageProviderContract:
    """Tests of a provider of images; derive from it and give a function that writes images in its format as a fixture.

    Example:
        >>> import pytest
        >>> from zooscope.testing import ImageProviderContract
        >>> from zooscope.testing.specimens import make_red_png
        >>> class TestMine(ImageProviderContract):
        ...     @pytest.fixture
        ...     def write(self):
        ...         def write_folder(root, labels):
        ...             for number, label in enumerate(labels):
        ...                 (root / "images" / label).mkdir(parents=True, exist_ok=True)
        ...                 (root / "images" / label / f"{number}.png").write_bytes(make_red_png(number))
        ...             return f"folder:{root / 'images'}"
        ...         return write_folder
    """

    @pytest.fixture
    def write(self) -> Write:
        """Writes into an empty folder an image per label, the file `make_red_png(number)`, and gives the address of the set."""
        raise NotImplementedError

    @pytest.mark.parametrize(("labels", "indices", "num_classes"), SETS.values(), ids=SETS.keys())
    def test_the_same_labels_give_the_same_classes(
        self, write: Write, labels: list[str], indices: list[int], num_classes: int, tmp_path: Path
    ) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ClassOrderWarning)
            images = load_images(write(tmp_path, labels))
        assert len(images.class_names) == num_classes
        found = {images.read(name): int(label) for name, label in zip(images.ids, images.labels, strict=True)}
        assert found == {make_red_png(number): index for number, index in enumerate(indices)}
        if all(label.replace(".0", "").isdecimal() for label in labels):
            assert images.class_names == tuple(map(str, range(num_classes)))
        again = load_images(images.address, classes=images.class_names)  # as a study opens them
        assert again.labels.tolist() == images.labels.tolist()
        assert again.digest == images.digest

    @pytest.mark.parametrize("labels", UNSURE, ids=", ".join)
    def test_labels_of_which_no_order_is_sure_are_refused(self, write: Write, labels: list[str], tmp_path: Path) -> None:
        with pytest.raises(ImagesError, match=r"negative|stands for a missing one|is the same number|order isn't sure"):
            load_images(write(tmp_path, labels))
