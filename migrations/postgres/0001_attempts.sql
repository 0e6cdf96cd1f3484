-- Instants are Unix milliseconds; ids are made by the application; every row leads to an owner.

CREATE TABLE owner (
    id TEXT PRIMARY KEY NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE session (
    -- SHA-256 of the id that the cookie carries.
    id_hash TEXT PRIMARY KEY NOT NULL,
    owner_id TEXT REFERENCES owner (id) ON DELETE CASCADE,
    data TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_owner ON session (owner_id);
CREATE INDEX session_expiry ON session (expires_at);

CREATE TABLE attempt (
    id TEXT PRIMARY KEY NOT NULL,
    owner_id TEXT NOT NULL REFERENCES owner (id) ON DELETE CASCADE,
    prompt TEXT NOT NULL,
    way TEXT NOT NULL,
    level TEXT NOT NULL,
    -- Length of the round; NULL is untimed.
    minutes BIGINT,
    started_at BIGINT NOT NULL,
    -- Where the person was last seen, and when.
    phase TEXT NOT NULL,
    marked_at BIGINT NOT NULL
);
CREATE INDEX attempt_owner ON attempt (owner_id, started_at);

CREATE TABLE phase_time (
    attempt_id TEXT NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    phase TEXT NOT NULL,
    spent BIGINT NOT NULL,
    PRIMARY KEY (attempt_id, phase)
);

CREATE TABLE section (
    attempt_id TEXT NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    revision BIGINT NOT NULL,
    saved_at BIGINT NOT NULL,
    PRIMARY KEY (attempt_id, name)
);

CREATE TABLE revision (
    attempt_id TEXT NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    revision BIGINT NOT NULL,
    body TEXT NOT NULL,
    -- The first save that this row stands for: saves in quick succession are kept as one.
    began_at BIGINT NOT NULL,
    saved_at BIGINT NOT NULL,
    PRIMARY KEY (attempt_id, name, revision)
);

CREATE TABLE save_key (
    attempt_id TEXT NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    -- SHA-256 of section, starting revision and text: the same key with another save is refused.
    fingerprint TEXT NOT NULL,
    revision BIGINT NOT NULL,
    saved_at BIGINT NOT NULL,
    PRIMARY KEY (attempt_id, key)
);

CREATE TABLE hint (
    attempt_id TEXT NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    PRIMARY KEY (attempt_id, number)
);

CREATE TABLE score (
    id TEXT PRIMARY KEY NOT NULL,
    attempt_id TEXT NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    rubric_version BIGINT NOT NULL,
    scored_at BIGINT NOT NULL,
    CONSTRAINT score_number UNIQUE (attempt_id, number)
);

CREATE TABLE score_entry (
    score_id TEXT NOT NULL REFERENCES score (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    criterion TEXT NOT NULL,
    -- 1 below the bar, 2 mid, 3 senior, 4 staff.
    rating BIGINT NOT NULL CHECK (rating BETWEEN 1 AND 4),
    evidence TEXT NOT NULL,
    PRIMARY KEY (score_id, criterion)
);
