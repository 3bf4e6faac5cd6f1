// Package link carries what agent and server say: one check-in and its reply, and the
// wake-up call that only ever says "check in now".
//
// A check-in in which nothing changed is the most frequent message of a fleet, so headers
// are kept to what HTTP needs.
package link

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"patchbay/wire"
)

const (
	// squeeze is the size from which a check-in is compressed.
	squeeze = 4 << 10

	checkInTime = 90 * time.Second
	wakeTime    = 75 * time.Second // the server holds a call for up to 50 s
)

// ErrRefused means that the server knows this agent and no longer accepts it.
var ErrRefused = errors.New("the server refuses this agent: it was revoked, or its device retired")

// ErrCertificate means that the server does not take the agent's certificate: most often
// because it has run out.
var ErrCertificate = errors.New("the server does not take this agent's certificate")

// ErrNoWake means that the server has no wake-up channel.
var ErrNoWake = errors.New("the server has no wake-up channel")

// Overload is a server that asks to be left alone for a while.
type Overload struct{ After time.Duration }

// Error says how long.
func (o Overload) Error() string {
	return fmt.Sprintf("the server is busy and asks to come back in %s", o.After)
}

// Doubted is an answer by a server that is not sure that this is the agent it says it is.
type Doubted struct{ wire.Doubt }

// Error says why.
func (d Doubted) Error() string { return d.Why }

// Link is the way to one server.
type Link struct {
	mu     sync.Mutex
	url    string // without a slash at its end
	client *http.Client
	bare   *http.Client // shows no certificate: for one that has run out
}

// Dial reaches an address.
type Dial = func(ctx context.Context, network, addr string) (net.Conn, error)

// New makes a link. dial may be nil for the network.
func New(agentURL string, config *tls.Config, dial Dial) (*Link, error) {
	base, err := parse(agentURL)
	if err != nil {
		return nil, err
	}
	if dial == nil {
		dial = (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	bare := config.Clone()
	bare.GetClientCertificate, bare.Certificates, bare.ClientSessionCache = nil, nil, nil
	return &Link{url: base, client: newClient(config, dial), bare: newClient(bare, dial)}, nil
}

// parse checks an address and gives it without a slash at its end.
func parse(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("the server's address %.200q is not an https address", address)
	}
	return u.Scheme + "://" + u.Host + strings.TrimSuffix(u.Path, "/"), nil
}

func newClient(config *tls.Config, dial Dial) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // two connections for two streams; HTTP/2 costs memory and gains nothing
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  Proxy,
			OnProxyConnectResponse: ProxyAnswered,
			DialContext:            gated(dial),
			TLSClientConfig:        config,
			TLSHandshakeTimeout:    30 * time.Second,
			IdleConnTimeout:        5 * time.Minute,
			MaxIdleConns:           2,
			Protocols:              protocols,
			ReadBufferSize:         2 << 10,
			WriteBufferSize:        2 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// base is the address in use.
func (l *Link) base() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.url
}

// TryAnother goes on to the address after the one in use, because that one did not answer.
func (l *Link) TryAnother(addresses []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := 0
	var all []string
	for _, a := range addresses {
		if base, err := parse(a); err == nil {
			if all = append(all, base); base == l.url {
				next = len(all)
			}
		}
	}
	if len(all) > 0 {
		l.url = all[next%len(all)]
	}
}

// gate is the context key of a flag that, once up, lets a request make no new connection.
type gate struct{}

// gated keeps a held call from being made again the moment it is lost, as HTTP clients do by
// themselves: a fleet that lost its server would come back as one.
func gated(dial Dial) Dial {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if shut, ok := ctx.Value(gate{}).(*atomic.Bool); ok && shut.Load() {
			return nil, errors.New("the connection was lost")
		}
		return dial(ctx, network, addr)
	}
}

// Close drops idle connections.
func (l *Link) Close() {
	l.client.CloseIdleConnections()
	l.bare.CloseIdleConnections()
}

