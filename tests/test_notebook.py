"""The notebook of the documentation runs from nothing to the report."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

FILE = Path(__file__).parents[1] / "docs" / "notebook.ipynb"


@pytest.fixture
def notebook() -> NotebookNode:
    read: NotebookNode = nbformat.read(FILE, as_version=4)
    return read


def list_code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_notebook_is_kept_without_outputs(notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    assert [cell.source for cell in list_code(notebook) if cell.outputs or cell.execution_count is not None] == []


def test_every_cell_of_the_notebook_runs_and_the_report_is_shown_in_place(notebook: NotebookNode, tmp_path: Path) -> None:
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in list_code(notebook) for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error"] == []
    shown = [output.data.get("text/html", "") for output in outputs if output.output_type == "execute_result"]
    assert all(shown)
    assert ["<iframe" in page for page in shown] == [*([False] * (len(shown) - 1)), True]
    assert len(shown) >= 7
