package store

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"patchbay/server/bulletin"
)

// says is a source that says these things.
func says(source string, ids ...string) []bulletin.Said {
	said := []bulletin.Said{{Source: source}}
	for _, id := range ids {
		said = append(said, bulletin.Said{Source: source, Key: id, News: func(func(string) bool) bulletin.Bulletin {
			return bulletin.Bulletin{ID: id, Kind: bulletin.New, Feed: "feed", Title: "Of " + id, CVEs: []string{id}, Published: day0}
		}})
	}
	return said
}

func learn(t testing.TB, s *Store, now time.Time, said []bulletin.Said) []bulletin.Bulletin {
	t.Helper()
	told, err := s.MSP(ann).Learn(context.Background(), now, slices.Values(said))
	ok(t, err)
	return told
}

// What was told once is not told again, whoever reads it after whatever restart.
func TestABulletinIsToldOnceOverRestarts(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		if told := learn(t, s, day0, says("a", "CVE-1", "CVE-2")); len(told) > 0 {
			t.Errorf("the first reading tells %+v", told)
		}
		if told := learn(t, s, day0.Add(time.Hour), says("a", "CVE-1", "CVE-3")); len(told) != 1 || told[0].ID != "CVE-3" {
			t.Errorf("told %+v", told)
		}
		// Another server of the same database, or this one after a restart, reads the same.
		for range 2 {
			if told := learn(t, s, day0.Add(2*time.Hour), says("a", "CVE-1", "CVE-2", "CVE-3")); len(told) > 0 {
				t.Errorf("told again: %+v", told)
			}
		}
		list, err := s.MSP(ann).Bulletins(context.Background(), time.Time{})
		ok(t, err)
		if len(list) != 1 || list[0].Title != "Of CVE-3" || !list[0].SeenAt.Equal(day0.Add(time.Hour)) || !slices.Equal(list[0].CVEs, []string{"CVE-3"}) || !list[0].Published.Equal(day0) {
			t.Errorf("%+v", list)
		}
		if list, err = s.MSP(ann).Bulletins(context.Background(), day0.Add(90*time.Minute)); err != nil || len(list) != 0 {
			t.Errorf("%+v %v", list, err)
		}
	})
}

// Servers that read the same at once tell it once.
func TestServersThatLearnAtOnceTellOnce(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		learn(t, s, day0, says("a", "CVE-1"))
		told := make([]int, 4)
		atOnce(4, func(i int) error {
			list, err := s.MSP(ann).Learn(context.Background(), day0, slices.Values(says("a", "CVE-1", "CVE-2")))
			told[i] = len(list)
			return err
		})
		if sum := told[0] + told[1] + told[2] + told[3]; sum != 1 {
			t.Errorf("told %v", told)
		}
	})
}

func TestBulletinsAreBounded(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		learn(t, s, day0, says("a", "CVE-0"))
		for i := range 6 { // a thousand at a time
			var ids []string
			for j := range 1000 {
				ids = append(ids, fmt.Sprintf("CVE-%d-%d", i, j))
			}
			learn(t, s, day0.Add(time.Duration(i+1)*time.Minute), says("a", ids...))
		}
		list, err := s.MSP(ann).Bulletins(context.Background(), time.Time{})
		ok(t, err)
		if len(list) != bulletin.Most || !list[0].SeenAt.Equal(day0.Add(6*time.Minute)) {
			t.Errorf("%d are kept, the newest of %s", len(list), list[0].SeenAt)
		}
		learn(t, s, day0.Add(bulletin.Keep+time.Hour), says("a", "CVE-0"))
		if list, err = s.MSP(ann).Bulletins(context.Background(), time.Time{}); err != nil || len(list) != 0 {
			t.Errorf("%d are kept for ever, %v", len(list), err)
		}
	})
}

// A bulletin that comes in parts is one, and names all of them.
func TestPartsThatComeLaterAreAdded(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		part := func(kb string) bulletin.Said {
			return bulletin.Said{Source: "ms", Key: kb, News: func(func(string) bool) bulletin.Bulletin {
				return bulletin.Bulletin{ID: "2026-Jan", Kind: bulletin.Monthly, Feed: "msrc", Updates: []string{kb}}
			}}
		}
		learn(t, s, day0, []bulletin.Said{part("KB1")})
		learn(t, s, day0, []bulletin.Said{part("KB2")})
		if told := learn(t, s, day0.Add(time.Hour), []bulletin.Said{part("KB3")}); len(told) != 0 {
			t.Errorf("told again: %+v", told)
		}
		list, err := s.MSP(ann).Bulletins(context.Background(), time.Time{})
		ok(t, err)
		if len(list) != 1 || !slices.Equal(list[0].Updates, []string{"KB2", "KB3"}) || !list[0].SeenAt.Equal(day0) {
			t.Errorf("%+v", list)
		}
	})
}
