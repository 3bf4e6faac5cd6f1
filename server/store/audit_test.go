package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/wire"
)

func TestEveryChangeIsInItsChain(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := s.MSP(ann)
		c := founded(t, s, "a")
		site := Site{ID: "site_2", Name: "Two", CreatedAt: day0, ChangedAt: day0}
		person := Person{ID: "per_1", Email: "x", CreatedAt: day0}
		session := Session{ID: "ses_1", Person: "per_1", CreatedAt: day0, SeenAt: day0, ExpiresAt: day0.Add(time.Hour)}
		for _, step := range []struct {
			chain, act string
			do         func() error
		}{
			{"cus_b", "customer.create", func() error { return m.CreateCustomer(ctx, day0, CustomerRow{ID: "cus_b", Name: "B", CreatedAt: day0}) }},
			{"cus_b", "customer.update", func() error { return m.UpdateCustomer(ctx, day0, CustomerRow{ID: "cus_b", Name: "C"}) }},
			{c.id, "site.create", func() error { return c.CreateSite(ctx, day0, site) }},
			{c.id, "site.update", func() error { return c.UpdateSite(ctx, day0, site) }},
			{c.id, "token.create", func() error {
				return c.CreateToken(ctx, day0, Token{ID: "tok_2", Site: "site_2", MaxUses: 1, CreatedAt: day0, ExpiresAt: day0.Add(time.Hour)}, "2")
			}},
			{c.id, "agent.enroll", func() error {
				return c.Enroll(ctx, day0, "2", Agent{ID: "agt_2", PublicKey: []byte{1}}, Device{ID: "dev_2"})
			}},
			{c.id, "token.revoke", func() error { return c.RevokeToken(ctx, day0, "tok_2") }},
			{c.id, "device.rename", func() error { return c.RenameDevice(ctx, day0, c.device, "Till") }},
			{c.id, "device.retire", func() error { return c.RetireDevice(ctx, day0, c.device) }},
			{c.id, "approval.create", func() error {
				return c.CreateApprovals(ctx, day0, []Approval{{ID: "apr_1", Level: LevelSite, Target: c.site, At: day0}})
			}},
			{c.id, "approval.withdraw", func() error { return c.WithdrawApproval(ctx, day0, "apr_1") }},
			{c.id, "job.create", func() error {
				_, err := c.wish(c.device, []Job{install("job_1")})
				return err
			}},
			{c.id, "job.withdraw", func() error { _, err := c.wish(c.device, nil, "job_1"); return err }},
			{c.id, "job.update", func() error {
				_, err := c.wish(c.device, []Job{install("job_1")})
				return err
			}},
			{"msp", "person.create", func() error { return m.CreateFirstPerson(ctx, day0, person) }},
			{"msp", "person.update", func() error { return m.UpdatePerson(ctx, day0, person) }},
			{"msp", "person.confirm_totp", func() error { return m.ConfirmTOTP(ctx, day0, "per_1", []byte("x"), 1) }},
			{"msp", "session.create", func() error { return m.CreateSession(ctx, day0, session, "s") }},
			{"msp", "session.delete", func() error { return m.DeleteSession(ctx, day0, "ses_1") }},
			{"msp", "key.create", func() error {
				return m.CreateKey(ctx, day0, APIKey{ID: "key_1", Person: "per_1", CreatedAt: day0, ExpiresAt: day0}, "k")
			}},
			{"msp", "key.revoke", func() error { return m.RevokeKey(ctx, day0, "key_1") }},
			{"msp", "setting.write", func() error { return m.SetSetting(ctx, day0, "x", []byte("secret")) }},
			{c.id, "audit.erase", func() error { return m.ErasePayload(ctx, day0, c.id, 1, "asked to") }},
		} {
			before := acts(t, s)
			ok(t, step.do())
			rows, err := m.Audit(ctx, AuditFilter{Chain: step.chain, Limit: 1})
			ok(t, err)
			if n := acts(t, s) - before; n != 1 || rows[0].Act != step.act || rows[0].Actor != ann.ID || rows[0].ActorName != ann.Name {
				t.Errorf("%s: %d rows, the last is %+v", step.act, n, rows[0])
			}
			if strings.Contains(string(rows[0].Payload), "secret") {
				t.Errorf("%s tells a secret: %s", step.act, rows[0].Payload)
			}
		}
		whole(t, s)
	})
}