// Renew asks for a new certificate. It shows none, so that it works also when the last one
// has run out: the request is signed by the agent's key.
func (l *Link) Renew(ctx context.Context, request *wire.Envelope) (wire.Renewed, error) {
	var answer wire.Renewed
	body, err := json.Marshal(request)
	if err != nil {
		return answer, fmt.Errorf("encoding the renewal: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, checkInTime)
	defer cancel()
	res, err := l.post(ctx, l.bare, "/agent/v1/renew", body)
	if err != nil {
		return answer, fmt.Errorf("renewing the certificate: %w", err)
	}
	defer res.Body.Close()
	if err := status(res); err != nil {
		return answer, fmt.Errorf("renewing the certificate: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, wire.MaxReply))
	if err == nil {
		err = json.Unmarshal(data, &answer)
	}
	if err != nil {
		return wire.Renewed{}, fmt.Errorf("reading the new certificate: %w", err)
	}
	return answer, nil
}

// CheckIn says what there is to say and brings the reply.
func (l *Link) CheckIn(ctx context.Context, c wire.CheckIn) (wire.Reply, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return wire.Reply{}, fmt.Errorf("encoding the check-in: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, checkInTime)
	defer cancel()
	res, err := l.post(ctx, l.client, "/agent/v1/checkin", body)
	if rejected(err) {
		return wire.Reply{}, fmt.Errorf("checking in: %w", ErrCertificate)
	}
	if err != nil {
		return wire.Reply{}, fmt.Errorf("checking in: %w", err)
	}
	defer res.Body.Close()
	if err := status(res); err != nil {
		return wire.Reply{}, fmt.Errorf("checking in: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, wire.MaxReply+1))
	if err != nil {
		return wire.Reply{}, fmt.Errorf("reading the reply: %w", err)
	}
	return ParseReply(data)
}

// ParseReply reads a reply, which may be anything.
func ParseReply(data []byte) (wire.Reply, error) {
	var r wire.Reply
	if len(data) > wire.MaxReply {
		return r, fmt.Errorf("the reply is larger than %d bytes", wire.MaxReply)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return wire.Reply{}, fmt.Errorf("reading the reply: %w", err)
	}
	if r.Version < 1 || r.Time.IsZero() {
		return wire.Reply{}, errors.New("reading the reply: it has no version or no time, so it is not of a Patchbay server")
	}
	return r, nil
}

// Wake waits until the server calls or the call runs out. It reports whether the server
// wants to hear from this agent.
func (l *Link) Wake(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, wakeTime)
	defer cancel()
	shut := new(atomic.Bool)
	ctx = context.WithValue(ctx, gate{}, shut)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { shut.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base()+"/agent/v1/wake", nil)
	if err != nil {
		return false, fmt.Errorf("waiting for a call: %w", err)
	}
	req.Header.Set("User-Agent", "")
	res, err := l.client.Do(req)
	if err != nil {
		return false, fmt.Errorf("waiting for a call: %w", err)
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 4<<10)) // so that the connection can be used again
	switch res.StatusCode {
	case http.StatusNoContent:
		return false, nil
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return false, ErrNoWake
	}
	if err := status(res); err != nil {
		return false, fmt.Errorf("waiting for a call: %w", err)
	}
	return true, nil
}

func (l *Link) post(ctx context.Context, client *http.Client, path string, body []byte) (*http.Response, error) {
	encoding := ""
	if len(body) > squeeze {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(body) // a buffer takes everything
		if err := z.Close(); err != nil {
			return nil, err
		}
		body, encoding = b.Bytes(), "gzip"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.base()+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "")
	req.Header.Set("Content-Type", "application/json")
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	res, err := client.Do(req)
	return res, Explain(err)
}

// status turns an answer that is not 200 into an error.
func status(res *http.Response) error {
	switch res.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return ErrRefused
	case http.StatusConflict:
		return doubt(res)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
		if err == nil && seconds > 0 {
			return Overload{time.Duration(min(seconds, 3600)) * time.Second}
		}
	}
	return fmt.Errorf("the server answered %s", Problem(res))
}

// doubt reads a server's doubt about who this is.
func doubt(res *http.Response) error {
	data, err := io.ReadAll(io.LimitReader(res.Body, 16<<10))
	var d wire.Doubt
	if err == nil {
		err = json.Unmarshal(data, &d)
	}
	if err != nil || d.Version < 1 {
		return fmt.Errorf("the server answered %d and does not say why", res.StatusCode)
	}
	d.Why = oneLine(d.Why)
	return Doubted{d}
}

// rejected reports whether the server ended the connection over the agent's certificate.
// With TLS 1.3 it says so after the handshake, in an alert that has a text and no type.
func rejected(err error) bool {
	var alert *net.OpError
	return errors.As(err, &alert) && alert.Op == "remote error" && strings.Contains(alert.Error(), "certificate")
}
