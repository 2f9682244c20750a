"""Attack steps per second on a GPU: precision, layout, compilation, one against the other.

    python benchmarks/gpu.py
    python benchmarks/gpu.py --device cpu --networks resnet18 --batch 2 --steps 2 --ways plain fast bf16

timm's networks with random weights at 224 pixels; nothing is downloaded. Within eight minutes on a GPU: what does not fit into
`--minutes` is left out, and said. A step is one of PGD: loss, gradient to the pixels, sign, projection.

plain       the network as it is, float32, TF32 off: what `exact=True` runs
fast        batch normalisations folded, channels last: what zooscope runs
tf32, bf16, fp16    fast, in that precision
compiled    bf16 and compiled, as `--compile` runs it; its first step is not counted, but told
graphs      the same with CUDA graphs (mode "reduce-overhead")

The ways take turns, step by step in rounds; medians are printed, of images times steps in a second, and the ratio to `plain`. The
last line is JSON.
"""

import argparse
import json
from dataclasses import replace
from statistics import median
from time import perf_counter
from typing import Any, Final

import zooscope.images.torchvision_operators

import timm
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from zooscope import Classifier, PixelTransform
from zooscope.attacks import LinfPGD
from zooscope.classifiers.prepared import Precision, computing_in, prepare

NETWORKS: Final = ("resnet50", "vit_small_patch16_224", "mobilenetv2_100", "convnext_tiny")
PRECISIONS: Final[dict[str, Precision]] = {
    "plain": "float32",
    "fast": "float32",
    "tf32": "tf32",
    "bf16": "bf16",
    "fp16": "fp16",
    "compiled": "bf16",
    "graphs": "bf16",
}
SIZE: Final = 224


def make(name: str, way: str, device: torch.device) -> Classifier:
    """A classifier in one of the ways, on the device."""
    torch.manual_seed(0)
    network = timm.create_model(name, num_classes=1000).eval()
    transform = PixelTransform(height=SIZE, width=SIZE)
    plain = Classifier(name=name, network=network, num_classes=1000, transform=transform)
    if way == "plain":
        return plain.to(device)
    ready = prepare(plain, precision=PRECISIONS[way], device=device, compiled=way == "compiled").to(device)
    if way == "graphs":
        ready = replace(ready, network=torch.compile(ready.network, mode="reduce-overhead"))  # type: ignore[arg-type]
    return ready


def time_attack(classifier: Classifier, way: str, pixels: Tensor, labels: Tensor, steps: int) -> float:
    """Seconds of an attack of so many steps."""
    if pixels.device.type == "cuda":
        torch.cuda.synchronize()
    began = perf_counter()
    with computing_in(PRECISIONS[way]):
        LinfPGD(iterations=steps).perturb(classifier, pixels, labels)
    if pixels.device.type == "cuda":
        torch.cuda.synchronize()
    return perf_counter() - began


def run(name: str, ways: list[str], device: torch.device, *, batch: int, steps: int, rounds: int) -> dict[str, dict[str, Any]]:
    """Speeds of a network in all ways: images times steps in a second, and seconds of the first attack of one step."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand((batch, 3, SIZE, SIZE), generator=generator).to(device)
    labels = torch.randint(1000, (batch,), generator=generator).to(device)
    classifiers, results = dict[str, Classifier](), dict[str, dict[str, Any]]()
    for way in ways:
        try:
            classifiers[way] = make(name, way, device)
            results[way] = {"first": time_attack(classifiers[way], way, pixels, labels, 1)}
        except Exception as error:  # noqa: BLE001  (a way that fails is a result)
            classifiers.pop(way, None)
            results[way] = {"failed": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
    seconds: dict[str, list[float]] = {way: [] for way in classifiers}
    for number in range(rounds):
        for way in list(classifiers) if number % 2 == 0 else reversed(list(classifiers)):
            seconds[way].append(time_attack(classifiers[way], way, pixels, labels, steps))
    for way, times in seconds.items():
        results[way]["speed"] = batch * steps / median(times)
    return results


def main() -> None:
    """Runs every network in every way and prints speeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="cuda where there is a GPU; else the CPU, for which all is made small")
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--ways", nargs="+", default=list(PRECISIONS), choices=list(PRECISIONS))
    parser.add_argument("--batch", type=int, default=100, help="images")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=7.5, help="networks that would start later are left out")
    arguments = parser.parse_args()
    began, console = perf_counter(), Console()
    if arguments.device is None and not torch.cuda.is_available():
        console.print("There is no GPU here: a few steps on the CPU show that everything runs.")
        small = ["--device", "cpu", "--networks", "resnet18", "--batch", "2", "--steps", "2", "--rounds", "2"]
        arguments = parser.parse_args([*small, "--ways", "plain", "fast", "bf16", "fp16"])
    device = torch.device(arguments.device or "cuda")
    results, left_out = dict[str, dict[str, dict[str, Any]]](), list[str]()
    table = Table(title=f"Images x steps in a second, batches of {arguments.batch}; and times as fast as plain")
    for heading in ("network", *arguments.ways):
        table.add_column(heading, justify="left" if heading == "network" else "right")
    for name in arguments.networks:
        spent = perf_counter() - began
        longest = spent / max(1, len(results))
        if spent + longest > 60 * arguments.minutes:
            left_out.append(name)
            continue
        results[name] = run(name, arguments.ways, device, batch=arguments.batch, steps=arguments.steps, rounds=arguments.rounds)
        base = results[name].get("plain", {}).get("speed")
        cells = []
        for way in arguments.ways:
            speed = results[name][way].get("speed")
            ratio = f" ({speed / base:.2f})" if speed and base else ""
            cells.append(f"{speed:,.0f}{ratio}" if speed else "failed")
        table.add_row(name, *cells)
        console.print(f"{name}: {perf_counter() - began:.0f} s", highlight=False)
    console.print(table)
    if left_out:
        console.print(f"Left out for want of time: {', '.join(left_out)}.")
    place = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    facts = {"device": place, "torch": torch.__version__, "batch": arguments.batch, "steps": arguments.steps}
    print(json.dumps({"benchmark": "gpu", **facts, "results": results, "left_out": left_out}))


if __name__ == "__main__":
    main()
