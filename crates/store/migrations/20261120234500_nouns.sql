-- The nouns of Portico. Portable: SQLite and PostgreSQL read the same text. Moments are milliseconds
-- since 1970, `keytext` is a text that sorts by bytes, JSON is text.

CREATE TABLE counter (
    name keytext NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

CREATE TABLE "user" (
    id keytext NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key keytext NOT NULL UNIQUE,
    slug keytext NOT NULL UNIQUE,
    number BIGINT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    disabled_since BIGINT,
    created BIGINT NOT NULL,
    last_seen BIGINT,
    search TEXT NOT NULL,
    -- PHC string; none for accounts that cannot sign in by password.
    password TEXT,
    -- Rises with each lock, so that whoever sums a quota does it alone.
    locks BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE "group" (
    id keytext NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key keytext NOT NULL UNIQUE,
    slug keytext NOT NULL UNIQUE,
    created BIGINT NOT NULL
);

CREATE TABLE membership (
    group_id keytext NOT NULL REFERENCES "group" (id) ON DELETE CASCADE,
    user_id keytext NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX membership_user ON membership (user_id, group_id);

CREATE TABLE login (
    id keytext NOT NULL PRIMARY KEY,
    user_id keytext NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    digest keytext NOT NULL UNIQUE,
    created BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
);
CREATE INDEX login_user ON login (user_id, id);
CREATE INDEX login_expires ON login (expires);

CREATE TABLE token (
    id keytext NOT NULL PRIMARY KEY,
    user_id keytext NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    digest keytext NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    last_used BIGINT
);
CREATE INDEX token_user ON token (user_id, id);
CREATE INDEX token_expires ON token (expires);

CREATE TABLE one_time_link (
    digest keytext NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    user_id keytext REFERENCES "user" (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX one_time_link_user ON one_time_link (user_id);

CREATE TABLE throttle (
    kind keytext NOT NULL,
    subject keytext NOT NULL,
    -- Failures are counted by the minute, so that a flood of them makes few rows.
    minute BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (kind, subject, minute)
);
CREATE INDEX throttle_last ON throttle (last);

CREATE TABLE app (
    name keytext NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE "grant" (
    id keytext NOT NULL PRIMARY KEY,
    -- Apps from files are in no table, hence no reference.
    app keytext NOT NULL,
    -- `everyone`, `group <id>` or `user <id>`; the two columns below clean up behind deletions.
    subject keytext NOT NULL,
    group_id keytext REFERENCES "group" (id) ON DELETE CASCADE,
    user_id keytext REFERENCES "user" (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    UNIQUE (app, subject)
);
CREATE INDEX grant_subject ON "grant" (subject, app);
CREATE INDEX grant_group ON "grant" (group_id);
CREATE INDEX grant_user ON "grant" (user_id);

CREATE TABLE workload (
    id keytext NOT NULL PRIMARY KEY,
    label keytext NOT NULL UNIQUE,
    owner_id keytext NOT NULL REFERENCES "user" (id),
    owner_slug TEXT NOT NULL,
    owner_number BIGINT NOT NULL,
    app keytext NOT NULL,
    title TEXT NOT NULL,
    engine keytext NOT NULL,
    phase keytext NOT NULL,
    state TEXT NOT NULL,
    generation BIGINT NOT NULL,
    cpu_millis BIGINT NOT NULL,
    memory_mib BIGINT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    -- Null as long as it holds resources.
    ended BIGINT,
    version BIGINT NOT NULL,
    events BIGINT NOT NULL,
    search TEXT NOT NULL
);
CREATE INDEX workload_owner ON workload (owner_id, id);
CREATE INDEX workload_app ON workload (app, id);
CREATE INDEX workload_engine ON workload (engine, id);
CREATE INDEX workload_phase ON workload (phase, id);
CREATE INDEX workload_ended ON workload (ended, id);
CREATE INDEX workload_live ON workload (id) WHERE ended IS NULL;
CREATE INDEX workload_held ON workload (owner_id, id) WHERE ended IS NULL;
CREATE INDEX workload_search ON workload (id, search);

-- What a workload was launched with: large and never changed, hence apart from what lists read.
CREATE TABLE workload_spec (
    workload_id keytext NOT NULL PRIMARY KEY REFERENCES workload (id) ON DELETE CASCADE,
    icon TEXT NOT NULL,
    spec TEXT NOT NULL
);

CREATE TABLE event (
    workload_id keytext NOT NULL REFERENCES workload (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    phase TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (workload_id, number)
);

-- Who had a label that is no more, so that its address can say so to its owner.
CREATE TABLE gone (
    label keytext NOT NULL PRIMARY KEY,
    workload_id keytext NOT NULL,
    owner_id keytext NOT NULL,
    title TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX gone_at ON gone (at);

CREATE TABLE audit (
    id keytext NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    -- No reference: the record outlives the account.
    user_id keytext,
    user_name TEXT NOT NULL,
    via TEXT NOT NULL,
    via_id keytext,
    address TEXT NOT NULL,
    action keytext NOT NULL,
    thing keytext NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX audit_user ON audit (user_id, id);
CREATE INDEX audit_thing ON audit (thing, id);

CREATE TABLE revocation (
    kind keytext NOT NULL,
    id keytext NOT NULL,
    at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX revocation_until ON revocation (until);

CREATE TABLE ticket (
    nonce keytext NOT NULL PRIMARY KEY,
    until BIGINT NOT NULL
);
CREATE INDEX ticket_until ON ticket (until);

CREATE TABLE idempotency (
    user_id keytext NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    key keytext NOT NULL,
    request keytext NOT NULL,
    at BIGINT NOT NULL,
    -- Null until the first request is answered.
    status BIGINT,
    body TEXT,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_at ON idempotency (at);

CREATE TABLE setting (
    key keytext NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
