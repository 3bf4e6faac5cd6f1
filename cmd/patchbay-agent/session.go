package main

import (
	"os"

	"patchbay/provider/host"
)

// sessionCommand is the service's helper in somebody's session. Its name is host.HelperCommand.
type sessionCommand struct{}

// Run does the one thing that is asked on its input.
func (sessionCommand) Run() error { return host.Help(os.Stdin, os.Stdout) }