func TestNothingIsCommittedWithoutANote(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		defer func() {
			if recover() == nil {
				t.Error("a change without a note went through")
			}
			_, err := s.MSP(ann).Setting(ctx, "x")
			refused(t, ErrNotFound, err)
		}()
		_ = s.MSP(ann).change(ctx, day0, func(q *tx) error {
			_, err := q.exec(ctx, `INSERT INTO setting (name, value) VALUES ('x', $1)`, []byte("y"))
			return err
		})
	})
}

func TestAFailedChangeIsInNoChain(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		founded(t, s, "a")
		before := acts(t, s)
		boom := errors.New("boom")
		err := s.MSP(ann).change(context.Background(), day0, func(q *tx) error {
			q.note(note{act: "nothing.happened"})
			return boom
		})
		if !errors.Is(err, boom) || acts(t, s) != before {
			t.Errorf("%v, %d rows more", err, acts(t, s)-before)
		}
	})
}

// Who asked for a change is told of an error after which it may be there all the same; so
// somebody has to look. What was refused before that is not there for sure.
func TestACommitThatGoesWrongIsToldOf(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		lost := errors.New("the connection was lost")
		told, there := 0, false
		s.Unsure = func() { told++ }
		s.Around = func(_ string, do func() error) error {
			if there {
				return errors.Join(do(), lost)
			}
			return lost
		}
		set := func() error { return s.MSP(ann).SetSetting(t.Context(), day0, "x", []byte("y")) }
		for n, is := range []bool{false, true} {
			there = is
			if err := set(); !errors.Is(err, lost) || told != n+1 {
				t.Errorf("%v, told %d times", err, told)
			}
			_, err := s.MSP(ann).Setting(t.Context(), "x")
			if (err == nil) != is {
				t.Errorf("is it there: %v", err)
			}
		}
		_ = s.MSP(ann).change(t.Context(), day0, func(*tx) error { return lost })
		_ = s.MSP(ann).record(t.Context(), day0, func(*tx) error { return nil })
		if told != 2 {
			t.Errorf("told %d times", told)
		}
	})
}

func TestChainsHaveNoGapsWhenManyWrite(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		a, b := founded(t, s, "a"), founded(t, s, "b")
		n := atOnce(24, func(i int) error {
			c := []company{a, b}[i%2]
			if i%3 == 0 { // touches two chains, in either order
				return s.MSP(ann).change(ctx, day0, func(q *tx) error {
					q.note(note{chain: c.id, act: "test.act"})
					q.note(note{chain: []company{b, a}[i%2].id, act: "test.act"})
					return nil
				})
			}
			return c.RenameDevice(ctx, day0, c.device, fmt.Sprint("name ", i))
		})
		if n != 24 {
			t.Errorf("only %d went through", n)
		}
		whole(t, s)
		rows, err := a.Audit(ctx, AuditFilter{})
		ok(t, err)
		for i, r := range rows {
			if r.Seq != int64(len(rows)-i) {
				t.Fatalf("row %d has number %d", i, r.Seq)
			}
		}
	})
}

func TestEveryTamperingShows(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		ok(t, c.RenameDevice(context.Background(), day0, c.device, "x"))
		for _, change := range []string{
			`UPDATE audit SET at = at + 1 WHERE seq = 2`,
			`UPDATE audit SET actor = 'per_eve' WHERE seq = 2`,
			`UPDATE audit SET act = 'x' WHERE seq = 2`,
			`UPDATE audit SET object = 'x' WHERE seq = 2`,
			`UPDATE audit SET device = 'x' WHERE seq = 2`,
			`UPDATE audit SET payload = '{}' WHERE seq = 2`,
			`UPDATE audit SET payload = NULL, payload_hash = '' WHERE seq = 2`,
			`UPDATE audit SET previous = '' WHERE seq = 2`,
			`UPDATE audit SET hash = '' WHERE seq = 2`,
			`UPDATE audit SET seq = 99 WHERE seq = 5`,
			`DELETE FROM audit WHERE seq = 1`,
			`DELETE FROM audit WHERE seq = 3`,
			`DELETE FROM audit WHERE seq = 5`,
			`DELETE FROM audit`,
			`UPDATE chain SET hash = ''`,
			`UPDATE chain SET seq = 4`,
		} {
			q, err := s.MSP(ann).begin(context.Background(), s.writer, nil)
			ok(t, err)
			_, err = q.exec(context.Background(), change)
			ok(t, err)
			var head ChainState
			ok(t, q.row(context.Background(), `SELECT customer, seq, hash FROM chain`).Scan(&head.Chain, &head.Rows, &head.Head))
			state, err := q.verifyChain(context.Background(), head)
			ok(t, err)
			ok(t, q.sql.Rollback())
			if state.Broken == "" {
				t.Errorf("%s does not show", change)
			}
		}
		whole(t, s)
	})
}

