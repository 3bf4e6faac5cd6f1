// Package enroll lets a device in: it shows the server a token and gets a certificate.
//
// The token carries the pin of the server's own authority. The server's certificate is
// checked against it before anything is said, so neither a wrong address nor a machine in
// between learns the token, and no authority of the operating system has a say in it.
package enroll

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"patchbay/agent/disk"
	"patchbay/agent/identity"
	"patchbay/agent/link"
	"patchbay/patch"
	"patchbay/wire"
	"patchbay/wire/trust"
)

const (
	limit   = time.Minute
	maxSize = 1 << 20 // bytes of an answer
)

// Options say where and as what to enroll.
type Options struct {
	Server       string // https://host[:port]
	Token        string
	Mode         wire.Mode
	Capabilities []string
	Build        string
	Facts        wire.Facts
	Disk         disk.Dir
	Keys         identity.KeyStore
	Now          func() time.Time
	Replace      bool // give up an identity that is there already

	// Dial reaches the server. nil means the network.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// ErrEnrolled means that this agent has an identity already.
var ErrEnrolled = errors.New("this machine is enrolled already")

// Run enrolls. Nothing that counts is left behind when it fails, except a new key.
func Run(ctx context.Context, o Options) (identity.Identity, error) {
	token, err := wire.ParseToken(o.Token)
	if err != nil {
		return identity.Identity{}, err
	}
	server, err := address(o.Server)
	if err != nil {
		return identity.Identity{}, err
	}
	if err := vacant(o); err != nil {
		return identity.Identity{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	client := newClient(server.Hostname(), token.Pin, o)
	defer client.CloseIdleConnections()
	if err := meet(ctx, client, server); err != nil { // before a key is made in place of the old one
		return identity.Identity{}, err
	}
	key, err := keyOf(o)
	if err != nil {
		return identity.Identity{}, err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return identity.Identity{}, fmt.Errorf("making a certificate request: %w", err)
	}
	answer, err := ask(ctx, client, server, wire.Enroll{
		Version: wire.Version, Token: token.String(), CSR: csr, Build: o.Build, Mode: o.Mode,
		Capabilities: o.Capabilities, Facts: o.Facts,
	})
	if err != nil {
		return identity.Identity{}, err
	}
	if err := check(answer, key.Public(), token.Pin); err != nil {
		return identity.Identity{}, fmt.Errorf("the server's answer is not usable: %w", err)
	}
	state, err := believe(answer)
	if err != nil {
		return identity.Identity{}, fmt.Errorf("the server's answer is not usable: %w", err)
	}
	id := identity.Identity{
		Agent: answer.Agent, Device: answer.Device, Customer: answer.Customer, Site: answer.Site,
		AgentURL: answer.AgentURL, Mode: o.Mode, Certificate: answer.Certificate, CA: answer.CA,
		OrdersKey: answer.OrdersKey, EnrolledAt: o.Now().UTC().Truncate(time.Second),
	}
	if err := identity.SaveBelief(o.Disk, identity.Belief{State: state, Nonce: answer.Nonce}); err != nil {
		return identity.Identity{}, err
	}
	return id, id.Save(o.Disk)
}

// keyOf makes the key to enroll with. One that an attempt before made is taken again: should
// the server have let that in and its answer been lost, it knows the machine by its key.
func keyOf(o Options) (crypto.Signer, error) {
	if !o.Replace {
		if key, err := o.Keys.Key(); err == nil {
			return key, nil
		}
	}
	return o.Keys.Make()
}

// believe takes the documents that came with the answer. The root among them is the one this
// agent holds on to: whoever follows it has to be signed by it.
func believe(answer wire.Enrolled) (trust.State, error) {
	state := identity.Identity{OrdersKey: answer.OrdersKey, CA: answer.CA, AgentURL: answer.AgentURL}.State()
	for i := range answer.Documents {
		next, err := state.Take(&answer.Documents[i])
		if err != nil {
			return state, err
		}
		state = next
	}
	state.Pinned = state.Root != nil
	return state, nil
}

// vacant says why this agent cannot take a new identity.
func vacant(o Options) error {
	id, err := identity.Load(o.Disk)
	switch {
	case o.Replace || errors.Is(err, identity.ErrNone):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%w, as %s of %s at %s: add --replace to give that up", ErrEnrolled, id.Device, id.Customer, id.AgentURL)
}

// address checks where to enroll.
func address(server string) (*url.URL, error) {
	u, err := url.Parse(server)
	switch {
	case err != nil || u.Host == "":
		return nil, fmt.Errorf("%.200q is not a server's address: it should look like https://patchbay.example.com:8443", server)
	case u.Scheme != "https":
		return nil, fmt.Errorf("the server's address must begin with https://, not %s://: agents talk to nobody they cannot check", u.Scheme)
	}
	return u, nil
}

// newClient makes a client that talks only to a server with the pin.
func newClient(host, pin string, o Options) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  link.Proxy,
			OnProxyConnectResponse: link.ProxyAnswered,
			DialContext:            o.Dial,
			TLSClientConfig: &tls.Config{
				MinVersion: tls.VersionTLS13,
				ServerName: host,
				// The chain is checked below, against the pin and nothing else.
				InsecureSkipVerify: true,
				VerifyConnection: func(s tls.ConnectionState) error {
					return verify(s.PeerCertificates, host, pin)
				},
			},
			TLSHandshakeTimeout: 30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// pinError is a server that is not the one the token is for.
type pinError struct{ reason string }

// Error says what to do about it.
func (e pinError) Error() string {
	return e.reason + ". Nothing was sent. Copy the whole line from the console again; if the server stands behind a reverse proxy, " +
		"give the address of the agents' own port, whose certificate is the server's own; a firewall or proxy that opens TLS " +
		"must let connections to it pass unopened"
}

// verify checks that the chain ends in the authority with the pin, and is for this host. A
// machine that was never let in knows no time but its own clock's, which may be wrong: the
// pin alone counts.
func verify(chain []*x509.Certificate, host, pin string) error {
	if len(chain) == 0 {
		return pinError{"the server showed no certificate"}
	}
	roots := x509.NewCertPool()
	found := false
	for _, c := range chain[1:] {
		if c.IsCA && wire.PinOf(c.RawSubjectPublicKeyInfo) == pin {
			roots.AddCert(c)
			found = true
		}
	}
	if !found {
		return pinError{fmt.Sprintf("the server that answered for %s is not the one this token is for, or something between this machine "+
			"and the server answers with its own certificate (issued by %s)", host, identity.IssuerOf(chain[0]))}
	}
	return identity.CheckServer(chain, roots, []string{host}, time.Time{})
}

// meet makes a connection, so that a server that is not the right one is known before this
// machine gives anything up.
func meet(ctx context.Context, client *http.Client, server *url.URL) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, server.String(), nil)
	if err != nil {
		return fmt.Errorf("reaching the server: %w", err)
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("reaching the server: %w", plain(err))
	}
	return res.Body.Close()
}

// ask sends the request and reads the answer.
func ask(ctx context.Context, client *http.Client, server *url.URL, e wire.Enroll) (wire.Enrolled, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return wire.Enrolled{}, fmt.Errorf("encoding the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.JoinPath("agent/v1/enroll").String(), bytes.NewReader(body))
	if err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrolling: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrolling: %w", plain(err))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusCreated {
		return wire.Enrolled{}, fmt.Errorf("the server refused: %s", link.Problem(res))
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxSize))
	if err != nil {
		return wire.Enrolled{}, fmt.Errorf("reading the server's answer: %w", err)
	}
	return parse(data)
}

// plain leaves out the address, which the person typed.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return link.Explain(err)
}

