// Command patchbay-sim is a simulated fleet that speaks the real protocol to a real server.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // windows are told by IANA zones, also where the machine has no list of them

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c command
	run := kong.Parse(&c, kong.Name("patchbay-sim"), kong.UsageOnError(),
		kong.Description("A fleet that is not there, for load tests and for showing around. It speaks the real protocol to a real server: "+
			"everything it makes there looks like customers and devices, so give it a server of its own."))
	run.BindTo(ctx, (*context.Context)(nil))
	run.FatalIfErrorf(run.Run())
}
