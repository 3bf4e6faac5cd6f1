package journal

import (
	"slices"
	"time"
)

// Reboot is the one reboot that jobs wait for, what was said about it, and those that this
// agent made before.
type Reboot struct {
	Since time.Time `json:"since,omitzero"` // when it was first asked for; zero while none is
	At    time.Time `json:"at,omitzero"`    // the moment that people were told of
	// Chosen says that somebody at the machine chose At.
	Chosen bool `json:"chosen,omitempty"`
	// Told is how long before At the last notice was, as it should have been; zero when none was.
	Told      time.Duration `json:"told,omitempty"`
	Postponed int           `json:"postponed,omitempty"` // how often people put it off
	Quiet     time.Time     `json:"quiet,omitzero"`      // nobody is asked before
	Asked     *Question     `json:"asked,omitempty"`     // the question that is shown
	Telling   *Notice       `json:"telling,omitempty"`   // the notice that is being given
	Made      []Made        `json:"made,omitempty"`      // the last ones, oldest first
}

// Notice is something that people are told.
type Notice struct {
	Text string    `json:"text"`
	At   time.Time `json:"at"`  // when it began to be told
	Job  string    `json:"job"` // under which it is told to the server
}

// Question is what those of a session are asked.
type Question struct {
	Notice
	Session uint32   `json:"session"`
	User    string   `json:"user,omitempty"`
	Choices []Choice `json:"choices"`
}

// Choice is one answer that may be given.
type Choice struct {
	Kind ChoiceKind `json:"kind"`
	At   time.Time  `json:"at,omitzero"` // with ChooseSlot
	Text string     `json:"text"`        // of its button
}

// ChoiceKind is what an answer means.
type ChoiceKind string

// The kinds of answers.
const (
	ChooseNow   ChoiceKind = "now"
	ChooseSlot  ChoiceKind = "slot"
	ChooseLater ChoiceKind = "later"
)

// Made is a reboot that this agent made.
type Made struct {
	At     time.Time `json:"at"`
	Day    string    `json:"day"`              // of the device's zone, as 2006-01-02
	Boot   string    `json:"boot,omitempty"`   // the one that it ended; while that goes on it was not made
	Forced bool      `json:"forced,omitempty"` // a person forced a job that asked for it
	Chosen bool      `json:"chosen,omitempty"` // somebody at the machine chose the moment
}

// Over is what is remembered when no job waits for a reboot any more.
func (r Reboot) Over() Reboot { return Reboot{Made: r.Made, Telling: r.Telling, Asked: r.Asked} }

// mostMade is how many reboots are remembered: more than there may be in the days that count.
const mostMade = 100

// Making is r with one more reboot. One that was written down in the same boot was not made.
func (r Reboot) Making(m Made) Reboot {
	r.Made = slices.DeleteFunc(slices.Clone(r.Made), func(o Made) bool { return m.Boot != "" && o.Boot == m.Boot })
	r.Made = append(r.Made, m)
	r.Made = r.Made[max(0, len(r.Made)-mostMade):]
	return r
}

// MadeOn counts the reboots of a day in the zone. boot is the present one.
func (r Reboot) MadeOn(day string, zone *time.Location, boot string) int {
	n := 0
	for _, m := range r.Made {
		today := m.Day == day || m.At.In(zone).Format(time.DateOnly) == day
		if today && (boot == "" || m.Boot != boot) {
			n++
		}
	}
	return n
}
