-- What a person has ticked on the reference shelf: `roadmap/<id>` or `reading/<id>`.

CREATE TABLE tick (
    owner_id TEXT NOT NULL REFERENCES owner (id) ON DELETE CASCADE,
    item TEXT NOT NULL,
    ticked_at INTEGER NOT NULL,
    PRIMARY KEY (owner_id, item)
) STRICT;
