package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"patchbay/wire"
)

// atOnce runs fn n times at once and counts those without an error.
func atOnce(n int, fn func(i int) error) (went int) {
	var count atomic.Int64
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if fn(i) == nil {
				count.Add(1)
			}
		})
	}
	all.Wait()
	return int(count.Load())
}

func TestATokenIsUsedAsOftenAsItSays(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := founded(t, s, "a")
		token := Token{ID: "tok_x", Site: c.site, Mode: wire.Observe, MaxUses: 3, CreatedAt: day0, ExpiresAt: day0.Add(time.Hour)}
		ok(t, c.CreateToken(ctx, day0, token, "x"))
		enroll := func(now time.Time, i int) error {
			return c.Enroll(ctx, now, "x", Agent{ID: numbered("agt", i), PublicKey: []byte{1}, Mode: wire.Manage}, Device{ID: numbered("dev", i)})
		}
		refused(t, ErrToken, enroll(day0.Add(time.Hour), 100))
		if n := atOnce(10, func(i int) error { return enroll(day0, i) }); n != 3 {
			t.Errorf("%d agents enrolled", n)
		}
		refused(t, ErrToken, enroll(day0, 100))
		used, err := s.MSP(ann).TokenBySecret(ctx, "x")
		ok(t, err)
		agents, err := c.Agents(ctx)
		ok(t, err)
		devices, err := c.Devices(ctx, DeviceFilter{})
		ok(t, err)
		if used.Used != 3 || len(agents) != 4 || len(devices) != 4 {
			t.Errorf("used %d, %d agents, %d devices", used.Used, len(agents), len(devices))
		}
		for _, a := range agents {
			if a.Token == "tok_x" && a.Mode != wire.Observe {
				t.Errorf("the token allows to observe: %+v", a)
			}
			if a.Token == "tok_x" { // and it says at every check-in that it would do more
				c.receive(t, day0, wire.CheckIn{Agent: a.ID})
				again, err := c.Agent(ctx, a.ID)
				ok(t, err)
				if again.Mode != wire.Observe || !again.LastSeen.Equal(day0) {
					t.Errorf("%+v", again)
				}
			}
		}
		_, err = s.MSP(ann).TokenBySecret(ctx, "y")
		refused(t, ErrToken, err)
	})
}

func TestRevokedTokensAndClosedCustomersLetNobodyIn(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		a, b := founded(t, s, "a"), founded(t, s, "b")
		ok(t, a.RevokeToken(ctx, day0, a.token))
		ok(t, s.MSP(ann).UpdateCustomer(ctx, day0, CustomerRow{ID: b.id, Name: "B", ClosedAt: &day0}))
		for _, c := range []company{a, b} {
			refused(t, ErrToken, c.Enroll(ctx, day0, c.secret, Agent{ID: "agt_x", PublicKey: []byte{1}}, Device{ID: "dev_x"}))
		}
		_, err := s.MSP(ann).AgentCustomer(ctx, "agt_x")
		refused(t, ErrNotFound, err)
		if id, err := s.MSP(ann).AgentCustomer(ctx, b.agent); err != nil || id != b.id {
			t.Errorf("%v, %v", id, err)
		}
	})
}

func TestNamesAreUniqueWhateverTheirLetters(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := s.MSP(ann)
		a, b := founded(t, s, "a"), founded(t, s, "b")
		refused(t, ErrExists, m.CreateCustomer(ctx, day0, CustomerRow{ID: "cus_x", Name: " company  A", CreatedAt: day0}))
		refused(t, ErrExists, m.UpdateCustomer(ctx, day0, CustomerRow{ID: b.id, Name: "COMPANY A"}))
		refused(t, ErrExists, a.CreateSite(ctx, day0, Site{ID: "site_x", Name: "MAIN", CreatedAt: day0, ChangedAt: day0}))
		refused(t, ErrNotFound, s.Customer(ann, "cus_none").CreateSite(ctx, day0, Site{ID: "site_x", CreatedAt: day0, ChangedAt: day0}))
		refused(t, ErrNotFound, m.UpdateCustomer(ctx, day0, CustomerRow{ID: "cus_none", Name: "Z"}))
		ok(t, b.UpdateSite(ctx, day0, Site{ID: b.site, Name: "main", Zone: "UTC", Policy: SitePolicy{Auto: Security, Reboots: wire.Reboots{When: wire.RebootWindow, Daily: wire.UsualDaily}}, ChangedAt: day0}))
		site, err := b.Site(ctx, b.site)
		ok(t, err)
		same(t, site, Site{ID: b.site, Customer: b.id, Name: "main", Zone: "UTC", Policy: SitePolicy{Auto: Security, Reboots: wire.Reboots{When: wire.RebootWindow, Daily: wire.UsualDaily}}, CreatedAt: day0, ChangedAt: day0})
		all, err := m.Customers(ctx)
		ok(t, err)
		one, err := a.Get(ctx)
		ok(t, err)
		same(t, all[0], one)
	})
}

