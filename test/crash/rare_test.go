package crash

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"patchbay/agent/identity"
	"patchbay/agent/journal"
	"patchbay/agent/link"
	"patchbay/client"
	"patchbay/server"
	"patchbay/server/api"
	"patchbay/server/backup"
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// rareScenes are what happens to an installation once in a while.
func rareScenes() map[string]scene {
	return map[string]scene{
		"the first start": {from: "nothing", starts: true, want: one(waiting, "curl"), play: func(w *world) {
			w.sets()
			m := w.machine("one")
			m.Offers["curl"] = "1.1"
			w.joins(m)
			w.tells(m)
			m.scan()
			w.tells(m)
		}},
		"the key is replaced": {from: "joined", rest: true, starts: true, want: one(verified, "curl"), play: func(w *world) {
			w.rotates()
			m := w.offered("curl")
			w.answers(m, "curl", store.Approve)
			w.hears(m)
			w.works(m)
		}},
		"a root is published": {from: "joined", want: one(verified, "curl"), play: func(w *world) {
			m := w.offered("curl")
			w.publishes()
			w.tells(m)
			if m.message().Documents.Root != 1 {
				w.fault("the machine was not told of the root")
			}
			w.answers(m, "curl", store.Approve)
			w.hears(m)
			w.works(m)
		}},
		"a copy of a machine": {from: "joined", want: map[string]string{"one curl": waiting, "two curl": waiting}, play: func(w *world) {
			m := w.offered("curl")
			w.parts(m, w.copied(m, "two"))
		}},
		"the day is counted": {from: "joined", want: one(waiting, "curl"), play: func(w *world) {
			w.offered("curl")
			w.counts()
		}},
		"restored from a backup": {from: "joined", want: one(verified, "curl", "nginx"), play: func(w *world) {
			m := w.offered("curl", "nginx")
			w.answers(m, "curl", store.Approve)
			w.hears(m)
			file := w.backsUp()
			w.works(m)
			w.answers(m, "nginx", store.Approve)
			w.hears(m)
			w.works(m)
			w.restores(file)
			w.tells(m)
			if m.Has["nginx"] != "1.1" || m.done["nginx 1.1"] != 1 {
				w.fault("nginx was done %d times", m.done["nginx 1.1"])
			}
			w.tells(m)
		}},
	}
}

// sets has a person set up a new installation: account, key, customer and site.
func (w *world) sets() {
	first := api.Setup{Email: "ann@example.test", Name: "Ann", Password: "correct horse battery"}
	var session []*http.Cookie
	w.do("a person sets up", func() (err error) {
		w.key = ""
		if first.Token, err = w.server.Access.SetupToken(w.t.Context()); err != nil {
			return err
		}
		if first.Token == "" { // the account is there
			session, err = w.client().Do(w.t.Context(), "POST", "/session", nil, api.SignIn{Email: first.Email, Password: first.Password}, nil)
			return err
		}
		session, err = w.client().Do(w.t.Context(), "POST", "/setup", nil, first, nil)
		return err
	})
	w.promised("that there is an account", func(s *store.Store) bool {
		all, err := s.MSP(who).Persons(w.t.Context())
		return err == nil && len(all) == 1
	})
	w.do("a person makes a key", func() error {
		var made api.APIKey
		w.key = ""
		_, err := w.client().Do(w.t.Context(), "POST", "/me/keys", nil, api.NewKey{Name: "test", Days: 30}, &made, session...)
		w.key = made.Key
		return err
	})
	named := func(path string, into *string, in any) {
		w.do("a person makes what is named "+path, func() error {
			made, err := asks[view.Ref](w, "POST", path, in)
			var problem *client.Problem
			if errors.As(err, &problem) && problem.Status == http.StatusConflict { // it was heard the first time
				var page view.Page[view.Ref]
				if page, err = client.List[view.Ref](w.t.Context(), w.client(), path[strings.LastIndex(path, "/"):], url.Values{}, 0); err == nil {
					made = page.Items[0]
				}
			}
			if err == nil {
				*into = made.ID
			}
			return err
		})
	}
	named("/customers", &w.customer, api.NewCustomer{Name: "Acme"})
	named("/customers/"+w.customer+"/sites", &w.site, api.NewSite{Name: "HQ", Zone: "UTC", Policy: always("by_hand")})
}

// rotates replaces the key that signs orders, which the server's own program does while no
// server runs, and begins the server. Where the key was replaced and nobody heard so, the
// program says to start the server first.
func (w *world) rotates() {
	for {
		w.live()
		_, err := server.Rotate(w.t.Context(), server.Place{Data: w.data(), Database: w.database, Now: w.now, Around: w.fate.around}, func(string) {})
		if err == nil || w.cutOff() && strings.Contains(err.Error(), "start it first") {
			break
		}
		if !w.fate.wasHit() {
			w.must(err)
		}
	}
	w.begin()
}

