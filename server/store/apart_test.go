package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"patchbay/server/rival"
	"patchbay/wire"
)

// mspTables is the closed list of tables that belong to no customer.
var mspTables = []string{"person", "session", "api_key", "setting", "document", "content", "bulletin", "bulletin_known", "goose_db_version", "sqlite_sequence"}

// filled makes two companies, each with rows in every table.
func filled(t *testing.T, s *Store) (a, b company) {
	t.Helper()
	ctx := context.Background()
	a, b = founded(t, s, "alpha"), founded(t, s, "beta")
	ok(t, s.MSP(ann).AddDocument(ctx, day0, signedBy(wire.RootDocument, 1, "", "{}", "a")))
	ok(t, s.MSP(ann).AddContent(ctx, day0, Content{SHA256: hashOf("filled"), Size: 1, Name: "filled.msi"}, away, placed))
	for _, c := range []company{a, b} {
		_, err := c.wish(c.device, []Job{install("job_" + c.id)})
		ok(t, err)
		in := c.report(day0, offering(t, day0, "nginx", "2"))
		in.Outcomes = []wire.Outcome{{Seq: 1, Device: c.device, Job: "job_" + c.id, Step: wire.StepStaging, Result: wire.ResultOK, At: day0}}
		c.receive(t, day0, in)
		ok(t, c.CreateApprovals(ctx, day0, []Approval{{ID: "apr_" + c.id, Level: LevelDevice, Target: c.device, Provider: "apt",
			Name: "nginx", Answer: Approve, By: ann.ID, At: day0}}))
		_, err = c.Speak(ctx, day0, c.agent, "boot", "nonce", "word", func(rival.Record) rival.Decision {
			return rival.Decision{Changed: true, Record: rival.Record{Boot: "boot", Others: []rival.Other{{Boot: "other", First: day0, Last: day0}}}}
		})
		ok(t, err)
		ok(t, c.RecordMended(ctx, day0, []Mended{{Device: c.device, Item: "nginx", From: "1", To: "2", CVEs: []string{"CVE-2026-0001"}, At: day0}}))
		ok(t, c.CreateGroup(ctx, day0, Group{ID: "grp_" + c.id, Name: "Group of " + c.id, CreatedAt: day0}))
		ok(t, c.ChangeDevices(ctx, day0, []string{c.device}, DeviceChange{Values: map[string]string{"exposure": "open"}, Join: []string{"grp_" + c.id}}))
		ok(t, c.RecordDaily(ctx, day0, []DailyFact{{Day: "2026-11-02", Verdict: "OFFERED", Class: "security", Needs: 1}}))
	}
	return a, b
}

func TestNoHandleReadsAnotherCustomersRows(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		a, b := filled(t, s)
		for name, read := range map[string]func(*Customer) (any, error){
			"sites":      func(c *Customer) (any, error) { return c.Sites(ctx) },
			"tokens":     func(c *Customer) (any, error) { return c.Tokens(ctx) },
			"agents":     func(c *Customer) (any, error) { return c.Agents(ctx) },
			"devices":    func(c *Customer) (any, error) { return c.Devices(ctx, DeviceFilter{}) },
			"sections":   func(c *Customer) (any, error) { return c.Sections(ctx, []string{a.device}) },
			"offers":     func(c *Customer) (any, error) { return c.Offers(ctx, day0, a.device) },
			"approvals":  func(c *Customer) (any, error) { return c.Approvals(ctx, ApprovalFilter{}) },
			"jobs":       func(c *Customer) (any, error) { return c.Jobs(ctx, JobFilter{}) },
			"outcomes":   func(c *Customer) (any, error) { return c.Outcomes(ctx, OutcomeFilter{}) },
			"attributes": func(c *Customer) (any, error) { return c.Attributes(ctx) },
			"groups":     func(c *Customer) (any, error) { return c.Groups(ctx) },
			"members":    func(c *Customer) (any, error) { return c.Memberships(ctx) },
			"mended":     func(c *Customer) (any, error) { return c.Mended(ctx, "CVE-2026-0001", "", 0) },
			"audit":      func(c *Customer) (any, error) { return c.Audit(ctx, AuditFilter{}) },
			"facts":      func(c *Customer) (any, error) { return c.DailyFacts(ctx, FactFilter{}) },
		} {
			own, err := read(a.Customer)
			ok(t, err)
			if text := fmt.Sprintf("%s", own); !strings.Contains(text, "alpha") && !strings.Contains(text, "nginx") || strings.Contains(text, "beta") {
				t.Errorf("%s of alpha, asked for by alpha: %s", name, text)
			}
			others, err := read(b.Customer)
			ok(t, err)
			if text := fmt.Sprintf("%s", others); strings.Contains(text, "alpha") {
				t.Errorf("%s of alpha, asked for by beta: %s", name, text)
			}
		}
	})
}

