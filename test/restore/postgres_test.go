package restore

import (
	"testing"

	"patchbay/test/postgres"
)

// postgresFor starts a PostgreSQL of the test's own and gives an empty database of it at each call.
func postgresFor(t *testing.T) func(string) string {
	t.Helper()
	c := postgres.Start(t, "")
	return func(string) string { return c.Database() }
}
