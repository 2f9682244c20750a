"""What timm 0.6.7 computes with `gluon_xception65`: a program, run where `timm` is that version.

    python gluon_in_timm_067.py FOLDER

FOLDER holds given.safetensors: the network's weights, and `pixels`. It gets found.safetensors: `logits`, and `gradient`, that of
the sum of the logsumexp over classes with respect to the pixels.
"""

import sys
from pathlib import Path

import zooscope.images.torchvision_operators

import timm
from safetensors.torch import load_file, save_file

if __name__ == "__main__":
    assert timm.__version__ == "0.6.7", timm.__version__
    folder = Path(sys.argv[1])
    given = load_file(folder / "given.safetensors")
    pixels = given.pop("pixels").requires_grad_()
    network = timm.create_model("gluon_xception65").eval()
    network.load_state_dict(given)
    logits = network(pixels)
    logits.logsumexp(1).sum().backward()
    assert pixels.grad is not None
    save_file({"logits": logits.detach(), "gradient": pixels.grad}, folder / "found.safetensors")
