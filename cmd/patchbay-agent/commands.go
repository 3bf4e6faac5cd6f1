package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"patchbay/agent"
	"patchbay/agent/content"
	"patchbay/agent/disk"
	"patchbay/agent/enroll"
	"patchbay/agent/identity"
	"patchbay/agent/service"
	"patchbay/provider"
	"patchbay/wire"
)

type enrollCommand struct {
	Server  string `required:"" help:"The server's address, such as https://patchbay.example.com:8443."`
	Token   string `required:"" env:"PATCHBAY_TOKEN" help:"The enrolment token the console shows."`
	Mode    string `enum:"observe,manage,auto" default:"auto" help:"observe: report only, never install. manage: install what the server's signed jobs say. auto: manage when run as root."`
	Replace bool   `help:"Give up the identity this machine has already."`
}

// Run lets this machine in.
func (e *enrollCommand) Run(ctx context.Context, c *commands) error {
	dir, err := disk.Open(c.stateDir())
	if err != nil {
		return err
	}
	lock, err := dir.Lock()
	if err != nil {
		return fmt.Errorf("%w: stop it first", err)
	}
	defer lock.Close()
	mode := wire.Mode(e.Mode)
	if e.Mode == "auto" {
		mode = defaultMode()
	}
	o := c.options(dir)
	facts, err := o.Facts(ctx)
	if err != nil {
		return err
	}
	id, err := enroll.Run(ctx, enroll.Options{
		Server: e.Server, Token: e.Token, Mode: mode, Capabilities: agent.Capabilities(mode), Build: version,
		Facts: facts, Disk: dir, Keys: o.Keys, Now: time.Now, Replace: e.Replace,
	})
	if err != nil {
		return err
	}
	fmt.Printf("Enrolled as %s of %s, site %s, in %s mode.\n", id.Device, id.Customer, id.Site, id.Mode)
	if privileged() {
		fmt.Println("Next: patchbay-agent install   (a service that starts with the machine)")
	} else {
		fmt.Println("Next: patchbay-agent run")
	}
	return nil
}

type runCommand struct {
	Observe   bool          `help:"Install nothing, whatever the identity allows."`
	Reconnect time.Duration `default:"2m" help:"Spread the first try after the server was lost over this long."`
	Service   bool          `hidden:"" help:"Answer the service manager of Windows, which started this."`
}

// Run runs the agent until it is told to stop.
func (r *runCommand) Run(ctx context.Context, c *commands) error {
	debug.SetGCPercent(40) // an agent is idle nearly always: small counts more than fast
	dir, err := disk.Open(c.stateDir())
	if err != nil {
		return err
	}
	lock, err := dir.Lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	o := c.options(dir)
	if r.Service { // there is nobody to read what it says
		log, err := service.Log(dir.Path())
		if err != nil {
			return err
		}
		defer log.Close()
		o.Log = slog.New(slog.NewTextHandler(log, nil))
	}
	o.Reconnect = r.Reconnect
	o.Files, err = content.OpenDir(filepath.Join(dir.Path(), "content"))
	if err != nil { // nothing is installed from it, and all else goes on
		o.Files = nil
		o.Log.Error("files to install from cannot be kept", "error", err)
	}
	if r.Observe || !privileged() {
		o.Mode = wire.Observe
	}
	return service.Wrap(ctx, r.Service, func(ctx context.Context) error {
		err := runAgent(ctx, o, dir.Path())
		if r.Service && errors.Is(err, identity.ErrNone) { // starting it again helps nobody
			o.Log.Warn("this machine is not let in: run patchbay-agent enroll", "error", err)
			return nil
		}
		if r.Service && err != nil {
			o.Log.Error("the agent ended", "error", err)
		}
		return err
	})
}

// runAgent runs the agent, and anew when this machine got an identity of its own.
func runAgent(ctx context.Context, o agent.Options, state string) error {
	for {
		a, err := agent.New(o)
		if errors.Is(err, identity.ErrNone) {
			if err = accept(ctx, o); err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		o.Log.Info("running", "version", version, "state", state)
		if err := a.Run(ctx); !errors.Is(err, agent.ErrAnew) {
			return errors.Join(err, a.Close())
		}
	}
}

type scanCommand struct {
	Refresh bool `help:"Ask the sources anew first, which needs rights and the network."`
}

// Run reads this machine once.
func (s *scanCommand) Run(ctx context.Context, c *commands) error {
	o := c.options(disk.OS{})
	o.Disk, o.Records = nil, c.records()
	scanner := agent.NewScanner(o)
	if s.Refresh {
		if err := scanner.Refresh(ctx); err != nil {
			return err
		}
	}
	report, err := scanner.Scan(ctx, time.Now())
	if err != nil {
		return err
	}
	return printJSON(report.Sections)
}

// readable is the directory if there is one: a scan makes none.
func readable(dir string) string {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return ""
	}
	return dir
}

// records are those of an agent that is there; nil when none is.
func (c *commands) records() provider.Records {
	if readable(c.stateDir()) == "" {
		return nil
	}
	return disk.At(c.stateDir())
}

// catalog is what an agent that is there holds; nil when none is.
func (c *commands) catalog() func(kind string) provider.Catalog {
	if readable(c.stateDir()) == "" {
		return nil
	}
	return agent.CatalogOnDisk(disk.At(c.stateDir()))
}

// state is the directory of an agent that is there: looking makes none.
func (c *commands) state() (disk.OS, error) {
	if readable(c.stateDir()) == "" {
		return disk.OS{}, identity.ErrNone
	}
	return disk.Open(c.stateDir())
}

type statusCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run says how the agent stands. The exit code is 0 when it is in touch with its server.
func (s *statusCommand) Run(c *commands) error {
	dir, err := c.state()
	if err != nil {
		return err
	}
	standing, err := agent.Look(dir)
	if err != nil {
		return err
	}
	if s.JSON {
		err = printJSON(standing)
	} else {
		err = standing.Print(os.Stdout, time.Now())
	}
	if err == nil && standing.Status.Error != "" {
		return exit(1)
	}
	return err
}

type trustCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run says what this machine holds its server to. The exit code is 1 when that is over, and
// only security updates are installed.
func (t *trustCommand) Run(c *commands) error {
	dir, err := c.state()
	if err != nil {
		return err
	}
	holding, err := agent.Holds(dir, time.Now())
	if err != nil {
		return err
	}
	if t.JSON {
		err = printJSON(holding)
	} else {
		err = holding.Print(os.Stdout)
	}
	if err == nil && holding.Lapsed != "" {
		return exit(1)
	}
	return err
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run() error {
	_, err := fmt.Println("patchbay-agent " + version)
	return err
}

func printJSON(v any) error {
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
