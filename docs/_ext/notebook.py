"""A notebook as a page: its texts and its code, without what it prints."""

import json


def describe_notebook(text: str, *, file: str) -> str:
    """A notebook's JSON as Markdown, with a link to the file after the first text."""
    cells = json.loads(text)["cells"]
    parts = [_describe_cell(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    return "\n\n".join([*parts[:1], f"This page is the notebook [{file}](../{file}), to be run.", *parts[1:]]) + "\n"


def _describe_cell(kind: str, source: str) -> str:
    return source if kind == "markdown" else f"```python\n{source}\n```"
