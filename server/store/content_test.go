package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"patchbay/wire"
)

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// placed is a file that came into its place.
func placed() error { return nil }

func here() bool { return true }
func away() bool { return false }

func file(text string) Content {
	return Content{SHA256: hashOf(text), Size: int64(len(text)), Name: text + ".msi"}
}

// installing is a job that installs a file.
func installing(id, from, to, sha256 string) Job {
	t := wire.Target{Provider: "win", Name: "tool", From: from, To: to, SHA256: sha256}
	return Job{Job: wire.Job{ID: id, Verb: wire.VerbInstall, Target: t}}
}

func TestContentIsThereOnceAndItsActsAreWrittenDown(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx, m := context.Background(), s.MSP(ann)
		c := file("a")
		c.Source = "https://example.org/a.msi"
		ok(t, m.AddContent(ctx, day0, c, away, placed))
		before := acts(t, s)
		ok(t, m.AddContent(ctx, day0.Add(time.Hour), c, here, placed))
		if n := acts(t, s) - before; n != 0 {
			t.Errorf("the same again wrote %d acts", n)
		}
		c.AddedAt, c.AddedBy = day0, ann.ID
		same(t, must(m.Content(ctx, c.SHA256))(t), c)
		ok(t, m.AddContent(ctx, day0, c, away, placed)) // its file was gone
		ok(t, m.UsedContent(ctx, day0, map[string]time.Time{c.SHA256: day0.Add(time.Minute), hashOf("none"): day0}))
		ok(t, m.UsedContent(ctx, day0, map[string]time.Time{c.SHA256: day0}))
		if all := must(m.Contents(ctx))(t); len(all) != 1 || !all[0].UsedAt.Equal(day0.Add(time.Minute)) {
			t.Errorf("%+v", all)
		}
		free := func(p ContentPins) error {
			if p != (ContentPins{}) {
				t.Errorf("nothing needs it, and it is said to be needed by %+v", p)
			}
			return nil
		}
		ok(t, m.RemoveContent(ctx, day0, c.SHA256, false, free, placed))
		refused(t, ErrNotFound, m.RemoveContent(ctx, day0, c.SHA256, false, free, placed))
		_, err := m.Content(ctx, c.SHA256)
		refused(t, ErrNotFound, err)
		var said []string
		for _, row := range must(m.Audit(ctx, AuditFilter{Object: c.SHA256}))(t) {
			said = append(said, row.Act+" "+string(row.Payload))
		}
		same(t, said, []string{`content.remove {"name":"a.msi","size":1}`,
			`content.add {"name":"a.msi","size":1,"source":"https://example.org/a.msi"}`,
			`content.add {"name":"a.msi","size":1,"source":"https://example.org/a.msi"}`})
		whole(t, s)
	})
}

// A file that cannot be put in its place has no row, and one that cannot be removed keeps it.
func TestRowsOfContentGoWithTheirFiles(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx, m := context.Background(), s.MSP(ann)
		broken := errors.New("the disk is gone")
		fails := func() error { return broken }
		if err := m.AddContent(ctx, day0, file("a"), away, fails); !errors.Is(err, broken) {
			t.Errorf("adding: %v", err)
		}
		if all := must(m.Contents(ctx))(t); len(all) != 0 {
			t.Errorf("a row without its file: %+v", all)
		}
		ok(t, m.AddContent(ctx, day0, file("a"), away, placed))
		any := func(ContentPins) error { return nil }
		if err := m.RemoveContent(ctx, day0, hashOf("a"), true, any, fails); !errors.Is(err, broken) {
			t.Errorf("removing: %v", err)
		}
		never := func() error { t.Error("what was refused was removed"); return nil }
		if err := m.RemoveContent(ctx, day0, hashOf("a"), true, func(ContentPins) error { return broken }, never); !errors.Is(err, broken) {
			t.Errorf("refusing: %v", err)
		}
		if all := must(m.Contents(ctx))(t); len(all) != 1 {
			t.Errorf("%+v", all)
		}
		whole(t, s)
	})
}

