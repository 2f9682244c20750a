"""Networks that tell where they run and whether they are attacked, and die there once."""

import os
import signal
from pathlib import Path

from torch import Tensor, nn

from zooscope.classifiers.classifier import Classifier


class Mortal(nn.Module):
    """A network that kills its process, once for every file `kill-*` in a folder, and notes its GPUs, and that it is attacked.

    Not in the process that made it, where it is looked at before anything is measured.
    """

    def __init__(self, network: nn.Module, folder: Path, name: str) -> None:
        super().__init__()
        self.network, self.folder, self.name, self.home = network, folder, name, os.getpid()

    def forward(self, pixels: Tensor) -> Tensor:
        if os.getpid() != self.home:
            (self.folder / f"worker-{os.getpid()}").write_text(os.environ.get("CUDA_VISIBLE_DEVICES", ""))
            if pixels.requires_grad:
                with (self.folder / f"attacked-{self.name}").open("a") as file:
                    file.write("x")  # a pass with gradients
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
    network = Mortal(classifier.network, folder, classifier.name).eval()
    return Classifier(name=classifier.name, network=network, num_classes=classifier.num_classes, transform=classifier.transform)
