-- Times are milliseconds since 1970, UTC. JSON is TEXT, or BYTEA where its very bytes count.
-- Every table but the closed list at the end belongs to a customer; keys start with it, so
-- that a row can only point at rows of its own customer.

-- +goose Up
CREATE TABLE customer (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL UNIQUE,
    note       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    closed_at  BIGINT
);

CREATE TABLE site (
    customer   TEXT NOT NULL REFERENCES customer (id),
    id         TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL,
    zone       TEXT NOT NULL,
    policy     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (customer, id),
    UNIQUE (customer, name_key)
);

CREATE TABLE token (
    customer    TEXT NOT NULL,
    id          TEXT NOT NULL UNIQUE,
    site        TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    note        TEXT NOT NULL,
    mode        TEXT NOT NULL,
    max_uses    BIGINT NOT NULL,
    used        BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    created_by  TEXT NOT NULL,
    expires_at  BIGINT NOT NULL,
    revoked_at  BIGINT,
    PRIMARY KEY (customer, id),
    FOREIGN KEY (customer, site) REFERENCES site (customer, id)
);

CREATE TABLE agent (
    customer       TEXT NOT NULL,
    id             TEXT NOT NULL UNIQUE,
    site           TEXT NOT NULL,
    public_key     BYTEA NOT NULL,
    build          TEXT NOT NULL,
    mode           TEXT NOT NULL,
    max_mode       TEXT NOT NULL, -- the token's
    capabilities   TEXT NOT NULL,
    token          TEXT NOT NULL,
    enrolled_at    BIGINT NOT NULL,
    revoked_at     BIGINT,
    last_seen      BIGINT,
    clock_off      BIGINT NOT NULL, -- milliseconds
    seen_epoch     BIGINT NOT NULL,
    seen_version   BIGINT NOT NULL,
    acknowledged   BIGINT NOT NULL,
    orders_epoch   BIGINT NOT NULL, -- of the orders last made for it
    orders_version BIGINT NOT NULL,
    orders_hash    TEXT NOT NULL,
    PRIMARY KEY (customer, id),
    FOREIGN KEY (customer, site) REFERENCES site (customer, id),
    FOREIGN KEY (customer, token) REFERENCES token (customer, id)
);

CREATE TABLE device (
    customer    TEXT NOT NULL,
    id          TEXT NOT NULL UNIQUE,
    site        TEXT NOT NULL,
    agent       TEXT NOT NULL,
    name        TEXT NOT NULL,
    named       BOOLEAN NOT NULL, -- by a person
    facts       TEXT NOT NULL,
    scanned_at  BIGINT,
    fresh_after BIGINT, -- what is told of it is wanted anew from then on
    digest      TEXT NOT NULL,
    enrolled_at BIGINT NOT NULL,
    retired_at  BIGINT,
    PRIMARY KEY (customer, id),
    FOREIGN KEY (customer, site) REFERENCES site (customer, id),
    FOREIGN KEY (customer, agent) REFERENCES agent (customer, id)
);
CREATE INDEX device_agent ON device (customer, agent);

CREATE TABLE section (
    customer   TEXT NOT NULL,
    device     TEXT NOT NULL,
    name       TEXT NOT NULL,
    hash       TEXT NOT NULL, -- of body; '' when none was ever read
    state      TEXT NOT NULL,
    error      TEXT NOT NULL,
    scanned_at BIGINT,        -- when body was read
    failed_at  BIGINT,
    body       BYTEA,
    PRIMARY KEY (customer, device, name),
    FOREIGN KEY (customer, device) REFERENCES device (customer, id)
);

CREATE TABLE offer (
    customer     TEXT NOT NULL,
    device       TEXT NOT NULL,
    provider     TEXT NOT NULL,
    scope        TEXT NOT NULL,
    name         TEXT NOT NULL,
    architecture TEXT NOT NULL,
    instance     TEXT NOT NULL,
    version      TEXT NOT NULL,
    body         TEXT NOT NULL, -- as last offered
    first_seen   BIGINT NOT NULL,
    gone_at      BIGINT,
    PRIMARY KEY (customer, device, provider, scope, name, architecture, instance, version),
    FOREIGN KEY (customer, device) REFERENCES device (customer, id)
);

