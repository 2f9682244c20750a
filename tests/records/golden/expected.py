"""What a study's scores must be, computed from its tables by plain loops, by no code of zooscope's: `expected.py FILE.db`."""

import json
import math
import sqlite3
import struct
import sys
from pathlib import Path
from typing import Any


def integers(blob: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(blob) // 4}i", blob)


def read(connection: sqlite3.Connection) -> tuple[list[str], dict[str, str], list[int], Any]:
    """Names, transforms, labels, and a function from (kind, subject, object) to integers, whichever version the tables have."""
    rows = connection.execute("SELECT id, name, transform FROM classifiers ORDER BY id").fetchall()
    names, transforms = [row[1] for row in rows], {row[1]: row[2] for row in rows}
    labels = [row[0] for row in connection.execute("SELECT label FROM images ORDER BY position")]
    number = {row[1]: row[0] for row in rows}
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    queries: dict[str, Any] = {
        "clean": lambda a, _: ("SELECT predictions FROM clean WHERE classifier_id = ? ORDER BY shard", [number[a]]),
        "transfer": lambda a, b: (
            "SELECT predictions FROM transfers WHERE source_id = ? AND target_id = ? ORDER BY shard",
            [number[a], number[b]],
        ),
        "control": lambda a, b: (
            "SELECT predictions FROM controls WHERE transform = ? AND target_id = ? ORDER BY shard",
            [a, number[b]],
        ),
    }

    def values(kind: str, subject: str, target: str = "") -> list[int]:
        if version < 3:
            query, arguments = queries[kind](subject, target)
        else:
            query = (
                "SELECT bytes FROM arrays, series, texts s, texts o WHERE series.id = series_id AND s.id = subject_id AND "
                "o.id = object_id AND kind = ? AND digest = '' AND s.text = ? AND o.text = ? ORDER BY part"
            )
            arguments = [kind, subject, target]
        return [value for (blob,) in connection.execute(query, arguments) for value in integers(blob)]

    return names, transforms, labels, values


def expected(database: Path) -> dict[str, Any]:
    connection = sqlite3.connect(database)
    names, transforms, labels, values = read(connection)
    clean = {name: values("clean", name) for name in names}
    result: dict[str, Any] = {"names": names, "clean_accuracy": {}, "sat": {}, "count": {}, "transfer": {}, "control": {}}
    fooled: dict[tuple[str, str], tuple[int, int]] = {}
    for name in names:
        right = sum(1 for said, label in zip(clean[name], labels, strict=True) if said == label)
        result["clean_accuracy"][name] = 100 * right / len(labels)
    for source in names:
        for target in names:
            transfer = values("transfer", source, target)
            same = transforms[source] == transforms[target]
            control = clean[target] if same else values("control", transforms[source], target)
            counted = [
                place for place, label in enumerate(labels) if clean[source][place] == label and clean[target][place] == label
            ]
            wrong = sum(1 for place in counted if transfer[place] != labels[place])
            misread = sum(1 for place in counted if control[place] != labels[place])
            fooled[source, target] = wrong, len(counted)
            result["count"][f"{source} -> {target}"] = len(counted)
            result["transfer"][f"{source} -> {target}"] = 100 * wrong / len(counted)
            result["control"][f"{source} -> {target}"] = 100 * misread / len(counted)
    for a in names:
        for b in names:
            (one, count), (other, _) = fooled[a, b], fooled[b, a]
            share = 100 * (one + other) / (2 * count)
            result["sat"][f"{a} -> {b}"] = math.log(max(share, 0.01))
    return result


if __name__ == "__main__":
    Path(sys.argv[1]).with_suffix(".json").write_text(json.dumps(expected(Path(sys.argv[1])), indent=1) + "\n")
