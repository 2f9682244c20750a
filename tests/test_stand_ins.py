"""What a download leaves in place of a file is named, whatever the file should be."""

from pathlib import Path

import pytest
from PIL import Image

import zooscope
from zooscope.errors import ZooscopeError
from zooscope.stand_ins import find_stand_in, recognize_stand_in

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 123\n"
PAGE = b"\xef\xbb\xbf\n<!DOCTYPE HTML><html>Log in</html>"
ERROR = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"


@pytest.mark.parametrize(
    ("content", "expected"),
    [(POINTER, r"is a git-lfs pointer .*`git lfs pull`\."), (PAGE, r"is a web page .*the file itself\.")],
)
@pytest.mark.parametrize(("provider", "name"), [("manifest", "a.csv"), ("parquet", "a.parquet"), ("webdataset", "a.tar")])
def test_a_file_of_images_that_is_none(content: bytes, expected: str, provider: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ZooscopeError, match=expected):
        zooscope.load_images(f"{provider}:{tmp_path / name}")


def test_an_image_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "a" / "1.png")
    (tmp_path / "a" / "2.png").write_bytes(POINTER)
    (tmp_path / "a" / "3.png").write_bytes(PAGE)
    expected = r"a/2.png \(a git-lfs pointer .*; fetch it with `git lfs pull`\), a/3.png \(a web page .*; fetch the file itself\)"
    with pytest.raises(ZooscopeError, match=expected):
        zooscope.load_images(f"folder:{tmp_path}").digest  # noqa: B018


@pytest.mark.parametrize(("content", "expected"), [(POINTER, "a git-lfs pointer"), (ERROR, "a web page"), (PAGE, "a web page")])
def test_a_graph_that_is_none(content: bytes, expected: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx2torch")
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(ZooscopeError, match=rf"can't be read as an ONNX graph \({expected} .*fetch") as caught:
        zooscope.load_classifier(f"onnx:{tmp_path / 'a.onnx'}?size=8&mean=0&std=1")
    assert "export it again" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"path,label\n", b"<svg/>", b"<?xml version='1.0'?><svg/>", b"\x89PNG"])
def test_other_files_are_neither(content: bytes) -> None:
    assert recognize_stand_in(content) is None


def test_a_file_that_is_not_there_is_neither(tmp_path: Path) -> None:
    assert find_stand_in(tmp_path / "none") is None
