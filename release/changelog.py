"""Gathers what changed, a file per change in changes/, into CHANGELOG.md.

python release/changelog.py                    # under "Unreleased", anew each time
python release/changelog.py 0.2.0 2026-12-01   # under the release, and removes the files
"""

import re
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
TYPES: Final = {
    "breaking": "What you must change",
    "feature": "New",
    "speed": "Faster",
    "fix": "Fixed",
    "docs": "Documentation",
}
HEAD: Final = (
    "# Changes\n\nWhat a user notices, release by release, the newest first. Written by `make changelog` from `changes/`.\n"
)
UNRELEASED: Final = "Unreleased"
_FRAGMENT: Final = re.compile(r"(?P<issue>\d+)\.(?P<kind>[a-z]+)\.md")
_PARAGRAPH: Final = re.compile(r"\n\s*\n|\n(?=- )")
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")


def list_fragments(folder: Path) -> list[Path]:
    """The files of changes, by number of their issue.

    Raises:
        ValueError: a file's name says no issue, or a type that there isn't.
    """
    found: list[tuple[int, str, Path]] = []
    for file in folder.glob("*.md"):
        if file.name == "README.md":
            continue
        match = _FRAGMENT.fullmatch(file.name)
        if match is None or match["kind"] not in TYPES:
            msg = f"{file.name} is no <issue>.<type>.md with a type of {', '.join(TYPES)}; rename it."
            raise ValueError(msg)
        found.append((int(match["issue"]), match["kind"], file))
    return [file for *_, file in sorted(found)]


def write_section(fragments: list[Path], heading: str) -> str:
    """All changes under a heading, by type; each paragraph of a file is one change."""
    parts = [f"## {heading}"]
    for kind, title in TYPES.items():
        texts = [file.read_text(encoding="utf-8") for file in fragments if file.name.split(".")[1] == kind]
        paragraphs = [part for text in texts for part in _PARAGRAPH.split(text) if part.strip()]
        changes = [" ".join(paragraph.split()) for paragraph in paragraphs]
        if changes:
            parts += [f"### {title}", "\n".join(f"- {change.removeprefix('- ')}" for change in changes)]
    return "\n\n".join(parts) + "\n"


def read_releases(changelog: Path) -> list[str]:
    """The sections of earlier releases, the newest first."""
    text = changelog.read_text(encoding="utf-8") if changelog.exists() else ""
    sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    return [section.strip() + "\n" for section in sections if not section.startswith(f"## {UNRELEASED}")]


def gather(root: Path, version: str = "", date: str = "") -> str:
    """Writes CHANGELOG.md; with a version, removes the files that it is written from. Gives the new section.

    Raises:
        ValueError: version or date have another form, the version was released before, or nothing changed.
    """
    fragments, earlier = list_fragments(root / "changes"), read_releases(root / "CHANGELOG.md")
    if version:
        if not _VERSION.fullmatch(version) or not _DATE.fullmatch(date):
            msg = f"write a version and a date, such as 0.2.0 2026-12-01: got {version!r} and {date!r}."
            raise ValueError(msg)
        if any(section.startswith(f"## {version} ") for section in earlier):
            msg = f"{version} is in CHANGELOG.md already; take another version."
            raise ValueError(msg)
        if not fragments:
            msg = "nothing in changes/ is to be released."
            raise ValueError(msg)
    section = write_section(fragments, f"{version} ({date})" if version else UNRELEASED)
    sections = ([section] if fragments else []) + earlier
    (root / "CHANGELOG.md").write_text("\n".join([HEAD, *sections]), encoding="utf-8")
    for file in fragments if version else []:
        file.unlink()
    return section


def main() -> None:
    """Gathers for this repository."""
    try:
        gather(ROOT, *sys.argv[1:3])
    except ValueError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