func TestThereIsOneFirstPerson(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := s.MSP(Who{ID: "system"})
		n := atOnce(8, func(i int) error {
			return m.CreateFirstPerson(ctx, day0, Person{ID: numbered("per", i), Email: fmt.Sprintf("P%d@example.org", i), CreatedAt: day0})
		})
		all, err := m.Persons(ctx)
		ok(t, err)
		if n != 1 || len(all) != 1 {
			t.Errorf("%d signed up, %d are there", n, len(all))
		}
		refused(t, ErrExists, m.CreateFirstPerson(ctx, day0, Person{ID: "per_x", Email: "x", CreatedAt: day0}))
	})
}

func TestPeopleAndTheirSessionsAndKeys(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := s.MSP(ann)
		p := Person{ID: "per_1", Email: "Bo@Example.org", Name: "Bo", PasswordHash: "h", CreatedAt: day0}
		ok(t, m.CreatePerson(ctx, day0, p))
		refused(t, ErrExists, m.CreatePerson(ctx, day0, Person{ID: "per_2", Email: "bo@example.ORG", CreatedAt: day0}))
		ok(t, m.ConfirmTOTP(ctx, day0, p.ID, []byte("sealed"), 41))
		if n := atOnce(8, func(int) error {
			fresh, err := m.UseTOTP(ctx, day0, p.ID, 42)
			if !fresh {
				err = errors.Join(err, errors.New("used before"))
			}
			return err
		}); n != 1 {
			t.Errorf("one code was good %d times", n)
		}
		for _, step := range []int64{40, 41, 42} {
			if fresh, _ := m.UseTOTP(ctx, day0, p.ID, step); fresh {
				t.Errorf("an older code is good: %d", step)
			}
		}
		p, err := m.PersonByEmail(ctx, "BO@example.org")
		ok(t, err)
		if p.TOTPLast != 42 || string(p.TOTPSecret) != "sealed" || !p.TOTPAt.Equal(day0) {
			t.Errorf("%+v", p)
		}
		end := day0.Add(time.Hour)
		session := Session{ID: "ses_1", Person: p.ID, CreatedAt: day0, SeenAt: day0, ExpiresAt: end, SecondFactor: true, Remote: "192.0.2.1"}
		key := APIKey{ID: "key_1", Person: p.ID, Name: "script", CreatedAt: day0, ExpiresAt: end}
		alive := func(now time.Time) []bool {
			_, a := m.SessionByHash(ctx, now, "s")
			_, b := m.KeyByHash(ctx, now, "k")
			return []bool{a == nil, b == nil}
		}
		expect := func(now time.Time, want ...bool) {
			t.Helper()
			if got := alive(now); !slices.Equal(got, want) {
				t.Errorf("session and key are good: %v, want %v", got, want)
			}
		}
		ok(t, m.CreateSession(ctx, day0, session, "s"))
		ok(t, m.CreateKey(ctx, day0, key, "k"))
		expect(day0, true, true)
		expect(end, false, false)
		held, err := m.SessionByHash(ctx, day0, "s")
		ok(t, err)
		same(t, held, session)
		ok(t, m.TouchSession(ctx, day0, "ses_1", day0, end.Add(time.Hour)))
		ok(t, m.TouchKey(ctx, day0, "key_1"))
		expect(end, true, false)
		ok(t, m.RevokeKey(ctx, day0, "key_1"))
		expect(day0, true, false)
		keys, err := m.Keys(ctx, p.ID)
		ok(t, err)
		if len(keys) != 1 || keys[0].RevokedAt == nil || !keys[0].SeenAt.Equal(day0) {
			t.Errorf("%+v", keys)
		}
		p.Name = "Bob"
		ok(t, m.UpdatePerson(ctx, day0, p))
		expect(day0, true, false)
		p.PasswordHash = "other"
		ok(t, m.UpdatePerson(ctx, day0, p)) // signs out everywhere
		expect(day0, false, false)
		ok(t, m.CreateSession(ctx, day0, session, "s"))
		ok(t, m.CreateKey(ctx, day0, APIKey{ID: "key_2", Person: p.ID, CreatedAt: day0, ExpiresAt: end}, "k2"))
		p.DisabledAt = &day0
		ok(t, m.UpdatePerson(ctx, day0, p))
		expect(day0, false, false)
		_, err = m.KeyByHash(ctx, day0, "k2")
		refused(t, ErrNotFound, err)
		refused(t, ErrNotFound, m.CreateSession(ctx, day0, Session{ID: "ses_2", Person: "per_none", CreatedAt: day0, SeenAt: day0, ExpiresAt: end}, "z"))
		refused(t, ErrNotFound, m.DeleteSession(ctx, day0, "ses_none"))
	})
}

