"""Benchmarks that wait for other machines run here, small, so that they don't fail there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_benchmark_of_gpus_runs_on_a_cpu() -> None:
    words = [
        "--device",
        "cpu",
        "--networks",
        "resnet18",
        "--batch",
        "2",
        "--steps",
        "1",
        "--rounds",
        "1",
        "--ways",
        "plain",
        "fast",
        "bf16",
    ]
    done = subprocess.run([sys.executable, ROOT / "benchmarks/gpu.py", *words], check=True, capture_output=True, text=True)
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["benchmark"] == "gpu"
    assert all(result["results"]["resnet18"][way]["speed"] > 0 for way in ("plain", "fast", "bf16"))


@pytest.mark.slow
def test_the_benchmark_of_networks_runs() -> None:
    words = ["--networks", "resnet", "--small", "12", "--iterations", "2", "--rounds", "1"]
    done = subprocess.run([sys.executable, ROOT / "benchmarks/networks.py", *words], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1])["faster"]["resnet"]["zooscope"] > 0


@pytest.mark.slow
def test_the_benchmark_of_the_engine_compares_all_ways() -> None:
    words = ["--networks", "resnet", "--count", "12", "--iterations", "2", "--rounds", "1"]
    done = subprocess.run([sys.executable, ROOT / "benchmarks/engine.py", *words], check=True, capture_output=True, text=True)
    result = json.loads(done.stdout.splitlines()[-1])
    assert set(result["results"]) == {"floor", "passes", "zooscope", "exact", "torchattacks"}
    assert all(result[f"zooscope_over_{other}"] > 0 for other in ("floor", "passes", "torchattacks"))
