-- Accounts and what keeps them. Instants are Unix milliseconds; secrets that a person carries are kept as hashes only.

CREATE TABLE account (
    id TEXT PRIMARY KEY NOT NULL,
    -- What the account made belongs to its owner, as a guest's work does.
    owner_id TEXT NOT NULL REFERENCES owner (id),
    name TEXT NOT NULL,
    -- As it was typed, and as it is compared.
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    email_verified_at INTEGER,
    -- A PHC string.
    password_hash TEXT NOT NULL,
    password_changed_at INTEGER NOT NULL,
    -- Counts up whenever all sessions end: one of an earlier count has ended, whenever it was made.
    session_epoch INTEGER NOT NULL DEFAULT 0,
    -- The level that the person aims at, the day of the interview (2026-03-01), the time zone (Europe/Berlin), the theme.
    level TEXT,
    interview_on TEXT,
    hours_a_week INTEGER,
    time_zone TEXT NOT NULL,
    theme TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    disabled_at INTEGER,
    disabled_by TEXT,
    CONSTRAINT account_email UNIQUE (email_key),
    CONSTRAINT account_owner UNIQUE (owner_id)
) STRICT;

-- What was granted to an account beyond what everybody may: mentor, administrator.
CREATE TABLE role_grant (
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    -- An account, or NULL from the command line.
    granted_by TEXT,
    PRIMARY KEY (account_id, role)
) STRICT;

CREATE TABLE second_factor (
    account_id TEXT PRIMARY KEY NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    -- Base32, as the authenticator has it.
    secret TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- NULL until the first code has shown that the authenticator has it.
    confirmed_at INTEGER,
    -- The last time step whose code was taken: no code is taken twice.
    last_step INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_code (
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    code_hash TEXT NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (account_id, code_hash)
) STRICT;

-- Links that were mailed or printed: used once, then gone.
CREATE TABLE token (
    -- SHA-256 of what the link carries.
    token_hash TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    -- The address that a verification is about.
    email TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX token_account ON token (account_id, purpose);
CREATE INDEX token_expiry ON token (expires_at);

-- Mail that has to go out. It holds no secret: what a link needs is made when the mail is sent.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY NOT NULL,
    -- NULL when the account is gone and the mail still has to go.
    account_id TEXT REFERENCES account (id) ON DELETE SET NULL,
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    -- What the text names, as JSON.
    detail TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- When it may be tried next; a node that tries moves it ahead, which is its lease.
    next_try_at INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    sent_at INTEGER,
    -- Given up.
    failed_at INTEGER,
    last_error TEXT
) STRICT;
CREATE INDEX outbox_due ON outbox (sent_at, failed_at, next_try_at);

-- Counters of attempts by whom they come from; a window that has passed starts anew.
CREATE TABLE throttle (
    throttle_key TEXT PRIMARY KEY NOT NULL,
    began_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    count INTEGER NOT NULL
) STRICT;
CREATE INDEX throttle_end ON throttle (ends_at);

-- Who did what to whom. Rows are only ever added; they name accounts by id and outlive them.
CREATE TABLE audit_log (
    id TEXT PRIMARY KEY NOT NULL,
    at INTEGER NOT NULL,
    -- NULL for the command line and for nobody known.
    actor TEXT,
    action TEXT NOT NULL,
    -- The account that it was done to.
    subject TEXT,
    -- Words about it, without secrets.
    detail TEXT NOT NULL,
    address TEXT NOT NULL
) STRICT;
CREATE INDEX audit_log_time ON audit_log (at);
CREATE INDEX audit_log_subject ON audit_log (subject, at);

-- Links that let anybody who has one read one attempt.
CREATE TABLE share_link (
    id TEXT PRIMARY KEY NOT NULL,
    attempt_id TEXT NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    -- SHA-256 of what the link carries.
    token_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    CONSTRAINT share_link_token UNIQUE (token_hash)
) STRICT;
CREATE INDEX share_link_attempt ON share_link (attempt_id);

-- NULL for a guest's session.
ALTER TABLE session ADD COLUMN account_id TEXT REFERENCES account (id) ON DELETE CASCADE;
ALTER TABLE session ADD COLUMN signed_in_at INTEGER;
ALTER TABLE session ADD COLUMN session_epoch INTEGER;
ALTER TABLE session ADD COLUMN device TEXT NOT NULL DEFAULT '';
CREATE INDEX session_account ON session (account_id);

-- When the attempt came in with an archive; NULL for one that was taken here.
ALTER TABLE attempt ADD COLUMN imported_at INTEGER;
