"""What can be installed besides, and what for."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Extra:
    """Packages that `pip install 'zooscope[NAME]'` adds.

    Attributes:
        packages: what is imported of it, by the names that pip knows.
        purpose: what they are for.
    """

    packages: tuple[str, ...]
    purpose: str


EXTRAS: Final = {
    "huggingface": Extra(packages=("datasets", "transformers"), purpose="classifiers and images in Hugging Face's formats"),
    "onnx": Extra(packages=("onnx", "onnx2torch"), purpose="networks kept as ONNX graphs"),
    "onnxruntime": Extra(packages=("onnxruntime",), purpose="quantised ONNX graphs, as targets"),
    "ray": Extra(packages=("ray",), purpose="measuring on several GPUs or machines: measure --executor ray"),
    "testing": Extra(packages=("pytest",), purpose="contract suites for attacks and other parts of your own: zooscope.testing"),
    "view": Extra(packages=("starlette", "uvicorn"), purpose="the report in a browser while a study is measured: zooscope view"),
}


def describe_extra(name: str) -> str:
    """The versions of an extra's packages, or how to install it and what for.

    >>> "pip install 'zooscope[" in describe_extra("ray") or describe_extra("ray").startswith("ray")
    True
    """
    extra, found, missing = EXTRAS[name], [], []
    for package in extra.packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    if not missing:
        return f"{', '.join(found)}: {extra.purpose}"
    return f"not installed (pip install 'zooscope[{name}]'): {extra.purpose}"
