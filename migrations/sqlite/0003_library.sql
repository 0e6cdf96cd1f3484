-- Variants of prompts, the two further kinds of exercise, and what a person ticks on the reference shelf.

-- The variant of the prompt that is attempted; NULL is the prompt as it stands.
ALTER TABLE attempt ADD COLUMN variant TEXT;

CREATE TABLE exercise (
    id TEXT PRIMARY KEY NOT NULL,
    owner_id TEXT NOT NULL REFERENCES owner (id) ON DELETE CASCADE,
    -- debugging or code-review
    kind TEXT NOT NULL,
    slug TEXT NOT NULL,
    level TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    -- How many steps of an incident are shown.
    revealed INTEGER NOT NULL,
    -- What was written, as JSON: an answer a step, or the comments on a change.
    answers TEXT NOT NULL,
    -- Rises with each save.
    revision INTEGER NOT NULL,
    saved_at INTEGER NOT NULL,
    -- Nothing more is written; what remains is to score it.
    finished_at INTEGER,
    -- As JSON; NULL until it is scored.
    scores TEXT
) STRICT;
CREATE INDEX exercise_owner ON exercise (owner_id, started_at);

-- A milestone reached or a text read: roadmap/<id>, reading/<id>.
CREATE TABLE tick (
    owner_id TEXT NOT NULL REFERENCES owner (id) ON DELETE CASCADE,
    item TEXT NOT NULL,
    ticked_at INTEGER NOT NULL,
    PRIMARY KEY (owner_id, item)
) STRICT;