func TestNoHandleFindsOrChangesAnotherCustomersRows(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		a, b := filled(t, s)
		before := acts(t, s)
		for name, touch := range map[string]func() error{
			"site":   func() error { _, err := b.Site(ctx, a.site); return err },
			"device": func() error { _, err := b.Device(ctx, a.device); return err },
			"agent":  func() error { _, err := b.Agent(ctx, a.agent); return err },
			"job":    func() error { _, err := b.Job(ctx, "job_"+a.id); return err },
			"update": func() error { return b.UpdateSite(ctx, day0, Site{ID: a.site, Name: "Taken", ChangedAt: day0}) },
			"token": func() error {
				return b.CreateToken(ctx, day0, Token{ID: "tok_x", Site: a.site, CreatedAt: day0, ExpiresAt: day0}, "x")
			},
			"revoke": func() error { return b.RevokeToken(ctx, day0, a.token) },
			"rename": func() error { return b.RenameDevice(ctx, day0, a.device, "mine") },
			"attribute": func() error {
				return b.ChangeDevices(ctx, day0, []string{a.device}, DeviceChange{Values: map[string]string{"exposure": "small"}})
			},
			"attribute of a site": func() error {
				return b.SetAttributes(ctx, day0, LevelSite, a.site, map[string]string{"exposure": "small"})
			},
			"join": func() error {
				return b.ChangeDevices(ctx, day0, []string{b.device}, DeviceChange{Join: []string{"grp_" + a.id}})
			},
			"group":        func() error { return b.UpdateGroup(ctx, day0, "grp_"+a.id, "Taken", 1) },
			"delete group": func() error { return b.DeleteGroup(ctx, day0, "grp_"+a.id) },
			"retire":       func() error { return b.RetireDevice(ctx, day0, a.device) },
			"withdraw":     func() error { return b.WithdrawApproval(ctx, day0, "apr_"+a.id) },
			"orders":       func() error { _, err := b.next(a.agent, "x"); return err },
			"jobs": func() error {
				_, err := b.wish(a.device, []Job{install("job_x")})
				return err
			},
			"check-in": func() error { _, err := b.Receive(ctx, day0, wire.CheckIn{Agent: a.agent}); return err },
			"approve": func() error {
				return b.CreateApprovals(ctx, day0, []Approval{{ID: "apr_x", Level: LevelDevice, Target: a.device, At: day0}})
			},
			"approve all": func() error {
				return b.CreateApprovals(ctx, day0, []Approval{{ID: "apr_x", Level: LevelCustomer, Target: a.id, At: day0}})
			},
		} {
			t.Run(name, func(t *testing.T) { refused(t, ErrNotFound, touch()) })
		}
		_, err := b.wish(b.device, nil, "job_"+a.id)
		ok(t, err)
		if j, err := a.Job(ctx, "job_"+a.id); err != nil || j.WithdrawnAt != nil {
			t.Errorf("beta withdrew alpha's job: %+v, %v", j, err)
		}
		refused(t, ErrToken, b.Enroll(ctx, day0, a.secret, Agent{ID: "agt_x"}, Device{ID: "dev_x"}))
		if after := acts(t, s); after != before {
			t.Errorf("%d acts were written by what was refused", after-before)
		}
	})
}

func TestNobodyAsksForNothing(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		founded(t, s, "a")
		for _, id := range []string{"", "msp", "cus_none"} {
			_, err := s.Customer(ann, id).Get(ctx)
			refused(t, ErrNotFound, err)
			if devices, _ := s.Customer(ann, id).Devices(ctx, DeviceFilter{}); len(devices) > 0 {
				t.Errorf("customer %q has devices", id)
			}
		}
		if _, err := s.MSP(Who{}).Devices(ctx, DeviceFilter{}); err == nil {
			t.Error("somebody without an ID was answered")
		}
	})
}

func TestEveryTableIsSomebodys(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		for _, table := range tables(t, s) {
			if slices.Contains(mspTables, table) || table == "customer" {
				continue
			}
			if !slices.Contains(strings.Fields(columns(t, s, table)), "customer") {
				t.Errorf("%s is not on the MSP's list and has no customer", table)
			}
			if !strings.HasPrefix(primaryKey(t, s, table), "customer") {
				t.Errorf("the key of %s does not begin with the customer: %s", table, primaryKey(t, s, table))
			}
		}
	})
}

func TestRowSecurityIsForcedOnEveryTable(t *testing.T) {
	s := open(t, postgresURL(t))
	for _, table := range tables(t, s) {
		if table == "goose_db_version" {
			continue
		}
		var on, forced bool
		var policies int
		ok(t, s.writer.QueryRow(`SELECT relrowsecurity, relforcerowsecurity, (SELECT COUNT(*) FROM pg_policies WHERE tablename = relname)
			FROM pg_class WHERE relname = $1 AND relkind = 'r'`, table).Scan(&on, &forced, &policies))
		if !on || !forced || policies == 0 {
			t.Errorf("%s: row security on %v, forced %v, %d policies", table, on, forced, policies)
		}
	}
}

