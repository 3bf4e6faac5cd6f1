-- What people say of where a device stands among others: how much depends on it, who reaches
-- it, what it is for. And groups of devices of one customer.

-- +goose Up
CREATE TABLE attribute (
    customer  TEXT NOT NULL REFERENCES customer (id),
    level     TEXT NOT NULL, -- customer, site or device
    target    TEXT NOT NULL, -- the ID of what level names
    name      TEXT NOT NULL, -- criticality, exposure, role:sql…
    value     TEXT NOT NULL,
    by_person TEXT NOT NULL,
    by_name   TEXT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (customer, level, target, name)
);

CREATE TABLE device_group (
    customer   TEXT NOT NULL REFERENCES customer (id),
    id         TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL,
    rank       BIGINT NOT NULL, -- from 1; the first one decides where two would
    created_at BIGINT NOT NULL,
    PRIMARY KEY (customer, id),
    UNIQUE (customer, name_key),
    UNIQUE (customer, rank)
);

CREATE TABLE group_device (
    customer     TEXT NOT NULL,
    device_group TEXT NOT NULL,
    device       TEXT NOT NULL,
    PRIMARY KEY (customer, device_group, device),
    FOREIGN KEY (customer, device_group) REFERENCES device_group (customer, id),
    FOREIGN KEY (customer, device) REFERENCES device (customer, id)
);
CREATE INDEX group_device_device ON group_device (customer, device);
