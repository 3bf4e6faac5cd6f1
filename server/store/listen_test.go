package store

import (
	"bytes"
	"context"
	"testing"
)

// What one server says all hear, and one that was cut off learns that it may have missed some.
func TestACutConnectionEndsListening(t *testing.T) {
	url := postgresURL(t)
	one, two := open(t, url), open(t, url)
	ready, heard, ended := make(chan struct{}), make(chan []byte, 1), make(chan error, 1)
	go func() {
		ended <- two.Listen(t.Context(), func() error { close(ready); return nil }, func(n []byte) error { heard <- n; return nil })
	}()
	<-ready
	ok(t, one.Notify(context.Background(), []byte("look again")))
	if n := <-heard; string(n) != "look again" {
		t.Errorf("heard %q", n)
	}
	most := bytes.Repeat([]byte("x"), MaxNotice)
	ok(t, one.Notify(context.Background(), most))
	if n := <-heard; !bytes.Equal(n, most) {
		t.Errorf("of %d bytes %d arrived", len(most), len(n))
	}
	if one.Notify(context.Background(), append(most, 'x')) == nil {
		t.Error("more was taken than the database carries")
	}
	_, err := one.writer.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1`, listenerName)
	ok(t, err)
	if err := <-ended; err == nil {
		t.Error("nobody learns that the connection was cut")
	}
}
