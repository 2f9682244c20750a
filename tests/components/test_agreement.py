"""What docs/components.md says about agreement with the paper's table is what is found."""

import os
import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/components.md").read_text(encoding="utf-8")
BENCHMARK: dict[str, Any] = runpy.run_path(str(ROOT / "benchmarks/components.py"))
SOME = ("resnet50_gn", "eca_nfnet_l0", "gmlp_s16_224", "pit_b_224", "halonet50ts")


def documented(names: Sequence[str]) -> list[str]:
    """The rows of the document's table of disagreements that are about some networks."""
    return [line for line in DOCUMENT.splitlines() if line.startswith(tuple(f"| {name} |" for name in names))]


def test_the_documents_disagreements_are_those_that_are_found_on_some_networks() -> None:
    _, _, *rows = BENCHMARK["tabulate_disagreements"](BENCHMARK["read_networks"](SOME))
    assert sorted(rows) == sorted(documented(SOME))


@pytest.mark.slow
@pytest.mark.skipif("ZOOSCOPE_ALL_NETWORKS" not in os.environ, reason="reads all 68 networks, in a minute or two")
def test_the_documents_tables_are_those_that_are_found_on_all_networks() -> None:
    found = BENCHMARK["read_networks"](BENCHMARK["NETWORKS"])
    for line in (*BENCHMARK["tabulate_agreement"](found), *BENCHMARK["tabulate_disagreements"](found)):
        assert line in DOCUMENT.splitlines()


def test_the_document_has_the_aims_reached() -> None:
    shares = {
        cells[1]: float(cells[2].partition(",")[2].removesuffix("%"))
        for line in DOCUMENT.splitlines()
        if (cells := [cell.strip() for cell in line.split("|")]) and len(cells) == 7 and " of " in cells[2]
    }
    assert len(shares) == 14
    assert min(shares.values()) >= 90
    assert shares["all"] >= 95