func TestJobsAndYoungUpdatesNeedTheirContent(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx, m, c := context.Background(), s.MSP(ann), founded(t, s, "a")
		for _, name := range []string{"v1", "v2", "v3", "other"} {
			ok(t, m.AddContent(ctx, day0, file(name), away, placed))
		}
		day, seq := day0, int64(0)
		run := func(id, from, to string) {
			t.Helper()
			day = day.Add(40 * 24 * time.Hour)
			_, err := c.wish(c.device, []Job{installing(id, from, to, hashOf(to))})
			ok(t, err)
			needs(t, s, day, to, ContentPins{Jobs: 1})
			seq++
			in := c.report(day)
			in.Outcomes = []wire.Outcome{{Seq: seq, Device: c.device, Job: id, Step: wire.StepDone, Result: wire.ResultOK, At: day}}
			c.receive(t, day, in)
		}
		run("job_1", "v0", "v1")
		needs(t, s, day, "v1", ContentPins{Rollbacks: 1})
		needs(t, s, day.Add(31*24*time.Hour), "v1", ContentPins{})
		run("job_2", "v1", "v2")
		needs(t, s, day, "v1", ContentPins{Rollbacks: 1}) // older than the memory, and what an undo brings back
		needs(t, s, day, "v2", ContentPins{Rollbacks: 1})
		run("job_3", "v2", "v3")
		needs(t, s, day, "v1", ContentPins{})
		needs(t, s, day, "v2", ContentPins{Rollbacks: 1})
		needs(t, s, day, "other", ContentPins{})
	})
}

// needs holds what the list says of a file, and what is said when it is to be removed.
func needs(t *testing.T, s *Store, now time.Time, name string, want ContentPins) {
	t.Helper()
	ctx, m := context.Background(), s.MSP(ann)
	if got := must(m.ContentPins(ctx, now))(t)[hashOf(name)]; got != want {
		t.Errorf("%s at %s: %+v, want %+v", name, now, got, want)
	}
	stop := errors.New("only asked")
	err := m.RemoveContent(ctx, now, hashOf(name), true, func(got ContentPins) error {
		if got != want {
			t.Errorf("%s at %s, alone: %+v, want %+v", name, now, got, want)
		}
		return stop
	}, placed)
	if !errors.Is(err, stop) {
		t.Error(err)
	}
}

func TestAnAgentWantsWhatItsOwnOpenJobsAreAbout(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		a, b := founded(t, s, "a"), founded(t, s, "b")
		a.enroll(t, "agt_second", "dev_second")
		_, err := a.wish(a.device, []Job{installing("job_a", "1", "2", hashOf("x"))})
		ok(t, err)
		for _, c := range []struct {
			h     *Customer
			agent string
			hash  string
			want  bool
		}{
			{a.Customer, a.agent, hashOf("x"), true}, {a.Customer, a.agent, hashOf("y"), false}, {a.Customer, a.agent, "", false},
			{a.Customer, "agt_second", hashOf("x"), false}, {b.Customer, b.agent, hashOf("x"), false}, {b.Customer, a.agent, hashOf("x"), false},
		} {
			if got := must(c.h.Wants(ctx, c.agent, c.hash))(t); got != c.want {
				t.Errorf("%s wants %.5s: %v", c.agent, c.hash, got)
			}
		}
		_, err = a.wish(a.device, nil, "job_a")
		ok(t, err)
		if must(a.Wants(ctx, a.agent, hashOf("x")))(t) {
			t.Error("a job that was withdrawn still opens its file")
		}
	})
}

// Many at once who add one file, or remove it, end with a row and its file, or with neither.
func TestManyAtOnceAgreeOnOneFile(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		turns := make(chan struct{}, 1)
		there := false
		put := func(v bool) func() error {
			return func() error {
				turns <- struct{}{}
				defer func() { <-turns }()
				there = v
				return nil
			}
		}
		atOnce(16, func(i int) error {
			m := s.MSP(Who{ID: fmt.Sprintf("per_%d", i), Name: "P"})
			if i%2 == 0 {
				return m.AddContent(ctx, day0, file("a"), here, put(true))
			}
			return m.RemoveContent(ctx, day0, hashOf("a"), false, func(ContentPins) error { return nil }, put(false))
		})
		if rows := len(must(s.MSP(ann).Contents(ctx))(t)); (rows == 1) != there {
			t.Errorf("%d rows, file there: %v", rows, there)
		}
		whole(t, s)
	})
}
