package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"
	"time"

	"patchbay/server"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
	"patchbay/sim"
	"patchbay/wire"
)

// speed is how much faster than the real clock both sides live.
const speed = 60

// installation is a real server in this process whose clock runs as fast as the fleet's.
type installation struct {
	t       *testing.T
	server  *server.Server
	console string
	key     string
	agents  string
}

func start(t *testing.T, now func() time.Time) *installation {
	t.Helper()
	s, err := server.New(t.Context(), server.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", AgentListen: "127.0.0.1:0", Now: now})
	must(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("running: %v", err)
		}
		must(t, s.Close())
	})
	console, _ := s.Addresses()
	in := &installation{t: t, server: s, console: "http://" + console.String(), agents: s.AgentURL}
	in.signIn()
	return in
}

// signIn makes the first administrator and an API key.
func (in *installation) signIn() {
	token, err := in.server.Access.SetupToken(in.t.Context())
	must(in.t, err)
	jar, err := cookiejar.New(nil)
	must(in.t, err)
	browser := &http.Client{Jar: jar}
	in.ask(browser, "POST", "/setup", map[string]any{"token": token, "email": "first@example.org", "name": "First", "password": "a long enough password 4711"}, nil)
	var key struct {
		Key string `json:"key"`
	}
	in.ask(browser, "POST", "/me/keys", map[string]any{"name": "fleet"}, &key)
	in.key = key.Key
}

func (in *installation) ask(client *http.Client, method, path string, body, into any) {
	in.t.Helper()
	text, err := json.Marshal(body)
	must(in.t, err)
	req, err := http.NewRequestWithContext(in.t.Context(), method, in.console+"/api/v1"+path, bytes.NewReader(text))
	must(in.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", in.console)
	if in.key != "" {
		req.Header.Set("Authorization", "Bearer "+in.key)
	}
	res, err := client.Do(req)
	must(in.t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	must(in.t, err)
	if res.StatusCode >= 300 {
		in.t.Fatalf("%s %s: %s: %s", method, path, res.Status, answer)
	}
	if into != nil {
		must(in.t, json.Unmarshal(answer, into))
	}
}

// total is how many security needs have the verdict, or all of them.
func (in *installation) total(name verdict.Name) int {
	in.t.Helper()
	var page view.Page[view.Need]
	query := url.Values{"class": {"security"}, "limit": {"1"}}
	if name != "" {
		query.Set("verdict", string(name))
	}
	in.ask(http.DefaultClient, "GET", "/needs?"+query.Encode(), nil, &page)
	return page.Total
}

func (in *installation) api() sim.API {
	return sim.API{URL: in.console, Key: in.key, Client: http.DefaultClient}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// life is a fleet before a real server.
func life(t *testing.T, change func(*sim.Options)) (*installation, *sim.Simulator) {
	t.Helper()
	if testing.Short() {
		t.Skip("lives for several seconds")
	}
	began := time.Now()
	now := func() time.Time { return began.Add(time.Since(began) * speed) }
	in := start(t, now)
	shape := sim.Scaled(20)
	shape.Auto, shape.Always, shape.Silent = 1, true, 0
	o := sim.Options{Shape: shape, Server: in.agents, Ramp: 20 * time.Second, Pace: 0.2, Speed: speed, Begin: now(), Now: time.Now, Wake: true}
	change(&o)
	s, err := sim.New(o)
	must(t, err)
	must(t, s.Settle(t.Context(), in.api()))
	return in, s
}

// settled lives until everything ordered is done and told, at most an hour.
func settled(t *testing.T, in *installation, s *sim.Simulator) {
	t.Helper()
	for range 30 {
		s.Run(t.Context(), 2*time.Minute)
		r := s.Report()
		good := in.total(verdict.VERIFIED) + in.total(verdict.INSTALLED_PENDING_REBOOT) + in.total(verdict.FAILED)
		if r.Settled == r.Agents && r.Outcomes.Made > 0 && r.Outcomes.Waiting() == 0 && good == in.total("") {
			return
		}
	}
	t.Errorf("after an hour of the fleet: %+v; of %d security needs %d are verified", s.Report(), in.total(""), in.total(verdict.VERIFIED))
}

func TestAFleetIsPatchedByARealServer(t *testing.T) {
	in, s := life(t, func(*sim.Options) {})
	settled(t, in, s)
	r := s.Report()
	if verified, all := in.total(verdict.VERIFIED), in.total(""); verified < all/2 || all < 20 || in.total(verdict.FAILED) > 0 {
		t.Errorf("of %d security needs %d are verified", all, verified)
	}
	if r.Enrolled != 20 || r.Calls == 0 || r.Errors["orders with a wrong signature"] > 0 {
		t.Errorf("%+v", r)
	}
	nothingLost(t, in, s)
}

func TestLostRepliesAndDoubledCheckInsLoseAndDoubleNothing(t *testing.T) {
	in, s := life(t, func(o *sim.Options) {
		o.Faults = sim.Faults{LostReplies: 0.2, Doubled: 0.2, FailedJobs: 0.1, WrongClock: 0.2}
		o.Reconnect = 20 * time.Second
	})
	settled(t, in, s)
	if r := s.Report(); r.Errors["reply lost on purpose"] == 0 {
		t.Errorf("no reply was lost: %v", r.Errors)
	}
	nothingLost(t, in, s)
}

// nothingLost compares every outcome on the machines with what the server holds.
func nothingLost(t *testing.T, in *installation, s *sim.Simulator) {
	t.Helper()
	if missing, err := s.Missing(t.Context(), in.api()); err != nil || missing > 0 {
		t.Errorf("%d outcomes are acknowledged and not there: %v", missing, err)
	}
	rows, err := in.server.Store.MSP(store.Who{ID: "test", Name: "test"}).Outcomes(t.Context(), store.OutcomeFilter{})
	must(t, err)
	ends, held := map[string]int{}, map[string]int{}
	for _, o := range rows {
		held[o.Agent]++
		if wire.Step(o.Step).Ended() {
			ends[o.Job]++
		}
	}
	for job, n := range ends {
		if n != 1 {
			t.Errorf("job %s ended %d times", job, n)
		}
	}
	made := map[string]int{}
	for _, e := range s.Ledger() {
		made[e.Agent]++
	}
	for agent, n := range made {
		if held[agent] != n {
			t.Errorf("%s made %d outcomes and the server holds %d", agent, n, held[agent])
		}
	}
}
