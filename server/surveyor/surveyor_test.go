package surveyor

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/server/catalog/kinds"
	"patchbay/server/knowledge"
)

func source(name, kind string, each func(func(string, io.Reader) error) error) knowledge.Source {
	return knowledge.Source{Name: name, Kind: kind, Each: each}
}

const one = `{"id":"DSA-1","upstream":["CVE-2026-0001"],"published":"2026-01-05T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12","name":"curl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.1"}]}]}]}`

// TestASurveyTellsHowFarItIs: it waits, is at a feed, is done; it is made once, and anew when it
// is old; and one at a time.
func TestASurveyTellsHowFarItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate, reads := make(chan bool), 0
		s := &Surveyor{Now: time.Now, Log: slog.New(slog.DiscardHandler), Sources: func() []knowledge.Source {
			return []knowledge.Source{source("epss", kinds.EPSS, nil), source("osv", kinds.OSV, func(f func(string, io.Reader) error) error {
				reads++
				<-gate
				return f("x", strings.NewReader(one))
			})}
		}}
		if st := s.Ask("curl", "curl"); !st.Waiting || st.Done {
			t.Errorf("%+v", st)
		}
		s.Ask("nginx", "nginx")
		synctest.Wait()
		if st, other := s.Ask("curl", "curl"), s.Ask("nginx", "nginx"); st.Feed != "osv" || st.Of != 1 || st.Waiting || !other.Waiting || reads != 1 {
			t.Errorf("%+v, %+v, %d reads", st, other, reads)
		}
		gate <- true
		gate <- true
		synctest.Wait()
		if st := s.Ask("curl", "curl"); !st.Done || len(st.Survey.Feeds) != 1 || st.Survey.Feeds[0].Advisories != 1 || reads != 2 {
			t.Errorf("%+v, %d reads", st, reads)
		}
		if st := s.Ask("nginx", "nginx"); !st.Done || len(st.Survey.Feeds) != 0 {
			t.Errorf("%+v", st)
		}
		time.Sleep(keep + time.Second)
		if st := s.Ask("curl", "curl"); st.Done {
			t.Errorf("an old one is taken for young: %+v", st)
		}
		gate <- true
		synctest.Wait()
	})
}

// TestAFeedThatCannotBeReadIsTold, and the others count.
func TestAFeedThatCannotBeReadIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Surveyor{Now: time.Now, Log: slog.New(slog.DiscardHandler), Sources: func() []knowledge.Source {
			return []knowledge.Source{source("broken", kinds.OSV, func(func(string, io.Reader) error) error { return errors.New("gone") }),
				source("osv", kinds.OSV, func(f func(string, io.Reader) error) error { return f("x", strings.NewReader(one)) })}
		}}
		s.Ask("curl", "curl")
		synctest.Wait()
		if st := s.Ask("curl", "curl"); !st.Done || !strings.Contains(st.Trouble, "broken") || len(st.Survey.Feeds) != 1 {
			t.Errorf("%+v", st)
		}
		for i := range 3 * mostKept { // whoever asks for ever more takes no more memory
			s.Ask(fmt.Sprint("p", i), "p")
			synctest.Wait()
		}
		if len(s.states) > mostKept {
			t.Errorf("%d are kept", len(s.states))
		}
	})
}
