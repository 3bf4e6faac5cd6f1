package years

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"patchbay/patch"
	"patchbay/server/access"
	"patchbay/server/api/agentapi"
	"patchbay/server/bus"
	"patchbay/server/ca"
	"patchbay/server/documents"
	"patchbay/server/engine"
	"patchbay/server/fleet"
	"patchbay/server/store"
	"patchbay/wire"
)

const (
	customerID = "cus_00000000000000000000000000"
	siteID     = "site_00000000000000000000000000"
	serverName = "patchbay.example"
	agentURL   = "https://" + serverName + ":8421"
	silent     = 30 * time.Hour // after which a device counts as silent
	scanEvery  = 12 * time.Hour
)

var system = store.Who{ID: "system", Name: "the simulation"}

// server is the installation: what is kept, and what runs on it now.
type server struct {
	w         *world
	dir       string
	authority *ca.Authority
	config    *tls.Config
	copies    int
	db        string // the database's file
	core      *core  // nil while it is down
	kick      chan struct{}
	older     []image
}

// core is a running server without its listeners and loops.
type core struct {
	*engine.Engine
	store   *store.Store
	index   *fleet.Index
	docs    *documents.Documents
	api     *agentapi.API
	handler http.Handler
	stop    context.CancelFunc
	kick    func()
	early   bool // devices are stepped before their agent is answered
	ctx     func() context.Context
}

// image is what was on the server's disk at one moment.
type image struct {
	at   time.Time
	acks map[string]int64
	data map[string][]byte
}

func newServer(w *world, dir string, template []byte) *server {
	s := &server{w: w, dir: dir, db: filepath.Join(dir, "db"), kick: make(chan struct{}, 1)}
	w.must(os.WriteFile(s.db, template, 0o600))
	var err error
	s.authority, err = ca.Open(filepath.Join(dir, "keys"), time.Now())
	w.must(err)
	cert, err := s.authority.ServerCertificate([]string{serverName}, time.Now())
	w.must(err)
	s.config = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if leaf := cert.Leaf; leaf == nil || time.Until(leaf.NotAfter) < 30*24*time.Hour {
			c, err := s.authority.ServerCertificate([]string{serverName}, time.Now())
			if err != nil {
				return nil, err
			}
			cert = c
		}
		return cert, nil
	}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: s.authority.Pool(), MinVersion: tls.VersionTLS13, Time: time.Now, NextProtos: []string{"http/1.1"}}
	return s
}

// found makes the customer, its site and a token for its machines.
func (s *server) found(site store.SitePolicy, zone string, machines int) (token string) {
	now, h := time.Now(), s.core.store.Customer(system, customerID)
	ctx := s.core.ctx()
	s.w.must(s.core.store.MSP(system).CreateCustomer(ctx, now, store.CustomerRow{ID: customerID, Name: "Acme", CreatedAt: now}))
	s.w.must(h.CreateSite(ctx, now, store.Site{ID: siteID, Name: "HQ", Zone: zone, CreatedAt: now, ChangedAt: now, Policy: site}))
	secret := wire.Token{Secret: patch.NewID("pbt"), Pin: s.authority.Pin()}
	s.w.must(h.CreateToken(ctx, now, store.Token{ID: patch.NewID(patch.TokenID), Site: siteID, Mode: wire.Manage, MaxUses: 100 * machines,
		CreatedAt: now, ExpiresAt: now.Add(400 * 24 * time.Hour)}, access.TokenHash(secret.Secret)))
	return secret.String()
}

