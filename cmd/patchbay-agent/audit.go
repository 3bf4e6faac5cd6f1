package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"patchbay/agent/audit"
	"patchbay/provider/all"
	"patchbay/provider/host"
)

// auditCommand says what is wrong with this machine, without a server.
type auditCommand struct{ audit.Command }

// Run exits with 0 when nothing is wrong, 1 when something is and 2 when it cannot be told.
func (a *auditCommand) Run(ctx context.Context, c *commands) error {
	code, err := a.Print(ctx, audit.Options{Host: host.Host{}, Kinds: all.Kinds(), Records: c.records(),
		Catalog: c.catalog(), Build: version, Now: time.Now, Out: os.Stdout})
	if err != nil {
		fmt.Fprintln(os.Stderr, "patchbay-agent: "+err.Error())
		return exit(audit.ExitUnknown)
	}
	return exit(code)
}