func TestSettings(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := s.MSP(ann)
		_, err := m.Setting(ctx, "ca")
		refused(t, ErrNotFound, err)
		held := make([]string, 4)
		atOnce(4, func(i int) error {
			v, err := m.AddSetting(ctx, day0, "ca", []byte(fmt.Sprint("key ", i)))
			held[i] = string(v)
			return err
		})
		if held[0] == "" || held[0] != held[1] || held[0] != held[2] || held[0] != held[3] {
			t.Errorf("servers that start at once have different keys: %q", held)
		}
		ok(t, m.SetSetting(ctx, day0, "ca", nil))
		if v, err := m.Setting(ctx, "ca"); err != nil || len(v) != 0 {
			t.Errorf("%q, %v", v, err)
		}
	})
}

func TestDailyFactsAreWrittenOnce(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := founded(t, s, "a")
		fact := DailyFact{Customer: c.id, Day: "2026-11-02", Verdict: "VERIFIED", Class: "security", Needs: 5, Devices: 2, Silent: 1}
		ok(t, c.RecordDaily(ctx, day0, []DailyFact{fact}))
		other := fact
		other.Needs = 9
		another := other
		another.Class = "other" // counted by a server that saw a little more
		next := fact
		next.Day = "2026-11-03"
		ok(t, c.RecordDaily(ctx, day0, []DailyFact{other, another}))
		ok(t, c.RecordDaily(ctx, day0, []DailyFact{next}))
		all, err := s.MSP(ann).DailyFacts(ctx, FactFilter{})
		ok(t, err)
		same(t, all, []DailyFact{fact, next})
		one, err := c.DailyFacts(ctx, FactFilter{From: "2026-11-03", Until: "2026-11-03"})
		ok(t, err)
		same(t, one, []DailyFact{next})
	})
}

// A policy from when it said of reboots only yes or no is read as what it meant, and what is
// written today is a no to who reads it as then.
func TestPoliciesOfBeforeAreRead(t *testing.T) {
	for text, want := range map[string]wire.Reboots{
		`{"auto":"by_hand","windows":null,"reboot":true}`:                       {When: wire.RebootWindow, Daily: wire.UsualDaily},
		`{"auto":"by_hand","windows":null,"reboot":false}`:                      {},
		`{"auto":"by_hand","reboot":true,"reboots":{"when":"never","daily":2}}`: {When: wire.RebootNever, Daily: 2},
	} {
		var p SitePolicy
		ok(t, json.Unmarshal([]byte(text), &p))
		if p.Reboots != want || p.Auto != ByHand {
			t.Errorf("%s: %+v", text, p)
		}
	}
	for _, when := range []wire.RebootWhen{wire.RebootNever, wire.RebootWindow, wire.RebootAsk} {
		text, err := json.Marshal(SitePolicy{Reboots: wire.Reboots{When: when, DeadlineHours: 1}})
		ok(t, err)
		var before struct{ Reboot bool }
		ok(t, json.Unmarshal(text, &before))
		if before.Reboot {
			t.Errorf("%s", text)
		}
	}
}
