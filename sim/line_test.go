package sim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"patchbay/wire"
)

// listener is a real TLS server by the fake's authority, and credentials it is believed by.
func listener(t *testing.T, answer http.HandlerFunc) (*httptest.Server, *Credentials) {
	t.Helper()
	f := newFake(t)
	now := time.Now()
	cert, err := f.authority.ServerCertificate([]string{"127.0.0.1"}, now)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(answer)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, stranger(f.authority.Pin(), func() time.Time { return now })
}

func TestACallHearsEventsAndNothingElse(t *testing.T) {
	server, as := listener(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") != "text/event-stream" {
			t.Errorf("it accepts %q", r.Header.Get("Accept"))
		}
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		io.WriteString(w, ": here\n\nevent: checkin\ndata: {}\n\n: still\n\nevent: other\n\nevent: checkin\n\n")
	})
	calls := 0
	err := (&network{}).Listen(t.Context(), as, server.URL, func() { calls++ })
	if err == nil || calls != 2 {
		t.Errorf("%d calls; the stream's end is %v", calls, err)
	}
}

func TestACallThatIsHeldAndLetGoIsMadeAgain(t *testing.T) {
	var asked atomic.Int32
	server, as := listener(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusNoContent)
		}
	})
	calls := 0
	if err := (&network{}).Listen(t.Context(), as, server.URL, func() { calls++ }); err != nil || calls != 1 || asked.Load() != 3 {
		t.Errorf("%d calls after %d questions: %v", calls, asked.Load(), err)
	}
	server, as = listener(t, http.NotFound)
	if err := (&network{}).Listen(t.Context(), as, server.URL, nil); !errors.Is(err, errNoWake) {
		t.Errorf("a server without calls is %v", err)
	}
}

func TestAServerWithoutThePinIsToldNothing(t *testing.T) {
	server, as := listener(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked something") })
	as.pin = strings.Repeat("0", 32)
	if _, err := (&network{}).Ask(t.Context(), Request{From: as, URL: server.URL, Method: http.MethodPost, Path: "/agent/v1/enroll"}); err == nil {
		t.Error("it was believed")
	}
}

func TestLargeMessagesArePackedAndConnectionsKept(t *testing.T) {
	server, as := listener(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprint(w, r.Header.Get("Content-Encoding"), len(body) < 1000, err == nil)
	})
	n := &network{keep: true}
	for _, size := range []int{100, 100_000} {
		a, err := n.Ask(t.Context(), Request{From: as, URL: server.URL, Method: http.MethodPost, Path: "/", Body: []byte(strings.Repeat("x", size))})
		if want := map[bool]string{false: "true true", true: "gziptrue true"}[size > squeeze]; err != nil || string(a.Body) != want || a.Out == 0 || a.In == 0 {
			t.Errorf("%d bytes: %+v %s %v", size, a, a.Body, err)
		}
	}
	if n.dials.Load() != 1 {
		t.Errorf("%d connections were made", n.dials.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Ask(ctx, Request{From: as, URL: server.URL, Method: http.MethodPost, Path: "/"}); err == nil {
		t.Error("nobody could end a request")
	}
}

func TestEveryKindOfErrorIsOneLineOfTheReport(t *testing.T) {
	for err, want := range map[error]string{
		fmt.Errorf("checking in: %w", overload{time.Minute}):                             "overload",
		errors.New("connecting: dial tcp 127.0.0.1:8421: connect: connection refused"):   "connection refused",
		errors.New("reading the answer: unexpected EOF"):                                 "EOF",
		fmt.Errorf("status %d", 500):                                                     "status 500",
		fmt.Errorf("opening %s: %w", wire.OrdersDocument, errors.New("it is in French")): "opening patchbay/orders/v1",
	} {
		if got := kind(err); got != want {
			t.Errorf("%v is counted as %q, want %q", err, got, want)
		}
	}
}