// start runs the server on what is on its disk, wired as package server does.
func (s *server) start() {
	ctx, stop := context.WithCancel(context.Background())
	st, err := store.Open(ctx, "sqlite:"+s.db)
	s.w.must(err)
	log := slog.New(slog.NewTextHandler(s.w.logs("server"), nil))
	c := &core{store: st, index: fleet.New(silent), stop: stop, ctx: func() context.Context { return ctx }, early: s.w.chance(50)}
	c.kick = func() {
		select {
		case s.kick <- struct{}{}:
		default:
		}
	}
	c.Engine = engine.New(engine.Options{Store: st, Index: c.index, Bus: bus.New(), Key: s.authority.OrdersKey(), Silent: silent, Scan: scanEvery,
		Gone: func(agent string) { c.api.Forget(agent) }, Now: time.Now, Log: log})
	c.docs, err = documents.Open(ctx, documents.Options{Store: st, Key: s.authority.OrdersKey(), Authority: s.authority.Certificate.Raw,
		Addresses: []string{agentURL}, Changed: c.Republished, Replaced: func(err error) { s.w.broke("the server's key was replaced: %v", err) },
		Now: time.Now, Log: log})
	s.w.must(err)
	c.Engine.Approvals = c.docs.Approvals
	c.api = agentapi.New(agentapi.Options{Documents: c.docs, Store: st, Authority: s.authority, Engine: c, AgentURL: agentURL,
		Next: time.Minute, Hold: 50 * time.Second, Agents: c.index.Len, Now: time.Now, Log: log})
	c.handler = c.api.Handler()
	s.core = c
	s.w.must(c.Load(ctx))
}

// Received makes devices due, and the server work: before the agent is answered or after it,
// as the two loops of a real server may come.
func (c *core) Received(customer string, devices []string) {
	c.Engine.Received(customer, devices)
	if c.early {
		c.Work(c.ctx())
	}
	c.kick()
}

// Heard notes a device, which may be due by that.
func (c *core) Heard(device string, at time.Time) {
	c.Engine.Heard(device, at)
	c.kick()
}

// Enrolled makes a device known.
func (c *core) Enrolled(customer, device, agent string) {
	c.Engine.Enrolled(customer, device, agent)
	c.kick()
}

// run is the server's actor: it steps what is due.
func (s *server) run(name string) {
	for !s.w.over {
		wait := time.Hour
		if s.core != nil {
			s.core.api.Flush(s.core.ctx())
			wait = s.core.Work(s.core.ctx())
			s.w.oracle.served()
		}
		s.w.stage.leave(name)
		timer := time.NewTimer(min(max(wait, time.Millisecond), 12*time.Hour))
		select {
		case <-timer.C:
		case <-s.kick:
		case <-s.w.ended:
		}
		timer.Stop()
		s.w.stage.enter(name, nil)
	}
}

// photograph is what the disk holds at this moment, as a process that is killed leaves it.
func (s *server) photograph() image {
	m := image{at: time.Now(), data: map[string][]byte{}, acks: map[string]int64{}}
	for _, d := range s.w.devices {
		m.acks[d.name] = d.acked
	}
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(s.db + suffix)
		if err == nil {
			m.data[suffix] = data
		} else if !errors.Is(err, os.ErrNotExist) {
			s.w.must(err)
		}
	}
	return m
}

// kill ends the server as kill -9 does, and leaves its disk as it is.
func (s *server) kill() {
	if s.core == nil {
		return
	}
	m := s.photograph()
	s.down()
	s.put(m)
}

func (s *server) down() {
	s.core.stop()
	s.w.must(s.core.store.Close())
	s.core = nil
	for _, d := range s.w.devices {
		d.hangUp()
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(s.db + suffix) // of which there need not be all
	}
}

// put makes an image what is on the disk.
func (s *server) put(m image) {
	s.copies++
	s.db = filepath.Join(s.dir, fmt.Sprint("db-", s.copies))
	for suffix, data := range m.data {
		s.w.must(os.WriteFile(s.db+suffix, data, 0o600))
	}
}

// restore makes the server go on from an older image, in a new epoch.
func (s *server) restore(m image) {
	if s.core != nil {
		s.down()
	}
	s.put(m)
	ctx := context.Background()
	st, err := store.Open(ctx, "sqlite:"+s.db)
	s.w.must(err)
	_, err = st.MSP(system).Restored(ctx, time.Now(), m.at)
	s.w.must(err)
	s.w.must(st.Close())
	for _, d := range s.w.devices {
		d.acked = min(d.acked, m.acks[d.name])
	}
}

// template is an empty database with its schema, made once: that costs more than a fleet's
// whole month.
func template(dir string) ([]byte, error) {
	ctx, path := context.Background(), filepath.Join(dir, "template")
	st, err := store.Open(ctx, "sqlite:"+path)
	if err == nil {
		err = st.Close()
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}
