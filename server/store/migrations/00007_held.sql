-- Which signed documents an agent said it holds; NULL before it said so.

-- +goose Up
ALTER TABLE agent ADD COLUMN held_root BIGINT;
ALTER TABLE agent ADD COLUMN held_limits BIGINT;
