-- A study's record, version 3: a new database gets this alone; versions 1 and 2 are copied into it (records/upgrade.py).
-- Every row is covered by a checksum: tables of text by one over all their rows (seals), arrays by one each, and the set of
-- arrays of a series by the exclusive or of theirs. Checksums are BLAKE2b of 16 bytes (records/checksums.py).

-- What the study is about, by field of `Definition`; and notes that don't define it (`Records.notes`).
CREATE TABLE study (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE images (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    label INTEGER NOT NULL
) STRICT;

-- class_matching: how outputs are matched with the images' classes, in words; empty where that is not known.
-- is_source: whether it is attacked. is_admitted: whether something of it is measured; until then it waits. refusal: why it is not measured.
CREATE TABLE classifiers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    address TEXT,
    architecture TEXT NOT NULL,
    num_classes INTEGER NOT NULL,
    weights TEXT NOT NULL,
    transform TEXT NOT NULL,
    mean TEXT NOT NULL,
    std TEXT NOT NULL,
    class_matching TEXT NOT NULL,
    is_source INTEGER NOT NULL,
    is_admitted INTEGER NOT NULL,
    refusal TEXT NOT NULL
) STRICT;

-- Architectural components by classifier: as read off the network, or as a user's table has them. is_guess: whether the reading is unsure.
CREATE TABLE components (
    classifier_id INTEGER NOT NULL REFERENCES classifiers (id) ON DELETE CASCADE,
    component TEXT NOT NULL,
    value TEXT NOT NULL,
    is_guess INTEGER NOT NULL,
    PRIMARY KEY (classifier_id, component)
) STRICT, WITHOUT ROWID;

-- Arrays of one kind, measured with one set of settings (digest). count, checksum: how many arrays, and the exclusive or of theirs.
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    digest TEXT NOT NULL,
    count INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    UNIQUE (kind, digest)
) STRICT;

-- What arrays are of: names of classifiers, texts of transforms, and the empty text.
CREATE TABLE texts (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL
) STRICT;

-- dtype: as NumPy writes it, little-endian; shape: numbers joined by commas; bytes: in C order.
CREATE TABLE arrays (
    series_id INTEGER NOT NULL REFERENCES series (id),
    subject_id INTEGER NOT NULL REFERENCES texts (id),
    object_id INTEGER NOT NULL REFERENCES texts (id),
    part INTEGER NOT NULL,
    dtype TEXT NOT NULL,
    shape TEXT NOT NULL,
    checksum BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (series_id, subject_id, object_id, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE seals (
    name TEXT PRIMARY KEY,
    checksum BLOB NOT NULL
) STRICT, WITHOUT ROWID;