// parse reads an answer, which may be anything.
func parse(data []byte) (wire.Enrolled, error) {
	var a wire.Enrolled
	if err := json.Unmarshal(data, &a); err != nil {
		return wire.Enrolled{}, fmt.Errorf("reading the server's answer: %w", err)
	}
	return a, nil
}

// check says what is wrong with an answer.
func check(a wire.Enrolled, key any, pin string) error {
	ca, err := x509.ParseCertificate(a.CA)
	if err != nil {
		return fmt.Errorf("its authority: %w", err)
	}
	leaf, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		return fmt.Errorf("the certificate: %w", err)
	}
	pub, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	switch u, err := url.Parse(a.AgentURL); {
	case !patch.IsID(patch.AgentID, a.Agent) || !patch.IsID(patch.DeviceID, a.Device):
		return errors.New("it names no agent or no device")
	case !ca.IsCA || wire.PinOf(ca.RawSubjectPublicKeyInfo) != pin:
		return errors.New("its authority is not the one the token is for")
	case !ok || !pub.Equal(key):
		return errors.New("the certificate is for another key")
	case leaf.CheckSignatureFrom(ca) != nil:
		return errors.New("the certificate is not by its authority")
	case len(a.OrdersKey) != ed25519.PublicKeySize:
		return errors.New("the key for orders is not an Ed25519 key")
	case err != nil || u.Scheme != "https" || u.Host == "":
		return errors.New("the address to check in at is not an https address")
	}
	return nil
}
