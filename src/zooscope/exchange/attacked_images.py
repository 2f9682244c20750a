"""Attacked images for other programs: exact as safetensors or NumPy arrays, rounded to 8 bits as PNG."""

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, UInt8
from PIL import Image
from safetensors.numpy import save

from zooscope.outputs import write_bytes, write_table, write_whole

SAFETENSORS: Final = "safetensors"
NPZ: Final = "npz"
PNG: Final = "png"
FORMATS: Final = (SAFETENSORS, NPZ, PNG)
_NO_NAME: Final = re.compile(r'[/\\:*?"<>|\s]+')


@dataclass(frozen=True, kw_only=True, eq=False)
class AttackedImages:
    """Images attacked through one source, all that it gets right when clean.

    Attributes:
        pixels: in [0, 1], at the source's size.
        labels: the true classes.
        ids: of the images in their study.
        class_names: the classes, in the order of the labels.
        facts: what the attack tells of each image, by name.
        epsilon: the radius of the attack's ball in pixel units; NaN where it has none.
        settings: what else there is to know, as texts: the source, the attack, the seed, the transform, ...
    """

    pixels: Float[np.ndarray, "image channel height width"]
    labels: Int[np.ndarray, " image"]
    ids: Sequence[str]
    class_names: Sequence[str]
    facts: Mapping[str, Float[np.ndarray, " image"]]
    epsilon: float
    settings: Mapping[str, str]


def write_attacked_images(folder: Path, stem: str, images: AttackedImages, file_format: str) -> Path:
    """Writes them as a file of their own, or as a folder of PNGs with a table; gives its path.

    - safetensors: the tensors `pixels` and `labels`, and `fact.NAME` for each fact; ids and class names (as JSON), epsilon and
      settings are in the metadata.
    - npz: the same as arrays, all by name.
    - png: `00000.png`, ... in the order of the table `manifest.csv`, whose columns `path` and `label` zooscope reads as
      `manifest:FILE`.

    Args:
        folder: is made; existing files of the same names are replaced, each as a whole.
        stem: what the file or folder is called.
        images: to be written.
        file_format: one of `FORMATS`.

    Raises:
        StudyError: a file can't be written.
    """
    if file_format == PNG:
        return _write_pngs(folder / stem, images)
    file = folder / f"{stem}.{file_format}"
    arrays: dict[str, Any] = {"pixels": images.pixels, "labels": images.labels}
    arrays |= {f"fact.{name}": values for name, values in images.facts.items()}
    if file_format == SAFETENSORS:
        texts = {"ids": json.dumps(list(images.ids)), "class_names": json.dumps(list(images.class_names))}
        texts |= {"epsilon": repr(images.epsilon), **images.settings}
        write_bytes(file, save({name: np.ascontiguousarray(values) for name, values in arrays.items()}, texts))
    else:
        texts_by_name = {"ids": list(images.ids), "class_names": list(images.class_names), **images.settings}
        named: dict[str, Any] = {name: np.asarray(value, dtype=np.str_) for name, value in texts_by_name.items()}
        write_whole(file, lambda out: np.savez(out, **arrays, **named, epsilon=np.float64(images.epsilon)))
    return file


def round_to_levels(pixels: Float[np.ndarray, "image channel height width"]) -> UInt8[np.ndarray, "image channel height width"]:
    """Pixels as the nearest of the 256 levels of an 8-bit image.

    >>> round_to_levels(np.full((1, 1, 1, 2), 0.5)).ravel().tolist()
    [128, 128]
    """
    levels: UInt8[np.ndarray, "image channel height width"] = np.rint(255 * pixels.astype(np.float64)).astype(np.uint8)
    return levels


def name_files(names: Sequence[str]) -> dict[str, str]:
    """What the file of each classifier is called: its name without signs that no file may have, another for each.

    >>> name_files(["bundled:vit", "bundled/vit", ".."])
    {'bundled:vit': 'bundled-vit', 'bundled/vit': 'bundled-vit-2', '..': 'source'}
    """
    stems: dict[str, str] = {}
    for name in names:
        stem = _NO_NAME.sub("-", name).strip(".-") or "source"
        number = 1
        while (stem if number == 1 else f"{stem}-{number}") in stems.values():
            number += 1
        stems[name] = stem if number == 1 else f"{stem}-{number}"
    return stems


def _write_pngs(folder: Path, images: AttackedImages) -> Path:
    paths = [f"{place:05d}.png" for place in range(len(images.ids))]
    for path, levels in zip(paths, round_to_levels(images.pixels), strict=True):
        buffer = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(levels.transpose(1, 2, 0))).save(buffer, format="PNG")
        write_bytes(folder / path, buffer.getvalue())
    table = pd.DataFrame(
        {"label": [images.class_names[label] for label in images.labels], "id": list(images.ids)},
        index=pd.Index(paths, name="path"),
    )
    write_table(folder / "manifest.csv", table.assign(**{name: images.settings.get(name, "") for name in ("source", "attack")}))
    return folder