// publishes has a person publish a root. Who got no answer looks first.
func (w *world) publishes() {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	w.must(err)
	role := func(key ed25519.PublicKey) wire.Role { return wire.Role{Keys: [][]byte{key}, Threshold: 1} }
	publisher, _, err := ed25519.GenerateKey(rand.Reader)
	w.must(err)
	approver, _, err := ed25519.GenerateKey(rand.Reader)
	w.must(err)
	root, err := wire.Seal(wire.RootDocument, wire.Root{Version: 1, Installation: "inst_1", IssuedAt: w.now(), Expires: w.now().AddDate(1, 0, 0),
		Root: role(public), Publisher: role(publisher), Approver: role(approver)}, private)
	w.must(err)
	w.do("a person publishes a root", func() error {
		shown, err := client.Get[api.Trust](w.t.Context(), w.client(), "/trust", nil)
		if err != nil || shown.Root != nil {
			return err
		}
		if _, err := asks[api.Trust](w, "POST", "/trust/documents", root); err != nil {
			return err
		}
		w.promised("that a root is published", func(s *store.Store) bool {
			rows, err := s.MSP(who).Documents(w.t.Context(), wire.RootDocument)
			return err == nil && len(rows) == 1
		})
		return nil
	})
}

// copied is a machine that began as a copy of another's disk.
func (w *world) copied(m *machine, name string) *machine {
	m.keep()
	w.must(os.CopyFS(filepath.Join(w.dir, "machines", name), os.DirFS(m.disk.Path())))
	c := w.machine(name)
	c.Boot = "boot of " + name
	c.scan()
	return c
}

// parts has two machines with one key speak until they have one each.
func (w *world) parts(m, c *machine) {
	for range 10 {
		w.tells(m)
		w.pass(5 * time.Second)
		w.do(c.name+" speaks", func() error {
			err := c.tell()
			var doubt link.Doubted
			if !errors.As(err, &doubt) {
				return err
			}
			if doubt.Become == "" {
				return nil
			}
			return c.become(doubt.Become)
		})
		if c.id.Agent != m.id.Agent {
			c.scan()
			w.tells(c)
			w.tells(m)
			return
		}
	}
	w.fault("the copy never became a device of its own")
}

// become gives a copy an identity of its own.
func (m *machine) become(word string) error {
	keys := identity.SoftKey{Dir: m.disk}
	next, err := keys.Next()
	m.w.must(err)
	former, err := keys.Key()
	m.w.must(err)
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, next)
	m.w.must(err)
	facts := m.facts()
	request, err := wire.Seal(wire.RenewalDocument, wire.Renewal{Version: wire.Version, Agent: m.id.Agent, CSR: csr, Become: word, Facts: &facts,
		Sent: m.w.now().UTC().Truncate(time.Second), BootID: m.Boot}, former)
	m.w.must(err)
	answer, err := m.link.Renew(m.w.t.Context(), request)
	if err != nil {
		return err
	}
	m.w.must(keys.Adopt())
	m.id.Agent, m.id.Device, m.id.Certificate = answer.Agent, answer.Device, answer.Certificate
	m.w.must(m.id.Save(m.disk))
	m.Known, m.Digest, m.Wish = false, "", wire.Orders{}
	m.w.must(m.disk.Remove(journal.Name))
	m.journal, err = journal.Open(m.disk, m.w.now())
	m.w.must(err)
	m.connect()
	return nil
}

// counts waits until the server has counted the day.
func (w *world) counts() {
	counted := func(s *store.Store) bool {
		facts, err := s.MSP(who).DailyFacts(w.t.Context(), store.FactFilter{})
		w.must(err)
		seen := map[store.DailyFact]bool{}
		for _, f := range facts {
			f.Needs, f.Devices, f.Silent = 0, 0, 0
			if seen[f] {
				w.doubledCommand("%v was counted twice", f)
			}
			seen[f] = true
		}
		return len(facts) > 0
	}
	w.do("the day is counted", func() error {
		ctx, cancel := context.WithCancel(w.t.Context())
		defer cancel()
		go w.server.Engine.Daily(ctx, time.Millisecond)
		for !counted(w.server.Store) {
			if w.fate.hasEnded() {
				return errEnded
			}
			time.Sleep(time.Millisecond)
		}
		w.promised("of a count", counted)
		return nil
	})
}

// backsUp makes a backup while the server runs.
func (w *world) backsUp() string {
	file := filepath.Join(w.dir, "backup")
	_, err := backup.Make(w.t.Context(), backup.Options{Place: w.place(), File: file, Plain: true, Program: "test", Now: w.now})
	w.must(err)
	return file
}

func (w *world) place() backup.Place {
	return backup.Place{Data: w.data(), Database: backup.DatabaseIn(w.data(), w.database)}
}

// restores loses the server and restores it elsewhere. What a person was told since the
// backup is gone with it; what machines did since, they tell again.
func (w *world) restores(file string) {
	w.stop()
	w.home, w.restored, w.promises = "elsewhere", true, nil
	_, err := backup.Restore(w.t.Context(), backup.RestoreOptions{Place: w.place(), File: file, Now: w.now,
		Passphrase: func() (string, error) { return "", errors.New("it is not encrypted") }})
	w.must(err)
	w.begin()
	for _, m := range w.machines {
		m.acked = 0
	}
	known, err := w.server.Store.MSP(who).Jobs(w.t.Context(), store.JobFilter{})
	w.must(err)
	for id := range w.ordered {
		if !slices.ContainsFunc(known, func(j store.Job) bool { return j.ID == id }) {
			delete(w.ordered, id)
		}
	}
}