CREATE TABLE approval (
    customer       TEXT NOT NULL REFERENCES customer (id),
    id             TEXT NOT NULL UNIQUE,
    level          TEXT NOT NULL,
    target         TEXT NOT NULL,
    provider       TEXT NOT NULL,
    name           TEXT NOT NULL,
    architecture   TEXT NOT NULL,
    version        TEXT NOT NULL,
    origin         TEXT NOT NULL,
    answer         TEXT NOT NULL,
    follow         BOOLEAN NOT NULL,
    reason         TEXT NOT NULL,
    allow_removals TEXT NOT NULL,
    forced_until   BIGINT,
    by_person      TEXT NOT NULL,
    by_name        TEXT NOT NULL,
    at             BIGINT NOT NULL,
    withdrawn_at   BIGINT,
    PRIMARY KEY (customer, id)
);
CREATE INDEX approval_open ON approval (customer, target) WHERE withdrawn_at IS NULL;

CREATE TABLE job (
    customer     TEXT NOT NULL,
    id           TEXT NOT NULL,
    device       TEXT NOT NULL,
    decision     TEXT NOT NULL,
    body         TEXT NOT NULL, -- as ordered
    created_at   BIGINT NOT NULL,
    step         TEXT NOT NULL,
    step_since   BIGINT,
    why          TEXT NOT NULL,
    result       TEXT NOT NULL,
    message      TEXT NOT NULL,
    outcome_seq  BIGINT NOT NULL, -- of the outcome that result and message are from
    ended_at     BIGINT,
    withdrawn_at BIGINT,
    PRIMARY KEY (customer, id),
    FOREIGN KEY (customer, device) REFERENCES device (customer, id)
);
CREATE INDEX job_device ON job (customer, device, created_at);
CREATE INDEX job_open ON job (customer, device) WHERE ended_at IS NULL;

-- An outcome is kept whatever it names: its job may be unknown to a server restored from a backup.
CREATE TABLE outcome (
    customer    TEXT NOT NULL,
    agent       TEXT NOT NULL,
    seq         BIGINT NOT NULL,
    device      TEXT NOT NULL,
    job         TEXT NOT NULL,
    step        TEXT NOT NULL,
    result      TEXT NOT NULL,
    at          BIGINT, -- by the device's clock
    message     TEXT NOT NULL,
    detail      TEXT NOT NULL,
    receipt     TEXT,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (customer, agent, seq),
    FOREIGN KEY (customer, agent) REFERENCES agent (customer, id)
);
CREATE INDEX outcome_device ON outcome (customer, device, received_at);
CREATE INDEX outcome_job ON outcome (customer, job);

CREATE TABLE daily_fact (
    customer TEXT NOT NULL REFERENCES customer (id),
    day      TEXT NOT NULL,
    verdict  TEXT NOT NULL,
    class    TEXT NOT NULL,
    needs    BIGINT NOT NULL,
    devices  BIGINT NOT NULL,
    silent   BIGINT NOT NULL,
    PRIMARY KEY (customer, day, verdict, class)
);

-- One hash chain per customer; the MSP's own is under 'msp', which is no customer's ID.
CREATE TABLE chain (
    customer TEXT PRIMARY KEY,
    seq      BIGINT NOT NULL,
    hash     TEXT NOT NULL
);
CREATE TABLE audit (
    customer     TEXT NOT NULL REFERENCES chain (customer),
    seq          BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    actor        TEXT NOT NULL,
    actor_name   TEXT NOT NULL,
    act          TEXT NOT NULL,
    object       TEXT NOT NULL,
    device       TEXT NOT NULL,
    payload      TEXT, -- NULL when erased
    payload_hash TEXT NOT NULL,
    previous     TEXT NOT NULL,
    hash         TEXT NOT NULL,
    PRIMARY KEY (customer, seq)
);
CREATE INDEX audit_device ON audit (customer, device, seq);
CREATE INDEX audit_at ON audit (at);

-- The tables of the MSP.
CREATE TABLE person (
    id            TEXT PRIMARY KEY,
    email         TEXT NOT NULL,
    email_key     TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    totp_secret   BYTEA,
    totp_at       BIGINT,
    totp_last     BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    disabled_at   BIGINT
);
CREATE TABLE session (
    id            TEXT PRIMARY KEY,
    secret_hash   TEXT NOT NULL UNIQUE,
    person        TEXT NOT NULL REFERENCES person (id),
    created_at    BIGINT NOT NULL,
    seen_at       BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    second_factor BOOLEAN NOT NULL,
    remote        TEXT NOT NULL
);
CREATE INDEX session_person ON session (person);
CREATE TABLE api_key (
    id          TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL UNIQUE,
    person      TEXT NOT NULL REFERENCES person (id),
    name        TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT,
    expires_at  BIGINT NOT NULL,
    revoked_at  BIGINT
);
CREATE INDEX api_key_person ON api_key (person);
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BYTEA NOT NULL
);
