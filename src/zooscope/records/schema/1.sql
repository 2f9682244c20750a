-- A study's record, version 1. Blobs are little-endian arrays, one entry per image of the shard in order.

CREATE TABLE study (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE images (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    label INTEGER NOT NULL
) STRICT;

CREATE TABLE classifiers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    address TEXT,
    architecture TEXT NOT NULL,
    num_classes INTEGER NOT NULL,
    weights TEXT NOT NULL,
    transform TEXT NOT NULL,
    mean TEXT NOT NULL,
    std TEXT NOT NULL
) STRICT;

-- Clean images as each classifier takes them. predictions: int32; logits: float16, image by class.
CREATE TABLE clean (
    classifier_id INTEGER NOT NULL REFERENCES classifiers (id) ON DELETE CASCADE,
    shard INTEGER NOT NULL,
    predictions BLOB NOT NULL,
    logits BLOB NOT NULL,
    PRIMARY KEY (classifier_id, shard)
) STRICT, WITHOUT ROWID;

-- Attacked images. predictions: int32; -1 where source or target is wrong on the clean image, so that no score counts it.
CREATE TABLE transfers (
    source_id INTEGER NOT NULL REFERENCES classifiers (id) ON DELETE CASCADE,
    target_id INTEGER NOT NULL REFERENCES classifiers (id) ON DELETE CASCADE,
    shard INTEGER NOT NULL,
    predictions BLOB NOT NULL,
    PRIMARY KEY (source_id, target_id, shard)
) STRICT, WITHOUT ROWID;

-- Clean images that took the way of attacked ones: made by a source's transform, then resized for the target. predictions: int32.
CREATE TABLE controls (
    transform TEXT NOT NULL,
    target_id INTEGER NOT NULL REFERENCES classifiers (id) ON DELETE CASCADE,
    shard INTEGER NOT NULL,
    predictions BLOB NOT NULL,
    PRIMARY KEY (transform, target_id, shard)
) STRICT, WITHOUT ROWID;
