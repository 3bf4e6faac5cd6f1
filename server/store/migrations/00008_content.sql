-- Content: which files the installation has for its agents, by their hash. The files lie in a
-- folder beside the database. And which content a job is about, so that it is kept as long as
-- the job needs it.

-- +goose Up
CREATE TABLE content (
    sha256   TEXT PRIMARY KEY, -- lower-case hex
    size     BIGINT NOT NULL,
    name     TEXT NOT NULL, -- of the file, as people call it
    source   TEXT NOT NULL, -- the address it was fetched from; '' when it was uploaded
    added_at BIGINT NOT NULL,
    added_by TEXT NOT NULL, -- a person's ID
    used_at  BIGINT -- when an agent last asked for it; NULL before
);
ALTER TABLE job ADD COLUMN sha256 TEXT NOT NULL DEFAULT '';
CREATE INDEX job_content ON job (sha256) WHERE sha256 <> '';
