package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"patchbay/server"
	"patchbay/server/documents"
	"patchbay/sign"
	"patchbay/wire"
)

// rotateKeyCmd replaces the key that signs orders and time.
type rotateKeyCmd struct {
	Data     string `help:"Folder for keys and the embedded database." default:"/var/lib/patchbay" env:"PATCHBAY_DATA" type:"path"`
	Database string `help:"Address of the database when it is not the embedded one." env:"PATCHBAY_DATABASE"`
}

// Run replaces it, or says what has to be done first.
func (c *rotateKeyCmd) Run(ctx context.Context, out io.Writer) error {
	r, err := server.Rotate(ctx, server.Place{Data: c.Data, Database: c.Database, Now: time.Now}, func(string) {})
	var unnamed *documents.Unnamed
	if errors.As(err, &unnamed) {
		return fmt.Errorf(`%w. Nothing has changed, but that the next key lies ready. Add its line to those of the server, make a root that names both
(patchbay root draft --server-key FILE, once for each line), have it signed and published, and run this again:

%s`, err, sign.Public{Key: unnamed.Key, Comment: "server, next"})
	}
	if err != nil {
		return err
	}
	former, err := wire.KeyName(r.Former)
	if err != nil {
		return err
	}
	now, err := wire.KeyName(r.Now)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `The server signed with  %s, which is gone,
and signs with          %s from its next start on.

1. A server that runs ends by itself when it notices, and its service starts it again. Make sure that it did.
2. Copy keys/orders.key to the installation's other servers, and start those again.
3. Take a backup now. An older one brings the former key back, which agents no longer believe once they have followed.

Agents follow when they next check in. Their certificates, the authority and tokens stay as they are.
`, former, now)
	return err
}
