package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"patchbay/server/access"
	"patchbay/server/effect"
)

// Place says where an installation keeps its things, for work on the server's own machine.
type Place struct {
	Data, Database string
	Now            func() time.Time
	Around         effect.Around // as in Options
}

// Recover calls fn with what helps a person who cannot sign in. The server may run meanwhile.
// Nobody can do this over the network.
func Recover(ctx context.Context, p Place, fn func(*access.Recover) error) (err error) {
	o := withDefaults(Options{Data: p.Data, Database: p.Database, Now: p.Now})
	if _, err := os.Stat(filepath.Join(o.Data, "keys")); err != nil {
		return fmt.Errorf("there is no installation in %s: name its folder with --data", o.Data)
	}
	s, authority, err := openAll(ctx, o.Data, o.Database, o.Now(), p.Around)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var secret [32]byte
	copy(secret[:], authority.Secret())
	a, err := access.New(s, access.Options{Now: o.Now, Secret: secret})
	if err != nil {
		return err
	}
	return fn(a.Recovery("Somebody on the server's own machine"))
}
