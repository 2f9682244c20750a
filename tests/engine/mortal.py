"""Networks that tell where they run, and die there once."""

import os
import signal
from pathlib import Path

from torch import Tensor, nn

from zooscope.classifiers.classifier import Classifier


class Mortal(nn.Module):
    """A network that kills its process, once for every file `kill-*` in a folder, and notes the GPUs that it was given.

    Not in the process that made it, where it is looked at before anything is measured.
    """

    def __init__(self, network: nn.Module, folder: Path) -> None:
        super().__init__()
        self.network, self.folder, self.home = network, folder, os.getpid()

    def forward(self, pixels: Tensor) -> Tensor:
        if os.getpid() != self.home:
            (self.folder / f"worker-{os.getpid()}").write_text(os.environ.get("CUDA_VISIBLE_DEVICES", ""))
            for order in self.folder.glob("kill-*"):
                try:
                    order.unlink()
                except FileNotFoundError:  # another worker was quicker
                    continue
                os.kill(os.getpid(), signal.SIGKILL)
        logits: Tensor = self.network(pixels)
        return logits


def make_mortal(classifier: Classifier, folder: Path) -> Classifier:
    """The same classifier, whose network is mortal."""
    network = Mortal(classifier.network, folder).eval()
    return Classifier(name=classifier.name, network=network, num_classes=classifier.num_classes, transform=classifier.transform)
