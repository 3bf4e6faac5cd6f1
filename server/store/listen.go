package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// channel is where the servers on one database hear each other. PostgreSQL keeps the
	// channels of its databases apart.
	channel = "patchbay"
	// MaxNotice is how long a notice may be, in bytes: PostgreSQL's own limit.
	MaxNotice = 7999
	// quietAtMost is how long nothing may be heard before the connection is tried: a cut that
	// nobody told of looks like silence.
	quietAtMost = 15 * time.Second
	// tryAtMost is how long trying it may take.
	tryAtMost = 5 * time.Second
)

// Notify says something to all servers on this database, this one among them. Who is not
// listening does not hear it later.
func (s *Store) Notify(ctx context.Context, notice []byte) error {
	if len(notice) > MaxNotice {
		return fmt.Errorf("telling the other servers: %d bytes are more than the database carries", len(notice))
	}
	return doing("telling the other servers", s.Around.Do("notice", func() error {
		_, err := s.writer.ExecContext(ctx, `SELECT pg_notify($1, $2)`, channel, string(notice))
		return err
	}))
}

// Listen hands over what is said to the servers on this database, on a connection of its
// own, until that ends or ctx does, or ready or hear fails. It calls ready once everything
// said from then on will be heard; what was said before is lost.
func (s *Store) Listen(ctx context.Context, ready func() error, hear func(notice []byte) error) error {
	c, err := pgx.ConnectConfig(ctx, s.listening.Copy())
	if err != nil {
		return doing("listening to the other servers", err)
	}
	defer c.Close(context.WithoutCancel(ctx)) // it may be broken already
	if _, err := c.Exec(ctx, `LISTEN `+channel); err != nil {
		return doing("listening to the other servers", err)
	}
	err = ready()
	for err == nil {
		var n string
		if n, err = heard(ctx, c); err == nil && n != "" {
			err = hear([]byte(n))
		}
	}
	return doing("listening to the other servers", err)
}

// heard waits for a notice, "" when there was none for a while and the connection stands.
func heard(ctx context.Context, c *pgx.Conn) (string, error) {
	quiet, cancel := context.WithTimeout(ctx, quietAtMost)
	defer cancel()
	n, err := c.WaitForNotification(quiet)
	if err == nil {
		return n.Payload, nil
	}
	if ctx.Err() != nil || quiet.Err() == nil {
		return "", err
	}
	try, cancel := context.WithTimeout(ctx, tryAtMost)
	defer cancel()
	return "", c.Ping(try)
}
