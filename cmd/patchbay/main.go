// Command patchbay is the server and the operator's command line.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // windows are told by IANA zones, also where the machine has no list of them

	"github.com/alecthomas/kong"

	"patchbay/cli"
	"patchbay/patch/vercmp"
	"patchbay/server/catalog/cvss"
	"patchbay/server/catalog/lookup"
	"patchbay/server/catalog/msrc"
	"patchbay/server/catalog/winget"
)

// version is set when a release is built.
var version = "dev"

// commands is the command line.
type commands struct {
	Serve     serveCmd     `cmd:"" help:"Run the server."`
	Bootstrap bootstrapCmd `cmd:"" help:"Make a first customer, site and enrolment token on the server's own machine."`
	Person    personCmd    `cmd:"" help:"Help a person who cannot sign in, on the server's own machine."`
	Backup    backupCmd    `cmd:"" help:"Save the whole installation into one file, while the server goes on."`
	Restore   restoreCmd   `cmd:"" help:"Make an installation of a backup, or check one."`
	Upgrade   upgradeCmd   `cmd:"" help:"Bring the database up to date for this version, with a backup first."`
	ServerKey serverKeyCmd `cmd:"" help:"Print the public line of the server's key, on the server's own machine."`
	RotateKey rotateKeyCmd `cmd:"" help:"Put a new key in the place of the one that signs orders, on the server's own machine."`
	Match     matchCmd     `cmd:"" help:"Say which advisories affect what is installed somewhere, without a server."`
	Debug     debugCmd     `cmd:"" help:"Look at single parts from outside."`
	Version   versionCmd   `cmd:"" help:"Print the version."`

	cli.Commands
	cli.Globals
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	all := commands{Globals: cli.Globals{Out: os.Stdout, In: os.Stdin, Now: time.Now}}
	run := kong.Parse(&all, kong.Name("patchbay"), kong.UsageOnError(),
		kong.Description("Patch management for managed service providers that says patched only after it has read the machine again."))
	run.BindTo(ctx, (*context.Context)(nil))
	run.Bind(&all.Globals)
	run.BindTo(os.Stdin, (*io.Reader)(nil))
	run.BindTo(os.Stdout, (*io.Writer)(nil))
	run.FatalIfErrorf(run.Run())
}

// debugCmd are tools for whoever checks Patchbay itself.
type debugCmd struct {
	Vercmp vercmp.Command `cmd:"" help:"Compare tab-separated pairs of versions from standard input."`
	Cvss   cvss.Command   `cmd:"" help:"Give the base score of each CVSS vector from standard input."`
	Winget winget.Command `cmd:"" help:"Read manifests of winget, and say what became of them and how well old versions are recognised."`
	Msrc   msrcCmd        `cmd:"" help:"Read Microsoft's security documents, and say what an update mends and what a Windows lacks."`
}

// matchCmd compares a listing with advisories.
type matchCmd struct{ lookup.Command }

// Run prints the findings.
func (c *matchCmd) Run(g *cli.Globals, out io.Writer) error {
	return c.Command.Run(out, os.Stderr, g.JSON)
}

// msrcCmd reads Microsoft's security documents.
type msrcCmd struct{ msrc.Command }

// Run prints what is in them.
func (c *msrcCmd) Run(g *cli.Globals, out io.Writer) error { return c.Command.Run(out, g.JSON) }

// versionCmd prints the version.
type versionCmd struct{}

// Run prints it.
func (versionCmd) Run() error {
	_, err := os.Stdout.WriteString(version + "\n")
	return err
}

func trim(b []byte) string { return strings.TrimSpace(string(b)) }
