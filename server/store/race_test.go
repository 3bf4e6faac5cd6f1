//go:build race

package store

// racing: the race detector is on. SQLite, which is Go here, is 20 to 30 times slower under
// it, so that the suite runs on PostgreSQL and SQLite gets a smoke test.
const racing = true
