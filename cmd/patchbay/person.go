package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"patchbay/cli"
	"patchbay/server"
	"patchbay/server/access"
)

// personCmd helps people who cannot sign in. It works on the machine of the server only, on
// the database itself; the audit chain says that it was done.
type personCmd struct {
	ResetTOTP   resetTOTPCmd   `cmd:"" name:"reset-totp" help:"Take away a lost second factor."`
	SetPassword setPasswordCmd `cmd:"" name:"set-password" help:"Set a new password, read from standard input."`
}

// resetTOTPCmd takes a second factor away.
type resetTOTPCmd struct {
	place
	Email string `arg:"" help:"The person's address."`
}

// Run takes it away.
func (c *resetTOTPCmd) Run(ctx context.Context, out io.Writer) error {
	err := server.Recover(ctx, server.Place{Data: c.Data, Database: c.Database, Now: time.Now}, func(r *access.Recover) error {
		return r.ResetTOTP(ctx, c.Email)
	})
	if err != nil {
		return fmt.Errorf("taking the second factor away: %w", err)
	}
	_, err = fmt.Fprintln(out, "The second factor is gone and every session of this person has ended. The next sign-in needs only the password: set up a new second factor at once. API keys stay.")
	return err
}

// setPasswordCmd sets a new password.
type setPasswordCmd struct {
	place
	Email string `arg:"" help:"The person's address."`
}

// Run asks for it and sets it.
func (c *setPasswordCmd) Run(ctx context.Context, g *cli.Globals, out io.Writer) error {
	password, err := g.AskSecret("New password: ")
	if err != nil {
		return err
	}
	err = server.Recover(ctx, server.Place{Data: c.Data, Database: c.Database, Now: time.Now}, func(r *access.Recover) error {
		return r.SetPassword(ctx, c.Email, password)
	})
	if err != nil {
		return fmt.Errorf("setting the password: %w", err)
	}
	_, err = fmt.Fprintln(out, "The password is set and every session of this person has ended. The second factor and API keys stay.")
	return err
}