// The condition on the customer is left out on purpose: the database itself must hold.
func TestRowSecurityHoldsWithoutTheCondition(t *testing.T) {
	s := open(t, postgresURL(t))
	ctx := context.Background()
	a, b := filled(t, s)
	for _, table := range tables(t, s) {
		owner := "customer"
		if table == "customer" {
			owner = "id"
		}
		switch {
		case table == "goose_db_version":
			continue
		case slices.Contains(mspTables, table):
			owner = "'msp'"
		}
		t.Run(table, func(t *testing.T) {
			inside(t, b.handle, func(q *sql.Tx) {
				if n := count(t, q, `SELECT COUNT(*) FROM `+table+` WHERE `+owner+` <> '`+b.id+`'`); n != 0 {
					t.Errorf("%d foreign rows are visible", n)
				}
				if n := affected(t, q, `UPDATE `+table+` SET `+first(t, s, table)+` = `+first(t, s, table)+` WHERE `+owner+` = '`+a.id+`'`); n != 0 {
					t.Errorf("%d foreign rows were changed", n)
				}
			})
			inside(t, b.handle, func(q *sql.Tx) {
				if n := affected(t, q, `DELETE FROM `+table+` WHERE `+owner+` <> '`+b.id+`'`); n != 0 {
					t.Errorf("%d foreign rows were deleted", n)
				}
			})
		})
	}
	inside(t, b.handle, func(q *sql.Tx) {
		if _, err := q.Exec(`UPDATE site SET customer = 'cus_alpha'`); err == nil {
			t.Error("a row was given to another customer")
		}
	})
	inside(t, b.handle, func(q *sql.Tx) {
		_, err := q.Exec(`INSERT INTO daily_fact VALUES ('cus_alpha', '2026-01-01', 'x', 'y', 1, 1, 1)`)
		if err == nil || !strings.Contains(err.Error(), "row-level security") {
			t.Errorf("writing for another customer: %v", err)
		}
	})
	for _, table := range tables(t, s) { // a transaction that says nothing
		if table != "goose_db_version" {
			var n int
			ok(t, s.writer.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+table).Scan(&n))
			if n != 0 {
				t.Errorf("%s shows %d rows to nobody", table, n)
			}
		}
	}
}

func TestSuperusersAreNotAccepted(t *testing.T) {
	url := postgresURL(t)
	_, err := Open(context.Background(), strings.Replace(url, "patchbay@", "postgres@", 1))
	if err == nil || !strings.Contains(err.Error(), "row-level security") {
		t.Error(err)
	}
}

// inside runs raw SQL in a transaction of a handle and rolls it back.
func inside(t *testing.T, h handle, fn func(*sql.Tx)) {
	t.Helper()
	q, err := h.begin(context.Background(), h.s.writer, nil)
	ok(t, err)
	defer q.sql.Rollback()
	fn(q.sql)
}

func count(t *testing.T, q *sql.Tx, query string) (n int) {
	t.Helper()
	ok(t, q.QueryRow(query).Scan(&n))
	return n
}

func affected(t *testing.T, q *sql.Tx, query string) int64 {
	t.Helper()
	done, err := q.Exec(query)
	if err != nil && strings.Contains(err.Error(), "row-level security") {
		return 0
	}
	ok(t, err)
	n, err := done.RowsAffected()
	ok(t, err)
	return n
}

func strs(t *testing.T, s *Store, query string) []string {
	t.Helper()
	rows, err := s.writer.Query(query)
	ok(t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var v string
		ok(t, rows.Scan(&v))
		all = append(all, v)
	}
	ok(t, rows.Err())
	return all
}

func tables(t *testing.T, s *Store) []string {
	t.Helper()
	query := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if s.engine.name == "postgres" {
		query = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`
	}
	all := strs(t, s, query)
	if len(all) < 15 {
		t.Fatalf("only %v", all)
	}
	return all
}

func columns(t *testing.T, s *Store, table string) string {
	t.Helper()
	query := `SELECT name FROM pragma_table_info('` + table + `')`
	if s.engine.name == "postgres" {
		query = `SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '` + table + `' ORDER BY ordinal_position`
	}
	return strings.Join(strs(t, s, query), " ")
}

func first(t *testing.T, s *Store, table string) string {
	return strings.Fields(columns(t, s, table))[0]
}

func primaryKey(t *testing.T, s *Store, table string) string {
	t.Helper()
	query := `SELECT name FROM pragma_table_info('` + table + `') WHERE pk > 0 ORDER BY pk`
	if s.engine.name == "postgres" {
		query = `SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
			WHERE i.indrelid = '` + table + `'::regclass AND i.indisprimary ORDER BY array_position(i.indkey, a.attnum)`
	}
	return strings.Join(strs(t, s, query), " ")
}
