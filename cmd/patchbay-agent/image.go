package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"patchbay/agent"
	"patchbay/agent/disk"
	"patchbay/agent/enroll"
	"patchbay/wire"
)

// imageCommand makes this machine's disk fit to be copied.
type imageCommand struct {
	Server string `help:"The server at which each copy is let in when it first starts."`
	Token  string `env:"PATCHBAY_TOKEN" help:"A token for as many uses as there will be copies. It lies in the image, so let it expire soon."`
	Mode   string `enum:"observe,manage,auto" default:"auto" help:"What the copies may do."`
}

// Run takes out all that makes this machine the one it is.
func (i *imageCommand) Run(c *commands) error {
	if (i.Server == "") != (i.Token == "") {
		return errors.New("copies that are to be let in by themselves need both --server and --token")
	}
	dir, err := disk.Open(c.stateDir())
	if err != nil {
		return err
	}
	lock, err := dir.Lock()
	if err != nil {
		return fmt.Errorf("%w: stop it first, and do not start it before the disk is copied", err)
	}
	defer lock.Close()
	var invitation *agent.Invitation
	if i.Server != "" {
		if _, err := wire.ParseToken(i.Token); err != nil {
			return err
		}
		invitation = &agent.Invitation{Server: i.Server, Token: i.Token, Mode: wire.Mode(i.Mode)}
		if i.Mode == "auto" {
			invitation.Mode = defaultMode()
		}
	}
	if err := agent.PrepareImage(dir, invitation); err != nil {
		return err
	}
	fmt.Println("This machine has no identity any more: turn it off and copy its disk. The server lists it until somebody retires it there.")
	if invitation == nil {
		fmt.Println("Each copy is let in with the line the console shows for its site.")
	} else {
		fmt.Println("Each copy is let in when its agent first starts.")
	}
	return nil
}

// inviteCommand is for installers: the service that they start lets the machine in.
type inviteCommand struct {
	Server string `required:"" help:"The server's address."`
	Token  string `required:"" env:"PATCHBAY_TOKEN" help:"The enrolment token."`
	Mode   string `enum:"observe,manage" default:"manage" help:"What the agent may do."`
}

// Run keeps the invitation where only administrators read it. A machine that is let in keeps
// its identity.
func (i *inviteCommand) Run(c *commands) error {
	if _, err := wire.ParseToken(i.Token); err != nil {
		return err
	}
	dir, err := disk.Open(c.stateDir())
	if err != nil {
		return err
	}
	return agent.Invite(dir, agent.Invitation{Server: i.Server, Token: i.Token, Mode: wire.Mode(i.Mode)})
}

// accept lets a machine in that was started from an image with an invitation. Until the
// server can be reached it tries again.
func accept(ctx context.Context, o agent.Options) error {
	invitation, err := agent.Invited(o.Disk)
	if err != nil {
		return err
	}
	for wait := 5 * time.Second; ; wait = min(2*wait, 10*time.Minute) {
		facts, err := o.Facts(ctx)
		if err == nil {
			_, err = enroll.Run(ctx, enroll.Options{Server: invitation.Server, Token: invitation.Token, Mode: invitation.Mode,
				Capabilities: agent.Capabilities(invitation.Mode), Build: version, Facts: facts, Disk: o.Disk, Keys: o.Keys, Now: o.Now})
		}
		if err == nil {
			return agent.Accepted(o.Disk)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		o.Log.Warn("this machine was not let in yet", "again", wait, "error", err)
		o.Sleep(ctx, wait)
	}
}
