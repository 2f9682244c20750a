"""Image sets as they are sent to other processes: by address where they have one, else whole."""

from dataclasses import dataclass

from zooscope.errors import ImagesError
from zooscope.images.image_set import ImageSet
from zooscope.images.load import load_images


@dataclass(frozen=True, kw_only=True, eq=False)
class SentImages:
    """An image set on its way.

    Attributes:
        address: where the set is found again; empty where it was made by hand.
        ids: of the images.
        class_names: of the set.
        digest: of the set.
        whole: the set itself, where it was made by hand.
    """

    address: str
    ids: tuple[str, ...]
    class_names: tuple[str, ...]
    digest: str
    whole: ImageSet | None

    @classmethod
    def pack(cls, images: ImageSet) -> "SentImages":
        """A set to be sent."""
        by_hand = ":" not in images.address
        return cls(
            address="" if by_hand else images.address,
            ids=images.ids,
            class_names=images.class_names,
            digest="" if by_hand else images.digest,
            whole=images if by_hand else None,
        )

    def unpack(self) -> ImageSet:
        """The set as it arrives; every image of one that is found at its address is read once, to be compared.

        Raises:
            ImagesError: images are not there, or others.
            ZooscopeError: the address can't be read here.
        """
        if self.whole is not None:
            return self.whole
        everything = load_images(self.address, classes=self.class_names)
        place = {name: position for position, name in enumerate(everything.ids)}
        if all(name in place for name in self.ids):
            found = everything.take([place[name] for name in self.ids])
            if found.digest == self.digest:
                return found
        msg = f"the images at {self.address} are not the same on every machine; put the same files there, or share the folder."
        raise ImagesError(msg)
