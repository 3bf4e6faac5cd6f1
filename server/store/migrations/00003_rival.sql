-- Which machine an agent is on, and other machines that speak with its key.

-- +goose Up
ALTER TABLE agent ADD COLUMN boot TEXT NOT NULL DEFAULT '';
ALTER TABLE agent ADD COLUMN nonce TEXT NOT NULL DEFAULT '';
ALTER TABLE agent ADD COLUMN former_nonce TEXT NOT NULL DEFAULT '';
ALTER TABLE agent ADD COLUMN nonce_at BIGINT;
ALTER TABLE device ADD COLUMN copy_of TEXT NOT NULL DEFAULT ''; -- the device whose disk it began with

CREATE TABLE rival (
    customer  TEXT NOT NULL,
    agent     TEXT NOT NULL,
    boot      TEXT NOT NULL,
    first_at  BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    marked_at BIGINT,
    turns     BIGINT NOT NULL,
    behind    BOOLEAN NOT NULL,
    certain   BOOLEAN NOT NULL, -- it is another machine
    word      TEXT NOT NULL,    -- with which it asks for an identity of its own; '' before
    became    TEXT NOT NULL,    -- the agent it is since; '' before
    PRIMARY KEY (customer, agent, boot),
    FOREIGN KEY (customer, agent) REFERENCES agent (customer, id)
);
