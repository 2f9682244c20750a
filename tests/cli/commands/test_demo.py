import re
from pathlib import Path

from tests.cli.calling import call
from zooscope.classifiers.providers.registry import list_bundled_names
from zooscope.study.study import Study


def test_the_demo_measures_all_bundled_classifiers_shows_them_and_draws_the_report(tmp_path: Path) -> None:
    options = ("demo", "--out", tmp_path / "demo", "--count", "20", "--iterations", "1")
    result = call(*options)
    assert result.exit_code == 0
    with Study.open(tmp_path / "demo") as study:
        assert study.names == tuple(name for name in list_bundled_names() if name != "bundled:resnet_robust")
        assert study.num_images == 20
        assert study.predictions.find_complete().all()
    assert "Attack: LinfPGD" in result.stdout
    assert result.stdout.splitlines()[-1] == f"The report: {tmp_path / 'demo' / 'report.html'}"
    assert "\x1b" not in result.output
    assert max(len(line) for line in result.stdout.splitlines()[:-1]) <= 80
    assert re.search(r"<html", (tmp_path / "demo" / "report.html").read_text(encoding="utf-8"))
    (tmp_path / "demo" / "report.html").unlink()

    again = call("demo", "--out", tmp_path / "demo")
    assert again.exit_code == 0
    assert again.stdout == result.stdout
    assert (tmp_path / "demo" / "report.html").is_file()
