-- Version 2 of a study's record: what classifiers are built of, and scores that were published by others.

-- Architectural components by classifier: as read off the network, or as a user's table has them.
CREATE TABLE components (
    classifier_id INTEGER NOT NULL REFERENCES classifiers (id) ON DELETE CASCADE,
    component TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (classifier_id, component)
) STRICT, WITHOUT ROWID;

-- SAT (natural log) of an imported matrix, both triangles and the diagonal; a pair that is not known has no row.
CREATE TABLE published (
    a_id INTEGER NOT NULL REFERENCES classifiers (id) ON DELETE CASCADE,
    b_id INTEGER NOT NULL REFERENCES classifiers (id) ON DELETE CASCADE,
    score REAL NOT NULL,
    PRIMARY KEY (a_id, b_id)
) STRICT, WITHOUT ROWID;
