-- Bulletins: what the feeds brought that is news, when it was first seen here, and what was
-- seen of each feed already, so that nothing is told twice. And which recalls a person's
-- answer was given in spite of.

-- +goose Up
CREATE TABLE bulletin (
    id        TEXT NOT NULL, -- a CVE number, the ID of an advisory, a month of Microsoft's or a recall
    kind      TEXT NOT NULL, -- what the news is
    feed      TEXT NOT NULL,
    title     TEXT NOT NULL,
    cves      TEXT NOT NULL, -- that it stands for
    updates   TEXT NOT NULL, -- names of the updates it brings, such as KB5074109
    published BIGINT,        -- by its publisher's word; NULL where nothing says
    seen_at   BIGINT NOT NULL,
    PRIMARY KEY (id, kind, feed)
);
CREATE INDEX bulletin_seen_at ON bulletin (seen_at);
CREATE TABLE bulletin_known (
    source   TEXT PRIMARY KEY, -- a feed and the part of it that is counted by itself
    sums     BYTEA NOT NULL,   -- hashes of what was seen, eight bytes each, sorted
    since    BIGINT NOT NULL,  -- when it was first read: what was in it then is no news
    read_at  BIGINT NOT NULL   -- when it was last read, to the day
);
ALTER TABLE approval ADD COLUMN despite TEXT NOT NULL DEFAULT '[]';
