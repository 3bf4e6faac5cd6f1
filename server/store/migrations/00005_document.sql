-- Signed documents, which belong to the MSP: roots, limits, what the server says of itself,
-- and signed approvals. body is the envelope's JSON. A number is given once: what stands
-- under it never changes, it can only be signed by more keys.

-- +goose Up
CREATE TABLE document (
    type    TEXT NOT NULL,
    epoch   BIGINT NOT NULL,
    version BIGINT NOT NULL,
    id      TEXT NOT NULL, -- of an approval, which has no number; '' for others
    body    TEXT NOT NULL,
    at      BIGINT NOT NULL,
    by      TEXT NOT NULL, -- a person's ID, or "system"
    PRIMARY KEY (type, epoch, version, id)
);
