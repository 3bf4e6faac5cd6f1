package proxy

import (
	"crypto/tls"
	"encoding/base64"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/agent"
)

const password = "walter:s3cr%20et&x"

// secret is the password as it might be found where it must not be.
func secrets() []string {
	return []string{"s3cr et&x", "s3cr%20et", base64.StdEncoding.EncodeToString([]byte("walter:s3cr et&x"))}
}

// free is an address that nobody listens at.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// keepsSecrets holds that nothing the agent ever said names a password.
func (m *machine) keepsSecrets(secrets ...string) {
	m.t.Helper()
	for _, s := range secrets {
		if strings.Contains(m.said.String(), s) {
			m.t.Errorf("the agent said %q:\n%s", s, m.said.String())
		}
	}
}

// settled is an agent that has told all and would by itself be quiet for long.
func settled(s agent.Standing) bool {
	return s.Status.Error == "" && !s.Status.LastCheckIn.IsZero() && s.Status.NextCheckIn.Sub(s.Status.LastCheckIn) > 30*time.Minute
}

// called calls the agent until it has checked in.
func (m *machine) called(in *installation) {
	m.t.Helper()
	before := m.waitFor("the agent to have told all", settled)
	m.waitFor("the agent to follow a call", func(s agent.Standing) bool {
		in.Engine.CheckInNow(s.Device)
		return s.Status.LastCheckIn.After(before.Status.LastCheckIn.Add(time.Second))
	})
}

// Through a proxy, with and without a password, an agent is let in, checks in and is called,
// with every connection made by the proxy; and the password is nowhere to be read.
func TestAgentIsCalledThroughAProxy(t *testing.T) {
	t.Parallel()
	for _, auth := range []string{"", password + "@"} {
		t.Run("password "+auth, func(t *testing.T) {
			in := install(t)
			p := &connector{to: in.address}
			if auth != "" {
				p.password = "walter:s3cr et&x"
			}
			m := newMachine(t, "http://"+auth+p.start(t).address)
			if out, err := m.enrol(in.token); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			stop := m.run()
			m.called(in)
			stop()
			if n, addresses := p.connections(); n < 2 || !slices.Equal(addresses, []string{name}) {
				t.Errorf("%d connections, to %v", n, addresses)
			}
			m.keepsSecrets(secrets()...)
		})
	}
}

// A proxy that refuses is told of in words that help, and never with the password it was
// given, even when it says it back.
func TestProxysRefusalSaysWhatToDo(t *testing.T) {
	t.Parallel()
	in := install(t)
	for want, p := range map[string]*connector{
		"wants another name and password": {password: "somebody:else"},
		"it answered 403 Forbidden":       {refuse: 403},
		"it answered 502 Bad Gateway":     {refuse: 502},
	} {
		m := newMachine(t, "http://"+password+"@"+p.start(t).address)
		out, err := m.enrol(in.token)
		if err == nil || !strings.Contains(out, want) || !strings.Contains(out, p.address) {
			t.Errorf("%v: %s, want %q", err, out, want)
		}
		m.keepsSecrets(append(secrets(), in.token)...)
	}
	for want, proxy := range map[string]string{
		"cannot be read":                   "http://" + password + "%zz@127.0.0.1:1",
		"which this agent does not do":     "https://" + password + "@127.0.0.1:1",
		"proxyconnect tcp: dial tcp 127.0": "http://" + password + "@127.0.0.1:1",
	} {
		m := newMachine(t, proxy)
		if out, err := m.enrol(in.token); err == nil || !strings.Contains(out, want) {
			t.Errorf("%v: %s, want %q", err, out, want)
		}
		m.keepsSecrets(append(secrets(), in.token)...)
	}
}

// A proxy that opens TLS and answers with a certificate of its own, for the right name, gets
// neither the token nor a certificate, and the person at the machine is told who it is.
func TestTokenIsNotShownToAnInspector(t *testing.T) {
	t.Parallel()
	in := install(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config, shown := inspection(t, "patchbay.example", version)
		p := &connector{to: in.address, inspector: config}
		m := newMachine(t, "http://"+p.start(t).address)
		out, err := m.enrol(in.token)
		if err == nil || !strings.Contains(out, "between this machine and the server answers with") || strings.Contains(out, "\x1b") {
			t.Errorf("TLS %x: %v: %q", version, err, out)
		}
		if version == tls.VersionTLS13 && !strings.Contains(out, "issued by Acme  [2J Inspection") {
			t.Errorf("it is not said who: %q", out)
		}
		if p.told() != "" || shown() > 0 {
			t.Errorf("TLS %x: the inspector was told %q and shown %d certificates", version, p.told(), shown())
		}
		if s := m.status(); s.Agent != "" {
			t.Errorf("TLS %x: the machine is enrolled: %+v", version, s)
		}
		m.keepsSecrets(in.token)
	}
}

// An agent that meets an inspector on its way later refuses it, says so, and takes the way up
// again when it is gone.
func TestInspectorIsRefusedAndTheAgentComesBack(t *testing.T) {
	t.Parallel()
	in := install(t)
	p := (&connector{to: in.address}).start(t)
	m := newMachine(t, "http://"+p.address)
	if out, err := m.enrol(in.token); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	config, shown := inspection(t, "patchbay.example", tls.VersionTLS13)
	bad := (&connector{inspector: config}).start(t)
	m.proxy = "http://" + bad.address
	stop := m.run()
	s := m.waitFor("the inspector to be told of", func(s agent.Standing) bool { return s.Status.Error != "" })
	if want := "something between this machine and the server answers with its own certificate (issued by Acme"; !strings.Contains(s.Status.Error, want) {
		t.Errorf("the status says %q", s.Status.Error)
	}
	stop()
	if bad.told() != "" || shown() > 0 || !s.Status.LastCheckIn.IsZero() {
		t.Errorf("the inspector was told %q and shown %d certificates; last check-in %v", bad.told(), shown(), s.Status.LastCheckIn)
	}
	m.proxy = "http://" + p.address
	m.run()
	m.waitFor("the agent to be back", settled)
}

// A real proxy that cuts what is quiet for twelve seconds keeps no agent from being called.
func TestAgentIsCalledThroughAProxyThatCutsWhatIsQuiet(t *testing.T) {
	t.Parallel()
	in := install(t)
	p := (&connector{to: in.address, cut: 12 * time.Second}).start(t)
	m := newMachine(t, "http://"+p.address)
	if out, err := m.enrol(in.token); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	m.run()
	before := m.waitFor("the agent to have told all", settled)
	m.waitFor("a stream to be cut and found out", func(s agent.Standing) bool {
		return s.Status.LastCheckIn.After(before.Status.LastCheckIn.Add(10 * time.Second))
	})
	m.called(in)
}
