package backup

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"patchbay/server/ca"
	"patchbay/server/store"
	"patchbay/wire"
)

var day0 = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

const secret = "five words chosen by dice"

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// founded is an installation with keys, a customer, some agents and a certificate of the console.
func founded(t testing.TB, agents int) Place {
	t.Helper()
	p := Place{Data: t.TempDir()}
	p.Database = DatabaseIn(p.Data, "")
	_, err := ca.Open(filepath.Join(p.Data, keysDir), day0)
	ok(t, err)
	ok(t, os.Mkdir(filepath.Join(p.Data, acmeDir), 0o700))
	ok(t, os.WriteFile(filepath.Join(p.Data, acmeDir, "acme_account+key"), []byte("key of the console"), 0o600))
	s, err := store.Open(t.Context(), p.Database)
	ok(t, err)
	defer s.Close()
	ctx, h := context.Background(), s.Customer(who(), "cus_a")
	ok(t, s.MSP(who()).CreateCustomer(ctx, day0, store.CustomerRow{ID: "cus_a", Name: "Müller & Söhne", CreatedAt: day0}))
	ok(t, h.CreateSite(ctx, day0, store.Site{ID: "site_a", Name: "Main", Zone: "UTC", CreatedAt: day0, ChangedAt: day0}))
	ok(t, h.CreateToken(ctx, day0, store.Token{ID: "tok_a", Site: "site_a", Mode: wire.Manage, MaxUses: 1 << 20, CreatedAt: day0, ExpiresAt: day0.Add(24 * time.Hour)}, "hash"))
	for i := range agents {
		ok(t, h.Enroll(ctx, day0, "hash", store.Agent{ID: fmt.Sprintf("agt_%06d", i), PublicKey: []byte{0, 1, 255}, Mode: wire.Manage},
			store.Device{ID: fmt.Sprintf("dev_%06d", i), Facts: wire.Facts{Hostname: "host"}}))
	}
	return p
}

// saved makes a backup of a place.
func saved(t testing.TB, p Place, change func(*Options)) string {
	t.Helper()
	o := options(p, filepath.Join(t.TempDir(), "all.patchbay"))
	if change != nil {
		change(&o)
	}
	_, err := Make(context.Background(), o)
	ok(t, err)
	return o.File
}

func options(p Place, file string) Options {
	return Options{Place: p, File: file, Passphrase: secret, Program: "1.0.0", Now: func() time.Time { return day0 }, work: 10}
}

func plain(o *Options) { o.Plain, o.Passphrase = true, "" }

// empty is a place to restore into.
func empty(t testing.TB, file string) RestoreOptions {
	t.Helper()
	p := Place{Data: filepath.Join(t.TempDir(), "new")}
	p.Database = DatabaseIn(p.Data, "")
	return RestoreOptions{Place: p, File: file, Passphrase: func() (string, error) { return secret, nil }, Now: func() time.Time { return day0.Add(time.Hour) }}
}

// lines are all lines of a database, by table, but for those that a restore changes.
func lines(t testing.TB, p Place) string {
	t.Helper()
	s, err := store.OpenAsIs(t.Context(), p.Database)
	ok(t, err)
	defer s.Close()
	var b strings.Builder
	ok(t, s.MSP(who()).Dump(t.Context(), func(d store.Dump) error {
		return d.Lines(t.Context(), func(l store.Line) error {
			switch l.Table {
			case "setting", "token", "session", "chain", "audit":
			default:
				fmt.Fprintf(&b, "%s %s\n", l.Table, l.Text)
			}
			return nil
		})
	}))
	return b.String()
}

// everything reads a backup to its end and gives what was in it.
func everything(file *os.File, passphrase string) (string, error) {
	in, _, err := decrypt(file, func() (string, error) { return passphrase, nil })
	if err != nil {
		return "", err
	}
	r, err := newReader(in)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for {
		l, err := r.line()
		if r.ended {
			return fmt.Sprintf("%+v\n%s%+v", r.header, b.String(), r.files), nil
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s %s\n", l.Table, l.Text)
	}
}
