-- What was mended where, as scans have shown it: an item that vulnerabilities affected went to a
-- version that they do not. What a change mends stands once for each customer, not for each
-- device.

-- +goose Up
CREATE TABLE mend (
    customer     TEXT NOT NULL REFERENCES customer (id),
    id           TEXT NOT NULL, -- of all that follows, and of its CVEs
    item         TEXT NOT NULL,
    from_version TEXT NOT NULL,
    to_version   TEXT NOT NULL, -- '' when it was taken off
    PRIMARY KEY (customer, id)
);
CREATE TABLE mend_cve (
    customer TEXT NOT NULL,
    cve      TEXT NOT NULL, -- or the ID of an advisory that stands for none
    mend     TEXT NOT NULL,
    PRIMARY KEY (customer, cve, mend),
    FOREIGN KEY (customer, mend) REFERENCES mend (customer, id)
);
CREATE INDEX mend_cve_cve ON mend_cve (cve);
CREATE TABLE device_mend (
    customer TEXT NOT NULL,
    device   TEXT NOT NULL,
    mend     TEXT NOT NULL,
    at       BIGINT NOT NULL, -- of the scan that showed it
    PRIMARY KEY (customer, device, mend, at),
    FOREIGN KEY (customer, device) REFERENCES device (customer, id),
    FOREIGN KEY (customer, mend) REFERENCES mend (customer, id)
);
CREATE INDEX device_mend_mend ON device_mend (customer, mend);
