package main

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"patchbay/server/ca"
	"patchbay/sign"
)

// serverKeyCmd prints the public line of the key that signs orders and time, for a root to
// name. It works on the machine of the server only: asked over the network, a server that
// was taken over would name a key of its thief.
type serverKeyCmd struct {
	Data string `help:"Folder for keys and the embedded database." default:"/var/lib/patchbay" env:"PATCHBAY_DATA" type:"path"`
}

// Run prints it.
func (c *serverKeyCmd) Run(out io.Writer) error {
	dir := filepath.Join(c.Data, "keys")
	if _, err := os.Stat(filepath.Join(dir, "orders.key")); err != nil {
		return fmt.Errorf("reading the server's key: %w; run this on the server's own machine, with its --data", err)
	}
	authority, err := ca.Open(dir, time.Now())
	if err != nil {
		return err
	}
	key := authority.OrdersKey().Public().(ed25519.PublicKey)
	_, err = fmt.Fprintln(out, sign.Public{Key: key, Comment: "server"})
	return err
}
