package agent

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/agent/journal"
	"patchbay/patch"
	"patchbay/wire"
)

// dayRecording is a day at a machine: what its sessions told, minute by minute from noon, what people
// answered, and what came of it. They are written by hand, after what the facts of a Windows look
// like; none is of a real one.
type dayRecording struct {
	About   string       `json:"about"`
	Reboots wire.Reboots `json:"reboots"`
	Facts   []struct {
		Minute int `json:"minute"`
		wire.Presence
		People int `json:"people"`
	} `json:"facts"`
	Answers  []string `json:"answers"`  // to the questions in turn, in the words of a button; "" is none
	Restarts []int    `json:"restarts"` // the minutes
	Asked    int      `json:"asked"`    // -1 is any number
	Told     []int    `json:"told"`     // the minutes
}

// TestRecordedDays replays each recording through the planner alone, with a window every night.
func TestRecordedDays(t *testing.T) {
	files, err := filepath.Glob("testdata/days/*.json")
	if err != nil || len(files) < 6 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var r dayRecording
			if err := json.Unmarshal(text, &r); err != nil {
				t.Fatal(err)
			}
			d := newDay(t, r.Reboots, nightly())
			d.answer = func(q journal.Question, _ time.Time) (int, time.Duration) {
				i := slices.IndexFunc(q.Choices, func(c journal.Choice) bool {
					return len(d.asked) <= len(r.Answers) && c.Text == r.Answers[len(d.asked)-1]
				})
				if i < 0 && len(d.asked) <= len(r.Answers) && r.Answers[len(d.asked)-1] != "" {
					t.Errorf("%q was not offered: %+v", r.Answers[len(d.asked)-1], q.Choices)
				}
				return i, time.Minute
			}
			for minute := range 60 * 48 {
				for _, f := range r.Facts {
					if f.Minute == minute {
						d.c.present, d.c.people = f.Presence, f.People
					}
				}
				d.lives(time.Minute)
			}
			if got := minutes(d.made); !slices.Equal(got, r.Restarts) {
				t.Errorf("restarted at %v", got)
			}
			if got := minutes(d.said); !slices.Equal(got, r.Told) {
				t.Errorf("told at %v: %q", got, d.texts)
			}
			if r.Asked >= 0 && len(d.asked) != r.Asked {
				t.Errorf("asked %d times", len(d.asked))
			}
			if d.c.present.LoggedIn == patch.No && len(d.said) > 0 {
				t.Errorf("nobody was told %q", d.texts)
			}
		})
	}
}

func minutes(times []time.Time) []int {
	all := []int{}
	for _, at := range times {
		all = append(all, int(at.Sub(sunday)/time.Minute))
	}
	return all
}
