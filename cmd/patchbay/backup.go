package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"patchbay/cli"
	"patchbay/server/backup"
)

// at is the place as package backup has it.
func (p place) at() backup.Place {
	return backup.Place{Data: p.Data, Database: backup.DatabaseIn(p.Data, p.Database)}
}

// telling says what is being done, where that is asked for.
type telling struct {
	Verbose bool `help:"Say on standard error what is being done."`
}

func (t telling) progress() func(string) {
	if !t.Verbose {
		return nil
	}
	return func(what string) { fmt.Fprintln(os.Stderr, what) }
}

// writing are the flags of whatever makes a backup.
type writing struct {
	cli.Passphrases
	telling
	Unencrypted bool `help:"Write the backup without a passphrase. Whoever has the file then has the installation's keys."`
}

func (w writing) make(ctx context.Context, g *cli.Globals, p place, file string) (backup.Summary, error) {
	o := backup.Options{Place: p.at(), File: file, Plain: w.Unencrypted, Program: version, Now: time.Now, Progress: w.progress()}
	if !w.Unencrypted {
		secret, err := w.NewPassphrase(g, bufio.NewReader(g.In), "the backup")
		if err != nil {
			return backup.Summary{}, err
		}
		o.Passphrase = secret
	}
	return backup.Make(ctx, o)
}

// backupCmd saves an installation into a file.
type backupCmd struct {
	place
	writing
	File string `arg:"" help:"File to make. One that is there is not written over." type:"path"`
}

// Run writes it, while the server goes on.
func (c *backupCmd) Run(ctx context.Context, g *cli.Globals, out io.Writer) error {
	sum, err := c.make(ctx, g, c.place, c.File)
	if err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s holds %s.\n%s\n", c.File, contents(sum), secrecy(sum))
	return err
}

// contents says what is in a backup.
func contents(s backup.Summary) string {
	rows := int64(0)
	for _, n := range s.Rows {
		rows += n
	}
	return fmt.Sprintf("the installation as of %s UTC: %s, %s, %s, %s in %s (schema %d), %s; %s, by version %s",
		s.TakenAt.UTC().Format(time.DateTime), counted(s.Rows["customer"], "customer"), counted(s.Rows["device"], "device"), counted(s.Rows["agent"], "agent"),
		counted(rows, "row"), counted(int64(len(s.Rows)), "table"), s.Schema, counted(int64(s.Keys), "key file"), humanize.IBytes(uint64(s.Size)), s.Program)
}

func counted(n int64, what string) string { return english.Plural(int(n), what, "") }

func secrecy(s backup.Summary) string {
	if s.Encrypted {
		return "It is encrypted. Keep its passphrase elsewhere than the file: without it nobody can restore it, and nobody can recover it."
	}
	return "It is NOT encrypted: whoever has this file has the installation's keys, and can order its agents to install what their sources offer. Keep it as you keep a key."
}

// restoreCmd makes an installation of a backup.
type restoreCmd struct {
	place
	cli.Passphrases
	telling
	Check bool   `help:"Read the whole backup and load it into a database that is thrown away; change nothing."`
	File  string `arg:"" help:"The backup." type:"existingfile"`
}

// Run restores, or tries whether it would.
func (c *restoreCmd) Run(ctx context.Context, g *cli.Globals, out io.Writer) error {
	o := backup.RestoreOptions{Place: c.at(), File: c.File, Now: time.Now, Progress: c.progress(),
		Passphrase: func() (string, error) { return c.Passphrase(g, bufio.NewReader(g.In), "the backup") }}
	if c.Check {
		return c.check(ctx, o, out)
	}
	r, err := backup.Restore(ctx, o)
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	_, err = fmt.Fprintf(out, `Restored %s.
%sOrders are signed in epoch %d from now on. Ended: %s. Revoked: %s.

What people did after that backup is not known here. Before you start the server:
- see that the old one is gone for good: two servers with the same keys give orders against each other;
- think of what was held, rejected, withdrawn, revoked, disabled or retired since, and do it again at once;
- publish signed documents again that were published since (patchbay trust publish);
- enrol agents again that were enrolled since.
Agents come back by themselves, at every address they were told, and report what they did.
`, contents(r.Summary), sentences(r.Broken), r.Epoch, counted(r.Sessions, "session"), counted(int64(r.Tokens), "enrolment token"))
	return err
}

func (c *restoreCmd) check(ctx context.Context, o backup.RestoreOptions, out io.Writer) error {
	r, err := backup.Check(ctx, o)
	if err != nil {
		return fmt.Errorf("checking the backup: %w", err)
	}
	_, err = fmt.Fprintf(out, "Good: it was read to its end, every part is as it was written, and all of it loads.\nIt holds %s.\nIt is from %s.\n%s",
		contents(r.Summary), humanize.RelTime(r.TakenAt, o.Now(), "ago", "ahead of this machine's clock"), sentences(r.Broken))
	return err
}

func sentences(all []string) string {
	text := strings.Join(all, "\n")
	if text != "" {
		text += "\n"
	}
	return text
}

// upgradeCmd brings the database's schema up to date.
type upgradeCmd struct {
	place
	writing
	Check    bool   `help:"Only say what would be done."`
	Backup   string `help:"File for the backup that is made first. Left out, one in the folder backups below --data." type:"path"`
	BackedUp string `help:"An existing backup of this installation, at most a day old, in place of a new one." type:"existingfile"`
}

// Run makes a backup, migrates and tells.
func (c *upgradeCmd) Run(ctx context.Context, g *cli.Globals, out io.Writer) error {
	v, err := backup.Schema(ctx, c.at())
	if err != nil {
		return fmt.Errorf("looking at the database: %w", err)
	}
	fmt.Fprintf(out, "The database has schema %d; version %s wants %d.\n", v.Current, version, v.Newest)
	if v.Current == v.Newest {
		_, err = fmt.Fprintln(out, "There is nothing to do.")
		return err
	}
	if c.Check {
		_, err = fmt.Fprintln(out, "patchbay upgrade makes a backup and brings the schema up to date. Servers of the version before may run on meanwhile; once they stop, only this version or a newer one starts.")
		return err
	}
	if err := c.secure(ctx, g, v.Newest, out); err != nil {
		return fmt.Errorf("backing up before the upgrade: %w", err)
	}
	if v, err = backup.Upgrade(ctx, c.at(), version); err != nil {
		return fmt.Errorf("upgrading: %w", err)
	}
	_, err = fmt.Fprintf(out, "The database has schema %d now. Start version %s; to go back, restore the backup with the version before.\n", v.Current, version)
	return err
}

// secure sees to it that there is a backup.
func (c *upgradeCmd) secure(ctx context.Context, g *cli.Globals, to int64, out io.Writer) error {
	if c.BackedUp != "" {
		return backup.Suffices(backup.RestoreOptions{Place: c.at(), File: c.BackedUp, Now: time.Now,
			Passphrase: func() (string, error) { return c.Passphrase(g, bufio.NewReader(g.In), "the backup") }})
	}
	file := c.Backup
	if file == "" {
		dir := filepath.Join(c.Data, "backups")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		file = filepath.Join(dir, fmt.Sprintf("before-schema-%d-%s.patchbay", to, time.Now().UTC().Format("20060102T150405Z")))
	}
	sum, err := c.make(ctx, g, c.place, file)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s holds %s.\n%s\n", file, contents(sum), secrecy(sum))
	return err
}
