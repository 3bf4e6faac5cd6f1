// Command patchbay-agent is the program on a device: it tells the server what is installed
// and on offer, and runs the signed jobs the server gives it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // windows are told by IANA zones, also where the machine has no list of them

	"github.com/alecthomas/kong"

	"patchbay/provider/host"
)

// commands are the words of the command line.
type commands struct {
	State string `type:"path" help:"Directory the agent keeps its key and journal in." env:"PATCHBAY_STATE" placeholder:"DIR"`

	Enroll    enrollCommand    `cmd:"" help:"Let this machine in at a server, with the line the console shows."`
	Run       runCommand       `cmd:"" help:"Run the agent until it is stopped."`
	Audit     auditCommand     `cmd:"" help:"Say what is wrong with this machine; needs no server and no rights."`
	Scan      scanCommand      `cmd:"" help:"Read this machine once and print it as JSON."`
	Status    statusCommand    `cmd:"" help:"Say how the agent stands."`
	Trust     trustCommand     `cmd:"" help:"Say what this machine holds its server to."`
	Install   installCommand   `cmd:"" help:"Make the agent a service that starts with the machine."`
	Session   sessionCommand   `cmd:"" hidden:"" help:"Do one thing in the session of whoever is logged in; the service starts it."`
	Invite    inviteCommand    `cmd:"" hidden:"" help:"Keep an invitation, with which the service lets this machine in."`
	Image     imageCommand     `cmd:"" name:"prepare-image" help:"Make this machine's disk fit to be copied to others."`
	Uninstall uninstallCommand `cmd:"" help:"Remove the service, the key and everything else the agent put here."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
}

// exit is an error that is only an exit code.
type exit int

// Error gives the code.
func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func main() {
	if err := host.Harden(); err != nil { // before anything is loaded
		fmt.Fprintln(os.Stderr, "patchbay-agent: "+err.Error())
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c commands
	words := kong.Parse(&c, kong.Name("patchbay-agent"), kong.UsageOnError(),
		kong.Description("Keeps this machine patched, on behalf of a Patchbay server."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	err := words.Run(&c)
	var code exit
	switch {
	case errors.As(err, &code):
		os.Exit(int(code))
	case err != nil:
		fmt.Fprintln(os.Stderr, "patchbay-agent: "+err.Error())
		os.Exit(1)
	}
}