// Whoever rewrites one row and makes the chain whole again behind it has another head than
// the one that was written down elsewhere.
func TestTheHeadHoldsAllThePast(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		rows, err := c.Audit(context.Background(), AuditFilter{})
		ok(t, err)
		slices.SortFunc(rows, func(a, b AuditRow) int { return cmp.Compare(a.Seq, b.Seq) })
		head := rows[len(rows)-1].Hash
		for i := range rows {
			previous := ""
			for j, r := range rows {
				if r.Previous = previous; j == i {
					r.Act = "x"
				}
				previous = r.link()
			}
			if previous == head {
				t.Errorf("row %d can be rewritten without a trace in the head", i+1)
			}
		}
	})
}

func TestPayloadsCanBeErased(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := founded(t, s, "a")
		ok(t, s.MSP(ann).ErasePayload(ctx, day0, c.id, 2, "Ann asked for it"))
		whole(t, s)
		rows, err := c.Audit(ctx, AuditFilter{Act: "site.create"})
		ok(t, err)
		if rows[0].Payload != nil || rows[0].ActorName != "" || rows[0].PayloadHash == "" {
			t.Errorf("%+v", rows[0])
		}
		refused(t, ErrNotFound, s.MSP(ann).ErasePayload(ctx, day0, c.id, 99, "x"))
	})
}

func TestAuditIsPagedAndFiltered(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		a := founded(t, s, "a")
		founded(t, s, "b")
		ok(t, a.RenameDevice(ctx, day0.Add(time.Hour), a.device, "x"))
		all, err := s.MSP(ann).Audit(ctx, AuditFilter{})
		ok(t, err)
		var paged []AuditRow
		for filter := (AuditFilter{Limit: 2}); ; {
			page, err := s.MSP(ann).Audit(ctx, filter)
			ok(t, err)
			if len(page) == 0 {
				break
			}
			paged = append(paged, page...)
			filter.Before = &page[len(page)-1]
		}
		same(t, paged, all)
		rows, err := a.Audit(ctx, AuditFilter{Device: a.device, Actor: ann.ID, Object: a.device, From: day0.Add(time.Minute), Until: day0.Add(2 * time.Hour)})
		ok(t, err)
		if len(rows) != 1 || rows[0].Act != "device.rename" {
			t.Errorf("%+v", rows)
		}
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqliteFile, "postgres": postgresURL} {
		t.Run(name, func(t *testing.T) {
			if racing && name == "sqlite" {
				t.Skip("the race detector is on")
			}
			at := url(t)
			s := open(t, at)
			_, err := s.writer.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, $1)`, true)
			ok(t, err)
			_, err = Open(context.Background(), at)
			refused(t, ErrNewerSchema, err)
		})
	}
}

func TestServersThatStartAtOnceMigrateOnce(t *testing.T) {
	at := newDatabase(t, "")
	stores := make([]*Store, 4)
	n := atOnce(4, func(i int) (err error) {
		stores[i], err = Open(context.Background(), at)
		return err
	})
	for _, s := range stores {
		if s != nil {
			ok(t, s.Close())
		}
	}
	if n != 4 {
		t.Errorf("%d of 4 started", n)
	}
}

func TestWrongAddressesSayWhatIsRight(t *testing.T) {
	for _, url := range []string{"", "sqlite:", "mysql://x", "postgres://a:geheim@[bad", "sqlite:" + filepath.Join(t.TempDir(), "no", "such", "folder")} {
		_, err := Open(context.Background(), url)
		if err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// What stays on SQLite when the race detector makes the suite too slow there.
func TestSmoke(t *testing.T) {
	s := open(t, sqliteFile(t))
	c := founded(t, s, "a")
	atOnce(4, func(i int) error {
		_, err := c.try(day0, wire.CheckIn{Outcomes: []wire.Outcome{c.done(int64(i+1), "job_1")}})
		return err
	})
	if agent, err := c.Agent(context.Background(), c.agent); err != nil || agent.Acknowledged != 4 {
		t.Errorf("%+v, %v", agent, err)
	}
	whole(t, s)
}
