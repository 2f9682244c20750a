"""A study with logits and planted families, written straight into a record."""

from pathlib import Path

import numpy as np

from tests.cli.synthetic import NUM_CLASSES, write_study
from tests.records.written import save_clean
from zooscope.records.entries import DATABASE
from zooscope.records.reading import read_clean_predictions
from zooscope.records.records import Records

NAMES = ("bundled:a0", "bundled:a1", "bundled:a2", "timm:b0", "timm:b1", "timm:b2")
GROUPS = "name,group\nbundled:a0,a seeds\nbundled:a1,a seeds\nbundled:a2,a seeds\ntimm:b0,b seeds\ntimm:b1,b seeds\n"


def write_zoo(folder: Path, names: tuple[str, ...] = NAMES) -> Path:
    """A study whose clean logits say what its clean predictions say, with a second class that differs by classifier."""
    write_study(folder, names)
    generator = np.random.default_rng(0)
    with Records.open(folder / DATABASE, write=True) as records:
        clean, shards = read_clean_predictions(records), records.shards
        for row, name in enumerate(names):
            logits = generator.normal(size=(clean.shape[1], NUM_CLASSES))
            logits[np.arange(clean.shape[1]), clean[row]] += 4
            clean[row] = logits.argmax(1)
            for shard, positions in enumerate(shards):
                here = np.asarray(positions)
                save_clean(records, name, shard, clean[row][here], logits[here].astype(np.float16))
    return folder


def write_groups(file: Path, text: str = GROUPS) -> Path:
    file.write_text(text)
    return file
